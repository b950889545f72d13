"""How far residuals stray when they are added up, for those that keep their sign for a while."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.detectors.contract import State
from services.alerts.detectors.running_covariance import Array

_BATCH_ROWS = 24
"""Two hours at five minutes: longer than demand near one sensor keeps wandering off together."""
_LEAST_BATCHES = 3
_SETTLED_BATCHES = 6
_SIGMA_PER_MAD = 1.2533
"""Standard deviation over mean absolute deviation of a normal distribution."""
_HUBER = 4.0
"""Mean absolute deviations beyond which a sum widens the scale no more."""


class LongRunScale:
    """The standard deviation that independent residuals would have whose sums stray as far as these do.

    Residuals of a sensor whose neighbours do not see the same customers stay on one side for an hour; a sum of them
    strays several times further than their own deviation lets expect, and who takes them for independent is misled.
    Each column's residuals are summed over batches; the mean size of the sums over the root of the batch's length is
    what counts. Unknown, and 0, before three batches.

    Sources: Johnson & Bagshaw (1974), the effect of serial correlation on CUSUM tests; batch means after Law & Carson
    (1979).
    """

    __slots__ = ("_batches", "_memory", "_rows", "_size", "_sum")

    def __init__(self, size: int, memory_rows: int) -> None:
        self._memory = max(memory_rows // _BATCH_ROWS, 1)
        self._sum: Array = np.zeros(size)
        self._rows: Array = np.zeros(size)
        self._size: Array = np.zeros(size)
        self._batches: Array = np.zeros(size)

    @property
    def sigma(self) -> Array:
        """The deviation of each column, in its unit."""
        known: NDArray[np.bool_] = self._batches >= _LEAST_BATCHES
        return np.where(known, self._size * _SIGMA_PER_MAD, 0.0)

    def learn(self, residual: Array) -> None:
        """Take the residuals of a normal row, NaN where there is none."""
        known = np.isfinite(residual)
        self._sum = self._sum + np.where(known, residual, 0.0)
        self._rows = self._rows + known
        full = self._rows >= _BATCH_ROWS
        if not full.any():
            return
        limit = np.where(self._batches >= _SETTLED_BATCHES, _HUBER * self._size, np.inf)
        size = np.minimum(np.abs(self._sum) / np.sqrt(_BATCH_ROWS), limit)
        self._batches = np.minimum(self._batches + full, self._memory)
        self._size = self._size + np.where(full, size - self._size, 0.0) / np.maximum(self._batches, 1)
        self._sum = np.where(full, 0.0, self._sum)
        self._rows = np.where(full, 0.0, self._rows)

    def state(self) -> dict[str, Any]:
        """The open batches and the sizes of those that are over."""
        return {
            "sum": self._sum.tolist(),
            "rows": self._rows.tolist(),
            "size": self._size.tolist(),
            "batches": self._batches.tolist(),
        }

    def restore(self, state: State) -> None:
        """Take up the batches."""
        self._sum = np.array(state["sum"], dtype=np.float64)
        self._rows = np.array(state["rows"], dtype=np.float64)
        self._size = np.array(state["size"], dtype=np.float64)
        self._batches = np.array(state["batches"], dtype=np.float64)
