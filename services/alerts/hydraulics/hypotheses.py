"""Weighs what may be behind the evidence: a leak at any link, a pressure that is off, or a found leak elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from services.alerts.hydraulics.epanet_model import Array
from services.alerts.hydraulics.evidence import Evidence

_NOTHING = 1e-6
_ACTIVE_RELATIVE = 0.15
_ACTIVE_FLOOR_M3H = 0.5
"""How far the flow of a found leak may be off within a window: its relative and its absolute standard deviation."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """By candidate: log likelihood ratio against nothing new, best flow (or offset) and its standard deviation."""

    ratio: Array
    size: Array
    deviation: Array

    @property
    def best(self) -> int:
        """The likeliest candidate."""
        return int(self.ratio.argmax())


@dataclass(frozen=True, slots=True)
class Verdict:
    """Leaks (by link) and offsets of sensors (by residual) weighed over the same window."""

    leaks: Weighed
    offsets: Weighed


class Scales:
    """All evidence so far, factorised once, against which windows of it are weighed.

    The doubts about the model are estimated from everything and stay nuisances of every comparison: what they can
    explain is no evidence for a leak. Leaks found already may differ a little from their modelled flow within the
    window. The ratio of a candidate is that of generalised least squares (generalised likelihood ratio: Willsky &
    Jones 1976), here with a prior on the nuisances.
    """

    def __init__(self, everything: Evidence, precision: Array, inflation: float) -> None:
        """``precision`` is that of the doubts before any evidence; noise variances are ``inflation`` times as told."""
        self._inflation = inflation
        information = everything.doubts / inflation + np.diag(precision)
        factor = np.linalg.cholesky(information)
        self._unfolded: Array = solve_triangular(factor, np.eye(len(factor)), lower=True, check_finite=False)
        self._seen = everything.doubts_seen / inflation
        self.doubts: Array = self._unfolded.T @ (self._unfolded @ self._seen)

    def weigh(self, window: Evidence, active: Mapping[str, tuple[int, float]], offsets: slice) -> Verdict:
        """Candidates since the window began; ``active`` has link and flow of each leak found, by its key."""
        scale = 1 / self._inflation
        mixed = np.hstack([window.mixed, window.doubts[:, offsets]]) * scale
        seen = np.concatenate([window.leak_seen, window.doubts_seen[offsets]]) * scale
        square = np.concatenate([window.leak, np.diag(window.doubts)[offsets]]) * scale
        reduced = self._unfolded @ mixed
        seen = seen - mixed.T @ self.doubts
        square = square - np.einsum("ij,ij->j", reduced, reduced)
        keys = [key for key in active if key in window.beside]
        if keys:
            links = [active[key][0] for key in keys]
            across = [
                scale * np.concatenate([window.beside[key], window.mixed[offsets, active[key][0]]]) for key in keys
            ]
            coupling = np.array(across) - reduced[:, links].T @ reduced
            allowed = np.array([_ACTIVE_RELATIVE * active[key][1] + _ACTIVE_FLOOR_M3H for key in keys])
            own = coupling[:, links] + np.diag(allowed**-2.0)
            solution = np.linalg.solve(own, np.column_stack([seen[links], coupling]))
            seen = seen - coupling.T @ solution[:, 0]
            square = square - np.einsum("ij,ij->j", coupling, solution[:, 1:])
        count = len(window.leak)
        return Verdict(
            _weighed(seen[:count], square[:count], one_sided=True),
            _weighed(seen[count:], square[count:], one_sided=False),
        )

    def flows(self, window: Evidence, active: Mapping[str, tuple[int, float]]) -> dict[str, tuple[float, float]]:
        """By leak found, how much more than modelled it lost in the window, m3/h, with its standard deviation."""
        keys = [key for key in active if key in window.beside]
        if not keys:
            return {}
        scale = 1 / self._inflation
        links = [active[key][0] for key in keys]
        mixed = window.mixed[:, links] * scale
        reduced = self._unfolded @ mixed
        information = np.array([window.beside[key][links] for key in keys]) * scale - reduced.T @ reduced
        seen = window.leak_seen[links] * scale - mixed.T @ self.doubts
        # A trace of a prior keeps two leaks apart that the sensors cannot tell from one another.
        information = information + np.diag([(0.5 * active[key][1] + 2.0) ** -2.0 for key in keys])
        covariance = np.linalg.inv(information)
        excess = covariance @ seen
        deviation = np.sqrt(np.diag(covariance))
        return {key: (float(excess[k]), float(deviation[k])) for k, key in enumerate(keys)}


def _weighed(seen: Array, square: Array, *, one_sided: bool) -> Weighed:
    safe = np.maximum(square, 1e-9)
    size = seen / safe
    ratio = seen**2 / safe / 2
    if one_sided:
        ratio = np.where(seen > 0, ratio, 0.0)
    return Weighed(np.where(square > _NOTHING, ratio, 0.0), size, safe**-0.5)


def without(evidence: Evidence, key: str) -> Evidence:
    """The evidence as if the leak ``key`` had not been put into the model, but with its responses as they are."""
    if key not in evidence.carried:
        return evidence
    return Evidence(
        evidence.doubts,
        evidence.doubts_seen + evidence.carried_doubts[key],
        evidence.mixed,
        evidence.leak,
        evidence.leak_seen + evidence.carried[key],
        evidence.total,
        evidence.blocks,
        evidence.values,
        {other: value for other, value in evidence.beside.items() if other != key},
        {},
        {},
        {other: value for other, value in evidence.flow_m3h.items() if other != key},
    )


def shaped(parts: Sequence[Evidence], weights: Sequence[float]) -> Evidence:
    """The evidence for a leak whose flow follows ``weights`` (1 in the mean) over the parts."""
    first = parts[0]
    pairs = list(zip(parts, weights, strict=True))
    keys = sorted({key for part in parts for key in part.beside})
    nothing = np.zeros_like(first.leak)
    return Evidence(
        sum((weight * part.doubts for part, weight in pairs), np.zeros_like(first.doubts)),
        sum((weight * part.doubts_seen for part, weight in pairs), np.zeros_like(first.doubts_seen)),
        sum((np.float32(weight) * part.mixed for part, weight in pairs), np.zeros_like(first.mixed)),
        sum((weight**2 * part.leak for part, weight in pairs), np.zeros_like(first.leak)),
        sum((weight * part.leak_seen for part, weight in pairs), np.zeros_like(first.leak_seen)),
        sum(part.total for part in parts),
        sum(part.blocks for part in parts),
        sum(part.values for part in parts),
        {key: sum((w * part.beside.get(key, nothing) for part, w in pairs), nothing.copy()) for key in keys},
        {},
        {},
        {},
    )


def probabilities(ratio: Array, prior: Array, doubt: float) -> Array:
    """How likely each link is the place, all together 1.

    ``doubt`` is how wrong the responses themselves may be, relative: it bounds how far a strong leak, whose ratios are
    large, may tell places apart (the log ratio of two places is divided by ``1 + 2 doubt^2`` times the largest).
    """
    largest = float(ratio.max())
    heat = 1 + 2 * doubt**2 * largest
    weight = prior * np.exp((ratio - largest) / heat)
    likely: Array = weight / weight.sum()
    return likely
