"""One day of a bridge, row by row: means of the gauges and of the weather, how they tremble, how joints slide."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from services.alerts.structures.gaps import packed, unpacked
from services.alerts.structures.weather import FEATURES, Array

_LEAST_SHARE = 0.5
_LEAST_SELDOM = 4
"""A mean of fewer windows says more about the hour than about the day."""


class Day(NamedTuple):
    """A day that is over: ``number`` since 1970; NaN where a gauge said too little.

    ``trembling`` is the mean square of the steps from row to row, ``slides`` the sums from which each gauge's slope on
    temperature follows: rows, temperature, its square, value, product.
    """

    number: int
    features: Array
    means: Array
    trembling: Array
    slides: Array
    warm_c: float


class DayRecord:
    """The day that runs."""

    def __init__(self, size: int, seldom: Sequence[int] = ()) -> None:
        """``seldom`` are the positions of gauges that speak a few times a day only."""
        self._size = size
        self._is_seldom = np.zeros(size, dtype=bool)
        self._is_seldom[list(seldom)] = True
        self.number: int | None = None
        self._begin()

    def _begin(self) -> None:
        size = self._size
        self._rows = 0
        self._features = np.zeros(FEATURES)
        self._sums, self._counts = np.zeros(size), np.zeros(size)
        self._steps, self._stepped = np.zeros(size), np.zeros(size)
        self._slides = np.zeros((5, size))
        self._warm = 0.0
        self._before = np.full(size, np.nan)

    def take(self, features: Array, warm_c: float, values: Array) -> None:
        """A row of the day."""
        present = np.isfinite(values)
        known = np.where(present, values, 0.0)
        self._rows += 1
        self._features = self._features + features
        self._warm += warm_c
        self._sums, self._counts = self._sums + known, self._counts + present
        both = present & np.isfinite(self._before)
        step = np.where(both, known - np.where(both, self._before, 0.0), 0.0)
        self._steps, self._stepped = self._steps + step**2, self._stepped + both
        self._slides = self._slides + present * np.array(
            [np.ones(self._size), np.full(self._size, warm_c), np.full(self._size, warm_c**2), known, warm_c * known]
        )
        self._before = values

    def close(self, number: int) -> Day | None:
        """The day that is over, and a new one begun; ``None`` where nothing was taken."""
        day = None
        if self._rows and self.number is not None:
            wanted = max(1.0, _LEAST_SHARE * self._rows)
            enough = self._counts >= np.where(self._is_seldom, min(wanted, _LEAST_SELDOM), wanted)
            day = Day(
                self.number,
                self._features / self._rows,
                np.where(enough, self._sums / np.maximum(self._counts, 1), np.nan),
                np.where(enough & (self._stepped > 0), self._steps / np.maximum(self._stepped, 1), np.nan),
                self._slides,
                self._warm / self._rows,
            )
        self._begin()
        self.number = number
        return day

    def state(self) -> dict[str, Any]:
        """The sums so far."""
        return {
            "number": self.number,
            "rows": self._rows,
            "features": self._features.tolist(),
            "sums": self._sums.tolist(),
            "counts": self._counts.tolist(),
            "steps": self._steps.tolist(),
            "stepped": self._stepped.tolist(),
            "slides": self._slides.tolist(),
            "warm": self._warm,
            "before": packed(self._before),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take them up."""
        self.number, self._rows, self._warm = state["number"], state["rows"], state["warm"]
        self._features = np.array(state["features"])
        self._sums, self._counts = np.array(state["sums"]), np.array(state["counts"])
        self._steps, self._stepped = np.array(state["steps"]), np.array(state["stepped"])
        self._slides = np.array(state["slides"])
        self._before = unpacked(state["before"])
