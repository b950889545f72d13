"""How the heads of a solved network answer to a little water more or less at any node."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

from services.alerts.hydraulics.epanet_model import Array, EpanetModel, HydraulicState

_FLOW_EXPONENT = 1.852
"""Hazen-Williams: head loss grows with this power of the flow (2 for the other formulas, near enough)."""
_LEAST_FLOW_M3H = 1.0
"""Slopes are taken at no smaller flow: a leak worth finding moves more, so the slope at rest would mislead."""
_LEAST_SLOPE = 1e-7
"""Metres per m3/h, for links without length: EPANET's own least slope."""
_SETTING_TOLERANCE_M = 0.01
"""A reducing valve whose two sides differ by more than this holds the lower one."""


def link_slopes(model: EpanetModel, state: HydraulicState) -> Array:
    """The slope of head loss over flow of each link, metres per m3/h."""
    loss_m = np.abs(state.head_m[model.ends[:, 0]] - state.head_m[model.ends[:, 1]])
    flow_m3h = np.abs(state.flow_m3h)
    slope = _FLOW_EXPONENT * loss_m / np.maximum(flow_m3h, _LEAST_FLOW_M3H)
    if model.hazen_williams:
        floor = _FLOW_EXPONENT * _resistance(model) * np.maximum(flow_m3h, _LEAST_FLOW_M3H) ** (_FLOW_EXPONENT - 1)
        slope = np.where(model.is_pipe & (flow_m3h < _LEAST_FLOW_M3H), floor, slope)
    return np.maximum(slope, _LEAST_SLOPE)


def _resistance(model: EpanetModel) -> Array:
    """Hazen-Williams resistance for flows in m3/h: loss = resistance x flow^1.852, in metres (SI form, 10.67)."""
    diameter_m = np.maximum(model.diameter_mm, 1.0) / 1000
    roughness = np.maximum(model.roughness, 1.0)
    si = 10.67 * model.length_m / (roughness**_FLOW_EXPONENT * diameter_m**4.8704)
    resistance: Array = si / 3600**_FLOW_EXPONENT
    return resistance


def head_response(model: EpanetModel, state: HydraulicState, sensors: Sequence[int]) -> Array:
    """Metres of head at each of the nodes ``sensors`` for every m3/h that is fed into each node of the network.

    The network is linearised about ``state``: pipes by their slope, reducing valves that are at work by holding the
    node behind them, pumps by giving what they give. Tanks, reservoirs and closed links do not answer.

    Raises:
        RuntimeError: a part of the network hangs on nothing.
    """
    size = len(model.nodes)
    first, second = model.ends[:, 0], model.ends[:, 1]
    drop_m = state.head_m[first] - state.head_m[second]
    holding = model.is_reducing_valve & state.open_link & (drop_m > _SETTING_TOLERANCE_M)
    passing = state.open_link & ~holding & ~model.is_pump
    conductance = 1 / link_slopes(model, state)[passing]
    i, j = first[passing], second[passing]
    rows = [i, j, i, j]
    columns = [i, j, j, i]
    values = [conductance, conductance, -conductance, -conductance]
    matrix = coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(size, size))
    full = _bordered(matrix, ~model.is_junction, np.flatnonzero(holding), model.ends)
    wanted = np.zeros((full.shape[0], len(sensors)))
    wanted[list(sensors), np.arange(len(sensors))] = 1.0
    answer: Array = (
        splu(full, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(wanted, trans="T")[:size].T
    )
    answer[:, ~model.is_junction] = 0.0
    return answer


def _bordered(
    matrix: coo_array, fixed: NDArray[np.bool_], valves: NDArray[np.intp], ends: NDArray[np.intp]
) -> "coo_array":
    """The balance of every node, fixed heads held, with the flow of each working valve as one unknown more."""
    size = matrix.shape[0]
    row, column = matrix.coords
    keep = ~fixed[row]
    held = np.flatnonzero(fixed)
    # A node that hangs on nothing would make the matrix singular; a trace of conductance to datum keeps it whole.
    loose = np.flatnonzero(~fixed)
    rows = [row[keep], held, loose]
    columns = [column[keep], held, loose]
    values = [matrix.data[keep], np.ones(len(held)), np.full(len(loose), 1e-12)]
    for position, valve in enumerate(valves):
        upper, lower = ends[valve]
        extra = size + position
        rows.append(np.array([upper, lower, extra]))
        columns.append(np.array([extra, extra, lower]))
        values.append(np.array([1.0, -1.0, 1.0]))
    total = size + len(valves)
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return coo_array(entries, shape=(total, total)).tocsc()


def resistance_response(model: EpanetModel, state: HydraulicState, response: Array) -> Array:
    """Metres of head at each sensor for a rise of each pipe's resistance to e times what it is, to first order.

    A pipe that resists more lets less water pass, as if its flow over the exponent were fed in before it and drawn
    behind it.
    """
    through = np.where(model.is_pipe & state.open_link, state.flow_m3h / _FLOW_EXPONENT, 0.0)
    difference: Array = (response[:, model.ends[:, 0]] - response[:, model.ends[:, 1]]) * through
    return difference
