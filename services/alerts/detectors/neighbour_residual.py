"""Values that leave what their neighbours explain."""

from collections.abc import Sequence
from math import isfinite
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from services.alerts.detectors.contract import UNKNOWN, RowDetector, Score, State

_Array = NDArray[np.float64]

_SIGMA_PER_MAD = 1.2533
"""Standard deviation over mean absolute deviation of a normal distribution."""
_HUBER = 4.0
"""Mean absolute deviations beyond which a residual widens the scale no more."""
_SHOWN = 4
_TOGETHER = 12
"""Rows learnt together: the regression is computed anew after them, an hour at five minutes."""
_PATTERNS = 8
"""Regressions kept for different sets of columns that have a value."""


class NeighbourResidual(RowDetector):
    """Scores how far and how long a sensor has left its regression on the other sensors of its zone.

    Learnt are a running mean and covariance of all columns, pair by pair so that gaps do no harm, with rows fading over
    ``memory_rows``. They give the ridge regression of each column on all others that have a value: with ``P`` the
    inverse of the correlation matrix plus ``ridge``, the residual of column ``i`` is ``(P d)_i / P_ii`` for the
    standardised deviations ``d``. Demand moves all pressures and flows together and leaves no residual; a leak pulls
    down the pressures near it and lifts the flow towards it. Residuals are divided by a running robust scale, never
    less than the column's of ``floors`` (in its unit), and cut at ``clip``: persistence decides, not one wild value.

    A one-sided CUSUM with ``drift`` adds up each column's departures in its one of ``directions`` (-1 where a fall is
    the trouble, 1 where a rise is, 0 where the column only explains), up to its one of ``ceilings``, which says how far
    the column's word alone may count; the score is the largest sum. A row with less than half the drift takes the drift
    off a second time, so that a repair is soon seen. Unknown before one and a half times ``warm_up`` rows were learnt.

    Sources: Hoerl & Kennard (1970) for ridge regression, Page (1954) for CUSUM; pressure-to-pressure regression for
    leaks as in the LILA entry to BattLeDIM (Daniel et al. 2022).
    """

    name: ClassVar[str] = "neighbour-residual"
    version: ClassVar[str] = "1"

    def __init__(
        self,
        columns: Sequence[str],
        directions: Sequence[int],
        floors: Sequence[float],
        ceilings: Sequence[float],
        *,
        ridge: float = 0.001,
        drift: float = 2.0,
        clip: float = 8.0,
        warm_up: int = 288,
        memory_rows: int = 4032,
    ) -> None:
        self.columns = tuple(columns)
        self.directions = tuple(directions)
        self.floors = tuple(floors)
        self._direction: _Array = np.array(directions, dtype=np.float64)
        self._floor: _Array = np.array(floors, dtype=np.float64)
        self.ridge = ridge
        self.drift = drift
        self.clip = clip
        self.ceilings = tuple(ceilings)
        self._ceiling: _Array = np.array(ceilings, dtype=np.float64)
        self.warm_up = warm_up
        self.memory_rows = memory_rows
        self._begin(len(self.columns))

    def _begin(self, size: int) -> None:
        self._pairs: _Array = np.zeros((size, size))
        self._mean: _Array = np.zeros(size)
        self._covariance: _Array = np.zeros((size, size))
        self._scale: _Array = np.zeros(size)
        self._scaled: _Array = np.zeros(size)
        self._sums: _Array = np.zeros(size)
        self._since: list[float | None] = [None] * size
        self._waiting: list[list[float | None]] = []
        self._precisions: dict[bytes, _Array] = {}

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "columns": list(self.columns),
            "directions": list(self.directions),
            "floors": list(self.floors),
            "ridge": self.ridge,
            "drift": self.drift,
            "clip": self.clip,
            "ceilings": list(self.ceilings),
            "warm_up": self.warm_up,
            "memory_rows": self.memory_rows,
        }

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """The largest sum of departures after this row."""
        values = np.array(row, dtype=np.float64)
        residual = self._residual(values)
        ready = np.isfinite(residual) & (self._scaled >= self.warm_up / 2)
        if not ready.any():
            return UNKNOWN
        scale = np.maximum(self._scale * _SIGMA_PER_MAD, self._floor)
        departure = np.where(ready, self._direction * residual, 0.0) / scale
        self._add_up(time_s, departure, ready)
        # Sums that stand at the ceiling together are told apart by the present row.
        by_size = sorted(range(len(values)), key=lambda column: (-self._sums[column], -departure[column]))
        order = [column for column in by_size if self._sums[column] > 0]
        if not order:
            return _QUIET
        worst = order[0]
        seen = {
            "scale": float(scale[worst]),
            "order": [self.columns[column] for column in order[:_SHOWN]],
            "departures": [round(float(departure[column]), 3) for column in order[:_SHOWN]],
            "sums": [round(float(self._sums[column]), 3) for column in order[:_SHOWN]],
        }
        expected = float(values[worst] - residual[worst]) if ready[worst] else None
        return Score(float(self._sums[worst]), expected, seen, self.columns[worst], self._since[worst])

    def _add_up(self, time_s: float, departure: _Array, ready: NDArray[np.bool_]) -> None:
        capped = np.clip(departure, -self.clip, self.clip)
        steps = capped - np.where(capped < self.drift / 2, 2 * self.drift, self.drift)
        # A column without a value keeps its sum: nobody knows whether it recovered.
        sums = np.where(ready, np.maximum(self._sums + steps, 0.0), self._sums)
        self._sums = np.minimum(sums, self._ceiling)
        self._since = [
            None if total <= 0 else time_s if since is None else since
            for total, since in zip(self._sums.tolist(), self._since, strict=True)
        ]

    def _residual(self, values: _Array) -> _Array:
        """What each value differs from its regression on the others, NaN where that cannot be said."""
        residual = np.full(len(values), np.nan)
        usable = np.isfinite(values) & (np.diag(self._pairs) >= self.warm_up) & (np.diag(self._covariance) > 0)
        position = np.flatnonzero(usable)
        if len(position) > 1:
            deviation = np.sqrt(np.diag(self._covariance)[position])
            precision = self._precision_of(usable, position, deviation)
            standardised = (values[position] - self._mean[position]) / deviation
            residual[position] = (precision @ standardised) / np.diag(precision) * deviation
        return residual

    def _precision_of(self, usable: NDArray[np.bool_], position: NDArray[np.intp], deviation: _Array) -> _Array:
        key = usable.tobytes()
        if key not in self._precisions:
            if len(self._precisions) >= _PATTERNS:
                self._precisions.clear()
            correlation = self._covariance[np.ix_(position, position)] / np.outer(deviation, deviation)
            precision = np.linalg.inv(correlation + self.ridge * np.eye(len(position)))
            self._precisions[key] = precision.astype(np.float64)
        return self._precisions[key]

    def learn(self, time_s: float, row: Sequence[float]) -> None:  # noqa: ARG002  # the contract passes the time to all
        """Take a normal row into the scale at once, and into mean and covariance a dozen rows at a time."""
        values = np.array(row, dtype=np.float64)
        self._learn_scale(np.abs(self._residual(values)))
        self._waiting.append([value if isfinite(value) else None for value in row])
        if len(self._waiting) == _TOGETHER:
            for waiting in self._waiting:
                self._learn_row(np.array(waiting, dtype=np.float64))
            self._waiting.clear()
            self._precisions.clear()

    def _learn_row(self, values: _Array) -> None:
        present = np.isfinite(values)
        both = np.outer(present, present)
        self._pairs = np.minimum(self._pairs + both, self.memory_rows)
        weight = np.where(both, 1 / np.maximum(self._pairs, 1), 0.0)
        step = np.where(present, values - self._mean, 0.0)
        self._mean = self._mean + np.diag(weight) * step
        self._covariance = (1 - weight) * (self._covariance + weight * np.outer(step, step))

    def _learn_scale(self, size: _Array) -> None:
        known = np.isfinite(size)
        settled = self._scaled >= self.warm_up / 4
        limit = np.where(settled, _HUBER * np.maximum(self._scale, self._floor), np.inf)
        self._scaled = np.minimum(self._scaled + known, self.memory_rows)
        step = np.where(known, np.minimum(np.where(known, size, 0.0), limit) - self._scale, 0.0)
        self._scale = self._scale + step / np.maximum(self._scaled, 1)

    def state(self) -> dict[str, Any]:
        """Mean, covariance, scales and sums."""
        return {
            "pairs": self._pairs.tolist(),
            "mean": self._mean.tolist(),
            "covariance": self._covariance.tolist(),
            "scale": self._scale.tolist(),
            "scaled": self._scaled.tolist(),
            "sums": self._sums.tolist(),
            "since": list(self._since),
            "waiting": [list(row) for row in self._waiting],
        }

    def restore(self, state: State) -> None:
        """Take up mean, covariance, scales and sums."""
        self._pairs = np.array(state["pairs"], dtype=np.float64)
        self._mean = np.array(state["mean"], dtype=np.float64)
        self._covariance = np.array(state["covariance"], dtype=np.float64)
        self._scale = np.array(state["scale"], dtype=np.float64)
        self._scaled = np.array(state["scaled"], dtype=np.float64)
        self._sums = np.array(state["sums"], dtype=np.float64)
        self._since = list(state["since"])
        self._waiting = [list(row) for row in state["waiting"]]
        self._precisions.clear()


_QUIET = Score(0.0)
