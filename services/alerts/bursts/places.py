"""Where along the pipes a loss is, by the model solved with a loss at every likely place."""

from collections.abc import Iterator
from math import floor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.alerts.bursts.supply_state import SupplyState
from services.alerts.detectors.contract import Suspect
from services.alerts.hydraulics.epanet_model import Array

_TRIED = 30
"""How many pipes are tried with the full model, the likeliest by the linear one."""
_POSITIONS = ((0.0, 0.125), (0.25, 0.25), (0.5, 0.25), (0.75, 0.25), (1.0, 0.125))
"""Places along a pipe, as shares of its length, and the part of it for which each stands; joints leak at its ends."""
_ROUNDS = 3
_CLOSE = 0.05
_SIGNATURE_DOUBT = 0.1
"""How far the answer of an instrument to a loss may be off, relative: roughness and diameters are known to a tenth."""
_SUSPECTS = 10
_PARTS = 10_000
"""Shares are told in such parts, rounded down so that they add up to no more than one."""
_LEAST_SHARE = 0.0005
_LEAST_LOSS_M3H = 0.5


class Located(NamedTuple):
    """The pipes that may lose the water, likeliest first, and how much of it.

    ``misfit`` is the mean squared deviation of the instruments from the best of them, in deviations.
    """

    suspects: tuple[Suspect, ...]
    flow_m3h: float
    misfit: float


class _Tried(NamedTuple):
    log_likelihood: float
    flow_m3h: float
    misfit: float


def locate(
    supply: SupplyState, pipes: NDArray[np.intp], departure: Array, covariance: Array, heard: NDArray[np.bool_]
) -> Located | None:
    """Share the suspicion of a loss among ``pipes``; ``None`` where the model has no solution with one.

    ``departure`` is the mean of all instruments' departures since it began, NaN of those that say nothing about it, and
    ``covariance`` that of its error; ``heard`` are the instruments to which the state was fitted. A loss is tried in
    five places along each of the pipes that the linear model finds likeliest, with the flow that fits best; a metre of
    pipe is as likely to fail as any other.
    """
    fit = _Fit(supply, departure, covariance, heard)
    likely = fit.likeliest(pipes)
    by_pipe = {pipe: [fit.tried(points, flow) for points in _points(supply, pipe)] for pipe, flow in likely}
    tried = [each for found in by_pipe.values() for each in found if each is not None]
    if not tried:
        return None
    likeliest = max(tried, key=lambda each: each.log_likelihood)
    best = likeliest.log_likelihood
    weights: dict[int, float] = {}
    flow_m3h = 0.0
    for pipe, found in by_pipe.items():
        length_m = float(supply.model.length_m[pipe])
        shares = [0.0 if each is None else length_m * float(np.exp(each.log_likelihood - best)) for each in found]
        weights[pipe] = sum(shares)
        flow_m3h += sum(share * each.flow_m3h for share, each in zip(shares, found, strict=True) if each is not None)
    total = sum(weights.values())
    order = sorted(weights, key=lambda pipe: (-weights[pipe], pipe))[:_SUSPECTS]
    suspects = [Suspect(supply.model.links[pipe], floor(weights[pipe] / total * _PARTS) / _PARTS) for pipe in order]
    kept = tuple(suspect for suspect in suspects if suspect.probability >= _LEAST_SHARE)
    return Located(kept, flow_m3h / total, likeliest.misfit)


def _points(supply: SupplyState, pipe: int) -> Iterator[tuple[tuple[int, float], ...]]:
    """The nodes that give the water lost at each position of a pipe, with their shares.

    A loss along a pipe is drawn from its ends by the lever rule, exactly so for the heads beyond them if it is small.
    """
    first, second = (int(node) for node in supply.model.ends[pipe])
    for position, _ in _POSITIONS:
        yield (first, 1 - position), (second, position)


class _Fit:
    """One mean departure, and how well losses explain it."""

    def __init__(self, supply: SupplyState, departure: Array, covariance: Array, heard: NDArray[np.bool_]) -> None:
        self._supply = supply
        self._position = np.flatnonzero(np.isfinite(departure))
        self._departure = departure[self._position]
        self._covariance = covariance[np.ix_(self._position, self._position)]
        self._heard = heard
        self._before = supply.seen(supply.solved(supply.shares, supply.heads_m))

    def likeliest(self, pipes: NDArray[np.intp]) -> list[tuple[int, float]]:
        """The pipes that explain it best by the linear model, with their flows."""
        supply = self._supply
        ends = supply.model.ends[pipes]
        by_node = supply.answers.drawing
        change = 0.5 * (by_node[:, ends[:, 0]] + by_node[:, ends[:, 1]])
        shown = self._left(change)
        weighted = np.linalg.solve(self._covariance, shown)
        information = np.maximum(np.einsum("ij,ij->j", shown, weighted), 1e-12)
        flow = np.maximum(self._departure @ weighted, 0.0) / information
        order = np.argsort(-(flow**2) * information, kind="stable")[:_TRIED]
        return [(int(pipes[each]), max(float(flow[each]), _LEAST_LOSS_M3H)) for each in order]

    def tried(self, points: tuple[tuple[int, float], ...], flow_m3h: float) -> _Tried | None:
        """The likelihood of a loss that these nodes give, with the flow that fits best; ``flow_m3h`` is a guess."""
        for _ in range(_ROUNDS):
            try:
                shown = self._shown(points, flow_m3h)
            except ArithmeticError:
                return None
            doubted = self._covariance + np.diag((_SIGNATURE_DOUBT * shown) ** 2)
            weighted = np.linalg.solve(doubted, shown)
            factor = float(self._departure @ weighted) / max(float(shown @ weighted), 1e-12)
            better = max(flow_m3h * factor, _LEAST_LOSS_M3H)
            settled = abs(better / flow_m3h - 1) < _CLOSE
            if settled:
                break
            flow_m3h = better
        rest = self._departure - shown * (better / flow_m3h)
        off = float(rest @ np.linalg.solve(doubted, rest))
        return _Tried(-0.5 * (off + float(np.linalg.slogdet(doubted)[1])), better, off / len(rest))

    def _shown(self, points: tuple[tuple[int, float], ...], flow_m3h: float) -> Array:
        """What the instruments would show beside the fitted state if this were lost and the parts drew less for it."""
        supply = self._supply
        linear = sum((share * supply.answers.drawing[:, node] for node, share in points), np.zeros(len(self._before)))
        shares, heads_m = supply.explained(linear * flow_m3h, self._heard)
        extra = [(node, share * flow_m3h) for node, share in points]
        state = supply.solved(np.maximum(supply.shares - shares, 0.0), supply.heads_m - heads_m, extra)
        # What the parts would draw less stands in the ratios as what the fit took them to draw more.
        return self._left(supply.seen(state) - self._before) + supply.as_ratios(shares)[self._position]

    def _left(self, change: Array) -> Array:
        return self._supply.left(change, self._heard)[self._position]
