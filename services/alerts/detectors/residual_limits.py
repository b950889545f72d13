"""How large the residuals of each column become in ordinary operation."""

from typing import Any

import numpy as np

from services.alerts.detectors.contract import State
from services.alerts.detectors.running_covariance import Array

_KEPT = 24
"""Largest residuals kept for each column and epoch: more than one in a thousand of the longest two epochs."""
_FIRST_EPOCH = 256
_LONGEST_EPOCH = 8192
_MEANS = 15.0
"""No limit is more than this many mean residuals: what happened in a few rows is no measure for the others."""
_NONE = -1.0
"""Stands in the list of the largest residuals where there is none yet."""


class ResidualLimits:
    """The size that a residual exceeds with probability ``share``, for each column, from the largest that were seen.

    It is never more than fifteen times the mean, so that a pump which ran twice in a year does not decide what counts
    in all its other hours.

    The residuals of regressions that still learn are too large, and habits change, so only the present epoch and the
    one before count; every epoch is twice as long as the one before, up to 8192 rows. What follows a normal
    distribution would need no such list, but regressions of plants do not: when pumps switch, residuals are a dozen
    times what they are otherwise.

    Source: empirical tail quantile; prequential evaluation after Dawid (1984), each residual judged before its row is
    learnt.
    """

    __slots__ = ("_counts", "_epoch", "_largest", "_rows", "_share", "_sums")

    def __init__(self, size: int, share: float) -> None:
        self._share = share
        self._largest: Array = np.full((2, size, _KEPT), _NONE)
        """Of the epoch before and of the present one."""
        self._counts: Array = np.zeros((2, size))
        self._sums: Array = np.zeros((2, size))
        self._epoch = _FIRST_EPOCH
        self._rows = 0

    @property
    def settled(self) -> bool:
        """Whether a whole epoch has been seen."""
        return bool(self._counts[0].any())

    @property
    def mature(self) -> bool:
        """Whether the epoch before was long enough to show what happens with probability ``share``."""
        return bool(self._counts[0].max() * self._share >= 1)

    def limits(self) -> Array:
        """One for each column; infinite where too few residuals were seen."""
        counts = self._counts.sum(axis=0)
        joined = np.sort(np.concatenate(self._largest, axis=1), axis=1)[:, ::-1]
        rank = np.minimum(counts * self._share, _KEPT - 1).astype(int)
        limits = np.take_along_axis(joined, rank[:, None], axis=1)[:, 0]
        means = self._sums.sum(axis=0) / np.maximum(counts, 1)
        return np.where(counts >= _FIRST_EPOCH / 2, np.minimum(limits, _MEANS * means), np.inf)

    def learn(self, sizes: Array) -> None:
        """Take the absolute residuals of a row, NaN where there is none."""
        known = np.isfinite(sizes)
        if not known.any():
            return
        largest = self._largest[1]
        least = largest.argmin(axis=1)
        columns = np.flatnonzero(known & (np.where(known, sizes, _NONE) > largest.min(axis=1)))
        largest[columns, least[columns]] = sizes[columns]
        self._counts[1] += known
        self._sums[1] += np.where(known, sizes, 0.0)
        self._rows += 1
        if self._rows >= self._epoch:
            self._turn()

    def _turn(self) -> None:
        self._largest = np.stack([self._largest[1], np.full_like(self._largest[1], _NONE)])
        self._counts = np.stack([self._counts[1], np.zeros_like(self._counts[1])])
        self._sums = np.stack([self._sums[1], np.zeros_like(self._sums[1])])
        self._epoch = min(2 * self._epoch, _LONGEST_EPOCH)
        self._rows = 0

    def state(self) -> dict[str, Any]:
        """The largest residuals and how many there were."""
        return {
            "largest": self._largest.tolist(),
            "counts": self._counts.tolist(),
            "sums": self._sums.tolist(),
            "epoch": self._epoch,
            "rows": self._rows,
        }

    def restore(self, state: State) -> None:
        """Take up the largest residuals."""
        self._largest = np.array(state["largest"], dtype=np.float64)
        self._counts = np.array(state["counts"], dtype=np.float64)
        self._sums = np.array(state["sums"], dtype=np.float64)
        self._epoch = state["epoch"]
        self._rows = state["rows"]
