"""Rain that a weather service expects at a place, as far as it is known now, and how the rain may go on by it."""

from collections.abc import Mapping
from math import log
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtri

from services.alerts.forecast.quantile_forest import Array
from services.alerts.forecast.rain_record import RainRecord
from services.alerts.forecast.storm_futures import STEP_MIN, Futures

HORIZONS_MIN: Mapping[str, int] = {
    "rain_expected_15min": 15,
    "rain_expected_30min": 30,
    "rain_expected_60min": 60,
    "rain_expected_120min": 120,
}
"""How far each quantity looks: mm that are expected to fall from the time of the reading on."""
_HOLDS_S = 1200.0
"""Radars look every five to ten minutes; a service that left out two of its forecasts is not heard."""
_FAINT_MM = 0.5
"""Added to sums before their logarithm: a forecast of nothing does not exclude a drop."""
_TELLING_MM = 1.0
"""An interval with less rain, expected and fallen, says nothing about the error in a storm."""
_ERROR, _ERROR_MIN = 0.35, 15.0
_WORTH, _MEMORY = 8.0, 100.0
"""Standard deviation of the logarithm of what falls beside what was expected within a quarter of an hour, and of how
many such intervals that is worth; our own default, until a gauge nearby shows the error. It grows with the root of the
time ahead: what a cell does in one interval it does not make good in the next."""
_MOST_ERROR = 1.0
"""No forecast is taken to be off by more, a factor of three and a half with 10 %: beyond, means say nothing."""
_SETTLES_S = 300.0


class ExpectedRain:
    """The newest forecast of one place, in mm by minutes from its issue, and how right earlier ones were.

    A reading is known from its own time on, which is that of issue; nothing of it is used before.
    """

    __slots__ = ("_bias", "_count", "_issued_s", "_promise", "_square", "_sums_mm")

    def __init__(self) -> None:
        self._issued_s: float | None = None
        self._sums_mm: dict[int, float] = {}
        self._promise: tuple[float, int, float] | None = None
        self._bias, self._square, self._count = 0.0, _ERROR**2, _WORTH

    def observe(self, issued_s: float, within_min: int, sum_mm: float, gauge: RainRecord | None = None) -> None:
        """Take what is expected within some minutes; one that is older than the newest is left out.

        ``gauge`` is the nearest one, up to now: beside it the forecast shows how right it was.
        """
        if self._issued_s is not None and issued_s < self._issued_s:
            return
        if issued_s != self._issued_s:
            self._issued_s = issued_s
            self._sums_mm = {}
        self._sums_mm[within_min] = max(sum_mm, 0.0)
        if gauge is not None:
            self._settle(issued_s, gauge)
        if self._promise is None and within_min == _ERROR_MIN:
            self._promise = (issued_s + 60 * within_min, within_min, max(sum_mm, 0.0))

    def _settle(self, time_s: float, gauge: RainRecord) -> None:
        """Compare what was expected with what fell, once the time has passed."""
        if self._promise is None or time_s < self._promise[0]:
            return
        until_s, within_min, expected_mm = self._promise
        self._promise = None
        if gauge.is_silent(time_s) or time_s - until_s > _SETTLES_S:
            return
        fallen_mm = gauge.sum_mm(time_s, within_min)
        if max(fallen_mm, expected_mm) < _TELLING_MM:
            return
        error = log((fallen_mm + _FAINT_MM) / (expected_mm + _FAINT_MM))
        self._count = min(self._count + 1, _MEMORY)
        self._square += ((error - self._bias) ** 2 - self._square) / self._count
        self._bias += (error - self._bias) / self._count

    def is_silent(self, time_s: float) -> bool:
        """Whether no forecast has come for too long."""
        return self._issued_s is None or not 0 <= time_s - self._issued_s <= _HOLDS_S

    def sum_mm(self, time_s: float, minutes: float) -> float:
        """What is expected to fall within ``minutes`` from a moment on, no further than is told."""
        if self._issued_s is None:
            return 0.0
        since_min = (time_s - self._issued_s) / 60
        return float(np.diff(self._fallen_mm(np.array([since_min, since_min + minutes])))[0])

    def _fallen_mm(self, minutes: Array) -> Array:
        """What is expected to have fallen so long after the issue.

        Between the sums that are told the curve is smooth and never falls (Fritsch & Carlson 1980): where a storm
        enters an interval at its end, its rain is told for the end and not for all of it.
        """
        told = sorted(self._sums_mm)
        ends_min = [0.0, *(float(each) for each in told)]
        fallen_mm = np.maximum.accumulate([0.0, *(self._sums_mm[each] for each in told)])
        if not told:
            return np.zeros(len(minutes))
        within: Array = PchipInterpolator(ends_min, fallen_mm)(np.clip(minutes, 0.0, ends_min[-1]))
        return within

    def futures(self, time_s: float, alike: Futures) -> Futures:
        """The ways in which rain may go on: as much as is expected, more and less, falling as in storms ``alike``.

        Beyond what is told they go on as those storms did.
        """
        since_min = 0.0 if self._issued_s is None else (time_s - self._issued_s) / 60
        ends = sorted({round(max(each - since_min, 0.0) / STEP_MIN) for each in self._sums_mm})
        ways = alike.mm_min.copy()
        apart = ndtri((np.arange(len(ways)) + 0.5) / len(ways))
        begin = 0
        for each in ends:
            end = min(each, ways.shape[1])
            if end <= begin:
                continue
            expected_mm = self.sum_mm(time_s, STEP_MIN * end) - self.sum_mm(time_s, STEP_MIN * begin)
            middle_min = STEP_MIN * (begin + end) / 2
            error = min(float(np.sqrt(self._square * middle_min / (_ERROR_MIN / 2))), _MOST_ERROR)
            bias = min(max(self._bias, -_MOST_ERROR), _MOST_ERROR)
            sums_mm = np.maximum((expected_mm + _FAINT_MM) * np.exp(bias + error * apart) - _FAINT_MM, 0.0)
            # Half of it falls as the sums tell: the shape of a storm that is alike says little where it brings little.
            told_mm = np.diff(self._fallen_mm(since_min + STEP_MIN * np.arange(begin, end + 1.0)))
            told_mm += max(_FAINT_MM - expected_mm, 0.0) / (end - begin)
            shape = ways[:, begin:end] + told_mm / STEP_MIN
            ways[:, begin:end] = shape / shape.sum(axis=1, keepdims=True) * sums_mm[:, np.newaxis] / STEP_MIN
            begin = end
        return Futures(ways, np.full(len(ways), 1 / len(ways)))

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "issued_s": self._issued_s,
            "sums_mm": {str(each): sum_mm for each, sum_mm in self._sums_mm.items()},
            "promise": None if self._promise is None else list(self._promise),
            "error": [self._bias, self._square, self._count],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where what returned ``state`` stood."""
        self._issued_s = state["issued_s"]
        self._sums_mm = {int(each): sum_mm for each, sum_mm in state["sums_mm"].items()}
        promise = state["promise"]
        self._promise = None if promise is None else (promise[0], promise[1], promise[2])
        self._bias, self._square, self._count = state["error"]
