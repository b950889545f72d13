"""Story time: fast until it meets the wall clock, then in step with it, never ahead of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

Clock = Callable[[], datetime]


class StoryClock:
    """``start + elapsed * speed``, but not later than now."""

    def __init__(self, start: datetime, speed: float, clock: Clock) -> None:
        if start.tzinfo is None:
            raise ValueError("start needs a zone")
        if not speed > 0:
            raise ValueError(f"speed must be greater than 0, not {speed}")
        self._start = start
        self._speed = speed
        self._clock = clock
        self._began = clock()

    def now(self) -> datetime:
        """The present story time."""
        wall = self._clock()
        return min(self._start + (wall - self._began) * self._speed, wall)

    def wait_s(self, due: datetime) -> float:
        """Wall seconds until the story time reaches ``due``; 0 when it has."""
        wall = self._clock()
        fast = self._began + (due - self._start) / self._speed
        return max(0.0, (max(fast, due) - wall) / timedelta(seconds=1))

    def caught_up(self) -> bool:
        """Whether story time and wall clock have met."""
        wall = self._clock()
        return self._start + (wall - self._began) * self._speed >= wall
