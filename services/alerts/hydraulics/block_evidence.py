"""What one block says about the network: how far the sensors are from the model and what would move them there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.alerts.hydraulics.block import ActiveLeak, Block, Drawn, drawn
from services.alerts.hydraulics.epanet_model import Array, EpanetModel, HydraulicState, mean_state
from services.alerts.hydraulics.head_response import head_response, resistance_response
from services.alerts.hydraulics.metering import Metering

_PRESSURE_DEVIATION_M = 0.007
"""A transmitter's noise in the mean of a block: resolution and hysteresis, which do not average out wholly."""
_LEVEL_DEVIATION_M = 0.01
"""How far all heads may rise or fall together unseen: reservoirs and reducing valves hold to a centimetre or so."""
_LOSS_DEVIATION = 0.03
"""How far the law of head loss may be off at one moment for all pipes alike, relative: its exponent is a fit."""
_WILD_M_PER_M3H = 20.0
"""A response beyond this is that of a part which closed valves have cut off from every source: nothing to learn."""
_GROUP_TILT = 0.08
"""How far households and trade may share an hour's draw otherwise than their patterns say, relative to all of it."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A block linearised: residuals and what each unknown does to them, rows that said nothing left out of ``heard``.

    ``residual`` are the pressures (m), then the surpluses of the areas (m3/h), measured minus modelled. ``leak`` is
    the change for every m3/h that leaks from the middle of each link, ``resistance`` for each pipe's log resistance,
    ``draw`` for each node's log draw, ``meters`` for every m3/h that the meters at an area's borders show too little.
    ``noise`` is the covariance of the residuals.
    """

    residual: Array
    heard: NDArray[np.bool_]
    leak: Array
    resistance: Array
    draw: Array
    meters: Array
    noise: Array
    modelled: Array


def solved(model: EpanetModel, metering: Metering, block: Block, flows: Drawn) -> HydraulicState:
    """The mean state of the network in a block: metered pumps move what they were seen to, tanks stand as measured.

    Raises:
        ArithmeticError: EPANET finds no solution.
    """
    heads = {}
    for node, column in metering.level.items():
        if np.isfinite(block.mean[column]):
            heads[model.nodes[node]] = float(model.elevation_m[node] + block.mean[column])
    closed = [model.links[link] for link in metering.imposed]
    states = []
    for _, *moved_m3h in block.phases:
        demand = flows.demand_m3h.copy()
        for link, moved in zip(metering.imposed, moved_m3h, strict=True):
            demand[model.ends[link, 0]] += moved
            demand[model.ends[link, 1]] -= moved
        states.append(model.solve(demand, heads_m=heads, closed=closed))
    return mean_state(states, block.phases[:, 0])


def linearised(model: EpanetModel, metering: Metering, block: Block, leaks: Sequence[ActiveLeak] = ()) -> Linear | None:
    """A block about the state that the meters, and the leaks found so far, put the model in.

    ``None`` where a meter that the balance needs said nothing, or the model has no solution.
    """
    flows = drawn(model, metering, block, leaks)
    if flows is None:
        return None
    try:
        state = solved(model, metering, block, flows)
    except ArithmeticError:
        return None
    nodes = metering.pressure_node
    response = head_response(model, state, nodes)
    if not np.abs(response).max() < _WILD_M_PER_M3H:
        return None
    resistance = resistance_response(model, state, response)
    pressure = block.mean[metering.pressure]
    modelled = np.concatenate([state.pressure_m[nodes], np.zeros(len(metering.areas))])
    residual = np.concatenate([pressure, flows.surplus_m3h]) - modelled
    balanced = metering.balanced
    heard = np.concatenate([np.isfinite(pressure), balanced])
    drawing = -response
    noise = np.zeros((len(residual), len(residual)))
    count = len(nodes)
    for area, share in zip(metering.areas, flows.share, strict=True):
        # What leaks in a metered area is missing elsewhere in it: the meters tell how much went in.
        drawing = drawing + np.outer(response @ share, area.nodes)
        total = float(flows.demand_m3h[area.unmetered].sum())
        for pattern in range(model.base_demand_m3h.shape[1]):
            group = share * (model.base_demand_m3h[:, pattern] > 0)
            if 0 < group.sum() < 1:
                tilt = drawing @ (group - group.sum() * share) * total * _GROUP_TILT
                noise[:count, :count] += np.outer(tilt, tilt)
    spread = drawing * flows.spread_m3h
    loss = resistance.sum(axis=1) * _LOSS_DEVIATION
    noise[:count, :count] += spread @ spread.T + _PRESSURE_DEVIATION_M**2 * np.eye(count)
    noise[:count, :count] += np.outer(loss, loss) + _LEVEL_DEVIATION_M**2
    noise[np.arange(count, len(residual)), np.arange(count, len(residual))] = flows.surplus_deviation_m3h**2
    surplus = np.array([area.nodes * float(full) for area, full in zip(metering.areas, balanced, strict=True)])
    by_node = np.vstack([drawing, surplus.reshape(len(metering.areas), -1)])
    leak = 0.5 * (by_node[:, model.ends[:, 0]] + by_node[:, model.ends[:, 1]])
    blank = np.zeros((len(metering.areas), resistance.shape[1]))
    draw = np.vstack([drawing * (flows.spread_m3h > 0) * flows.demand_m3h, np.zeros_like(surplus)])
    meters = np.zeros((len(residual), len(metering.areas)))
    meters[:count] = -response @ np.array(flows.share).T
    return Linear(residual, heard, leak, np.vstack([resistance, blank]), draw, meters, noise, modelled)
