"""Values that disagree with their neighbours now, on either side."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from services.alerts.detectors.column_regression import LEARNT, ColumnRegression
from services.alerts.detectors.contract import UNKNOWN, RowDetector, Score, State, Trainable
from services.alerts.detectors.running_covariance import Array

_SHOWN = 4


class MultivariateResidual(Trainable, RowDetector):
    """Scores how far the row's worst column lies from its regression on the others, in robust standard deviations.

    The regressions are those of ``NeighbourResidual``; where that adds up departures in the direction of a leak, this
    one looks at the present row alone and at both sides: for instruments that drift or are wired wrongly, and for
    structures whose members should share a load. ``floors`` are the least standard deviations that are believed, one
    a column in its unit. Unknown before one and a half times ``warm_up`` rows were learnt.

    Source: analytical redundancy by regression (Hoerl & Kennard 1970 for the ridge; Gertler 1998 for residuals).
    """

    name: ClassVar[str] = "multivariate-residual"
    version: ClassVar[str] = "1"
    learnt: ClassVar[tuple[str, ...]] = LEARNT

    def __init__(
        self,
        columns: Sequence[str],
        floors: Sequence[float],
        *,
        ridge: float = 0.001,
        warm_up: int = 288,
        memory_rows: int = 4032,
    ) -> None:
        self.columns = tuple(columns)
        self.floors = tuple(floors)
        self.ridge = ridge
        self.warm_up = warm_up
        self.memory_rows = memory_rows
        self._regression = ColumnRegression(floors, ridge=ridge, warm_up=warm_up, memory_rows=memory_rows)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "columns": list(self.columns),
            "floors": list(self.floors),
            "ridge": self.ridge,
            "warm_up": self.warm_up,
            "memory_rows": self.memory_rows,
        }

    def score(self, time_s: float, row: Sequence[float]) -> Score:  # noqa: ARG002  # the contract passes the time to all
        """The largest departure of this row."""
        values: Array = np.array(row, dtype=np.float64)
        residual = self._regression.residual(values)
        ready = self._regression.known(residual)
        if not ready.any():
            return UNKNOWN
        departure = np.where(ready, residual, 0.0) / self._regression.sigma
        order = np.argsort(-np.abs(departure), kind="stable")[:_SHOWN]
        worst = int(order[0])
        seen = {
            "order": [self.columns[column] for column in order],
            "departures": [round(float(departure[column]), 3) for column in order],
        }
        expected = float(values[worst] - residual[worst])
        return Score(abs(float(departure[worst])), expected, seen, self.columns[worst])

    def learn(self, time_s: float, row: Sequence[float]) -> None:  # noqa: ARG002  # the contract passes the time to all
        """Take a normal row into the regressions."""
        self._regression.learn(row)

    def state(self) -> dict[str, Any]:
        """The regressions."""
        return self._regression.state()

    def restore(self, state: State) -> None:
        """Take up the regressions."""
        self._regression.restore(state)
