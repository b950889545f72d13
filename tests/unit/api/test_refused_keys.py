"""Refused keys are told of without letting anybody fill the trail."""

from services.api.refused_keys import RefusedKeys


class _Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_the_first_is_told_at_once_and_the_rest_once_a_minute() -> None:
    clock = _Clock()
    refused = RefusedKeys(clock)
    assert refused.note("10.0.0.1", "unknown") == {"times": 1, "of_others": 0}
    for _ in range(100):
        assert refused.note("10.0.0.1", "unknown") is None
    assert refused.note("10.0.0.1", "expired") == {"times": 1, "of_others": 0}, "another reason is other news"
    clock.now_s = 60.0
    assert refused.note("10.0.0.1", "unknown") == {"times": 101, "of_others": 0}


def test_many_addresses_write_few_lines_and_none_is_lost() -> None:
    clock = _Clock()
    refused = RefusedKeys(clock)
    told = [refused.note(f"10.0.{number // 256}.{number % 256}", "unknown") for number in range(5000)]
    written = [each for each in told if each is not None]
    assert len(written) == 60
    clock.now_s = 60.0
    later = refused.note("10.9.9.9", "unknown")
    assert later == {"times": 1, "of_others": 4940}
