"""What a sensor usually reads at a time of day, learnt value by value."""

from math import isfinite
from typing import Any

from services.alerts.detectors.contract import State

_DAY_S = 86400.0
_CLIP = 3.0
"""Robust z beyond which a value moves the profile no more than one at this distance (Huber)."""
MAD_TO_SIGMA = 1.2533
"""Mean absolute deviation to standard deviation of a normal distribution."""


class DayProfile:
    """A running mean and a mean absolute deviation for each of ``bins`` parts of the day; one bin is a plain level.

    A value weighs at most three deviations, never less than ``floor`` in its unit, and old days fade over
    ``memory_days``; between bin centres the mean is interpolated. Nothing is usual before every bin has learnt
    ``warm_up_days`` days. How often values come does not matter, and may change.

    Source: running Huber estimates after Huber (1964).
    """

    __slots__ = (
        "_counts",
        "_day",
        "_days",
        "_deviations",
        "_floor",
        "_learnt_bins",
        "_means",
        "_memory_days",
        "_warm_up_days",
        "bins",
    )

    def __init__(self, *, bins: int, floor: float, memory_days: float, warm_up_days: int) -> None:
        self.bins = bins
        self._floor = floor
        self._memory_days = memory_days
        self._warm_up_days = warm_up_days
        self._means = [0.0] * bins
        self._deviations = [0.0] * bins
        self._counts = [0.0] * bins
        self._days = [0.0] * bins
        self._day = [-1] * bins
        self._learnt_bins = 0

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest mean of a bin."""
        return min(self._means), max(self._means)

    def usual(self, time_s: float) -> tuple[float, float] | None:
        """Mean and standard deviation at a moment; ``None`` before the warm-up."""
        if self._learnt_bins < self.bins:
            return None
        position = (time_s % _DAY_S) / _DAY_S * self.bins - 0.5
        first = int(position // 1)
        weight = position - first
        first, second = first % self.bins, (first + 1) % self.bins
        mean = self._means[first] * (1 - weight) + self._means[second] * weight
        return mean, max(self._deviations[first], self._deviations[second]) * MAD_TO_SIGMA

    def learn(self, time_s: float, value: float) -> None:
        """Move the bin of this time of day towards a normal value; what is no number teaches nothing."""
        if not isfinite(value):
            return
        day, into_s = divmod(time_s, _DAY_S)
        position = int(into_s / _DAY_S * self.bins)
        if day != self._day[position]:
            self._begin_day(position, int(day))
        self._counts[position] += 1
        if self._counts[position] == 1:
            self._means[position] = value
            return
        step = value - self._means[position]
        if self._days[position] > 1:
            most = _CLIP * max(self._deviations[position] * MAD_TO_SIGMA, self._floor)
            step = max(-most, min(most, step))
        self._means[position] += step / self._counts[position]
        self._deviations[position] += (abs(step) - self._deviations[position]) / max(self._counts[position] - 1, 1)

    def _begin_day(self, position: int, day: int) -> None:
        self._day[position] = day
        days = self._days[position] + 1
        if days > self._memory_days:
            self._counts[position] *= self._memory_days / days
            days = self._memory_days
        if self._days[position] < self._warm_up_days <= days:
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
        self._learnt_bins = sum(days >= self._warm_up_days for days in self._days)
