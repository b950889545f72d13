"""What the sensors of a site tell about its network model: pressures, metered flows, and the areas between meters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from services.alerts.hydraulics.epanet_model import Array, EpanetModel

PRESSURE_M: Mapping[str, float] = {
    "m": 1.0,
    "kPa": 1 / 9.80665,
    "MPa": 1000 / 9.80665,
    "bar": 100 / 9.80665,
    "psi": 0.70307,
}
"""One of each unit of pressure in metres of water."""
FLOW_M3H: Mapping[str, float] = {
    "m3/h": 1.0,
    "L/h": 0.001,
    "L/s": 3.6,
    "L/min": 0.06,
    "m3/s": 3600.0,
    "m3/d": 1 / 24,
}
"""One of each unit of flow in m3/h."""
LEVEL_M: Mapping[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001}
PRESSURE = frozenset({"pressure"})
FLOW = frozenset({"flow"})
DEMAND = frozenset({"demand"})
LEVEL = frozenset({"level", "tank_level"})


@dataclass(frozen=True, slots=True)
class Channel:
    """A sensor as the model sees it: its quantity, the asset it sits at and the unit it declares."""

    sensor: str
    quantity: str
    asset: str
    unit: str


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the network all of whose borders and tanks are metered: what it draws is known.

    ``inward`` are the columns of the meters at its borders with the sign of a flow into the area; ``metered`` and
    ``unmetered`` the nodes that draw.
    """

    nodes: NDArray[np.bool_]
    inward: tuple[tuple[int, float], ...]
    tanks: tuple[tuple[int, float], ...]
    metered: NDArray[np.intp]
    unmetered: NDArray[np.intp]
    accounted: bool
    """Whether meters see all but a little of what it draws by the model's patterns: the rest of a balance leaks."""

    @property
    def columns(self) -> list[int]:
        """The columns of the meters at its borders."""
        return [column for column, _ in self.inward]


_UNACCOUNTED = 0.3


class Metering:
    """Where each column of a row belongs in the model; columns the model does not know are left aside."""

    def __init__(self, model: EpanetModel, channels: Sequence[Channel]) -> None:
        self.channels = tuple(channels)
        node, link = model.node_index, model.link_index
        self.factor: Array = np.full(len(channels), np.nan)
        self.pressure: list[int] = []
        self.pressure_node: list[int] = []
        self.flow: dict[int, int] = {}
        self.demand: dict[int, int] = {}
        self.level: dict[int, int] = {}
        for column, channel in enumerate(channels):
            units = _units(channel.quantity)
            if channel.unit not in units:
                continue
            self.factor[column] = units[channel.unit]
            if channel.quantity in PRESSURE and channel.asset in node:
                self.pressure.append(column)
                self.pressure_node.append(node[channel.asset])
            elif channel.quantity in FLOW and channel.asset in link:
                self.flow[link[channel.asset]] = column
            elif channel.quantity in DEMAND and channel.asset in node:
                self.demand[node[channel.asset]] = column
            elif channel.quantity in LEVEL and channel.asset in node:
                self.level[node[channel.asset]] = column
        self.demand_node: NDArray[np.intp] = np.array(sorted(self.demand), dtype=np.intp)
        self.demand_column: NDArray[np.intp] = np.array([self.demand[each] for each in sorted(self.demand)], np.intp)
        self.areas = tuple(_areas(model, self))
        self.imposed = tuple(each for each in self.flow if model.is_pump[each])
        """Pumps with a meter: what they move is measured, so their curves need not be believed."""

    @property
    def balanced(self) -> NDArray[np.bool_]:
        """By area, whether it is accounted for, so that what is left over has leaked."""
        return np.array([area.accounted for area in self.areas], dtype=np.bool_)


def _units(quantity: str) -> Mapping[str, float]:
    if quantity in PRESSURE:
        return PRESSURE_M
    if quantity in FLOW or quantity in DEMAND:
        return FLOW_M3H
    return LEVEL_M if quantity in LEVEL else {}


def _areas(model: EpanetModel, metering: Metering) -> list[Area]:
    """The connected parts left when metered links are cut, as far as nothing unmetered feeds them."""
    size = len(model.nodes)
    inside = [link for link in range(len(model.links)) if link not in metering.flow]
    first, second = model.ends[inside, 0], model.ends[inside, 1]
    graph = coo_array((np.ones(len(inside)), (first, second)), shape=(size, size))
    count, part = connected_components(graph, directed=False)
    reservoirs = set(np.flatnonzero(~model.is_junction & ~model.is_tank).tolist())
    usual_m3h = model.base_demand_m3h.sum(axis=1)
    areas = []
    for number in range(count):
        nodes = part == number
        members = np.flatnonzero(nodes & model.is_junction)
        tanks = [int(each) for each in np.flatnonzero(nodes & model.is_tank)]
        unknown_head = reservoirs & set(np.flatnonzero(nodes).tolist()) or set(tanks) - set(metering.level)
        if unknown_head or not len(members):
            continue
        inward = [
            (column, 1.0 if nodes[model.ends[link, 1]] else -1.0)
            for link, column in metering.flow.items()
            if nodes[model.ends[link, 0]] != nodes[model.ends[link, 1]]
        ]
        known = [each for each in members if each in metering.demand]
        others = [each for each in members if usual_m3h[each] > 0 and each not in metering.demand]
        areas.append(
            Area(
                nodes,
                tuple(inward),
                tuple((metering.level[tank], float(model.tank_area_m2[tank])) for tank in tanks),
                np.array(known, dtype=np.intp),
                np.array(others, dtype=np.intp),
                bool(usual_m3h[others].sum() <= _UNACCOUNTED * usual_m3h[members].sum()),
            )
        )
    return areas
