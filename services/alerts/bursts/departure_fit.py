"""How well a loss, a closure or one instrument that is off explains what the instruments show beside the model."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.alerts.bursts.supply_state import SupplyState
from services.alerts.hydraulics.epanet_model import Array

_ROUNDS = 3
_CLOSE = 0.05
_SIGNATURE_DOUBT = 0.1
"""How far the answer of an instrument to a change may be off, relative: roughness and diameters are known to a tenth.
"""
_LEAST_LOSS_M3H = 0.5


class Tried(NamedTuple):
    """What was tried as an explanation; ``misfit`` is the mean squared deviation it leaves, in deviations.

    ``flow_m3h`` is what is lost, nothing where a valve was moved.
    """

    log_likelihood: float
    flow_m3h: float
    misfit: float


class DepartureFit:
    """One mean departure, and how well this or that explains it."""

    def __init__(self, supply: SupplyState, departure: Array, covariance: Array, heard: NDArray[np.bool_]) -> None:
        """``departure`` is the mean of all instruments' departures since it began, NaN of those that say nothing.

        ``covariance`` is that of its error; ``heard`` are the instruments to which the state was fitted.
        """
        self._supply = supply
        self._position = np.flatnonzero(np.isfinite(departure))
        self._departure = departure[self._position]
        self._covariance = covariance[np.ix_(self._position, self._position)]
        self._heard = heard
        self._before = supply.seen(supply.solved(supply.shares, supply.heads_m))

    def likeliest(self, pipes: NDArray[np.intp]) -> list[tuple[int, float]]:
        """The pipes by how well a loss from each explains it by the linear model, with its flow in m3/h."""
        ends = self._supply.model.ends[pipes]
        by_node = self._supply.answers.drawing
        flow_m3h, gain = self._linear(0.5 * (by_node[:, ends[:, 0]] + by_node[:, ends[:, 1]]))
        order = np.argsort(-np.where(flow_m3h > 0, gain, 0.0), kind="stable")
        return [(int(pipes[each]), max(float(flow_m3h[each]), _LEAST_LOSS_M3H)) for each in order]

    def likeliest_shut(self, pipes: NDArray[np.intp]) -> list[int]:
        """The pipes by how well closing each explains it by the linear model: no water leaves, it goes another way.

        A closed pipe acts on the rest of the network as one that feeds its flow in where it came from and draws it
        where it went.
        """
        ends = self._supply.model.ends[pipes]
        by_node = self._supply.answers.drawing
        diverted = by_node[:, ends[:, 1]] - by_node[:, ends[:, 0]]
        flow_m3h, gain = self._linear(diverted)
        through_m3h = self._supply.solved(self._supply.shares, self._supply.heads_m).flow_m3h[pipes]
        order = np.argsort(-np.where(flow_m3h * through_m3h > 0, gain, 0.0), kind="stable")
        return [int(pipes[each]) for each in order]

    def _linear(self, change: Array) -> tuple[Array, Array]:
        shown = self._left(change)
        weighted = np.linalg.solve(self._covariance, shown)
        information = np.maximum(np.einsum("ij,ij->j", shown, weighted), 1e-12)
        size: Array = (self._departure @ weighted) / information
        gain: Array = size**2 * information
        return size, gain

    def tried(self, points: Sequence[tuple[int, float]], flow_m3h: float) -> Tried | None:
        """A loss that these nodes give, with the flow that fits best; ``flow_m3h`` is a guess.

        ``None`` where the model has no solution with it.
        """
        for _ in range(_ROUNDS):
            try:
                shown = self._shown_lost(points, flow_m3h)
            except ArithmeticError:
                return None
            doubted = self._doubted(shown)
            weighted = np.linalg.solve(doubted, shown)
            factor = float(self._departure @ weighted) / max(float(shown @ weighted), 1e-12)
            better = max(flow_m3h * factor, _LEAST_LOSS_M3H)
            settled = abs(better / flow_m3h - 1) < _CLOSE
            if settled:
                break
            flow_m3h = better
        rest = self._departure - shown * (better / flow_m3h)
        log_likelihood, misfit = _likelihood(rest, doubted)
        return Tried(log_likelihood, better, misfit)

    def shut(self, links: frozenset[int]) -> Tried | None:
        """That these links of the model are shut, and no others; ``None`` where it has no solution then."""
        supply = self._supply
        try:
            change = supply.seen(supply.solved(supply.shares, supply.heads_m, shut=links)) - self._before
            shares, heads_m = supply.explained(change, self._heard)
            fitted = np.maximum(supply.shares - shares, 0.0), supply.heads_m - heads_m
            change = supply.seen(supply.solved(*fitted, shut=links)) - self._before
        except ArithmeticError:
            return None
        shown = self._left(change) + supply.as_ratios(shares)[self._position]
        log_likelihood, misfit = _likelihood(self._departure - shown, self._doubted(shown))
        return Tried(log_likelihood, 0.0, misfit)

    def nothing(self) -> float:
        """The log-likelihood that nothing is behind it but noise."""
        return _likelihood(self._departure, self._covariance)[0]

    def alone(self) -> tuple[int, float]:
        """The instrument that, were it off by itself, would explain it best, and the log-likelihood of that."""
        instruments = self._position[self._position < self._supply.size]
        shown = self._left(np.eye(len(self._before))[:, instruments])
        weighted = np.linalg.solve(self._covariance, shown)
        information = np.maximum(np.einsum("ij,ij->j", shown, weighted), 1e-12)
        off = (self._departure @ weighted) / information
        likeliest = int(np.argmax(off**2 * information))
        rest = self._departure - shown[:, likeliest] * off[likeliest]
        return int(instruments[likeliest]), _likelihood(rest, self._covariance)[0]

    def _shown_lost(self, points: Sequence[tuple[int, float]], flow_m3h: float) -> Array:
        """What the instruments would show beside the fitted state if this were lost and the parts drew less for it."""
        supply = self._supply
        linear = sum((share * supply.answers.drawing[:, node] for node, share in points), np.zeros(len(self._before)))
        shares, heads_m = supply.explained(linear * flow_m3h, self._heard)
        extra = [(node, share * flow_m3h) for node, share in points]
        state = supply.solved(np.maximum(supply.shares - shares, 0.0), supply.heads_m - heads_m, extra)
        # What the parts would draw less stands in the ratios as what the fit took them to draw more.
        return self._left(supply.seen(state) - self._before) + supply.as_ratios(shares)[self._position]

    def _doubted(self, shown: Array) -> Array:
        doubted: Array = self._covariance + np.diag((_SIGNATURE_DOUBT * shown) ** 2)
        return doubted

    def _left(self, change: Array) -> Array:
        return self._supply.left(change, self._heard)[self._position]


def _likelihood(rest: Array, covariance: Array) -> tuple[float, float]:
    """The log-likelihood of what an explanation leaves, and its mean square in deviations."""
    off = float(rest @ np.linalg.solve(covariance, rest))
    return -0.5 * (off + float(np.linalg.slogdet(covariance)[1])), off / len(rest)
