"""What is done without asking for the weather: Mahalanobis distance and CUSUM on the readings' day means."""

import numpy as np
from numpy.typing import NDArray

from simulators.noise import Vector

PLAIN = ("mahalanobis", "cusum")
_QUANTILE = 0.95
_SLACK, _DECISION = 0.5, 5.0


def alarming_days(name: str, rows: Vector, learnt: int, step_s: int) -> NDArray[np.bool_]:
    """Whether each day behind the ``learnt`` rows rings: a distance beyond 95 % of those learnt, a CUSUM beyond 5."""
    a_day = round(86400 / step_s)
    days = len(rows) // a_day
    means = rows[: days * a_day].reshape(days, a_day, -1).mean(axis=1)
    past, later = means[: learnt // a_day], means[learnt // a_day :]
    if name == "mahalanobis":
        precision = np.linalg.pinv(np.cov(past.T))
        limit = np.quantile(distances(past, past.mean(axis=0), precision), _QUANTILE)
        rang: NDArray[np.bool_] = distances(later, past.mean(axis=0), precision) > limit
        return rang
    units = (later - past.mean(axis=0)) / past.std(axis=0)
    return _cusum(units) | _cusum(-units)


def distances(rows: Vector, mean: Vector, precision: Vector) -> Vector:
    """Squared Mahalanobis distances of rows from a mean."""
    distances: Vector = np.einsum("ij,jk,ik->i", rows - mean, precision, rows - mean)
    return distances


def _cusum(units: Vector) -> NDArray[np.bool_]:
    """Whether any gauge's sum of exceedances stands beyond the decision limit."""
    total = np.zeros(units.shape[1])
    rang = np.zeros(len(units), dtype=bool)
    for day, row in enumerate(units):
        total = np.maximum(0.0, total + row - _SLACK)
        rang[day] = bool((total > _DECISION).any())
    return rang
