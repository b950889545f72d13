"""Rain at one gauge: how much fell in the last minutes and hours, and how wet the ground is from before."""

from bisect import bisect_right
from collections.abc import Mapping
from math import exp, log
from typing import Any

import numpy as np

from services.alerts.forecast.quantile_forest import Array

_KEPT_S = 3 * 3600.0
_MOST = 720
_HOLD_S = 900.0
"""An intensity holds until the next one, but no longer than this: a gauge that fell silent says nothing."""
_WETNESS_HALF_LIFE_S = 86400.0
"""Antecedent precipitation index, falling by half a day: streets and gullies dry faster than catchments, whose index is
usually taken to fall by a tenth to a sixth a day (Kohler & Linsley 1951)."""
WINDOWS_MIN = (5, 15, 30, 60, 120)


class RainRecord:
    """Intensities of the last three hours, in mm/h, and an antecedent wetness, in mm.

    An intensity holds until the next reading, at most a quarter of an hour.
    """

    __slots__ = ("_intensities_mm_h", "_times_s", "_wetness_mm")

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._intensities_mm_h: list[float] = []
        self._wetness_mm = 0.0

    @property
    def last_s(self) -> float | None:
        """When the last reading was taken; ``None`` before the first."""
        return self._times_s[-1] if self._times_s else None

    def observe(self, time_s: float, intensity_mm_h: float) -> None:
        """Take a reading; one that is not newer than the last is left out."""
        if self._times_s and time_s <= self._times_s[-1]:
            return
        if self._times_s:
            passed_s = time_s - self._times_s[-1]
            fallen_mm = self._intensities_mm_h[-1] * min(passed_s, _HOLD_S) / 3600
            self._wetness_mm = (self._wetness_mm + fallen_mm) * _faded(passed_s)
        self._times_s.append(time_s)
        self._intensities_mm_h.append(max(intensity_mm_h, 0.0))
        while len(self._times_s) > _MOST or time_s - self._times_s[0] > _KEPT_S:
            del self._times_s[0], self._intensities_mm_h[0]

    def is_silent(self, time_s: float) -> bool:
        """Whether the gauge has not been heard for longer than an intensity holds."""
        return self.last_s is None or time_s - self.last_s > _HOLD_S

    def sum_mm(self, time_s: float, minutes: float) -> float:
        """What fell in the last ``minutes`` up to a moment."""
        since_s, fallen_mm = time_s - 60 * minutes, 0.0
        first = max(bisect_right(self._times_s, since_s) - 1, 0)
        ends_s = [*self._times_s[first + 1 :], time_s]
        for begin_s, end_s, intensity in zip(
            self._times_s[first:], ends_s, self._intensities_mm_h[first:], strict=False
        ):
            lasted_s = min(end_s, begin_s + _HOLD_S, time_s) - max(begin_s, since_s)
            fallen_mm += intensity * max(lasted_s, 0.0) / 3600
        return fallen_mm

    def minutes_mm(self, time_s: float, count: int) -> Array:
        """What fell in each of the last ``count`` minutes, oldest first.

        Here an intensity is that of the time since the reading before, as gauges that count tips report it; what was
        measured over five minutes is known now and not in five minutes.
        """
        edges_s = time_s + 60.0 * np.arange(-count, 1)
        if len(self._times_s) < 2:  # noqa: PLR2004  # a span has two ends
            return np.zeros(count)
        times_s = np.array(self._times_s, dtype=np.float64)
        lasted_s = np.minimum(np.diff(times_s), _HOLD_S)
        fallen_mm = np.concatenate(([0.0], np.cumsum(np.array(self._intensities_mm_h[1:]) * lasted_s / 3600)))
        minutes: Array = np.diff(np.interp(edges_s, times_s, fallen_mm))
        return minutes

    def intensity_mm_h(self, time_s: float) -> float:
        """The last intensity; NaN where the gauge is silent."""
        return float("nan") if self.is_silent(time_s) else self._intensities_mm_h[-1]

    def wetness_mm(self, time_s: float) -> float:
        """The antecedent precipitation index at a moment."""
        return self._wetness_mm * (_faded(time_s - self._times_s[-1]) if self._times_s else 1.0)

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "times_s": list(self._times_s),
            "intensities_mm_h": list(self._intensities_mm_h),
            "wetness_mm": self._wetness_mm,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where the record that returned ``state`` stood."""
        self._times_s = list(state["times_s"])
        self._intensities_mm_h = list(state["intensities_mm_h"])
        self._wetness_mm = state["wetness_mm"]


def _faded(passed_s: float) -> float:
    return exp(-log(2) * passed_s / _WETNESS_HALF_LIFE_S)
