"""A sketch map for a crew: mains by suspicion, spaces with their last methane, valves, buildings, radius. Pure SVG."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple

from services.core.asset import Asset
from services.core.geometry import METRES_PER_DEGREE, points_of

_WIDTH, _HEIGHT, _MARGIN = 720.0, 280.0, 26.0
_LINE_PX, _LETTER_PX = 14.0, 7.5
_LEAST_EXTENT_M = 60.0
_SCALE_BARS_M = (5, 10, 20, 50, 100, 200, 500, 1000)
_BAR_SHARE = 0.25
_SEGMENTS = frozenset({"pipe", "conduit"})
_SPACES = frozenset({"underground-space", "manhole"})
_SHADES = ((0.5, "#b00020", 7.0), (0.2, "#d9480f", 6.0), (0.05, "#e8930c", 5.0), (0.0, "#e0b84a", 4.0))
"""From which probability a main is drawn how: red and broad is likeliest; breadth says it where there is no colour."""

_Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is drawn: assets around, probabilities of the suspected ones, and marks on some."""

    assets: Sequence[Asset]
    suspects: Mapping[str, float]
    shut: frozenset[str]
    sample: Sequence[str]
    values: Mapping[str, str]
    """A short text beside an asset: its last methane."""
    centre: _Point | None = None
    radius_m: float | None = None
    inside: frozenset[str] = frozenset()
    title: str = ""
    focus: frozenset[str] = field(default_factory=frozenset)
    """Assets that have to be on the sheet; the others are drawn as far as they fall into it."""


def draw(sketch: Sketch) -> str:
    """The sketch as an SVG element; empty without anything to show."""
    frame = _Frame.around(sketch)
    if frame is None:
        return ""
    ordered = sorted(sketch.assets, key=lambda asset: (asset.kind not in _SEGMENTS, sketch.suspects.get(asset.id, 0.0)))
    drawn = [part for asset in ordered for part in _asset(asset, sketch, frame)]
    parts = [part for part in drawn if isinstance(part, str)]
    parts += _apart([part for part in drawn if isinstance(part, _Label)])
    return (
        f'<svg class="sketch" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" aria-label="{escape(sketch.title)}">'
        f'<rect x="0.5" y="0.5" width="{_WIDTH - 1:.0f}" height="{_HEIGHT - 1:.0f}" fill="#fff" stroke="#999"/>'
        f'<clipPath id="sheet"><rect width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}"/></clipPath>'
        f'<g clip-path="url(#sheet)">'
        f"{_radius(sketch, frame)}{''.join(parts)}</g>{_north()}{_bar(frame)}</svg>"
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """How longitude and latitude become places on the sheet."""

    west: float
    north: float
    per_degree_x: float
    per_degree_y: float

    @classmethod
    def around(cls, sketch: Sketch) -> "_Frame | None":
        points = [p for a in sketch.assets if a.id in sketch.focus for p in points_of(a.geometry)]
        points = points or [p for a in sketch.assets for p in points_of(a.geometry)]
        if sketch.centre is not None:
            points += _ring(sketch.centre, (sketch.radius_m or 0.0) * 1.15)
        if not points:
            return None
        west, east = min(p[0] for p in points), max(p[0] for p in points)
        south, north = min(p[1] for p in points), max(p[1] for p in points)
        narrow = math.cos(math.radians((south + north) / 2))
        width_m = max((east - west) * narrow * METRES_PER_DEGREE, _LEAST_EXTENT_M)
        height_m = max((north - south) * METRES_PER_DEGREE, _LEAST_EXTENT_M)
        scale = min((_WIDTH - 2 * _MARGIN) / width_m, (_HEIGHT - 2 * _MARGIN) / height_m)
        per_degree_y = scale * METRES_PER_DEGREE
        per_degree_x = per_degree_y * narrow
        left = (west + east) / 2 - _WIDTH / 2 / per_degree_x
        top = (south + north) / 2 + _HEIGHT / 2 / per_degree_y
        return cls(left, top, per_degree_x, per_degree_y)

    def place(self, point: _Point) -> _Point:
        return (point[0] - self.west) * self.per_degree_x, (self.north - point[1]) * self.per_degree_y

    @property
    def per_metre(self) -> float:
        return self.per_degree_y / METRES_PER_DEGREE


def _ring(centre: _Point, radius_m: float) -> list[_Point]:
    up = radius_m / METRES_PER_DEGREE
    aside = up / max(0.01, math.cos(math.radians(centre[1])))
    return [(centre[0] - aside, centre[1] - up), (centre[0] + aside, centre[1] + up)]


def _asset(asset: Asset, sketch: Sketch, frame: _Frame) -> "Iterable[str | _Label]":
    if asset.kind in _SEGMENTS:
        yield from _line(asset, sketch, frame)
        return
    x, y = frame.place(next(points_of(asset.geometry)))
    if asset.kind in _SPACES:
        colour = "#0b5fa5" if asset.id in sketch.sample else "#555"
        ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="11" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield ring if asset.id in sketch.sample else ""
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#fff" stroke="{colour}" stroke-width="2.5"/>'
        number = f"{sketch.sample.index(asset.id) + 1}. " if asset.id in sketch.sample else ""
        yield _Label(x + 13, y + 4, f"{number}{asset.id} {sketch.values.get(asset.id, '')}".strip(), colour)
    elif asset.kind in ("valve", "gate"):
        fill = "#111" if asset.id in sketch.shut else "#fff"
        path = f"M{x - 7:.1f} {y - 5:.1f}L{x + 7:.1f} {y + 5:.1f}V{y - 5:.1f}L{x - 7:.1f} {y + 5:.1f}Z"
        yield f'<path d="{path}" fill="{fill}" stroke="#111"/>'
        if asset.id in sketch.shut:
            yield _Label(x + 9, y - 6, asset.id, "#111")
    elif asset.kind == "building":
        fill = "#f3c6c6" if asset.id in sketch.inside else "#eee"
        yield f'<rect x="{x - 7:.1f}" y="{y - 7:.1f}" width="14" height="14" fill="{fill}" stroke="#777"/>'
    elif asset.id in sketch.focus:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="#b00020"/>'
        yield _Label(x + 9, y + 4, asset.id, "#111")


def _line(asset: Asset, sketch: Sketch, frame: _Frame) -> "Iterable[str | _Label]":
    places = [frame.place(point) for point in points_of(asset.geometry)]
    if len(places) == 1:
        # A register may know a single point of a pipe: round ends make a dot of a line without length.
        places *= 2
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    probability = sketch.suspects.get(asset.id)
    if probability is None:
        yield f'<polyline points="{path}" fill="none" stroke="#bbb" stroke-width="2"/>'
        return
    colour, width = next((colour, width) for least, colour, width in _SHADES if probability >= least)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round"/>'
    if probability >= _SHADES[2][0]:
        (x1, y1), (x2, y2) = places[len(places) // 2 - 1 : len(places) // 2 + 1]
        yield _Label((x1 + x2) / 2 + 6, (y1 + y2) / 2 - 8, f"{asset.id} {probability:.0%}", colour)


class _Label(NamedTuple):
    """Words on the sheet."""

    x: float
    y: float
    text: str
    colour: str


def _apart(labels: Sequence[_Label]) -> list[str]:
    """The labels as SVG, each moved down until it covers none that stands already."""
    placed: list[_Label] = []
    for label in sorted(labels, key=lambda each: (each.y, each.x)):
        y = label.y
        while any(_covers(label._replace(y=y), other) for other in placed):
            y += _LINE_PX / 2
        placed.append(label._replace(y=y))
    return [_label(*label) for label in placed]


def _covers(one: _Label, other: _Label) -> bool:
    left, right = (one, other) if one.x <= other.x else (other, one)
    return abs(one.y - other.y) < _LINE_PX and right.x - left.x < len(left.text) * _LETTER_PX


def _label(x: float, y: float, text: str, colour: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" stroke="#fff" stroke-width="3" paint-order="stroke">'
        f"{escape(text)}</text>"
    )


def _radius(sketch: Sketch, frame: _Frame) -> str:
    if sketch.centre is None or not sketch.radius_m:
        return ""
    x, y = frame.place(sketch.centre)
    reach = sketch.radius_m * frame.per_metre
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{reach:.1f}" fill="#b0002014" stroke="#b00020" stroke-dasharray="7 5"/>'
        f'<path d="M{x - 6:.1f} {y:.1f}h12M{x:.1f} {y - 6:.1f}v12" stroke="#b00020" stroke-width="2"/>'
        f"{_label(x + 4, y - reach + 16, f'{sketch.radius_m:.0f} m', '#b00020')}"
    )


def _north() -> str:
    x = _WIDTH - 24
    return f'<path d="M{x} 14l7 20-7-5-7 5z" fill="#333"/><text x="{x - 4}" y="48" fill="#333">N</text>'


def _bar(frame: _Frame) -> str:
    wanted_m = _WIDTH * _BAR_SHARE / frame.per_metre
    length_m = max((bar for bar in _SCALE_BARS_M if bar <= wanted_m), default=_SCALE_BARS_M[0])
    end = 14 + length_m * frame.per_metre
    y = _HEIGHT - 14
    return (
        f'<path d="M14 {y - 5:.1f}V{y:.1f}H{end:.1f}V{y - 5:.1f}" fill="none" stroke="#333" stroke-width="1.5"/>'
        f'<text x="18" y="{y - 6:.1f}" fill="#333">{length_m} m</text>'
    )
