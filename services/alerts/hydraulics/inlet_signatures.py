"""What a leak at each node of a district does to the head losses on the way to its pressure loggers, from its model."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from services.alerts.hydraulics.epanet_model import Array, EpanetModel
from services.alerts.hydraulics.head_response import head_response, resistance_response

LEAK_SHARES = (0.02, 0.1, 0.3)
"""Shares of the inlet flow that leak: a large leak changes the paths of the water and is no multiple of a small one."""
_DOUBTED_SHARE = 0.1
_RESISTANCE_DOUBT = 0.25
"""Standard deviation of the logarithm of a real pipe's resistance about the model's: ten percent in its roughness or
three in its diameter make a sixth of it each, and both are seldom known better."""
_DEMAND_DOUBT = 0.1
"""The same of a node's share of the demand."""
_LEAST_LOSS_M = 1e-6
_MOST_DOUBTS = 100_000
"""Numbers that the doubts may have; a large network goes without."""


class InletSignatures(NamedTuple):
    """How leaks show.

    ``still_m`` is the pressure at each logger while nothing flows. ``responses`` has, for each of ``leak_shares``, each
    of ``places`` and each logger, by which share of itself the head loss changes per share of the inlet flow that
    leaks; ``doubts``, for each place, the covariance over the loggers of its error. Empty doubts are not known.
    """

    places: tuple[str, ...]
    leak_shares: tuple[float, ...]
    still_m: Array
    responses: Array
    doubts: Array


class _Losses(NamedTuple):
    """Losses to the loggers (m), and how they change with the logarithms of the resistances and of the demands."""

    loss_m: Array
    by_resistance_m: Array
    by_demand_m: Array


def inlet_signatures(model: EpanetModel, loggers: Sequence[str]) -> InletSignatures | None:
    """The signatures of a leak at each junction; ``None`` unless the network hangs on one reservoir alone.

    Customers draw in proportion to their mean demand in the model. Losses grow with a power of the flow that is the
    same in all pipes, so their ratios at one flow are those at every flow.

    Raises:
        KeyError: a logger is at no node of the network.
        ArithmeticError: EPANET finds no solution.
    """
    inlets = np.flatnonzero(~model.is_junction)
    nodes = [model.node_index[logger] for logger in loggers]
    means = np.array([pattern.mean() for pattern in model.patterns])
    # Half of the demand keeps the pressures of an overloaded model positive.
    demand = np.where(model.is_junction, np.maximum(model.base_demand_m3h @ means, 0.0), 0.0) / 2
    if len(inlets) != 1 or model.is_tank.any() or model.is_pump.any() or demand.sum() <= 0:
        return None
    inlet_m = float(model.solve(np.zeros(len(model.nodes))).head_m[inlets[0]])
    junctions = [int(node) for node in np.flatnonzero(model.is_junction)]

    def loss_m(outflow: Array) -> Array:
        return np.maximum(inlet_m - model.solve(outflow).head_m[nodes], _LEAST_LOSS_M)

    usual = loss_m(demand)
    responses = [
        [(loss_m(_leaking(demand, node, share)) / usual - 1) / share for node in junctions] for share in LEAK_SHARES
    ]
    doubts = np.zeros(0)
    if len(junctions) * len(nodes) ** 2 <= _MOST_DOUBTS:
        before = _losses(model, nodes, inlet_m, demand, demand)
        after = [_losses(model, nodes, inlet_m, _leaking(demand, node, _DOUBTED_SHARE), demand) for node in junctions]
        doubts = np.array([_doubt(before, each) for each in after])
    still_m = inlet_m - model.elevation_m[nodes]
    places = tuple(model.nodes[node] for node in junctions)
    return InletSignatures(places, LEAK_SHARES, still_m, np.array(responses), doubts)


def _leaking(demand_m3h: Array, node: int, share: float) -> Array:
    """The same inflow with a share of it leaking at a node."""
    outflow = demand_m3h * (1 - share)
    outflow[node] += share * demand_m3h.sum()
    return outflow


def _losses(model: EpanetModel, nodes: Sequence[int], inlet_m: float, outflow: Array, demand: Array) -> _Losses:
    state = model.solve(outflow)
    response = head_response(model, state, nodes)
    customers = demand * min(1.0, float((outflow / np.maximum(demand, 1e-9))[demand > 0].min()))
    by_demand = -response * customers
    # The inlet flow is measured: if one draws more than the model says, the others draw less.
    by_demand = by_demand - by_demand.sum(axis=1, keepdims=True) * (demand / demand.sum())
    loss_m = np.maximum(inlet_m - state.head_m[list(nodes)], _LEAST_LOSS_M)
    return _Losses(loss_m, -resistance_response(model, state, response), by_demand)


def _doubt(before: _Losses, after: _Losses) -> Array:
    ratio = (after.loss_m / before.loss_m)[:, None]
    scale = before.loss_m[:, None] * _DOUBTED_SHARE
    resistance = (after.by_resistance_m - ratio * before.by_resistance_m) / scale * _RESISTANCE_DOUBT
    demand = (after.by_demand_m - ratio * before.by_demand_m) / scale * _DEMAND_DOUBT
    covariance: Array = resistance @ resistance.T + demand @ demand.T
    return covariance
