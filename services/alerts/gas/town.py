"""What a search for leaks knows of the ground: mains, the spaces beside them, and the ways gas can take. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple, Self

from services.core.asset import Asset, Link, LinkKind
from services.core.geometry import METRES_PER_DEGREE, points_of
from services.core.lifeline import Lifeline

SPACE, PIPE = "underground-space", "pipe"
_PIECE_M = 4.0
"""A pipe is looked at in pieces of this length: gas in soil thins over some metres."""
_REFERENCE_YEAR = 2025
_MATERIAL_FAILS = {"cast iron": 3.0, "grey cast iron": 3.0, "ductile iron": 1.5, "steel": 1.5}
"""How much more often a metre of main leaks than one of PE; a default, to be replaced by the company's records."""
_MEDIUM_KPA = 200.0
_USUAL_VOLUME_M3 = 3.0
SEWER = "sewer-manhole"

Place = tuple[float, float]
"""Metres east and north of the town's origin."""


class Pipe(NamedTuple):
    """A main in the ground."""

    id: str
    line: tuple[Place, ...]
    prior_per_m: float
    is_paved: bool
    soil: str


class Space(NamedTuple):
    """A manhole, duct, basement or tunnel that gas can fill."""

    id: str
    place: Place
    sort: str
    volume_m3: float
    is_vented: bool


class Piece(NamedTuple):
    """A short stretch of a main, by its middle."""

    pipe: int
    place: Place
    length_m: float


class Way(NamedTuple):
    """A declared way through soil from a pipe to a space."""

    pipe: str
    space: str
    length_m: float


class Duct(NamedTuple):
    """An open way between two spaces."""

    start: str
    end: str
    length_m: float


class Town(NamedTuple):
    """Mains, spaces and ways of a zone, in metres around an origin (longitude, latitude)."""

    origin: Place
    pipes: tuple[Pipe, ...]
    spaces: tuple[Space, ...]
    ways: tuple[Way, ...]
    ducts: tuple[Duct, ...]

    def as_json(self) -> dict[str, Any]:
        """The same in values that JSON carries."""
        return {
            "origin": list(self.origin),
            "pipes": [[p.id, [list(at) for at in p.line], p.prior_per_m, p.is_paved, p.soil] for p in self.pipes],
            "spaces": [[s.id, list(s.place), s.sort, s.volume_m3, s.is_vented] for s in self.spaces],
            "ways": [list(way) for way in self.ways],
            "ducts": [list(duct) for duct in self.ducts],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Take up what ``as_json`` returned."""
        return cls(
            (told["origin"][0], told["origin"][1]),
            tuple(Pipe(p[0], tuple((x, y) for x, y in p[1]), *p[2:]) for p in told["pipes"]),
            tuple(Space(s[0], (s[1][0], s[1][1]), *s[2:]) for s in told["spaces"]),
            tuple(Way(*way) for way in told["ways"]),
            tuple(Duct(*duct) for duct in told["ducts"]),
        )

    def local(self, longitude: float, latitude: float) -> Place:
        """A place on the globe in metres around the origin."""
        return _local((longitude, latitude), self.origin)

    def globe(self, place: Place) -> Place:
        """Longitude and latitude of a place of the town."""
        degree = METRES_PER_DEGREE
        longitude = self.origin[0] + place[0] / (degree * math.cos(math.radians(self.origin[1])))
        return round(longitude, 7), round(self.origin[1] + place[1] / degree, 7)


class Ground:
    """The pieces of a town's mains and how far each is from each space through soil."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.position = {space.id: number for number, space in enumerate(town.spaces)}
        self.pieces = [piece for number, pipe in enumerate(town.pipes) for piece in _pieces(number, pipe)]
        self._declared = {(way.pipe, way.space): way.length_m for way in town.ways}

    @cached_property
    def pieces_of(self) -> list[list[int]]:
        """The pieces of each pipe, by its number."""
        found: list[list[int]] = [[] for _ in self.town.pipes]
        for number, piece in enumerate(self.pieces):
            found[piece.pipe].append(number)
        return found

    def pieces_near(self, place: Place, within_m: float) -> list[int]:
        """The pieces within a distance of a place."""
        return [n for n, piece in enumerate(self.pieces) if away_m(place, piece.place) <= within_m]

    def way_m(self, piece: int, space: int) -> float:
        """Metres through soil from a piece to a space: straight, but no less than the register declares."""
        here = self.pieces[piece]
        straight_m = away_m(here.place, self.town.spaces[space].place)
        least_m = self._declared.get((self.town.pipes[here.pipe].id, self.town.spaces[space].id), 0.0)
        return max(straight_m, least_m, 0.5)

    @cached_property
    def ducted(self) -> list[list[tuple[int, float]]]:
        """The spaces joined to each space by a duct, with the metres between."""
        found: list[list[tuple[int, float]]] = [[] for _ in self.town.spaces]
        for duct in self.town.ducts:
            one, other = self.position.get(duct.start), self.position.get(duct.end)
            if one is not None and other is not None:
                found[one].append((other, duct.length_m))
                found[other].append((one, duct.length_m))
        return found


def town_of(assets: Iterable[Asset], links: Iterable[Link]) -> Town | None:
    """The town of a register's gas assets; ``None`` without a main or without a space."""
    gas = sorted((a for a in assets if a.lifeline is Lifeline.GAS), key=lambda asset: asset.id)
    mains = [asset for asset in gas if asset.kind == PIPE]
    spaces = [asset for asset in gas if asset.kind == SPACE]
    if not mains or not spaces:
        return None
    origin = next(points_of(mains[0].geometry))
    pipe_ids, space_ids = {main.id for main in mains}, {space.id for space in spaces}
    ways: list[Way] = []
    ducts: list[Duct] = []
    for link in sorted(links, key=lambda each: (each.source, each.target)):
        if link.kind is not LinkKind.ADJACENT:
            continue
        if link.source in pipe_ids and link.target in space_ids:
            ways.append(Way(link.source, link.target, link.length_m))
        elif link.source in space_ids and link.target in pipe_ids:
            ways.append(Way(link.target, link.source, link.length_m))
        elif {link.source, link.target} <= space_ids:
            ducts.append(Duct(link.source, link.target, link.length_m))
    return Town(
        origin,
        tuple(_pipe(main, origin) for main in mains),
        tuple(_space(space, origin) for space in spaces),
        tuple(ways),
        tuple(ducts),
    )


def prior_per_m(properties: Mapping[str, Any]) -> float:
    """How likely a metre of main leaks, relative to one of PE that is new: by material, age and pressure.

    Our own defaults; a leak also lets out more where the pressure is higher, so that it is found more often.
    """
    named = " ".join(str(properties.get("material", "")).lower().replace("_", " ").replace("-", " ").split())
    built = properties.get("built")
    age_years = max(0, _REFERENCE_YEAR - built) if isinstance(built, int) else 20
    pressure = properties.get("pressure_kpa")
    pressure_kpa = float(pressure) if isinstance(pressure, int | float) and pressure > 0 else _MEDIUM_KPA
    return _MATERIAL_FAILS.get(named, 1.0) * (1.0 + age_years / 20.0) * math.pow(pressure_kpa / _MEDIUM_KPA, 0.25)


def away_m(one: Place, other: Place) -> float:
    """Metres between two places."""
    return math.hypot(one[0] - other[0], one[1] - other[1])


def _pipe(main: Asset, origin: Place) -> Pipe:
    line = tuple(_local(point, origin) for point in points_of(main.geometry))
    facts = main.properties
    return Pipe(main.id, line, prior_per_m(facts), facts.get("surface") == "paved", str(facts.get("soil", "")))


def _space(space: Asset, origin: Place) -> Space:
    volume = space.properties.get("volume_m3")
    volume_m3 = float(volume) if isinstance(volume, int | float) and volume > 0 else _USUAL_VOLUME_M3
    sort = str(space.properties.get("space", ""))
    vented = space.properties.get("cover") == "vented"
    return Space(space.id, _local(next(points_of(space.geometry)), origin), sort, volume_m3, vented)


def _pieces(number: int, pipe: Pipe) -> Sequence[Piece]:
    found = []
    for start, end in pairwise(pipe.line):
        length_m = away_m(start, end)
        count = max(1, round(length_m / _PIECE_M))
        for part in range(count):
            share = (part + 0.5) / count
            at = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
            found.append(Piece(number, at, length_m / count))
    return found


def _local(point: Place, origin: Place) -> Place:
    east = (point[0] - origin[0]) * math.cos(math.radians(origin[1])) * METRES_PER_DEGREE
    return round(east, 2), round((point[1] - origin[1]) * METRES_PER_DEGREE, 2)
