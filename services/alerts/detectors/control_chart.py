"""What the control charts share: deviations from a learnt level, in robust standard deviations."""

from abc import abstractmethod
from math import isfinite
from typing import Any, ClassVar

from services.alerts.detectors.contract import UNKNOWN, Detector, Score, State, Trainable
from services.alerts.detectors.day_profile import DayProfile


class ControlChart(Trainable, Detector):
    """A chart of the deviations of values from what is usual at their time of day.

    The level and its scale come from a ``DayProfile`` of ``bins`` parts of the day (1 where the time of day does not
    matter), unknown before ``warm_up_days`` days. ``floor`` in the value's unit is the least standard deviation that
    is believed, and a deviation counts no more than ``clip`` of them: persistence decides, not one wild value. A
    positive score says that values are too high, a negative one that they are too low.
    """

    learnt: ClassVar[tuple[str, ...]] = ("profile",)

    __slots__ = ("_profile", "bins", "clip", "floor", "memory_days", "warm_up_days")

    def __init__(self, floor: float, *, bins: int, clip: float, memory_days: float, warm_up_days: int) -> None:
        self.floor = floor
        self.bins = bins
        self.clip = clip
        self.memory_days = memory_days
        self.warm_up_days = warm_up_days
        self._profile = DayProfile(bins=bins, floor=floor, memory_days=memory_days, warm_up_days=warm_up_days)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "floor": self.floor,
            "bins": self.bins,
            "clip": self.clip,
            "memory_days": self.memory_days,
            "warm_up_days": self.warm_up_days,
        }

    def score(self, time_s: float, value: float) -> Score:
        """What the chart shows after this value."""
        if not isfinite(value):
            return UNKNOWN
        usual = self._profile.usual(time_s)
        if usual is None:
            return UNKNOWN
        mean, sigma = usual
        deviation = (value - mean) / max(sigma, self.floor)
        return self._chart(time_s, max(-self.clip, min(self.clip, deviation)), mean)

    @abstractmethod
    def _chart(self, time_s: float, deviation: float, expected: float) -> Score:
        """Enter a deviation, in standard deviations, and say what the chart shows."""

    def learn(self, time_s: float, value: float) -> None:
        """Take a normal value into level and scale."""
        self._profile.learn(time_s, value)

    def state(self) -> dict[str, Any]:
        """Level and scale."""
        return {"profile": self._profile.state()}

    def restore(self, state: State) -> None:
        """Take up level and scale."""
        self._profile.restore(state["profile"])
