"""What a sewer network consists of for its hydraulics. Metres, m3/s, hectares; levels above one datum."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import pi, sqrt

_LEAST_SLOPE = 0.0005
"""A flatter sewer is taken as this steep where its usual speed is asked."""
_LEAST_SPEED_M_S = 0.3


class SewerModelError(ValueError):
    """The text describes no sewers that can be computed; the message names section and line."""


@dataclass(frozen=True, slots=True)
class Node:
    """A shaft, a basin or an outfall.

    ``depth_m`` reaches from the invert to where water leaves it and stands on ``ponded_m2``; a basin has a surface of
    ``base_m2 + spread_m2_per_m * depth``. ``outfall_m`` is the level outside, for outfalls only.
    """

    id: str
    invert_m: float
    depth_m: float
    ponded_m2: float = 0.0
    base_m2: float = 0.0
    spread_m2_per_m: float = 0.0
    outfall_m: float | None = None
    is_basin: bool = False
    position: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Conduit:
    """A sewer, as a round one; offsets are heights of its ends above the inverts of its nodes."""

    id: str
    start: str
    end: str
    length_m: float
    diameter_m: float
    barrels: int
    roughness: float
    start_offset_m: float
    end_offset_m: float

    def full_m3s(self, slope: float) -> float:
        """What it carries just full on a slope (Manning)."""
        area_m2 = pi * self.diameter_m**2 / 4
        return float(self.barrels * area_m2 / self.roughness * (self.diameter_m / 4) ** (2 / 3) * sqrt(slope))


@dataclass(frozen=True, slots=True)
class Device:
    """A pump, a gate or an inlet: what passes follows the ``points`` of its curve (m, m3/s) or an opening.

    Pumps read the depth in ``start`` and run from ``on_m`` to below ``off_m``; gates are openings ``width_m`` by
    ``height_m`` with a sill ``offset_m`` above the invert; a weir has no height.
    """

    id: str
    kind: str
    start: str
    end: str
    points: tuple[tuple[float, float], ...] = ()
    on_m: float = 0.0
    off_m: float = 0.0
    width_m: float = 0.0
    height_m: float = 0.0
    offset_m: float = 0.0
    coefficient: float = 0.65
    has_flap: bool = False


@dataclass(frozen=True, slots=True)
class Surface:
    """What drains to ``node``; the shares and depths are those of SWMM's subcatchments."""

    id: str
    gauge: str
    node: str
    area_ha: float
    sealed: float
    width_m: float
    slope: float
    rough_sealed: float = 0.013
    rough_green: float = 0.2
    held_sealed_mm: float = 1.5
    held_green_mm: float = 4.0
    bare: float = 0.25
    soaks_first_mm_h: float = 60.0
    soaks_last_mm_h: float = 6.0
    soaks_decay_per_h: float = 4.0
    dries_days: float = 7.0


@dataclass(frozen=True)
class SewerNetwork:
    """A whole network: nodes by identifier, in the order of the file, and what joins them.

    ``evaporates_mm_h`` is what puddles on the surfaces lose.
    """

    nodes: Mapping[str, Node]
    conduits: tuple[Conduit, ...]
    devices: tuple[Device, ...]
    surfaces: tuple[Surface, ...]
    evaporates_mm_h: float = 0.0

    @cached_property
    def below(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """For each node what leaves it, as (link, next node); sewers first."""
        found: dict[str, list[tuple[str, str]]] = {name: [] for name in self.nodes}
        for name, (start, end) in self.link_ends.items():
            found[start].append((name, end))
        return found

    @cached_property
    def above(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """For each node what enters it, as (link, node before)."""
        found: dict[str, list[tuple[str, str]]] = {name: [] for name in self.nodes}
        for name, (start, end) in self.link_ends.items():
            found[end].append((name, start))
        return found

    @cached_property
    def link_ends(self) -> Mapping[str, tuple[str, str]]:
        """Start and end of every link."""
        sewers = {sewer.id: (sewer.start, sewer.end) for sewer in self.conduits}
        return sewers | {device.id: (device.start, device.end) for device in self.devices}

    @cached_property
    def slopes(self) -> Mapping[str, float]:
        """Fall of every sewer in metres per metre; negative where it lies the wrong way."""
        return {
            c.id: (self.nodes[c.start].invert_m + c.start_offset_m - self.nodes[c.end].invert_m - c.end_offset_m)
            / c.length_m
            for c in self.conduits
        }

    @cached_property
    def travel_min(self) -> Mapping[str, float]:
        """Minutes that water takes through each link when it runs half full; devices take none.

        Half full, Manning's speed is that of the full sewer.
        """
        found = dict.fromkeys((device.id for device in self.devices), 0.0)
        for c in self.conduits:
            slope = max(self.slopes[c.id], _LEAST_SLOPE)
            speed_m_s = c.full_m3s(slope) / (c.barrels * pi * c.diameter_m**2 / 4)
            found[c.id] = c.length_m / max(speed_m_s, _LEAST_SPEED_M_S) / 60
        return found


def part_around(network: SewerNetwork, assets: Collection[str]) -> SewerNetwork:
    """What is connected with any of some nodes and links; the whole network where none of them is part of it."""
    beside: dict[str, set[str]] = {name: set() for name in network.nodes}
    for start, end in network.link_ends.values():
        beside[start].add(end)
        beside[end].add(start)
    queue = [name for asset in sorted(assets) for name in network.link_ends.get(asset, (asset,)) if name in beside]
    reached = set(queue)
    while queue:
        for other in beside[queue.pop()] - reached:
            reached.add(other)
            queue.append(other)
    if not reached or len(reached) == len(network.nodes):
        return network
    return replace(
        network,
        nodes={name: node for name, node in network.nodes.items() if name in reached},
        conduits=tuple(sewer for sewer in network.conduits if sewer.start in reached),
        devices=tuple(device for device in network.devices if device.start in reached),
        surfaces=tuple(surface for surface in network.surfaces if surface.node in reached),
    )
