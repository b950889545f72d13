"""Steady flow of gas from regulators through the districts."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from simulators.city import Asset, City
from simulators.noise import Vector

_WORST_DROP_KPA = 14.0
"""Drop from regulator to the farthest node at mean demand; sets the scale of the conductances."""
_JOINT_CONDUCTANCE = 3.15**2.5 / 5.0
"""A source and its own valve stand against each other: as good as five metres of the widest pipe."""


class GasNetwork:
    """Squares of pressures fall linearly with flow (linearised at the nominal state), so flows superpose."""

    def __init__(self, city: City) -> None:
        assets = [a for a in city.assets_of("gas") if a.kind not in {"building", "pipe", "underground-space"}]
        self.node = {a.id: i for i, a in enumerate(assets)}
        zones = sorted({a.zone for a in assets})
        self.districts = len(zones)
        self._district = np.array([zones.index(a.zone) for a in assets])
        self._demand_m3h = np.array([_demand(a) for a in assets])
        self.pipe, ends, self._conductance = _pipes(city, self.node)
        self._near, self._far = ends
        sources = np.array([self.node[a.id] for a in assets if a.kind == "regulator"])
        self._from_source = np.isin(self._near, sources)
        self._sources = sources
        self._matrix = self._laplacian(sources)
        of_district = self._district[:, None] == np.arange(self.districts)
        self._shares = self._drops_of(self._demand_m3h[:, None] * of_district)
        self._leak_shares: dict[int, Vector] = {}
        self._drawn = self._demand_m3h
        self._drops = self._shares.sum(axis=1)
        outlets = [a.number("outlet_kpa") for a in assets if a.kind == "regulator"]
        self._outlet_kpa = sum(outlets) / len(outlets)
        worst = _WORST_DROP_KPA * (2 * self._outlet_kpa - _WORST_DROP_KPA)
        self._scale = worst / float(self._drops.max())

    def solve(self, factors: Vector, leaks_m3h: Mapping[str, float]) -> None:
        """Set the demand factor of each district and what leaks from the given pipes (at their far end)."""
        self._drawn = self._demand_m3h * factors[self._district]
        self._drops = (self._shares * factors).sum(axis=1)
        for pipe, flow in leaks_m3h.items():
            far = self._far[self.pipe[pipe]]
            self._drawn[far] += flow
            self._drops += self._leak_share(int(far)) * flow

    def pressures_kpa(self) -> Vector:
        """Gauge pressure of every node, in the order of ``node``."""
        pressures: Vector = np.sqrt(np.maximum(0.0, self._outlet_kpa**2 - self._scale * self._drops))
        return pressures

    def flows_m3h(self) -> Vector:
        """Flow through every pipe in its nominal direction, in the order of ``pipe``."""
        flows: Vector = self._conductance * (self._drops[self._far] - self._drops[self._near])
        return flows

    def supplied_m3h(self) -> float:
        """Flow out of all regulators."""
        return float(self.flows_m3h()[self._from_source].sum())

    def demanded_m3h(self) -> float:
        """All demands and leaks."""
        return float(self._drawn.sum())

    def _leak_share(self, node: int) -> Vector:
        """Drops caused by one m3/h at a node."""
        if node not in self._leak_shares:
            drawn = np.zeros(len(self.node))
            drawn[node] = 1.0
            self._leak_shares[node] = self._drops_of(drawn)
        return self._leak_shares[node]

    def _drops_of(self, drawn: Vector) -> Vector:
        """Drops of squared pressure by what is drawn; what a source itself gives away drops nothing."""
        outside = drawn.copy()
        outside[self._sources] = 0.0
        drops: Vector = np.linalg.solve(self._matrix, outside).astype(np.float64)
        return drops

    def _laplacian(self, sources: NDArray[np.int64]) -> Vector:
        """Conductances between nodes; the rows of sources hold them at their pressure."""
        matrix = np.zeros((len(self.node), len(self.node)))
        np.add.at(matrix, (self._near, self._near), self._conductance)
        np.add.at(matrix, (self._far, self._far), self._conductance)
        np.add.at(matrix, (self._near, self._far), -self._conductance)
        np.add.at(matrix, (self._far, self._near), -self._conductance)
        matrix[sources, :] = 0.0
        matrix[sources, sources] = 1.0
        return matrix


def _pipes(
    city: City, node: Mapping[str, int]
) -> tuple[dict[str, int], tuple[NDArray[np.int64], NDArray[np.int64]], Vector]:
    """Numbers of the pipes, their two ends, and their conductances; direct joints count as pipes."""
    upstream = {k.target: k.source for k in city.flow_links("gas") if city.asset[k.target].kind == "pipe"}
    near: list[int] = []
    far: list[int] = []
    conductance: list[float] = []
    number: dict[str, int] = {}
    for link in city.flow_links("gas"):
        source = city.asset[link.source]
        if link.target not in node:
            continue
        pipe = source.kind == "pipe"
        number[source.id if pipe else f"{source.id}_{link.target}"] = len(number)
        near.append(node[upstream[source.id] if pipe else source.id])
        far.append(node[link.target])
        conductance.append(_conductance(source) if pipe else _JOINT_CONDUCTANCE)
    return number, (np.array(near), np.array(far)), np.array(conductance)


def _conductance(pipe: Asset) -> float:
    return float((pipe.number("diameter_mm") / 100) ** 2.5 / max(1.0, pipe.number("length_m")))


def _demand(node: Asset) -> float:
    return node.number("base_demand_m3h") if "base_demand_m3h" in node.facts else 0.0
