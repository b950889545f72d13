"""Which nodes flood next, how deep and when: the model goes on from now under each way the rain may go on."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from services.alerts.sewers.flow_routing import FlowRouting
from services.alerts.sewers.gauge_skill import GaugeSkill
from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.rain_ahead import ROW_MIN, RainWays
from services.alerts.sewers.runoff import Runoff
from services.alerts.sewers.sewer_network import SewerNetwork
from services.alerts.sewers.twin import narrowed

AHEAD_MIN = (15, 30, 60)
FLOODED_M = 0.01
"""Water from so deep on the street counts as a flooding."""
_STEPS = 3
_QUANTILES = (0.1, 0.5, 0.9)


class FloodsAhead(NamedTuple):
    """Water on the street in m by node and way, in so many minutes; ``first_min`` is when it comes, endless if never.

    ``now_m`` is what the model has there now; the weights of the ways add up to 1.
    """

    now_m: Array
    street_m: Mapping[int, Array]
    first_min: Array
    weights: Array

    def probability(self, minutes: int) -> Array:
        """By node, that water stands on the street in so many minutes."""
        share: Array = (self.street_m[minutes] >= FLOODED_M) @ self.weights
        return share

    def comes(self, within_min: float) -> Array:
        """By node, the probability that water comes to the street within so many minutes."""
        share: Array = (self.first_min <= within_min) @ self.weights
        return share

    def likely_m(self, minutes: int) -> Array:
        """By node, the depth on the street that is as likely passed as not."""
        return self.spread_m(minutes)[1]

    def spread_m(self, minutes: int) -> tuple[Array, Array, Array]:
        """By node, the depths on the street that are passed with a probability of 90, 50 and 10 %."""
        low, likely, high = (_quantile(self.street_m[minutes], self.weights, level) for level in _QUANTILES)
        return low, likely, high

    def likely_min(self, node: int) -> float:
        """When water comes to the street of a node, if it comes: the middle of the ways in which it does."""
        comes = np.isfinite(self.first_min[node])
        if not comes.any():
            return float("inf")
        return float(_quantile(self.first_min[node][comes][None], self.weights[comes], 0.5)[0])


def street_levels_m(network: SewerNetwork) -> Array:
    """Depth above the invert from which water stands on the street, by node; endless for outfalls.

    A basin that sewers run into is a wet well, whose rim is its street; another one is a low point of the road.
    """
    wells = {conduit.end for conduit in network.conduits}
    return np.array(
        [
            np.inf if node.outfall_m is not None else 0.0 if node.is_basin and node.id not in wells else node.depth_m
            for node in network.nodes.values()
        ]
    )


def floods_ahead(
    routing: FlowRouting,
    runoff: Runoff,
    ways: RainWays,
    sewage_m3s: Callable[[int], Array],
    believed: Mapping[int, float] | None = None,
    *,
    gauged: Mapping[int, tuple[int, GaugeSkill]] | None = None,
) -> FloodsAhead:
    """Let the sewers go on from now under every supposition that is ``believed`` and every way of the rain.

    ``believed`` are columns of ``routing`` with their shares; default: the first alone. ``sewage_m3s`` is what runs
    into every node so many minutes from now, without rain. ``gauged`` are the nodes whose level is measured, with the
    number of the gauge and how well the model does at it. Nothing that is given changes.
    """
    columns = believed or {0: 1.0}
    count, rows = ways.mm_h.shape[:2]
    many = narrowed(routing, [column for column in columns for _ in range(count)])
    surfaces = runoff.copies(count)
    street = street_levels_m(routing.network)[:, None]
    shown = _Shown(many.depth_m(), gauged or {})
    now = np.maximum(shown.depth_m(many.depth_m()) - street, 0.0)
    first_min = np.where(now >= FLOODED_M, 0.0, np.inf)
    kept: dict[int, Array] = {}
    for row in range(rows):
        minutes = (row + 1) * ROW_MIN
        run = surfaces.advance_each(60.0 * ROW_MIN, ways.mm_h[:, row]) + sewage_m3s(minutes)[:, None]
        many.advance(60.0 * ROW_MIN, np.tile(run, (1, len(columns))), _STEPS)
        stands = np.maximum(shown.depth_m(many.depth_m()) - street, 0.0)
        first_min = np.where((stands >= FLOODED_M) & np.isinf(first_min), minutes, first_min)
        if minutes in AHEAD_MIN:
            kept[minutes] = stands
    weights = np.outer(list(columns.values()), ways.weights).ravel()
    weights = weights / weights.sum()
    return FloodsAhead(now @ weights, kept, first_min, weights)


class _Shown:
    """The depths of the model with those of the measured nodes as their gauges let expect."""

    def __init__(self, now_m: Array, gauged: Mapping[int, tuple[int, GaugeSkill]]) -> None:
        self._now_m = now_m
        self._gauged = gauged

    def depth_m(self, model_m: Array) -> Array:
        told = model_m.copy()
        for node, (gauge, skill) in self._gauged.items():
            told[node] = np.maximum(skill.ahead(gauge, self._now_m[node], model_m[node]), 0.0)
        return told


def _quantile(values: Array, weights: Array, level: float) -> Array:
    """Weighted quantile of each row, straight between the middles of the weights."""
    order = np.argsort(values, axis=1, kind="stable")
    ranked = np.take_along_axis(values, order, axis=1)
    share = np.cumsum(weights[order], axis=1) - weights[order] / 2
    return np.array([np.interp(level, share[k], ranked[k]) for k in range(len(values))])
