"""Jumps within an hour or two: what the hour of the day and the moving temperature do not explain."""

from typing import Any

import numpy as np

from services.alerts.structures.gaps import packed, unpacked
from services.alerts.structures.weather import QUICK, Array

_RIDGE = 1e-2
_FOLLOWED_S = 86_400.0
_LONGEST_GAP_S = 6 * 3600.0
_REMEMBERED_ROWS = 4000.0
_FIRST_ROWS = 240
_LEAST_LIMIT, _BEYOND_LARGEST = 8.0, 1.4


class Sudden:
    """Compares each gauge with its own last day, beside what temperature and hour make of it.

    A jump has to show in two rows one after the other, in the same direction, beyond what healthy rows ever showed.
    Source: a Shewhart chart on regression residuals (Shewhart 1931), its limit from the largest of the healthy past.
    """

    def __init__(self, size: int) -> None:
        self._gram = _RIDGE * np.eye(QUICK)
        self._moments = np.zeros((QUICK, size))
        self._level = np.full(size, np.nan)
        self._variance = np.zeros(size)
        self._largest = np.zeros(size)
        self._before = np.zeros(size)
        self._rows = 0
        self._last_s: float | None = None
        self._left = np.full(size, np.nan)
        self._pending: tuple[Array, Array] | None = None
        self._both = np.zeros(size)

    @property
    def jumped(self) -> Array:
        """How far each gauge jumped, in its usual deviations; signed."""
        return self._both

    @property
    def is_settled(self) -> bool:
        """Whether enough rows were seen."""
        return self._rows >= 2 * _FIRST_ROWS

    def take(self, time_s: float, quick: Array, values: Array) -> Array:
        """How far each gauge jumped beside its limit (1 at the limit); signed, 0 where nothing can be said."""
        since_s = None if self._last_s is None else time_s - self._last_s
        self._last_s = time_s
        if since_s is None or since_s > _LONGEST_GAP_S:
            self._level = values.copy()
            self._before = np.zeros_like(self._before)
            self._pending = None
            self._both = np.zeros(len(values))
            return self._both
        present = np.isfinite(values)
        level = np.where(np.isfinite(self._level), self._level, values)
        apart = np.where(present, values - level, 0.0)
        expected = quick @ np.linalg.solve(self._gram, self._moments)
        left = np.where(present, apart - expected, 0.0)
        self._left = np.where(present, left, np.nan)
        spread = np.sqrt(np.maximum(self._variance, 1e-18))
        units = np.where(self._variance > 0, left / spread, 0.0)
        both = np.where(units * self._before > 0, np.sign(units) * np.minimum(np.abs(units), np.abs(self._before)), 0.0)
        self._before = np.where(present, units, self._before)
        keeps = np.exp(-since_s / _FOLLOWED_S)
        self._level = np.where(present, values + (level - values) * keeps, level)
        self._pending = (quick, np.where(present, apart, np.nan))
        self._both = both
        limits = np.maximum(_LEAST_LIMIT, _BEYOND_LARGEST * self._largest)
        return both / limits if self.is_settled else np.zeros(len(values))

    @property
    def left(self) -> Array:
        """What the last row left unexplained beside the last day, in each gauge's unit."""
        return self._left

    def learn(self) -> None:
        """Take the row that was taken last into the notion of normal."""
        if self._pending is None:
            return
        quick, apart = self._pending
        present = np.isfinite(apart)
        expected = quick @ np.linalg.solve(self._gram, self._moments)
        told = np.where(present, apart, expected)
        fades = 1 - 1 / _REMEMBERED_ROWS
        self._gram = fades * self._gram + np.outer(quick, quick) + (1 - fades) * _RIDGE * np.eye(QUICK)
        self._moments = fades * self._moments + np.outer(quick, told)
        self._rows += 1
        if self._rows > _FIRST_ROWS:
            weight = min(self._rows - _FIRST_ROWS, _REMEMBERED_ROWS)
            square = np.where(present, (told - expected) ** 2, self._variance)
            self._variance = self._variance + (square - self._variance) / weight
        if self.is_settled:
            self._largest = np.maximum(self._largest, np.abs(self._both))
        self._pending = None

    def state(self) -> dict[str, Any]:
        """What was learnt, and the last row."""
        return {
            "gram": self._gram.tolist(),
            "moments": self._moments.tolist(),
            "level": packed(self._level),
            "variance": self._variance.tolist(),
            "largest": self._largest.tolist(),
            "before": self._before.tolist(),
            "rows": self._rows,
            "last_s": self._last_s,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take it up."""
        self._gram, self._moments = np.array(state["gram"]), np.array(state["moments"])
        self._level, self._variance = unpacked(state["level"]), np.array(state["variance"])
        self._largest, self._before = np.array(state["largest"]), np.array(state["before"])
        self._rows, self._last_s = state["rows"], state["last_s"]
        self._left, self._pending = np.full(len(self._level), np.nan), None
        self._both = np.zeros(len(self._level))
