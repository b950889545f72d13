"""What is usual at this time of day."""

from math import isfinite
from typing import Any, ClassVar

from services.alerts.detectors.contract import UNKNOWN, Detector, Score, State, Trainable
from services.alerts.detectors.day_profile import DayProfile


class Seasonal(Trainable, Detector):
    """Scores the deviation from a learnt profile of the day, in robust standard deviations.

    The day is cut into ``bins``, whose means and deviations ``DayProfile`` keeps; old days fade over ``memory_days``.
    A deviation counts in units of the local scale, which is never less than ``relative_floor`` of the expected value
    or ``floor`` in the value's unit. A value inside the range of the whole day's profile, or beyond it by less than
    that least scale, scores 0: a pump that merely runs at another hour is no fault. Unknown before ``warm_up_days``
    days were learnt. Where weekends and holidays differ, ``WeeklySeasonal`` knows them.

    Source: running Huber estimates after Huber (1964), profile of the day as in DMA monitoring practice (IWA).
    """

    name: ClassVar[str] = "seasonal"
    version: ClassVar[str] = "2"
    learnt: ClassVar[tuple[str, ...]] = ("means", "deviations", "counts", "days", "day")

    __slots__ = ("_profile", "bins", "floor", "memory_days", "relative_floor", "warm_up_days")

    def __init__(
        self,
        floor: float,
        *,
        relative_floor: float = 0.05,
        bins: int = 24,
        memory_days: float = 14.0,
        warm_up_days: int = 2,
    ) -> None:
        self.floor = floor
        self.relative_floor = relative_floor
        self.bins = bins
        self.memory_days = memory_days
        self.warm_up_days = warm_up_days
        self._profile = DayProfile(bins=bins, floor=floor, memory_days=memory_days, warm_up_days=warm_up_days)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "floor": self.floor,
            "relative_floor": self.relative_floor,
            "bins": self.bins,
            "memory_days": self.memory_days,
            "warm_up_days": self.warm_up_days,
        }

    def reads_state_of(self, version: str) -> bool:
        """Version 1 kept the same numbers; the deviations it began with were too large and fade."""
        return version == "1"

    def score(self, time_s: float, value: float) -> Score:
        """The deviation from what is usual now, in robust standard deviations."""
        if not isfinite(value):
            return UNKNOWN
        usual = self._profile.usual(time_s)
        if usual is None:
            return UNKNOWN
        mean, sigma = usual
        low, high = self._profile.range
        if self._outer(low, -1) <= value <= self._outer(high, 1):
            return Score(0.0, expected=mean)
        scale = max(sigma, self.floor, abs(mean) * self.relative_floor)
        return Score((value - mean) / scale, expected=mean, seen={"expected": mean, "scale": scale})

    def _outer(self, edge: float, side: int) -> float:
        return edge + side * max(self.floor, abs(edge) * self.relative_floor)

    def learn(self, time_s: float, value: float) -> None:
        """Move the bin of this time of day towards a normal value."""
        self._profile.learn(time_s, value)

    def state(self) -> dict[str, Any]:
        """The profile."""
        return self._profile.state()

    def restore(self, state: State) -> None:
        """Take up the profile."""
        self._profile.restore(state)
