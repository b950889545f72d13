"""Which underground spaces and buildings gas from a pipe can reach, from where they lie, where no register says. Pure.

A register that declares adjacencies is right about them: somebody measured the way through the soil. Where it declares
none between gas pipes and spaces, the straight way takes its place.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from services.core.asset import Asset, Link, LinkKind
from services.core.geometry import METRES_PER_DEGREE, points_of
from services.core.lifeline import Lifeline

SPACE_REACH_M = 40.0
"""Gas is looked for in spaces so near to a pipe; a default: reach under paving is several times that in open soil."""
BUILDING_REACH_M = 25.0
"""The same for buildings; a default."""
DUCT_REACH_M = 60.0
"""Manholes of one kind that are so near to one another are taken to be joined by their own duct or sewer; a default."""
_JOINED = 2
"""A manhole is joined to so many of its nearest: ducts and sewers run on, they do not branch everywhere."""
_DUCTED = frozenset({"telecom-manhole", "power-manhole", "sewer-manhole", "duct", "tunnel"})
_SPACE, _BUILDING, _PIPE = "underground-space", "building", "pipe"

_Point = tuple[float, float]


def with_adjacencies(assets: Sequence[Asset], links: Sequence[Link]) -> list[Link]:
    """The links, and those from gas pipes to spaces and buildings where the register has gas pipes and none of them."""
    gas = {asset.id: asset for asset in assets if asset.lifeline is Lifeline.GAS}
    spaces = [asset for asset in gas.values() if asset.kind == _SPACE]
    pipes = [asset for asset in gas.values() if asset.kind == _PIPE]
    if not pipes or not spaces or any(_says(link, gas) for link in links):
        return list(links)
    buildings = [asset for asset in gas.values() if asset.kind == _BUILDING]
    known = {(link.source, link.target) for link in links}
    found = [*_beside(pipes, spaces, SPACE_REACH_M), *_beside(pipes, buildings, BUILDING_REACH_M), *_joined(spaces)]
    return [*links, *(link for link in found if (link.source, link.target) not in known)]


def _says(link: Link, gas: dict[str, Asset]) -> bool:
    kinds = {gas[end].kind for end in (link.source, link.target) if end in gas}
    return link.kind is LinkKind.ADJACENT and kinds == {_PIPE, _SPACE}


def _beside(pipes: Iterable[Asset], places: Sequence[Asset], reach_m: float) -> Iterator[Link]:
    """A link from every pipe to every place in reach of its line."""
    spots = [(place.id, next(points_of(place.geometry))) for place in places]
    for pipe in pipes:
        line = list(points_of(pipe.geometry))
        box = _widened(line, reach_m)
        for place, spot in spots:
            if not _inside(spot, box):
                continue
            away_m = to_line_m(spot, line)
            if away_m <= reach_m:
                yield Link(pipe.id, place, LinkKind.ADJACENT, round(away_m, 1))


def _joined(spaces: Sequence[Asset]) -> Iterator[Link]:
    """A link between manholes of one kind, each to its nearest, told once."""
    told: set[tuple[str, str]] = set()
    for kind in sorted(_DUCTED):
        alike = [(s.id, next(points_of(s.geometry))) for s in spaces if s.properties.get("space") == kind]
        for space, spot in alike:
            apart = sorted((apart_m(spot, other), name) for name, other in alike if name != space)
            for away_m, other in apart[:_JOINED]:
                pair = (min(space, other), max(space, other))
                if away_m <= DUCT_REACH_M and pair not in told:
                    told.add(pair)
                    yield Link(*pair, LinkKind.ADJACENT, round(away_m, 1))


def apart_m(one: _Point, other: _Point) -> float:
    """Metres between two places a few kilometres apart; longitude first."""
    east = (one[0] - other[0]) * math.cos(math.radians((one[1] + other[1]) / 2))
    return math.hypot(east, one[1] - other[1]) * METRES_PER_DEGREE


def to_line_m(spot: _Point, line: Sequence[_Point]) -> float:
    """Metres from a place to the nearest point of a line."""
    return min((apart_m(spot, _nearest(spot, *ends)) for ends in pairwise(line)), default=apart_m(spot, line[0]))


def between_m(one: Sequence[_Point], other: Sequence[_Point]) -> float:
    """Metres between two lines, or a line and a place, where they come nearest; 0 where they cross."""
    if any(_cross(*first, *second) for first in pairwise(one) for second in pairwise(other)):
        return 0.0
    return min(*(to_line_m(spot, other) for spot in one), *(to_line_m(spot, one) for spot in other))


def _cross(start: _Point, end: _Point, other_start: _Point, other_end: _Point) -> bool:
    """Whether each stretch has the ends of the other on its two sides; degrees do, for the sides stay the same."""

    def side(a: _Point, b: _Point, spot: _Point) -> float:
        return (b[0] - a[0]) * (spot[1] - a[1]) - (b[1] - a[1]) * (spot[0] - a[0])

    return (
        side(start, end, other_start) * side(start, end, other_end) < 0
        and side(other_start, other_end, start) * side(other_start, other_end, end) < 0
    )


def _nearest(spot: _Point, start: _Point, end: _Point) -> _Point:
    narrow = math.cos(math.radians(spot[1]))
    along = ((end[0] - start[0]) * narrow, end[1] - start[1])
    square = along[0] ** 2 + along[1] ** 2
    if square == 0:
        return start
    share = ((spot[0] - start[0]) * narrow * along[0] + (spot[1] - start[1]) * along[1]) / square
    share = min(1.0, max(0.0, share))
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _widened(line: Sequence[_Point], reach_m: float) -> tuple[float, float, float, float]:
    south = min(point[1] for point in line)
    degree_y = reach_m / METRES_PER_DEGREE
    degree_x = degree_y / max(0.01, math.cos(math.radians(south)))
    return (
        min(point[0] for point in line) - degree_x,
        max(point[0] for point in line) + degree_x,
        south - degree_y,
        max(point[1] for point in line) + degree_y,
    )


def _inside(spot: _Point, box: tuple[float, float, float, float]) -> bool:
    return box[0] <= spot[0] <= box[1] and box[2] <= spot[1] <= box[3]
