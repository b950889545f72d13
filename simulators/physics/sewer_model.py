"""What a sewer network consists of, as SWMM understands it. Levels are metres above one datum."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from simulators.geometry import Point

Steps = tuple[tuple[datetime, float], ...]
"""Values from each instant on, in order."""


@dataclass(frozen=True, slots=True)
class Manhole:
    """A shaft; water that leaves it stands on ``ponded_m2`` of street and returns when there is room."""

    id: str
    invert_m: float
    depth_m: float
    ponded_m2: float
    position: Point


@dataclass(frozen=True, slots=True)
class Basin:
    """Something that holds water: its surface is ``base_m2 + spread_m2_per_m * depth``.

    A wet well has a base; the hollow of a low point is a cone or a wedge, of which only the spread matters.
    """

    id: str
    invert_m: float
    depth_m: float
    base_m2: float
    spread_m2_per_m: float
    position: Point


@dataclass(frozen=True, slots=True)
class Outfall:
    """Where water leaves to a river that stands at ``level_m``."""

    id: str
    invert_m: float
    level_m: float
    position: Point


@dataclass(frozen=True, slots=True)
class Conduit:
    """Round sewers, ``barrels`` of them side by side; ``silted`` is the share of their depth full of sediment."""

    id: str
    start: str
    end: str
    length_m: float
    diameter_m: float
    barrels: int = 1
    roughness: float = 0.013
    start_offset_m: float = 0.0
    end_offset_m: float = 0.0
    silted: float = 0.0


@dataclass(frozen=True, slots=True)
class Gully:
    """The inlets of a low point: what they swallow under a hand's breadth of water, unless the sewer is full."""

    id: str
    start: str
    end: str
    capacity_m3s: float


@dataclass(frozen=True, slots=True)
class Pump:
    """It starts at ``start_m`` in its wet well, delivers all it can from ``full_m`` on, and stops at ``stop_m``."""

    id: str
    start: str
    end: str
    capacity_m3s: float
    stop_m: float
    start_m: float
    full_m: float
    runs: bool = True


@dataclass(frozen=True, slots=True)
class Gate:
    """A rectangular gate with a flap against the river, its sill ``offset_m`` above the invert of ``start``."""

    id: str
    start: str
    end: str
    width_m: float
    height_m: float
    offset_m: float
    stands_open: float = 1.0


@dataclass(frozen=True, slots=True)
class Surface:
    """What drains to ``node``: rain of ``gauge`` over ``area_ha``, of which ``sealed`` is a share."""

    node: str
    gauge: str
    area_ha: float
    sealed: float = 0.75
    slope: float = 0.006


@dataclass(frozen=True, slots=True)
class SewerModel:
    """A whole network; identifiers of nodes are unique, and those of links."""

    title: str
    manholes: tuple[Manhole, ...]
    basins: tuple[Basin, ...]
    outfalls: tuple[Outfall, ...]
    conduits: tuple[Conduit, ...]
    gullies: tuple[Gully, ...]
    pumps: tuple[Pump, ...]
    gates: tuple[Gate, ...]
    surfaces: tuple[Surface, ...]

    def silted(self, shares: Mapping[str, float]) -> "SewerModel":
        """The same network with sediment in some conduits, by share of their depth."""
        return replace(self, conduits=tuple(replace(c, silted=shares.get(c.id, c.silted)) for c in self.conduits))

    def tripped(self, pumps: frozenset[str]) -> "SewerModel":
        """The same network with some pumps out of action."""
        return replace(self, pumps=tuple(replace(p, runs=p.runs and p.id not in pumps) for p in self.pumps))

    def gated(self, stands_open: Mapping[str, float]) -> "SewerModel":
        """The same network with some gates at another position, as a share of their height."""
        return replace(self, gates=tuple(replace(g, stands_open=stands_open.get(g.id, 1.0)) for g in self.gates))


@dataclass(frozen=True, slots=True)
class Forcing:
    """What acts on a network from ``start`` to ``end``.

    Rain in mm/h by gauge: each value holds for a minute, and what is not stated is dry. Sewage in m3/s per hectare
    enters at the nodes of ``sewered_ha``, unless they have an inflow in m3/s of their own. River levels are by outfall.
    Between two instants of a series that is not rain its value lies on a line.
    """

    start: datetime
    end: datetime
    rain_mm_h: Mapping[str, Steps]
    sewage_m3s_ha: Steps = ()
    sewered_ha: Mapping[str, float] = field(default_factory=dict)
    inflow_m3s: Mapping[str, Steps] = field(default_factory=dict)
    river_m: Mapping[str, Steps] = field(default_factory=dict)
    every_s: int = 60
