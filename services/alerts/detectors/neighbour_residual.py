"""Values that leave what their neighbours explain."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from services.alerts.detectors.column_regression import LEARNT, ColumnRegression
from services.alerts.detectors.contract import UNKNOWN, RowDetector, Score, State, Trainable
from services.alerts.detectors.long_run_scale import LongRunScale
from services.alerts.detectors.running_covariance import Array

_SHOWN = 4


class NeighbourResidual(Trainable, RowDetector):
    """Scores how far and how long a sensor has left its regression on the other sensors of its zone.

    A ``ColumnRegression`` explains each column by all others that have a value. Demand moves all pressures and flows
    together and leaves no residual; a leak pulls down the pressures near it and lifts the flow towards it. Residuals
    are divided by a running robust scale, never less than the column's of ``floors`` (in its unit) nor than what
    their sums show (``LongRunScale``), and cut at ``clip``: persistence decides, not one wild value.

    A one-sided CUSUM with ``drift`` adds up each column's departures in its one of ``directions`` (-1 where a fall is
    the trouble, 1 where a rise is, 0 where the column only explains), up to its one of ``ceilings``, which says how far
    the column's word alone may count; the score is the largest sum. A row with less than half the drift takes the drift
    off three times more, so that a repair is soon seen. Unknown before one and a half times ``warm_up`` rows were
    learnt.

    Sources: Hoerl & Kennard (1970) for ridge regression, Page (1954) for CUSUM; pressure-to-pressure regression for
    leaks as in the LILA entry to BattLeDIM (Daniel et al. 2022).
    """

    name: ClassVar[str] = "neighbour-residual"
    version: ClassVar[str] = "2"
    learnt: ClassVar[tuple[str, ...]] = (*LEARNT, "long_run")

    def __init__(
        self,
        columns: Sequence[str],
        directions: Sequence[int],
        floors: Sequence[float],
        ceilings: Sequence[float],
        *,
        ridge: float = 0.001,
        drift: float = 1.0,
        clip: float = 8.0,
        warm_up: int = 288,
        memory_rows: int = 4032,
    ) -> None:
        self.columns = tuple(columns)
        self.directions = tuple(directions)
        self.floors = tuple(floors)
        self._direction: Array = np.array(directions, dtype=np.float64)
        self.ridge = ridge
        self.drift = drift
        self.clip = clip
        self.ceilings = tuple(ceilings)
        self._ceiling: Array = np.array(ceilings, dtype=np.float64)
        self.warm_up = warm_up
        self.memory_rows = memory_rows
        self._regression = ColumnRegression(floors, ridge=ridge, warm_up=warm_up, memory_rows=memory_rows)
        self._long_run = LongRunScale(len(self.columns), memory_rows)
        self._sums: Array = np.zeros(len(self.columns))
        self._since: list[float | None] = [None] * len(self.columns)

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
        residual = self._regression.residual(values)
        ready = self._regression.known(residual)
        if not ready.any():
            return UNKNOWN
        scale = np.maximum(self._regression.sigma, self._long_run.sigma)
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

    def _add_up(self, time_s: float, departure: Array, ready: NDArray[np.bool_]) -> None:
        capped = np.clip(departure, -self.clip, self.clip)
        steps = capped - np.where(capped < self.drift / 2, 4 * self.drift, self.drift)
        # A column without a value keeps its sum: nobody knows whether it recovered.
        sums = np.where(ready, np.maximum(self._sums + steps, 0.0), self._sums)
        self._sums = np.minimum(sums, self._ceiling)
        self._since = [
            None if total <= 0 else time_s if since is None else since
            for total, since in zip(self._sums.tolist(), self._since, strict=True)
        ]

    def learn(self, time_s: float, row: Sequence[float]) -> None:  # noqa: ARG002  # the contract passes the time to all
        """Take a normal row into the regressions and their scales."""
        self._long_run.learn(self._regression.residual(np.array(row, dtype=np.float64)))
        self._regression.learn(row)

    def state(self) -> dict[str, Any]:
        """Regressions, scales and sums."""
        return {
            **self._regression.state(),
            "long_run": self._long_run.state(),
            "sums": self._sums.tolist(),
            "since": list(self._since),
        }

    def restore(self, state: State) -> None:
        """Take up regressions, scales and sums."""
        self._regression.restore(state)
        self._long_run.restore(state["long_run"])
        self._sums = np.array(state["sums"], dtype=np.float64)
        self._since = list(state["since"])


_QUIET = Score(0.0)
