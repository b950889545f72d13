"""Steady flow of gas from regulators through the districts of a city."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.city import Asset, City
from simulators.noise import Vector
from simulators.physics.gas_hydraulics import (
    ATMOSPHERE_KPA,
    EXPONENT,
    GasPipes,
    GasState,
    line_volume_m3,
    resistance,
    steady,
)

_REGULATOR_KPA2 = 0.002
"""What a station's outlet falls by in squared kPa for one (m3/h)^1.82: some 4 kPa at 2000 m3/h; assumed."""
_JOINT_DIAMETER_MM, _JOINT_M = 315.0, 5.0
"""A source and its own valve stand against each other: as good as five metres of the widest pipe."""


@dataclass(frozen=True, slots=True)
class _District:
    """A part of the network that is joined to no other; ``nodes`` and ``pipes`` are the city's numbers of its own.

    Behind its nodes ``gas`` has one for each regulator, held at the set point; behind its pipes the regulators.
    """

    nodes: NDArray[np.intp]
    pipes: NDArray[np.intp]
    gas: GasPipes
    held_kpa: Vector
    demand_m3h: Vector
    mean: GasState
    """With the mean demand."""

    def state(self, factor: float, leaks_m3h: Vector) -> GasState:
        """The state with ``factor`` times the mean demand, and with what leaks from its nodes.

        With one pressure at all regulators flows grow as the demand does and the losses of squared pressure by the
        power of the friction law, so that only a network that leaks has to be solved again.
        """
        if leaks_m3h.any() or len(set(self.held_kpa.tolist())) > 1:
            drawn = self.demand_m3h * factor
            drawn[: len(leaks_m3h)] += leaks_m3h
            return steady(self.gas, self.held_kpa[None, :], drawn[None, :])
        lost = self.held_kpa[0] ** 2 - self.mean.pressures_kpa**2
        squares = self.held_kpa[0] ** 2 - lost * factor**EXPONENT
        return GasState(np.sqrt(np.maximum(squares, ATMOSPHERE_KPA**2)), self.mean.flows_m3h * factor)


class GasNetwork:
    """Pressures and flows of all districts, by Renouard's law (``gas_hydraulics``)."""

    def __init__(self, city: City) -> None:
        assets = [a for a in city.assets_of("gas") if a.kind not in {"building", "pipe", "underground-space"}]
        self.node = {a.id: i for i, a in enumerate(assets)}
        zones = sorted({a.zone for a in assets})
        self.districts = len(zones)
        self._district = np.array([zones.index(a.zone) for a in assets])
        self._demand_m3h = np.array([_demand(a) for a in assets])
        pipes = _pipes(city, self.node)
        self.pipe = {pipe.ident: number for number, pipe in enumerate(pipes)}
        self._far = [pipe.far for pipe in pipes]
        self._sources = {number: a.number("outlet_kpa") for number, a in enumerate(assets) if a.kind == "regulator"}
        self._from_source = np.array([pipe.near in self._sources for pipe in pipes])
        self._parts = [self._part(district, pipes) for district in range(self.districts)]
        self._pressures_kpa, self._flows_m3h = np.zeros(len(assets)), np.zeros(len(pipes))
        self._drawn_m3h = 0.0
        self.solve(np.ones(self.districts), {})

    def solve(self, factors: Vector, leaks_m3h: Mapping[str, float]) -> None:
        """Set the demand factor of each district and what leaks from the given pipes (at their far end)."""
        leaking = np.zeros(len(self.node))
        for pipe, flow in leaks_m3h.items():
            leaking[self._far[self.pipe[pipe]]] += flow
        self._drawn_m3h = float((self._demand_m3h * factors[self._district]).sum() + leaking.sum())
        for part, factor in zip(self._parts, factors.tolist(), strict=True):
            state = part.state(factor, leaking[part.nodes])
            self._pressures_kpa[part.nodes] = state.pressures_kpa[0, : len(part.nodes)]
            self._flows_m3h[part.pipes] = state.flows_m3h[0, : len(part.pipes)]

    def pressures_kpa(self) -> Vector:
        """Gauge pressure of every node, in the order of ``node``."""
        gauge: Vector = self._pressures_kpa - ATMOSPHERE_KPA
        return gauge

    def pressure_at_kpa(self, pipe: str) -> float:
        """Gauge pressure at the far end of a pipe."""
        return float(self.pressures_kpa()[self._far[self.pipe[pipe]]])

    def flows_m3h(self) -> Vector:
        """Flow through every pipe in its nominal direction, in the order of ``pipe``."""
        return self._flows_m3h

    def supplied_m3h(self) -> float:
        """Flow out of all regulators."""
        return float(self._flows_m3h[self._from_source].sum())

    def demanded_m3h(self) -> float:
        """All demands and leaks."""
        return self._drawn_m3h

    def _part(self, district: int, pipes: Sequence["_Pipe"]) -> _District:
        nodes = np.flatnonzero(self._district == district)
        own = [number for number, pipe in enumerate(pipes) if self._district[pipe.near] == district]
        place = {int(node): k for k, node in enumerate(nodes)}
        sources = [node for node in self._sources if node in place]
        hidden = np.arange(len(nodes), len(nodes) + len(sources))
        volumes = np.zeros(len(nodes) + len(sources))
        for number in own:
            volumes[[place[pipes[number].near], place[pipes[number].far]]] += pipes[number].volume_m3 / 2
        gas = GasPipes(
            np.array([*(place[pipes[k].near] for k in own), *hidden]),
            np.array([*(place[pipes[k].far] for k in own), *(place[node] for node in sources)]),
            np.array([*(pipes[k].resistance for k in own), *[_REGULATOR_KPA2] * len(sources)]),
            volumes,
            hidden,
        )
        held_kpa = np.array([self._sources[node] + ATMOSPHERE_KPA for node in sources])
        demand = np.append(self._demand_m3h[nodes], np.zeros(len(sources)))
        mean = steady(gas, held_kpa[None, :], demand[None, :])
        return _District(nodes, np.array(own), gas, held_kpa, demand, mean)


@dataclass(frozen=True, slots=True)
class _Pipe:
    ident: str
    near: int
    far: int
    resistance: float
    volume_m3: float


def _pipes(city: City, node: Mapping[str, int]) -> list[_Pipe]:
    """All pipes between their nodes; direct joints count as pipes."""
    upstream = {k.target: k.source for k in city.flow_links("gas") if city.asset[k.target].kind == "pipe"}
    found = []
    for link in city.flow_links("gas"):
        source = city.asset[link.source]
        if link.target not in node:
            continue
        is_pipe = source.kind == "pipe"
        ident = source.id if is_pipe else f"{source.id}_{link.target}"
        near = node[upstream[source.id] if is_pipe else source.id]
        found.append(_Pipe(ident, near, node[link.target], *_friction_and_room(source if is_pipe else None)))
    return found


def _friction_and_room(pipe: Asset | None) -> tuple[float, float]:
    diameter_mm = pipe.number("diameter_mm") if pipe else _JOINT_DIAMETER_MM
    length_m = max(1.0, pipe.number("length_m")) if pipe else _JOINT_M
    return resistance(diameter_mm, length_m), line_volume_m3(diameter_mm, length_m)


def _demand(node: Asset) -> float:
    return node.number("base_demand_m3h") if "base_demand_m3h" in node.facts else 0.0
