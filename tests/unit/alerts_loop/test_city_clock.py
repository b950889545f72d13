"""What time it is in the city, by its readings."""

from datetime import UTC, datetime, timedelta

from services.alerts.city_clock import CityClock, Sighting

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def reading(sensor: str, minutes: float) -> Sighting:
    return (NOON + minutes * MINUTE).timestamp(), ord(sensor[0])


def test_time_moves_with_the_readings_and_never_back() -> None:
    clock = CityClock(None, 100)
    assert clock.see([reading("a", 0)])
    assert clock.see([reading("b", 5), reading("a", 4)])
    assert not clock.see([reading("c", 1)])
    assert clock.time == NOON + 5 * MINUTE


def test_one_device_far_ahead_does_not_move_the_city() -> None:
    clock = CityClock(NOON, 100)
    for minute in range(200, 260):
        assert not clock.see([reading("wrong-clock", minute)])
    assert clock.see([reading("a", 1)])
    assert clock.time == NOON + MINUTE


def test_three_sensors_that_agree_move_the_city_over_a_gap() -> None:
    clock = CityClock(NOON, 100)
    clock.see([reading("a", 240), reading("b", 239)])
    assert clock.time == NOON
    clock.see([reading("c", 241)])
    assert clock.time == NOON + 239 * MINUTE


def test_a_city_with_one_sensor_follows_it() -> None:
    clock = CityClock(NOON, 1)
    assert clock.see([reading("only", 240)])
    assert clock.time == NOON + 240 * MINUTE
