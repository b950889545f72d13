"""Two habits of each gauge that no mean shows: how much it trembles from row to row, and how it follows temperature."""

from math import log
from typing import Any

import numpy as np

from services.alerts.structures.day_record import Day
from services.alerts.structures.weather import Array

_FIRST_DAYS = 20
_REMEMBERED_DAYS = 120.0
_STANDS_STILL = log(0.02)
_NOISIER, _NOISIER_DEVIATIONS = log(4.0), 6.0
_SLIDING_DAYS = 4
_LEAST_SWING_K = 1.2
"""With less movement of the temperature a slope says nothing."""
_STUCK_SHARE, _STUCK_DEVIATIONS = 0.5, 3.5


class GaugeHabits:
    """Learns both habits from healthy days and says which gauges have left them.

    Source: a chart on the logarithm of the day's variance (Bartlett and Kendall 1946); slopes by least squares.
    """

    def __init__(self, size: int) -> None:
        self._tremble = np.zeros((3, size))
        self._slope = np.zeros((3, size))
        self._sliding: list[Array] = []

    def add(self, day: Day) -> None:
        """A day that is over, before it is judged."""
        self._sliding = [*self._sliding[-(_SLIDING_DAYS - 1) :], day.slides]

    def still(self, day: Day) -> list[int]:
        """Gauges that no longer tremble at all."""
        return [int(each) for each in np.flatnonzero(self._departure(day) < _STANDS_STILL)]

    def noisy(self, day: Day) -> list[int]:
        """Gauges that tremble much more than usual."""
        _, _, squares = self._tremble
        limit = np.maximum(_NOISIER, _NOISIER_DEVIATIONS * np.sqrt(squares))
        return [int(each) for each in np.flatnonzero(self._departure(day) > limit)]

    def _departure(self, day: Day) -> Array:
        counted, mean, _ = self._tremble
        told = np.log(np.maximum(np.where(np.isfinite(day.trembling), day.trembling, 1.0), 1e-18))
        known = np.isfinite(day.trembling) & (counted >= _FIRST_DAYS)
        return np.where(known, told - mean, 0.0)

    def stuck(self) -> dict[int, float]:
        """Gauges that follow temperature by less than half as much as usual, with the share that is left."""
        slopes, swing_k = self._slopes()
        counted, mean, square = self._slope
        if swing_k < _LEAST_SWING_K:
            return {}
        spread = np.maximum(np.sqrt(square), 0.02 * np.abs(mean))
        share = np.where(np.abs(mean) > 0, slopes / np.where(mean == 0, 1.0, mean), 1.0)
        far = np.abs(slopes - mean) > _STUCK_DEVIATIONS * spread
        # A gauge whose slope is hardly known does not follow temperature in the first place.
        follows = (counted >= _FIRST_DAYS) & (np.abs(mean) > 2 * _STUCK_DEVIATIONS * spread)
        found = np.flatnonzero(follows & far & (share < _STUCK_SHARE))
        return {int(each): float(share[each]) for each in found}

    def learn(self, day: Day) -> None:
        """Take a healthy day that was added last."""
        told = np.log(np.maximum(np.where(np.isfinite(day.trembling), day.trembling, 1.0), 1e-18))
        _fade_in(self._tremble, told, np.isfinite(day.trembling))
        slopes, swing_k = self._slopes()
        if swing_k >= _LEAST_SWING_K:
            _fade_in(self._slope, slopes, np.isfinite(slopes))

    def _slopes(self) -> tuple[Array, float]:
        """Slope of each gauge on temperature over the last days, and how far the temperature moved (its deviation)."""
        rows, warm, squares, values, products = np.sum(self._sliding, axis=0)
        counted = np.maximum(rows, 1)
        spread = squares / counted - (warm / counted) ** 2
        together = products / counted - warm * values / counted**2
        swing_k = float(np.sqrt(max(0.0, float(np.median(spread)))))
        usable = (spread > 0.25 * _LEAST_SWING_K**2) & (len(self._sliding) == _SLIDING_DAYS)
        return np.where(usable, together / np.where(usable, spread, 1.0), np.nan), swing_k

    def state(self) -> dict[str, Any]:
        """Both habits and the last days."""
        return {
            "tremble": self._tremble.tolist(),
            "slope": self._slope.tolist(),
            "sliding": [each.tolist() for each in self._sliding],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take them up."""
        self._tremble, self._slope = np.array(state["tremble"]), np.array(state["slope"])
        self._sliding = [np.array(each) for each in state["sliding"]]


def _fade_in(learnt: Array, told: Array, known: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    """Running count, mean and variance of each gauge, in place."""
    learnt[0] = np.where(known, np.minimum(learnt[0] + 1, _REMEMBERED_DAYS), learnt[0])
    share = np.where(known, 1 / np.maximum(learnt[0], 1), 0.0)
    step = np.where(known, np.where(known, told, 0.0) - learnt[1], 0.0)
    learnt[1] = learnt[1] + share * step
    learnt[2] = (1 - share) * (learnt[2] + share * step**2)
