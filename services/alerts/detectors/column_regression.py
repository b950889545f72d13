"""Each sensor explained by the others that have a value."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.detectors.contract import State
from services.alerts.detectors.running_covariance import Array, RunningCovariance

_SIGMA_PER_MAD = 1.2533
"""Standard deviation over mean absolute deviation of a normal distribution."""
_HUBER = 4.0
"""Mean absolute deviations beyond which a residual widens the scale no more."""
_PATTERNS = 8
"""Regressions kept for different sets of columns that have a value."""
_OUTLIER = 8.0
"""Deviations beyond which a value is not learnt: one spike of a device would outweigh a fortnight."""
_OUTLIERS = 3
"""Columns of one row that may be outliers; where more are off, something happened, and the row is not learnt."""
_TINY = 1e-12
_LASTING_ROWS = 12
"""What stays off for longer than this, an hour at five minutes, is no spike and is learnt."""


class ColumnRegression:
    """The ridge regression of every column on all others, and the usual size of what it leaves.

    With ``P`` the inverse of the correlation matrix plus ``ridge``, the residual of column ``i`` is ``(P d)_i / P_ii``
    for the standardised deviations ``d``. The scale of a residual is never less than the column's of ``floors``, in
    its unit. A residual is NaN before ``warm_up`` rows were learnt.

    What is missing, and an outlier that does not last, is learnt as the other columns explain it. Moments of which
    some columns have seen other rows than the rest belong to no matrix of correlations, and a regression on them says
    anything.

    Source: Hoerl & Kennard (1970) for ridge regression; the inverse correlation holds all regressions at once
    (Whittaker, Graphical Models in Applied Multivariate Statistics, 1990, section 5.7).
    """

    __slots__ = (
        "_floor",
        "_last",
        "_memory_rows",
        "_moments",
        "_off",
        "_regressions",
        "_ridge",
        "_scale",
        "_scaled",
        "_warm_up",
    )

    def __init__(self, floors: Sequence[float], *, ridge: float, warm_up: int, memory_rows: int) -> None:
        self._floor: Array = np.array(floors, dtype=np.float64)
        self._ridge = ridge
        self._warm_up = warm_up
        self._memory_rows = memory_rows
        self._moments = RunningCovariance(len(floors), memory_rows)
        self._scale: Array = np.zeros(len(floors))
        self._scaled: Array = np.zeros(len(floors))
        self._off: Array = np.zeros(len(floors))
        self._regressions: dict[bytes, tuple[Array, Array]] = {}
        self._last: tuple[bytes, Array] | None = None

    @property
    def sigma(self) -> Array:
        """The standard deviation of each column's residual."""
        return np.maximum(self._scale * _SIGMA_PER_MAD, self._floor)

    def residual(self, values: Array) -> Array:
        """What each value differs from its regression on the others, NaN where that cannot be said."""
        row = values.tobytes()
        # A row that was scored is learnt next.
        if self._last is None or self._last[0] != row:
            self._last = (row, self._computed_residual(values))
        return self._last[1]

    def _computed_residual(self, values: Array) -> Array:
        residual = np.full(len(values), np.nan)
        usable = self._moments.usable(values, self._warm_up)
        position = usable.nonzero()[0]
        if len(position) > 1:
            precision, deviation = self._regression_of(usable, position)
            standardised = (values[position] - self._moments.mean[position]) / deviation
            residual[position] = (precision @ standardised) / precision.diagonal() * deviation
        return residual

    def known(self, residual: Array) -> NDArray[np.bool_]:
        """Which residuals can be judged by a scale: half a warm-up of them was seen."""
        known: NDArray[np.bool_] = np.isfinite(residual) & (self._scaled >= self._warm_up / 2)
        return known

    def _regression_of(self, usable: NDArray[np.bool_], position: NDArray[np.intp]) -> tuple[Array, Array]:
        """The inverse correlation of the columns that have a value, and their standard deviations."""
        key = usable.tobytes()
        if key not in self._regressions:
            if len(self._regressions) >= _PATTERNS:
                self._regressions.clear()
            deviation = np.sqrt(self._moments.variance[position])
            correlation = self._moments.covariance[np.ix_(position, position)] / np.outer(deviation, deviation)
            precision = np.linalg.inv(correlation + self._ridge * np.eye(len(position)))
            self._regressions[key] = (precision.astype(np.float64), deviation)
        return self._regressions[key]

    def learn(self, row: Sequence[float]) -> None:
        """Take a normal row into the scale at once, and into mean and covariance a dozen rows at a time."""
        values = np.array(row, dtype=np.float64)
        self._learn_scale(np.abs(self.residual(values)))
        whole = self._completed(values)
        if whole is not None and self._moments.learn(whole.tolist()):
            self._forget_regressions()

    def _completed(self, values: Array) -> Array | None:
        """The row with what is missing or an outlier explained by the rest; ``None`` where too little is left."""
        kept = self._without_outliers(values)
        if kept is None:
            return None
        present = np.isfinite(kept)
        # Hardly any row gets further than this.
        if present.all():
            return kept
        warm = self._moments.usable(np.zeros(len(kept)), self._warm_up)
        missing, present = warm & ~present, warm & present
        if 2 * present.sum() < warm.sum():
            return None
        if missing.any():
            kept[missing] = self._explained(kept, present, missing)
        return kept

    def _without_outliers(self, values: Array) -> Array | None:
        residual = self.residual(values)
        if not self._off.any() and self._worst(residual) is None:
            return values.copy()
        kept, dropped = values.copy(), np.zeros(len(values), dtype=np.bool_)
        while (worst := self._worst(residual)) is not None:
            dropped[worst] = True
            kept[worst] = np.nan
            residual = self._computed_residual(kept)
        self._off = np.where(dropped, self._off + 1, np.where(np.isfinite(values), 0.0, self._off))
        return kept if dropped.sum() <= _OUTLIERS else None

    def _worst(self, residual: Array) -> int | None:
        """The column that is farthest off, if it is an outlier that does not last."""
        sigma, size = self.sigma, np.abs(residual)
        far = (size > _OUTLIER * sigma) & (self._scaled >= self._warm_up / 2) & (self._off < _LASTING_ROWS)
        return int(np.where(far, size / np.maximum(sigma, _TINY), 0.0).argmax()) if far.any() else None

    def _explained(self, values: Array, present: NDArray[np.bool_], missing: NDArray[np.bool_]) -> Array:
        """The conditional mean of the missing columns, with the ridge of every regression here."""
        position, wanted = present.nonzero()[0], missing.nonzero()[0]
        precision, deviation = self._regression_of(present, position)
        standardised = (values[position] - self._moments.mean[position]) / deviation
        covariance: Array = self._moments.covariance[np.ix_(wanted, position)]
        explained: Array = self._moments.mean[wanted] + covariance @ ((precision @ standardised) / deviation)
        return explained

    def _forget_regressions(self) -> None:
        self._regressions.clear()
        self._last = None

    def _learn_scale(self, size: Array) -> None:
        known = np.isfinite(size)
        settled = self._scaled >= self._warm_up / 4
        limit = np.where(settled, _HUBER * np.maximum(self._scale, self._floor), np.inf)
        self._scaled = np.minimum(self._scaled + known, self._memory_rows)
        step = np.where(known, np.minimum(np.where(known, size, 0.0), limit) - self._scale, 0.0)
        self._scale = self._scale + step / np.maximum(self._scaled, 1)

    def state(self) -> dict[str, Any]:
        """Moments and scales."""
        return {
            **self._moments.state(),
            "scale": self._scale.tolist(),
            "scaled": self._scaled.tolist(),
            "off": self._off.tolist(),
        }

    def restore(self, state: State) -> None:
        """Take up moments and scales."""
        self._moments.restore(state)
        self._scale = np.array(state["scale"], dtype=np.float64)
        self._scaled = np.array(state["scaled"], dtype=np.float64)
        # States from before outliers were counted have no such part.
        self._off = np.array(state.get("off", [0.0] * len(self._scaled)), dtype=np.float64)
        self._forget_regressions()


LEARNT = ("pairs", "mean", "covariance", "waiting", "scale", "scaled")
"""The parts of its state."""
