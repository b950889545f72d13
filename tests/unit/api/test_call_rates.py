"""How many requests a caller may send."""

from services.api.call_rates import CallRates


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_caller_may_send_a_burst_and_then_so_many_a_second() -> None:
    clock = Clock()
    rates = CallRates(10.0, 5, clock)
    assert [rates.take("a") for _ in range(5)] == [0.0] * 5
    assert rates.take("a") == 0.1
    assert rates.take("b") == 0.0
    clock.now_s = 0.2
    assert [rates.take("a") > 0 for _ in range(3)] == [False, False, True]
    clock.now_s = 1000.0
    assert [rates.take("a") > 0 for _ in range(6)] == [False] * 5 + [True]
