"""A water network as assets and links of a city's register, and the register's pipes as a network again. Pure."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from services.core.asset import Asset, Link, LinkKind
from services.core.geometry import METRES_PER_DEGREE, points_of
from services.core.lifeline import Lifeline
from services.core.pipe_network import (
    NetworkLink,
    Node,
    NodeKind,
    Pipe,
    PipeNetwork,
    PipeNetworkError,
    Position,
    Pump,
    Tank,
    Valve,
    ValveType,
)
from services.core.text import Text

_FARTHEST_LATITUDE = 90.0
_FARTHEST_LONGITUDE = 180.0
_KINDS_ZH = {
    "junction": "节点",
    "reservoir": "水源",
    "tank": "水池",
    "pipe": "管段",
    "pump": "水泵",
    "valve": "阀门",
}
_SEGMENTS = frozenset({"pipe"})
_NODES = frozenset({"junction", "reservoir", "tank", "hydrant", "valve", "pump", "meter"})
_ROUGHNESS = {
    "cast iron": 95.0,
    "grey cast iron": 95.0,
    "ductile iron": 120.0,
    "steel": 125.0,
    "asbestos cement": 120.0,
    "concrete": 120.0,
    "pe": 140.0,
    "pvc": 140.0,
}
"""Hazen-Williams coefficients of pipes in service, after the EPANET 2.2 user manual, table 3.2."""
_USUAL_ROUGHNESS = 120.0
HOUSEHOLD_M3H = 0.0125
"""What a household draws on average: 300 litres a day; a default, to be replaced by what is billed."""
_JOINT_MM = 600.0
"""Width of the joint between two nodes that stand against each other, so that it loses no head worth naming."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the assets of a network belong that was read from a file; ``position`` turns its map into WGS 84."""

    lifeline: Lifeline = Lifeline.WATER
    zone: str = "network"
    organisation: str | None = None
    position: Callable[[Position], Position] | None = None


def assets_of(network: PipeNetwork, place: Place | None = None) -> tuple[list[Asset], list[Link]]:
    """The network as a register holds it: pipes, pumps and valves are assets between nodes.

    Identifiers are those of the network. Where a link bears the name of a node, which EPANET allows, its asset is
    called ``pipe.`` (``pump.``, ``valve.``) and its name. Without a ``position`` of ``place`` a map in metres is laid
    around longitude and latitude zero: shapes and lengths are right, the place on the globe is not.
    """
    where = place or Place()
    turned = where.position or _globe(network)
    spots = {name: _spot(node, turned) for name, node in network.nodes.items()}
    assets = [_node_asset(node, spots[name], where) for name, node in network.nodes.items()]
    links: list[Link] = []
    for link in network.links.values():
        asset = _link_asset(network, link, (spots[link.start], spots[link.end]), turned, where)
        assets.append(asset)
        length_m = link.length_m if isinstance(link, Pipe) else 0.0
        links.append(Link(link.start, asset.id, LinkKind.FLOW, 0.0))
        links.append(Link(asset.id, link.end, LinkKind.FLOW, length_m))
    return assets, links


def asset_name(network: PipeNetwork, link: NetworkLink) -> str:
    """What the asset of a link is called."""
    return f"{_kind(link)}.{link.id}" if link.id in network.nodes else link.id


def _kind(link: NetworkLink) -> str:
    return type(link).__name__.lower()


def _globe(network: PipeNetwork) -> Callable[[Position], Position]:
    places = [node.position for node in network.nodes.values() if node.position is not None]
    if all(abs(x) <= _FARTHEST_LONGITUDE and abs(y) <= _FARTHEST_LATITUDE for x, y in places):
        return lambda position: position
    west = min(x for x, _ in places)
    south = min(y for _, y in places)
    return lambda position: (
        round((position[0] - west) / METRES_PER_DEGREE, 7),
        round((position[1] - south) / METRES_PER_DEGREE, 7),
    )


def _spot(node: Node, turned: Callable[[Position], Position]) -> Position:
    return (0.0, 0.0) if node.position is None else turned(node.position)


def _node_asset(node: Node, spot: Position, place: Place) -> Asset:
    facts: dict[str, Any] = {"elevation_m": node.elevation_m}
    if node.kind is NodeKind.RESERVOIR:
        facts = {"head_m": node.elevation_m}
    elif isinstance(node, Tank):
        facts = {
            "bottom_elevation_m": node.elevation_m,
            "normal_level_m": node.initial_level_m,
            "minimum_level_m": node.minimum_level_m,
            "maximum_level_m": node.maximum_level_m,
            "area_m2": math.pi * node.diameter_m**2 / 4,
        }
    elif node.demand_m3h:
        facts["base_demand_m3h"] = node.demand_m3h
    return _asset(node.id, str(node.kind), {"type": "Point", "coordinates": list(spot)}, facts, place)


def _link_asset(
    network: PipeNetwork,
    link: NetworkLink,
    ends: tuple[Position, Position],
    turned: Callable[[Position], Position],
    place: Place,
) -> Asset:
    line = [ends[0], *(turned(vertex) for vertex in link.vertices), ends[1]]
    geometry = {"type": "LineString", "coordinates": [list(position) for position in line]}
    facts: dict[str, Any] = {}
    if isinstance(link, Pipe):
        facts = {"length_m": link.length_m, "diameter_mm": link.diameter_mm, "roughness": link.roughness}
        facts |= {"one_way": True} if link.has_check_valve else {}
    elif isinstance(link, Valve):
        facts = {"diameter_mm": link.diameter_mm, "valve_type": str(link.type), "setting": link.setting}
    elif isinstance(link, Pump):
        facts = {"head_curve": [list(point) for point in link.head_curve], "power_kw": link.power_kw}
    facts |= {} if link.is_open else {"status": "closed"}
    return _asset(asset_name(network, link), _kind(link), geometry, facts, place)


def _asset(ident: str, kind: str, geometry: dict[str, Any], facts: dict[str, Any], place: Place) -> Asset:
    return Asset(
        id=ident,
        lifeline=place.lifeline,
        kind=kind,
        zone=place.zone,
        name=Text(f"{kind.capitalize()} {ident}", f"{_KINDS_ZH[kind]}{ident}"),
        geometry=geometry,
        organisation=place.organisation,
        properties=facts,
    )


def network_of(
    name: str, assets: Iterable[Asset], links: Iterable[Link], *, household_m3h: float = HOUSEHOLD_M3H
) -> PipeNetwork:
    """The network of a register's water assets; what is joined to nothing is left out.

    Facts that hydraulics reads are those of docs/city-folder.md. A pipe without ``roughness`` has that of its
    material. Where no node states ``base_demand_m3h``, the ``households`` of a pipe draw half at each of its ends. A
    valve or pump that stands between pipes as a point is taken apart into its two sides where it does something to
    the water, and is a mere junction where it stands open.

    Raises:
        PipeNetworkError: an asset lacks a fact that hydraulics needs, or a pipe has not two ends.
    """
    draft = _Draft(assets, links)
    if not any("base_demand_m3h" in asset.properties for asset in draft.assets.values()):
        draft.draw_by_households(household_m3h)
    network_links = {link.id: link for link in draft.links()}
    nodes = {node.id: node for node in draft.nodes({end for k in network_links.values() for end in (k.start, k.end)})}
    return PipeNetwork(name, nodes, network_links)


class _Draft:
    """The register's part that carries water, with who stands before and behind whom."""

    def __init__(self, assets: Iterable[Asset], links: Iterable[Link]) -> None:
        self.assets = {
            asset.id: asset for asset in assets if asset.lifeline is Lifeline.WATER and asset.kind in _NODES | _SEGMENTS
        }
        self._flow = [
            link
            for link in links
            if link.kind is LinkKind.FLOW and link.source in self.assets and link.target in self.assets
        ]
        self._before: dict[str, list[Link]] = {ident: [] for ident in self.assets}
        self._behind: dict[str, list[Link]] = {ident: [] for ident in self.assets}
        for link in self._flow:
            self._behind[link.source].append(link)
            self._before[link.target].append(link)
        self._drawn: dict[str, float] = {}

    def draw_by_households(self, household_m3h: float) -> None:
        for asset in self.assets.values():
            households = asset.properties.get("households")
            if asset.kind in _SEGMENTS and isinstance(households, int | float):
                for end in self._ends(asset):
                    self._drawn[end] = self._drawn.get(end, 0.0) + households * household_m3h / 2

    def links(self) -> Iterator[NetworkLink]:
        for asset in self.assets.values():
            if asset.kind in _SEGMENTS:
                yield self._pipe(asset)
            elif self._acts(asset):
                yield self._device(asset)
        for link in self._flow:
            source, target = self.assets[link.source], self.assets[link.target]
            if not {source.kind, target.kind} & _SEGMENTS and not self._joins(source) and not self._joins(target):
                yield Pipe(
                    id=f"{source.id}_{target.id}",
                    start=self._outlet(source),
                    end=self._inlet(target),
                    length_m=max(link.length_m, 1.0),
                    diameter_mm=_JOINT_MM,
                    roughness=130.0,
                    is_open=not (_is_shut(source) or _is_shut(target)),
                )

    def nodes(self, wanted: set[str]) -> Iterator[Node]:
        for asset in self.assets.values():
            if asset.kind in _SEGMENTS or self._joins(asset):
                continue
            for ident in dict.fromkeys((self._inlet(asset), self._outlet(asset))):
                if ident in wanted:
                    yield self._node(asset, ident)

    def _acts(self, asset: Asset) -> bool:
        """Whether a point asset does more to the water than let it pass."""
        return asset.kind == "pump" or (asset.kind == "valve" and "valve_type" in asset.properties)

    def _joins(self, asset: Asset) -> bool:
        """Whether an acting asset lies between two nodes like a pipe, so that it needs no sides of its own."""
        around = [self.assets[k.source] for k in self._before[asset.id]]
        around += [self.assets[k.target] for k in self._behind[asset.id]]
        return (
            self._acts(asset)
            and len(self._before[asset.id]) == len(self._behind[asset.id]) == 1
            and not any(other.kind in _SEGMENTS or self._acts(other) for other in around)
        )

    def _inlet(self, asset: Asset) -> str:
        return f"{asset.id}.in" if self._acts(asset) else asset.id

    def _outlet(self, asset: Asset) -> str:
        return f"{asset.id}.out" if self._acts(asset) else asset.id

    def _ends(self, asset: Asset) -> tuple[str, str]:
        if len(self._before[asset.id]) != 1 or len(self._behind[asset.id]) != 1:
            raise PipeNetworkError(f"{asset.kind} {asset.id} has not exactly one asset before it and one behind it")
        source, target = self.assets[self._before[asset.id][0].source], self.assets[self._behind[asset.id][0].target]
        return self._outlet(source), self._inlet(target)

    def _pipe(self, asset: Asset) -> Pipe:
        start, end = self._ends(asset)
        before, behind = self._before[asset.id][0], self._behind[asset.id][0]
        joined = (self.assets[before.source], self.assets[behind.target])
        # A valve that stands shut as a point shuts the pipe that leads to it.
        is_open = not (_is_shut(asset) or any(_is_shut(node) and not self._acts(node) for node in joined))
        return Pipe(
            id=asset.id,
            start=start,
            end=end,
            length_m=_length_m(asset, before.length_m + behind.length_m),
            diameter_mm=_number(asset, "diameter_mm"),
            roughness=_roughness(asset),
            is_open=is_open,
            has_check_valve=bool(asset.properties.get("one_way", False)),
            vertices=tuple(points_of(asset.geometry))[1:-1],
        )

    def _device(self, asset: Asset) -> NetworkLink:
        start, end = self._ends(asset) if self._joins(asset) else (self._inlet(asset), self._outlet(asset))
        if asset.kind == "pump":
            curve = tuple((float(flow), float(head)) for flow, head in asset.properties.get("head_curve") or ())
            power_kw = asset.properties.get("power_kw")
            if not curve and power_kw is None:
                raise PipeNetworkError(f"pump {asset.id} states neither head_curve nor power_kw")
            return Pump(
                id=asset.id,
                start=start,
                end=end,
                head_curve=curve,
                power_kw=None if power_kw is None else float(power_kw),
                is_open=not _is_shut(asset),
            )
        word = str(asset.properties["valve_type"]).upper()
        if word not in set(ValveType):
            raise PipeNetworkError(f"valve {asset.id}: valve_type {word!r} is none of {', '.join(ValveType)}")
        return Valve(
            id=asset.id,
            start=start,
            end=end,
            diameter_mm=_number(asset, "diameter_mm"),
            type=ValveType(word),
            setting=_number(asset, "setting"),
            is_open=not _is_shut(asset),
        )

    def _node(self, asset: Asset, ident: str) -> Node:
        position = next(points_of(asset.geometry))
        if asset.kind == "reservoir":
            head_m = _number(asset, "head_m")
            return Node(id=ident, kind=NodeKind.RESERVOIR, elevation_m=head_m, position=position)
        if asset.kind == "tank":
            return Tank(
                id=ident,
                elevation_m=_number(asset, "bottom_elevation_m"),
                initial_level_m=_number(asset, "normal_level_m"),
                minimum_level_m=_number(asset, "minimum_level_m"),
                maximum_level_m=_number(asset, "maximum_level_m"),
                diameter_m=math.sqrt(4 * _number(asset, "area_m2") / math.pi),
                position=position,
            )
        stated = _number(asset, "base_demand_m3h") if "base_demand_m3h" in asset.properties else 0.0
        return Node(
            id=ident,
            elevation_m=_number(asset, "elevation_m"),
            demand_m3h=stated + self._drawn.get(ident, 0.0),
            position=position,
        )


def _is_shut(asset: Asset) -> bool:
    return asset.properties.get("status") == "closed"


def _number(asset: Asset, fact: str) -> float:
    value = asset.properties.get(fact)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise PipeNetworkError(f"{asset.kind} {asset.id} states no number {fact}")


def _roughness(asset: Asset) -> float:
    if "roughness" in asset.properties:
        return _number(asset, "roughness")
    material = " ".join(str(asset.properties.get("material", "")).lower().replace("_", " ").replace("-", " ").split())
    return _ROUGHNESS.get(material, _USUAL_ROUGHNESS)


def _length_m(asset: Asset, linked_m: float) -> float:
    """What the asset states, else what its links say, else the length of its line."""
    if "length_m" in asset.properties:
        return max(_number(asset, "length_m"), 0.1)
    if linked_m > 0:
        return linked_m
    line = list(points_of(asset.geometry))
    return max(sum(_apart_m(one, other) for one, other in pairwise(line)), 0.1)


def _apart_m(one: Position, other: Position) -> float:
    east = (one[0] - other[0]) * math.cos(math.radians((one[1] + other[1]) / 2))
    return math.hypot(east, one[1] - other[1]) * METRES_PER_DEGREE
