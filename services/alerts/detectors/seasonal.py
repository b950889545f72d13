"""What is usual at this time of day."""

from math import isfinite
from typing import Any, ClassVar

from services.alerts.detectors.contract import UNKNOWN, Detector, Score, State

_DAY_S = 86400.0
_CLIP = 3.0
"""Robust z beyond which a value moves the profile no more than one at this distance (Huber)."""
_MAD_TO_SIGMA = 1.2533
"""Mean absolute deviation to standard deviation of a normal distribution."""


class Seasonal(Detector):
    """Scores the deviation from a learnt profile of the day, in robust standard deviations.

    The day is cut into ``bins``. Each bin keeps a running mean and a mean absolute deviation in which one value
    weighs at most three deviations and old days fade over ``memory_days``; between bin centres the profile is
    interpolated. A deviation counts in units of the local scale, which is never less than ``relative_floor`` of the
    expected value or ``floor`` in the value's unit. A value inside the range of the whole day's profile, or beyond it
    by less than that least scale, scores 0: a pump that merely runs at another hour is no fault. Unknown before
    ``warm_up_days`` days were learnt. How often the sensor reports does not matter, and may change.

    Source: running Huber estimates after Huber (1964), profile of the day as in DMA monitoring practice (IWA).
    """

    name: ClassVar[str] = "seasonal"
    version: ClassVar[str] = "1"

    __slots__ = (
        "_counts",
        "_day",
        "_days",
        "_deviations",
        "_learnt_bins",
        "_means",
        "bins",
        "floor",
        "memory_days",
        "relative_floor",
        "warm_up_days",
    )

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
        self._means = [0.0] * bins
        self._deviations = [0.0] * bins
        self._counts = [0.0] * bins
        self._days = [0.0] * bins
        self._day = [-1] * bins
        self._learnt_bins = 0

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "floor": self.floor,
            "relative_floor": self.relative_floor,
            "bins": self.bins,
            "memory_days": self.memory_days,
            "warm_up_days": self.warm_up_days,
        }

    def _around(self, time_s: float) -> tuple[int, int, float]:
        """The two nearest bins and the weight of the second."""
        position = (time_s % _DAY_S) / _DAY_S * self.bins - 0.5
        first = int(position // 1)
        return first % self.bins, (first + 1) % self.bins, position - first

    def expected(self, time_s: float) -> tuple[float, float] | None:
        """The profile and its scale at a moment; ``None`` before the warm-up."""
        if self._learnt_bins < self.bins:
            return None
        first, second, weight = self._around(time_s)
        mean = self._means[first] * (1 - weight) + self._means[second] * weight
        deviation = max(self._deviations[first], self._deviations[second])
        scale = max(deviation * _MAD_TO_SIGMA, self.floor, abs(mean) * self.relative_floor)
        return mean, scale

    def score(self, time_s: float, value: float) -> Score:
        """The deviation from what is usual now, in robust standard deviations."""
        if not isfinite(value):
            return UNKNOWN
        usual = self.expected(time_s)
        if usual is None:
            return UNKNOWN
        mean, scale = usual
        low, high = min(self._means), max(self._means)
        if self._outer(low, -1) <= value <= self._outer(high, 1):
            return Score(0.0, expected=mean)
        deviation = (value - mean) / scale
        return Score(deviation, expected=mean, seen={"expected": mean, "scale": scale})

    def _outer(self, edge: float, side: int) -> float:
        return edge + side * max(self.floor, abs(edge) * self.relative_floor)

    def learn(self, time_s: float, value: float) -> None:
        """Move the bin of this time of day towards a normal value."""
        if not isfinite(value):
            return
        day, into_s = divmod(time_s, _DAY_S)
        position = int(into_s / _DAY_S * self.bins)
        if day != self._day[position]:
            self._begin_day(position, int(day))
        self._counts[position] += 1
        step = value - self._means[position]
        if self._days[position] > 1:
            most = _CLIP * max(self._deviations[position] * _MAD_TO_SIGMA, self.floor)
            step = max(-most, min(most, step))
        self._means[position] += step / self._counts[position]
        self._deviations[position] += (abs(step) - self._deviations[position]) / self._counts[position]

    def _begin_day(self, position: int, day: int) -> None:
        self._day[position] = day
        days = self._days[position] + 1
        if days > self.memory_days:
            self._counts[position] *= self.memory_days / days
            days = self.memory_days
        if self._days[position] < self.warm_up_days <= days:
            self._learnt_bins += 1
        self._days[position] = days

    def state(self) -> dict[str, Any]:
        """The profile."""
        return {
            "means": list(self._means),
            "deviations": list(self._deviations),
            "counts": list(self._counts),
            "days": list(self._days),
            "day": list(self._day),
        }

    def restore(self, state: State) -> None:
        """Take up the profile."""
        self._means = list(state["means"])
        self._deviations = list(state["deviations"])
        self._counts = list(state["counts"])
        self._days = list(state["days"])
        self._day = list(state["day"])
        self._learnt_bins = sum(days >= self.warm_up_days for days in self._days)
