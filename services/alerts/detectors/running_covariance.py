"""Mean and covariance of several sensors, learnt row by row, gaps included."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.detectors.contract import State

Array = NDArray[np.float64]

_TOGETHER = 12
"""Rows learnt together: what follows from the moments is computed anew after them, an hour at five minutes."""


class RunningCovariance:
    """A running mean and covariance, pair by pair so that gaps do no harm, with rows fading over ``memory_rows``.

    ``variance`` is the diagonal of ``covariance``; ``pairs`` counts the rows in which both columns had a value, up to
    the memory.

    Source: running moments after Welford (1962).
    """

    __slots__ = ("_memory_rows", "_waiting", "covariance", "mean", "pairs", "variance")

    def __init__(self, size: int, memory_rows: int) -> None:
        self._memory_rows = memory_rows
        self.pairs: Array = np.zeros((size, size))
        self.mean: Array = np.zeros(size)
        self.covariance: Array = np.zeros((size, size))
        self.variance: Array = np.zeros(size)
        self._waiting: list[list[float | None]] = []

    def usable(self, values: Array, warm_up: int) -> NDArray[np.bool_]:
        """Which columns have a value, were learnt from ``warm_up`` rows and ever moved."""
        usable: NDArray[np.bool_] = np.isfinite(values) & (self.pairs.diagonal() >= warm_up) & (self.variance > 0)
        return usable

    def learn(self, row: Sequence[float]) -> bool:
        """Take a row; whether the moments have moved, which they do once in a dozen rows."""
        self._waiting.append([value if isfinite(value) else None for value in row])
        if len(self._waiting) < _TOGETHER:
            return False
        for waiting in self._waiting:
            self._learn_row(np.array(waiting, dtype=np.float64))
        self._waiting.clear()
        self.variance = self.covariance.diagonal()
        return True

    def _learn_row(self, values: Array) -> None:
        present = np.isfinite(values)
        both = np.outer(present, present)
        self.pairs = np.minimum(self.pairs + both, self._memory_rows)
        weight = np.where(both, 1 / np.maximum(self.pairs, 1), 0.0)
        step = np.where(present, values - self.mean, 0.0)
        self.mean = self.mean + np.diag(weight) * step
        self.covariance = (1 - weight) * (self.covariance + weight * np.outer(step, step))

    def state(self) -> dict[str, Any]:
        """The moments and the rows that wait to be learnt."""
        return {
            "pairs": self.pairs.tolist(),
            "mean": self.mean.tolist(),
            "covariance": self.covariance.tolist(),
            "waiting": [list(row) for row in self._waiting],
        }

    def restore(self, state: State) -> None:
        """Take up moments and waiting rows."""
        self.pairs = np.array(state["pairs"], dtype=np.float64)
        self.mean = np.array(state["mean"], dtype=np.float64)
        self.covariance = np.array(state["covariance"], dtype=np.float64)
        self.variance = self.covariance.diagonal()
        self._waiting = [list(row) for row in state["waiting"]]
