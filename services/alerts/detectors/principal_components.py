"""Rows that leave the few directions in which the sensors of a zone usually move together."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtri

from services.alerts.detectors.contract import UNKNOWN, RowDetector, Score, State, Trainable
from services.alerts.detectors.running_covariance import Array, RunningCovariance

_SHOWN = 4
_PATTERNS = 8
"""Models kept for different sets of columns that have a value."""


@dataclass(frozen=True, slots=True)
class _Model:
    """Projections of a row divided by ``deviation``, and the limits of what they usually leave."""

    deviation: Array
    weighting: Array
    """``P L^-1 P'``: the row times this, times the row, is T2."""
    remainder: Array
    """``I - P P'``: the row times this is what the components do not explain."""
    components: int
    t2_limit: float
    q_limit: float


class PrincipalComponents(Trainable, RowDetector):
    """Scores Hotelling's T2 and the squared prediction error Q of a row, each over its limit; the larger counts.

    The columns, standardised by a running mean and covariance that fade over ``memory_rows``, are described by the
    principal components that hold the share ``explained`` of their variance. T2 says how far the row went along them,
    Q how far away from them: the one is an unusual amount of what is usual, the other a broken relation. The limits are
    those a normal row exceeds with probability ``false_alarms``: chi-square for T2, Jackson and Mudholkar's for Q.
    Every column is taken to have at least noise of its one of ``floors``, in its unit. Columns without a value are
    left out of the row's model. The column named is the one that contributes most to the larger statistic. Unknown
    before ``warm_up`` rows were learnt.

    Sources: Hotelling (1947); Jackson & Mudholkar (1979); contributions after MacGregor et al. (1994).
    """

    name: ClassVar[str] = "principal-components"
    version: ClassVar[str] = "1"
    learnt: ClassVar[tuple[str, ...]] = ("pairs", "mean", "covariance", "waiting")

    def __init__(
        self,
        columns: Sequence[str],
        floors: Sequence[float],
        *,
        explained: float = 0.9,
        false_alarms: float = 0.001,
        warm_up: int = 288,
        memory_rows: int = 4032,
    ) -> None:
        self.columns = tuple(columns)
        self.floors = tuple(floors)
        self.explained = explained
        self.false_alarms = false_alarms
        self.warm_up = warm_up
        self.memory_rows = memory_rows
        self._noise: Array = np.array(floors, dtype=np.float64) ** 2
        self._moments = RunningCovariance(len(self.columns), memory_rows)
        self._models: dict[bytes, _Model] = {}

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "columns": list(self.columns),
            "floors": list(self.floors),
            "explained": self.explained,
            "false_alarms": self.false_alarms,
            "warm_up": self.warm_up,
            "memory_rows": self.memory_rows,
        }

    def score(self, time_s: float, row: Sequence[float]) -> Score:  # noqa: ARG002  # the contract passes the time to all
        """The larger of both statistics, each as a multiple of its limit."""
        values: Array = np.array(row, dtype=np.float64)
        usable = self._moments.usable(values, self.warm_up)
        position = usable.nonzero()[0]
        if len(position) < 2:  # noqa: PLR2004  # a relation takes two
            return UNKNOWN
        model = self._model_of(usable, position)
        standardised = (values[position] - self._moments.mean[position]) / model.deviation
        along = standardised * (model.weighting @ standardised)
        away = (model.remainder @ standardised) ** 2
        t2, q = float(along.sum()) / model.t2_limit, float(away.sum()) / model.q_limit
        shares = away if q >= t2 else along
        order = position[np.argsort(-shares, kind="stable")[:_SHOWN]]
        seen = {
            "t2": t2,
            "q": q,
            "components": model.components,
            "order": [self.columns[column] for column in order],
        }
        return Score(max(t2, q), seen=seen, column=self.columns[int(order[0])])

    def _model_of(self, usable: NDArray[np.bool_], position: NDArray[np.intp]) -> _Model:
        key = usable.tobytes()
        if key not in self._models:
            if len(self._models) >= _PATTERNS:
                self._models.clear()
            covariance = self._moments.covariance[np.ix_(position, position)] + np.diag(self._noise[position])
            self._models[key] = _model(covariance, self.explained, self.false_alarms)
        return self._models[key]

    def learn(self, time_s: float, row: Sequence[float]) -> None:  # noqa: ARG002  # the contract passes the time to all
        """Take a normal row into mean and covariance."""
        if self._moments.learn(row):
            self._models.clear()

    def state(self) -> dict[str, Any]:
        """Mean and covariance."""
        return self._moments.state()

    def restore(self, state: State) -> None:
        """Take up mean and covariance."""
        self._moments.restore(state)
        self._models.clear()


def _model(covariance: Array, explained: float, false_alarms: float) -> _Model:
    """The components of the correlation matrix; at least one direction is left to Q."""
    deviation = np.sqrt(covariance.diagonal())
    rising, vectors = np.linalg.eigh(covariance / np.outer(deviation, deviation))
    variances, vectors = rising[::-1], vectors[:, ::-1]
    share = np.cumsum(variances) / variances.sum()
    components = min(int(np.searchsorted(share, explained)) + 1, len(variances) - 1)
    kept = vectors[:, :components]
    return _Model(
        deviation=deviation,
        weighting=(kept / variances[:components]) @ kept.T,
        remainder=np.eye(len(variances)) - kept @ kept.T,
        components=components,
        t2_limit=float(chdtri(components, false_alarms)),
        q_limit=q_limit(variances[components:], false_alarms),
    )


def q_limit(variances: Array, false_alarms: float) -> float:
    """The Q that a normal row exceeds with probability ``false_alarms``, from the variances left to it.

    Source: Jackson & Mudholkar (1979), equation 3.4. Where one variance is left, or its root would be taken of what
    is not positive, Q is that variance times chi-square with matched mean and variance (Box 1954).
    """
    first, second, third = (float((variances**power).sum()) for power in (1, 2, 3))
    root = 1 - 2 * first * third / (3 * second**2)
    if len(variances) > 1 and root > 0:
        quantile = float(ndtri(1 - false_alarms))
        base = 1 + quantile * root * sqrt(2 * second) / first + second * root * (root - 1) / first**2
        if base > 0:
            return float(first * base ** (1 / root))
    return second / first * float(chdtri(first**2 / second, false_alarms))
