"""Story time runs fast, meets the wall clock and never passes it."""

from datetime import UTC, datetime, timedelta

import pytest

from simulators.story_clock import StoryClock

_NOON = datetime(2026, 7, 14, 12, tzinfo=UTC)
_HOUR = timedelta(hours=1)


class _Wall:
    def __init__(self) -> None:
        self.now = _NOON

    def __call__(self) -> datetime:
        return self.now


def test_story_time_runs_at_its_speed_until_it_has_caught_up() -> None:
    wall = _Wall()
    story = StoryClock(_NOON - _HOUR, 61, wall)
    assert story.now() == _NOON - _HOUR
    wall.now += timedelta(seconds=30)
    assert story.now() == _NOON - _HOUR + timedelta(seconds=30 * 61)
    assert not story.caught_up()
    wall.now += timedelta(seconds=30)
    assert story.caught_up()
    assert story.now() == wall.now
    wall.now += _HOUR
    assert story.now() == wall.now


def test_waiting_is_exactly_until_the_instant_is_reached() -> None:
    wall = _Wall()
    story = StoryClock(_NOON - _HOUR, 60, wall)
    assert story.wait_s(_NOON - _HOUR) == 0
    assert story.wait_s(_NOON - _HOUR / 2) == 30
    assert story.wait_s(_NOON + timedelta(seconds=90)) == 90
    wall.now += timedelta(minutes=10)
    assert story.wait_s(wall.now + timedelta(seconds=5)) == 5


def test_nothing_is_due_before_it_has_been_measured_even_when_the_start_lies_ahead() -> None:
    wall = _Wall()
    story = StoryClock(_NOON + _HOUR, 1000, wall)
    assert story.now() == _NOON
    assert story.wait_s(_NOON + _HOUR) == 3600


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_speed_that_goes_nowhere_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        StoryClock(_NOON, speed, _Wall())
