"""Steady flow of gas through districts that regulators feed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulators.city import Asset, City
from simulators.noise import Vector

_WORST_DROP_KPA = 14.0
"""Drop from regulator to the far end of a district at mean demand; sets the scale of the conductances."""
_JOINT_LENGTH_M = 5.0


@dataclass(frozen=True)
class _District:
    zone: str
    nodes: Mapping[str, int]
    pipes: Mapping[str, tuple[int, int]]
    conductance: Vector
    sources: tuple[int, ...]
    demand_m3h: Vector
    inverse: Vector


class GasNetwork:
    """Squares of pressures fall linearly with flow (linearised at the nominal state), so flows superpose."""

    def __init__(self, city: City) -> None:
        zones = sorted({a.zone for a in city.assets_of("gas", "regulator")})
        self.districts = tuple(_district(city, zone) for zone in zones)
        outlets = [a.number("outlet_kpa") for a in city.assets_of("gas", "regulator")]
        self._outlet_kpa = sum(outlets) / len(outlets)
        self._drawn: list[Vector] = [d.demand_m3h for d in self.districts]
        self._squares: list[Vector] = [np.zeros(len(d.nodes)) for d in self.districts]
        self._where = {n: (i, d.nodes[n]) for i, d in enumerate(self.districts) for n in d.nodes}
        self._pipe = {p: (i, *ends) for i, d in enumerate(self.districts) for p, ends in d.pipes.items()}
        self._order = {p: (i, k) for i, d in enumerate(self.districts) for k, p in enumerate(d.pipes)}
        self._scale = _WORST_DROP_KPA * (2 * self._outlet_kpa - _WORST_DROP_KPA) / self._worst_square()

    def solve(self, factors: Vector, leaks_m3h: Mapping[str, float]) -> None:
        """Set the demand factor of each district and what leaks from the given pipes (at their far end)."""
        self._drawn = [d.demand_m3h * f for d, f in zip(self.districts, factors, strict=True)]
        for pipe, flow in leaks_m3h.items():
            district, _, far = self._pipe[pipe]
            self._drawn[district] = self._drawn[district].copy()
            self._drawn[district][far] += flow
        self._squares = [d.inverse @ q for d, q in zip(self.districts, self._drawn, strict=True)]

    def pressure_kpa(self, node: str) -> float:
        """Gauge pressure of a node."""
        district, index = self._where[node]
        square = self._outlet_kpa**2 - self._scale * float(self._squares[district][index])
        return float(max(0.0, square) ** 0.5)

    def flow_m3h(self, pipe: str) -> float:
        """Flow through a pipe in its nominal direction."""
        district, near, far = self._pipe[pipe]
        _, order = self._order[pipe]
        drops = self._squares[district]
        return float(self.districts[district].conductance[order] * (drops[far] - drops[near]))

    def supplied_m3h(self) -> float:
        """Flow out of all regulators."""
        return sum(
            self.flow_m3h(pipe)
            for district in self.districts
            for pipe, (near, _) in district.pipes.items()
            if near in district.sources
        )

    def demanded_m3h(self) -> float:
        """All demands and leaks."""
        return float(sum(q.sum() for q in self._drawn))

    def _worst_square(self) -> float:
        return max(float((d.inverse @ d.demand_m3h).max()) for d in self.districts)


def _district(city: City, zone: str) -> _District:
    assets = [a for a in city.assets_of("gas") if a.zone == zone]
    nodes = {a.id: i for i, a in enumerate(a for a in assets if a.kind not in {"pipe", "underground-space"})}
    pipes, conductance = _pipes(city, nodes)
    sources = tuple(nodes[a.id] for a in assets if a.kind == "regulator")
    matrix = np.zeros((len(nodes), len(nodes)))
    for (near, far), g in zip(pipes.values(), conductance, strict=True):
        matrix[[near, far], [near, far]] += g
        matrix[[near, far], [far, near]] -= g
    matrix[list(sources), :] = 0.0
    matrix[list(sources), list(sources)] = 1.0
    inverse: Vector = np.linalg.inv(matrix).astype(np.float64)
    inverse[:, list(sources)] = 0.0
    demand = np.array([_demand(a) for a in assets if a.id in nodes])
    return _District(zone, nodes, pipes, conductance, sources, demand, inverse)


def _pipes(city: City, nodes: Mapping[str, int]) -> tuple[dict[str, tuple[int, int]], Vector]:
    upstream = {k.target: k.source for k in city.flow_links("gas") if city.asset[k.target].kind == "pipe"}
    pipes: dict[str, tuple[int, int]] = {}
    conductance: list[float] = []
    for link in city.flow_links("gas"):
        source, target = city.asset[link.source], city.asset[link.target]
        if source.kind == "pipe" and target.id in nodes:
            pipes[source.id] = (nodes[upstream[source.id]], nodes[target.id])
            conductance.append((source.number("diameter_mm") / 100) ** 2.5 / max(1.0, source.number("length_m")))
        elif source.kind != "pipe" and target.kind != "pipe" and source.id in nodes:
            pipes[f"{source.id}_{target.id}"] = (nodes[source.id], nodes[target.id])
            conductance.append(3.15**2.5 / _JOINT_LENGTH_M)
    return pipes, np.array(conductance)


def _demand(node: Asset) -> float:
    return node.number("base_demand_m3h") if "base_demand_m3h" in node.facts else 0.0
