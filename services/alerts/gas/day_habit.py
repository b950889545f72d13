"""What pressures and flows usually are at an hour, how far they usually are from it, and how much they move. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.gas.readings import Array, packed, unpacked

_DAY_S = 86_400.0
_BINS = 48
_BIN_S = _DAY_S / _BINS
_RECENT_S = 900.0
_FORGETS_VISITS = 400.0
"""A bin forgets over so many values: some two weeks at one a minute."""
_NOISE_S = 86_400.0
_CLIPPED = 5.0
_LEAST_VISITS = 5.0


class DayHabit:
    """The daily habit of several sensors side by side."""

    def __init__(self, count: int) -> None:
        self._mean: Array = np.zeros((_BINS, count))
        self._visits: Array = np.zeros((_BINS, count))
        self._level: Array = np.zeros(count)
        self._met: Array = np.zeros(count)
        self.spread: Array = np.zeros(count)
        """How far a sensor usually is from its habit."""
        self.wobble: Array = np.zeros(count)
        """How far it usually is from its own last quarter of an hour."""
        self.recent: Array = np.full(count, np.nan)
        """Its mean over about the last quarter of an hour."""

    def usual(self, time_s: float) -> Array:
        """What is usual now; the mean of all hours where this one is not known yet."""
        where = (time_s % _DAY_S) / _BIN_S - 0.5
        low = int(np.floor(where))
        share = where - low
        first, second = low % _BINS, (low + 1) % _BINS
        known = (self._visits[first] >= _LEAST_VISITS) & (self._visits[second] >= _LEAST_VISITS)
        between = (1 - share) * self._mean[first] + share * self._mean[second]
        return np.asarray(np.where(known, between, self._level), dtype=np.float64)

    @property
    def knows(self) -> NDArray[np.bool_]:
        """The sensors that have been heard for long enough to say what is usual."""
        return np.asarray(self._met >= 2 * _BINS)

    def learn(self, time_s: float, seconds: float, row: Array, quiet: NDArray[np.bool_]) -> None:
        """Take the values of sensors that are quiet."""
        known = quiet & np.isfinite(row)
        usual = self.usual(time_s)
        place = int((time_s % _DAY_S) / _BIN_S)
        self._visits[place] += known
        share = 1.0 / np.maximum(1.0, np.minimum(self._visits[place], _FORGETS_VISITS))
        self._mean[place] = np.where(known, self._mean[place] + share * (row - self._mean[place]), self._mean[place])
        self._met += known
        level_share = 1.0 / np.maximum(1.0, np.minimum(self._met, 3000.0))
        self._level = np.where(known, self._level + level_share * (row - self._level), self._level)
        self._widen(seconds, known, self.spread, row - usual)
        self._widen(seconds, known, self.wobble, row - self.recent)

    def _widen(self, seconds: float, known: NDArray[np.bool_], spread: Array, away: Array) -> None:
        settled = known & np.isfinite(away) & (self._met > _LEAST_VISITS)
        share = np.maximum(1.0 - np.exp(-seconds / _NOISE_S), 1.0 / np.maximum(self._met, 1.0))
        limit = np.where(spread > 0, (_CLIPPED * spread) ** 2, np.inf)
        news = np.minimum(np.where(settled, away, 0.0) ** 2, limit)
        squared = spread**2
        spread[:] = np.where(settled, np.sqrt(squared + share * (news - squared)), spread)

    def follow(self, seconds: float, row: Array) -> None:
        """Take the values into the mean of the last quarter of an hour."""
        known = np.isfinite(row)
        share = 1.0 - np.exp(-seconds / _RECENT_S)
        begun = np.where(np.isnan(self.recent), row, self.recent + share * (row - self.recent))
        self.recent = np.where(known, begun, self.recent)

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "mean": packed(self._mean),
            "visits": packed(self._visits),
            "level": packed(self._level),
            "met": packed(self._met),
            "spread": packed(self.spread),
            "wobble": packed(self.wobble),
            "recent": packed(self.recent),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self._mean, self._visits = unpacked(state["mean"]), unpacked(state["visits"])
        self._level, self._met = unpacked(state["level"]), unpacked(state["met"])
        self.spread, self.wobble = unpacked(state["spread"]), unpacked(state["wobble"])
        self.recent = unpacked(state["recent"])
