"""The assets, links and zones of a recording: its network, and what its sensors name beside it."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.core.adjacency import with_adjacencies
from services.core.asset import Asset, Link, LinkKind
from services.core.checked_rows import CityFolderError
from services.core.city_folder import RecordedSensor, ZoneArea, read_network_features, read_works
from services.core.epanet_file import EpanetFileError, read_epanet
from services.core.geometry import METRES_PER_DEGREE, centre, points_of
from services.core.lifeline import LABELS, Lifeline
from services.core.network_assets import Place, assets_of
from services.core.network_file import NetworkFile, NetworkFormat
from services.core.pipe_network import PipeNetworkError, Position
from services.core.recording import Recording, RecordingError
from services.core.sewer_file import SewerFileError, SewerLayout, format_of, read_sewers
from services.core.text import Text
from services.core.works_permit import WorksPermit

_WIDEST_M = 50_000.0
"""A network that seems wider has coordinates in other units than metres; it is drawn smaller."""
_MARGIN_DEGREES = 0.001
_POINT_KIND = "place"
_KINDS_ZH = {
    "manhole": "检查井",
    "outfall": "排放口",
    "storage": "调蓄池",
    "conduit": "管渠",
    "pump": "水泵",
    "orifice": "孔口",
    "weir": "堰",
    "outlet": "出口",
    _POINT_KIND: "监测位置",
}


@dataclass(frozen=True, slots=True)
class RecordedCity:
    """What a recording tells of a city; every sensor's asset is among ``assets``.

    ``network`` is the hydraulic model; ``None`` where the recording has none.
    """

    zones: list[ZoneArea]
    assets: list[Asset]
    links: list[Link]
    network: NetworkFile | None
    works: tuple[WorksPermit, ...] = ()


def zone_of(recording: Recording, lifeline: Lifeline) -> str:
    """The zone of a lifeline: named after the recording, and after the lifeline too where it has several."""
    name = re.sub(r"[^A-Za-z0-9_.\-]+", "-", recording.name).strip("-._")[:48] or "recording"
    several = len({sensor.lifeline for sensor in recording.sensors.values()}) > 1
    return f"{name}-{lifeline}" if several else name


def recorded_city(recording: Recording) -> RecordedCity:
    """Read the network and the permits for works, if there are any, and lay everything out.

    Raises:
        RecordingError: the network or ``works.csv`` cannot be read.
    """
    network: NetworkFile | None = None
    assets: list[Asset] = []
    links: list[Link] = []
    try:
        if recording.network is not None and recording.network.suffix == ".inp":
            network = _network_file(recording.network)
            assets, links = _laid_out(recording, network)
        elif recording.network is not None:
            assets, links = read_network_features(recording.network)
            assets = [replace(asset, zone=zone_of(recording, asset.lifeline), organisation=None) for asset in assets]
            links = with_adjacencies(assets, links)
        works = read_works(recording.folder / "works.csv")
    except (CityFolderError, EpanetFileError, PipeNetworkError, SewerFileError, OSError) as error:
        raise RecordingError(str(error)) from None
    assets += _places(recording, {asset.id for asset in assets})
    return RecordedCity(list(_zones(recording, assets)), assets, links, network, works)


def carried_by(recording: Recording, file: NetworkFile) -> Lifeline:
    """Whose network a file describes: that of the only lifeline there is, else of the one its program is made for."""
    lifelines = {sensor.lifeline for sensor in recording.sensors.values()}
    usual = Lifeline.WATER if file.format is NetworkFormat.EPANET else Lifeline.DRAINAGE
    return lifelines.pop() if len(lifelines) == 1 else usual


def _network_file(path: Path) -> NetworkFile:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")  # comments of older programs; identifiers are plain
    return NetworkFile(path.name, format_of(text), text)


def _laid_out(recording: Recording, file: NetworkFile) -> tuple[list[Asset], list[Link]]:
    lifeline = carried_by(recording, file)
    zone = zone_of(recording, lifeline)
    if file.format is NetworkFormat.SWMM:
        sewers = read_sewers(file)
        positions = [node.position for node in sewers.nodes.values() if node.position is not None]
        return _sewer_assets(sewers, Place(lifeline, zone, position=_globe(recording.origin, positions)))
    pipes = read_epanet(file)
    positions = [node.position for node in pipes.nodes.values() if node.position is not None]
    return assets_of(pipes, Place(lifeline, zone, position=_globe(recording.origin, positions)))


def _sewer_assets(sewers: SewerLayout, place: Place) -> tuple[list[Asset], list[Link]]:
    def spot(node: str) -> Position:
        position = sewers.nodes[node].position
        return (0.0, 0.0) if position is None or place.position is None else place.position(position)

    def asset(identifier: str, kind: str, geometry: dict[str, Any], facts: dict[str, Any]) -> Asset:
        return Asset(identifier, place.lifeline, kind, place.zone, _name(kind, identifier), geometry, None, facts)

    assets = [
        asset(node.id, node.kind, {"type": "Point", "coordinates": list(spot(node.id))}, {})
        for node in sewers.nodes.values()
    ]
    links: list[Link] = []
    for link in sewers.links.values():
        identifier = f"{link.kind}.{link.id}" if link.id in sewers.nodes else link.id
        bends = [place.position(vertex) for vertex in link.vertices] if place.position else []
        line = [list(position) for position in (spot(link.start), *bends, spot(link.end))]
        facts = {"length_m": link.length_m} if link.length_m else {}
        assets.append(asset(identifier, link.kind, {"type": "LineString", "coordinates": line}, facts))
        links.append(Link(link.start, identifier, LinkKind.FLOW, 0.0))
        links.append(Link(identifier, link.end, LinkKind.FLOW, link.length_m))
    return assets, links


def _name(kind: str, identifier: str) -> Text:
    return Text(f"{kind.capitalize()} {identifier}", f"{_KINDS_ZH[kind]}{identifier}")


def _globe(origin: Position | None, positions: list[Position]) -> Callable[[Position], Position]:
    """Puts the map of a network on the globe, with its centre at the origin; degrees without an origin stay."""
    if not positions or (origin is None and all(abs(x) <= 180 and abs(y) <= 85 for x, y in positions)):  # noqa: PLR2004 - degrees
        return lambda position: position
    west, south = (min(axis) for axis in zip(*positions, strict=True))
    east, north = (max(axis) for axis in zip(*positions, strict=True))
    widest = max(east - west, north - south)
    scale = min(1.0, _WIDEST_M / widest) if widest > 0 else 1.0
    longitude, latitude = origin or (0.0, 0.0)
    degree_y = scale / METRES_PER_DEGREE
    degree_x = degree_y / math.cos(math.radians(latitude))
    return lambda position: (
        round(longitude + (position[0] - (west + east) / 2) * degree_x, 7),
        round(latitude + (position[1] - (south + north) / 2) * degree_y, 7),
    )


def _places(recording: Recording, known: set[str]) -> Iterator[Asset]:
    """The assets that only a sensor names, each once."""
    named: dict[str, RecordedSensor] = {}
    for sensor in recording.sensors.values():
        if sensor.asset not in known:
            named.setdefault(sensor.asset, sensor)
    for asset, sensor in named.items():
        position = (
            (recording.origin or (0.0, 0.0)) if sensor.lon is None or sensor.lat is None else (sensor.lon, sensor.lat)
        )
        geometry = {"type": "Point", "coordinates": list(position)}
        zone = zone_of(recording, sensor.lifeline)
        yield Asset(asset, sensor.lifeline, _POINT_KIND, zone, _name(_POINT_KIND, asset), geometry)


def _zones(recording: Recording, assets: Iterable[Asset]) -> Iterator[ZoneArea]:
    by_lifeline: dict[Lifeline, list[tuple[float, float]]] = {}
    for asset in assets:
        by_lifeline.setdefault(asset.lifeline, []).extend(points_of(asset.geometry))
    for lifeline, points in by_lifeline.items():
        (west, east), (south, north) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))
        west, south, east, north = (
            west - _MARGIN_DEGREES,
            south - _MARGIN_DEGREES,
            east + _MARGIN_DEGREES,
            north + _MARGIN_DEGREES,
        )
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        label = LABELS[lifeline]
        name = Text(f"{recording.name}: {label.en}", f"{recording.name}：{label.zh}")
        yield ZoneArea(zone_of(recording, lifeline), lifeline, name, {"type": "Polygon", "coordinates": [ring]})


def place_of(sensor: RecordedSensor, assets: Mapping[str, Asset]) -> tuple[float, float]:
    """Where a sensor stands, longitude first: at its asset, where the recording does not tell."""
    if sensor.lon is not None and sensor.lat is not None:
        return sensor.lon, sensor.lat
    return centre(assets[sensor.asset].geometry)
