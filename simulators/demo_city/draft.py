"""A city on the drawing board: nodes, pipes and sensors are added one by one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from simulators.city import Asset, Fact, Link, Sensor, Threshold, Words, Zone
from simulators.geometry import Point, Projection, between, distance
from simulators.physics.rain_radar import HORIZONS_MIN

QUANTITIES: Mapping[str, tuple[str, int, str]] = {
    "methane": ("%LEL", 60, "M"),
    "gas_pressure": ("kPa", 60, "P"),
    "gas_flow": ("m3/h", 60, "F"),
    "pressure": ("kPa", 300, "P"),
    "flow": ("m3/h", 300, "F"),
    "tank_level": ("m", 300, "T"),
    "road_depth": ("cm", 60, "R"),
    "manhole_level": ("m", 300, "L"),
    "rain_intensity": ("mm/h", 60, "N"),
    **dict.fromkeys(HORIZONS_MIN, ("mm", 300, "E")),
    "pump_current": ("A", 300, "C"),
    "sewer_flow": ("m3/h", 300, "Q"),
    "pump_state": ("1", 60, "U"),
    "gate_position": ("%", 300, "G"),
    "river_level": ("m", 300, "H"),
    "cover_tilt": ("deg", 300, "K"),
    "strain": ("µε", 60, "S"),
    "deflection": ("mm", 60, "D"),
    "vehicle_weight": ("t", 60, "W"),
    "deck_temperature": ("degC", 60, "T"),
    "acceleration_rms": ("m/s2", 60, "A"),
    "acceleration": ("m/s2", 3600, "V"),
    "tracked_mode_1": ("Hz", 3600, "M"),
    "tracked_mode_2": ("Hz", 3600, "M"),
    "tracked_mode_3": ("Hz", 3600, "M"),
}
"""Unit, reporting interval in seconds and the letter in a sensor's id."""
SEWER_WATCH = frozenset({"sewer_flow", "pump_state", "gate_position", "river_level", "cover_tilt"})
"""What a city measures only where it watches its sewers closely."""


class Numbering:
    """Running numbers behind a prefix; ``kept`` numbers are given by name only, so that scenarios can rely on them."""

    def __init__(self, prefix: str, first: int = 1, kept: frozenset[int] = frozenset()) -> None:
        self._prefix = prefix
        self._next = first
        self._kept = kept

    def new(self) -> str:
        """The next free id."""
        while self._next in self._kept:
            self._next += 1
        self._next += 1
        return self.of(self._next - 1)

    def of(self, number: int) -> str:
        """The id with a given number."""
        return f"{self._prefix}-{number:03d}"


@dataclass(frozen=True, slots=True)
class Place:
    """What the parts of one network have in common in one zone."""

    lifeline: str
    zone: str
    organisation: str


@dataclass
class Draft:
    """Everything added so far; points are metres until they are written down."""

    projection: Projection
    assets: list[Asset] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    sensors: list[Sensor] = field(default_factory=list)
    thresholds: list[Threshold] = field(default_factory=list)
    points: dict[str, tuple[Point, ...]] = field(default_factory=dict)
    _sensor_numbers: Counter[str] = field(default_factory=Counter)

    def zone(self, ident: str, lifeline: str, name: Words, ring: Sequence[Point]) -> None:
        """Add a zone's polygon."""
        self.zones.append(Zone(ident, lifeline, name, tuple(self.projection.lon_lat(p) for p in ring)))

    def add(
        self,
        place: Place,
        ident: str,
        kind: str,
        name: Words,
        *,
        points: Sequence[Point],
        facts: Mapping[str, Fact],
    ) -> str:
        """Add an asset and return its id."""
        placed = tuple(self.projection.lon_lat(p) for p in points)
        self.points[ident] = tuple(points)
        self.assets.append(
            Asset(ident, place.lifeline, kind, place.zone, name, place.organisation, placed, dict(facts))
        )
        return ident

    def pipe(self, place: Place, ident: str, name: Words, ends: tuple[str, str], facts: Mapping[str, Fact]) -> str:
        """Add a straight pipe from one node to another, with its two flow links."""
        line = (self.points[ends[0]][0], self.points[ends[1]][0])
        length_m = round(distance(*line), 1)
        self.add(place, ident, "pipe", name, points=line, facts={"length_m": length_m, **facts})
        self.links.append(Link(ends[0], ident, "flow", 0.0))
        self.links.append(Link(ident, ends[1], "flow", length_m))
        return ident

    def join(self, source: str, target: str) -> None:
        """Join two nodes that stand against each other (a source and its own valve)."""
        self.links.append(Link(source, target, "flow", 1.0))

    def sense(self, asset: str, quantity: str, zone: str, lifeline: str) -> str:
        """Hang a sensor on an asset: at its point, or half-way along it."""
        unit, interval_s, letter = QUANTITIES[quantity]
        series = f"{zone}-{letter}"
        self._sensor_numbers[series] += 1
        ident = f"{series}-{self._sensor_numbers[series]:03d}"
        position = self.projection.lon_lat(halfway(self.points[asset]))
        self.sensors.append(Sensor(ident, lifeline, quantity, unit, asset, position, interval_s, ""))
        return ident


def halfway(line: Sequence[Point]) -> Point:
    """The point half-way along a polyline; a single point is its own middle."""
    if len(line) == 1:
        return line[0]
    rest = sum(distance(a, b) for a, b in pairwise(line)) / 2
    for a, b in pairwise(line):
        length = distance(a, b)
        if rest <= length:
            return between(a, b, rest / length)
        rest -= length
    return line[-1]
