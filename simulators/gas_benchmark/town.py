"""Draws a town that could have been built: mains under streets, manholes beside them, houses, and devices in some."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import networkx as nx
import numpy as np

from simulators.geometry import Point, Projection, beside, between, distance, nearest_on_segment
from simulators.physics.gas_soil import Ground

Crossing = tuple[int, int]
_CENTRE = (117.27, 31.86)
_SPACING_M = (95.0, 150.0)
_MATERIALS = (("PE", 0.5, (1998, 2022)), ("steel", 0.3, (1985, 2012)), ("cast iron", 0.2, (1972, 1998)))
"""Material, its share of the mains, and when it was laid; assumed."""
_SORTS = (
    ("telecom-manhole", 4.0, (1.2, 3.5), (28.0, 48.0)),
    ("sewer-manhole", 5.5, (2.0, 5.0), (30.0, 50.0)),
    ("power-manhole", -4.5, (1.5, 4.0), (40.0, 70.0)),
)
"""Kind of space, metres to the left of the main, volume in m3, metres from one to the next; assumed."""
_STREET_HAS = {"telecom-manhole": 0.55, "sewer-manhole": 0.7, "power-manhole": 0.25}
_USES = (("residential", 0.7), ("shop", 0.2), ("school", 0.05), ("hospital", 0.05))
_NEIGHBOUR_M = 40.0
_AT_HOUSE_M = 25.0
_DUCT_M = 75.0


@dataclass(frozen=True, slots=True)
class Main:
    """A gas main under one street, between two junctions (numbers into the town's nodes)."""

    id: str
    ends: tuple[int, int]
    line: tuple[Point, Point]
    diameter_mm: int
    material: str
    built: int
    depth_m: float
    ground: Ground

    @property
    def length_m(self) -> float:
        """Metres from end to end."""
        return distance(*self.line)


@dataclass(frozen=True, slots=True)
class Space:
    """A manhole or basement."""

    id: str
    place: Point
    sort: str
    volume_m3: float
    depth_m: float
    is_vented: bool


@dataclass(frozen=True, slots=True)
class House:
    """A building with the people in it."""

    id: str
    place: Point
    use: str
    people: int
    households: int


@dataclass(frozen=True)
class Town:
    """Everything that stands still. ``ducts`` joins numbers of spaces, with metres and whether air goes through.

    ``regulators`` are node numbers; ``demand_m3h`` is what each node draws on average; ``devices`` are the numbers of
    the spaces with a methane device.
    """

    name: str
    nodes: tuple[Point, ...]
    mains: tuple[Main, ...]
    regulators: tuple[int, ...]
    demand_m3h: tuple[float, ...]
    outlet_kpa: float
    has_profile: bool
    spaces: tuple[Space, ...]
    ducts: tuple[tuple[int, int, float, bool], ...]
    houses: tuple[House, ...]
    devices: tuple[int, ...]
    guarded: tuple[int, ...]
    says_ways: bool

    @cached_property
    def projection(self) -> Projection:
        """Metres to degrees."""
        return Projection(_CENTRE, self.nodes[len(self.nodes) // 2])

    def ways(self) -> list[tuple[str, str, float]]:
        """From mains to spaces and houses in reach, and from space to space: source, target, metres."""
        found = [(m.id, s.id, to_main_m(s.place, m)) for m in self.mains for s in self.spaces]
        near = [way for way in found if way[2] <= _NEIGHBOUR_M]
        near += [
            (m.id, h.id, to_main_m(h.place, m))
            for m in self.mains
            for h in self.houses
            if to_main_m(h.place, m) <= _AT_HOUSE_M
        ]
        near += [(self.spaces[a].id, self.spaces[b].id, metres) for a, b, metres, _ in self.ducts]
        return [(source, target, round(metres, 1)) for source, target, metres in near]


def to_main_m(place: Point, main: Main) -> float:
    """Metres from a place to the nearest point of a main."""
    return distance(place, nearest_on_segment(place, *main.line))


def draw_town(name: str, number: int, rng: np.random.Generator) -> Town:
    """A town of 15 to 25 devices; the same generator state gives the same town. One town in five declares no ways."""
    streets, nodes = _streets(rng)
    order = sorted(nodes)
    index = {crossing: k for k, crossing in enumerate(order)}
    soil_of = [("sand", "fill", "clay")[int(k)] for k in rng.choice(3, 2, p=(0.3, 0.5, 0.2))]
    mains = tuple(_main(k, street, nodes, index, soil_of, rng) for k, street in enumerate(streets, start=1))
    spaces, ducts = _spaces(mains, rng)
    corners = (index[order[0]], index[order[-1]])
    sensed = rng.permutation(len(spaces))[: min(int(rng.integers(15, 26)), len(spaces) - 3)]
    guarded = rng.permutation(len(mains))[: max(5, len(mains) // 2)]
    return Town(
        name=name,
        nodes=tuple(nodes[c] for c in order),
        mains=mains,
        regulators=corners,
        demand_m3h=tuple(float(d) for d in rng.uniform(10, 60, len(order)).round(1)),
        outlet_kpa=float(rng.choice((100, 200, 300))),
        has_profile=bool(rng.random() < 0.4),  # noqa: PLR2004 - share of towns
        spaces=spaces,
        ducts=ducts,
        houses=_houses(mains, rng),
        devices=tuple(sorted(int(k) for k in sensed)),
        guarded=tuple(sorted(int(k) for k in guarded)),
        says_ways=number % 5 != 0,
    )


def _streets(rng: np.random.Generator) -> tuple[list[tuple[Crossing, Crossing]], dict[Crossing, Point]]:
    """A bent grid of three by four or four by four crossings without some of its streets, in one piece."""
    columns, rows = int(rng.integers(3, 5)), 4
    spacing_m = float(rng.uniform(*_SPACING_M))
    grid: nx.Graph[Crossing] = nx.grid_2d_graph(columns, rows)
    for street in [s for s in sorted(grid.edges) if rng.random() < 0.2]:  # noqa: PLR2004 - share of missing streets
        grid.remove_edge(*street)
        if not nx.is_connected(grid):
            grid.add_edge(*street)
    bent = rng.uniform(-0.14, 0.14, (columns, rows, 2))
    nodes = {
        (c, r): ((c + float(bent[c, r, 0])) * spacing_m, (r + float(bent[c, r, 1])) * spacing_m)
        for c in range(columns)
        for r in range(rows)
    }
    return [(min(s), max(s)) for s in sorted(grid.edges)], nodes


def _main(  # noqa: PLR0917 - a street, where it lies and what it lies in
    number: int,
    street: tuple[Crossing, Crossing],
    nodes: dict[Crossing, Point],
    index: dict[Crossing, int],
    soils: Sequence[str],
    rng: np.random.Generator,
) -> Main:
    kind = int(rng.choice(len(_MATERIALS), p=[m[1] for m in _MATERIALS]))
    material, _, years = _MATERIALS[kind]
    return Main(
        id=f"GP-{number:03d}",
        ends=(index[street[0]], index[street[1]]),
        line=(nodes[street[0]], nodes[street[1]]),
        diameter_mm=int(rng.choice((110, 110, 160, 200))),
        material=material,
        built=int(rng.integers(*years)),
        depth_m=round(float(rng.uniform(0.8, 1.6)), 2),
        ground=Ground(soils[int(street[0][0] > 1)], bool(rng.random() < 0.65)),  # noqa: PLR2004 - share of paved streets
    )


def _spaces(
    mains: Sequence[Main], rng: np.random.Generator
) -> tuple[tuple[Space, ...], tuple[tuple[int, int, float, bool], ...]]:
    """Manholes along the streets, each kind joined to the next of its kind; some basements."""
    spaces: list[Space] = []
    ducts: list[tuple[int, int, float, bool]] = []
    for sort, left_m, volume_m3, apart_m in _SORTS:
        chains: list[list[int]] = []
        for main in mains:
            if rng.random() > _STREET_HAS[sort]:
                continue
            chain, along_m = [], float(rng.uniform(6, apart_m[1] * 0.7))
            while along_m < main.length_m - 5:
                at = beside(*main.line, along_m, left_m + float(rng.uniform(-1.5, 2.5)))
                chain.append(len(spaces))
                spaces.append(_space(len(spaces) + 1, at, sort, volume_m3, rng))
                along_m += float(rng.uniform(*apart_m))
            chains.append(chain)
        through = 0.95 if sort == "sewer-manhole" else 0.55
        joined = [pair for chain in chains for pair in pairwise(chain)]
        joined += _at_crossings(spaces, chains)
        for one, other in joined:
            metres = distance(spaces[one].place, spaces[other].place)
            ducts.append((one, other, round(metres, 1), bool(rng.random() < through)))
    for main in mains:
        if rng.random() < 0.15:  # noqa: PLR2004 - share of streets with a deep basement
            at = beside(*main.line, float(rng.uniform(0.2, 0.8)) * main.length_m, float(rng.uniform(12, 18)))
            spaces.append(_space(len(spaces) + 1, at, "basement", (40.0, 150.0), rng))
    return tuple(spaces), tuple(ducts)


def _at_crossings(spaces: Sequence[Space], chains: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Ends of chains that lie near one another at a crossing are joined, each once."""
    ends = [(chain[k], number) for number, chain in enumerate(chains) if chain for k in (0, -1)]
    found = {
        (min(a, b), max(a, b))
        for a, of_a in ends
        for b, of_b in ends
        if of_a < of_b and distance(spaces[a].place, spaces[b].place) < min(_DUCT_M, 45.0)
    }
    return sorted(found)


def _space(number: int, at: Point, sort: str, volume_m3: tuple[float, float], rng: np.random.Generator) -> Space:
    return Space(
        id=f"US-{number:03d}",
        place=at,
        sort=sort,
        volume_m3=round(float(rng.uniform(*volume_m3)), 1),
        depth_m=round(float(rng.uniform(1.2, 3.0)), 1),
        is_vented=bool(rng.random() < (0.5 if sort == "sewer-manhole" else 0.2)),
    )


def _houses(mains: Sequence[Main], rng: np.random.Generator) -> tuple[House, ...]:
    houses: list[House] = []
    for main in mains:
        for side in (-1, 1):
            for part in (0.3, 0.7):
                use = _USES[int(rng.choice(len(_USES), p=[u[1] for u in _USES]))][0]
                households = int(rng.integers(6, 60)) if use == "residential" else 0
                people = round(households * 2.6) if households else int(rng.integers(5, 400))
                middle = between(*main.line, part)
                at = beside(*main.line, distance(main.line[0], middle), side * float(rng.uniform(11, 22)))
                houses.append(House(f"B-{len(houses) + 1:03d}", at, use, people, households))
    return tuple(houses)


def position_on(main: Main, share: float) -> Point:
    """The point of a main at a share of its length."""
    return between(*main.line, share)


def age_weight(main: Main) -> float:
    """How likely a main is to leak: by length, material and age; an assumption of this set, stated in its page."""
    worse = {"PE": 1.0, "steel": 2.0, "cast iron": 4.0}[main.material]
    return main.length_m * worse * math.exp((2025 - main.built) / 40)
