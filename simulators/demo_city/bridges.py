"""Three road bridges: spans, bearings, their sensors and their design limits."""

from dataclasses import dataclass

from simulators.city import Fact, Link, Threshold, Words
from simulators.demo_city.draft import Draft, Place
from simulators.demo_city.streets import BRIDGE_COLUMNS, FIRST_NORTHERN_ROW, StreetPlan
from simulators.geometry import Point, beside, between, distance, nearest_on_line

OWNER = "bridge-office"
_SPANS = 3
_FOOT_M = 15.0
"""From the middle of a crossing to the foot of the bank that leads from it to the deck."""


@dataclass(frozen=True, slots=True)
class _Design:
    number: int
    name: Words
    capacity_t: int
    built: int
    strain_sensors_per_span: tuple[int, ...]


_DESIGNS = (
    _Design(1, Words("Weaver Bridge", "织坊桥"), 70, 2004, (2, 2, 2)),
    _Design(2, Words("Central Bridge", "中央大桥"), 55, 1991, (2, 4, 2)),
    _Design(3, Words("Station Bridge", "车站大桥"), 85, 2013, (2, 2, 2)),
)
DESIGN_STRAIN_UE = 180.0
DESIGN_DEFLECTION_MM = 32.0
_GRADES = ((2, 0.8), (3, 1.0), (4, 1.2))
"""Severity and share of the design value; shares are defaults, to be confirmed by the bridge's engineer."""
_WEIGHT_GRADES = ((2, 0.9), (3, 1.0), (4, 1.2))


def lay_bridges(plan: StreetPlan, draft: Draft) -> None:
    """Add zones, bridges, spans, bearings, sensors and thresholds."""
    for design, column in zip(_DESIGNS, BRIDGE_COLUMNS, strict=True):
        south = plan.crossings[column, FIRST_NORTHERN_ROW - 1]
        north = plan.crossings[column, FIRST_NORTHERN_ROW]
        middle = nearest_on_line(between(south, north, 0.5), plan.river)
        along = distance(south, middle)
        deck = (beside(south, north, along - 95, 0), beside(south, north, along + 95, 0))
        place = Place("bridge", f"B{design.number}", OWNER)
        corners = ((-60.0, -70.0), (250.0, -70.0), (250.0, 70.0), (-60.0, 70.0), (-60.0, -70.0))
        draft.zone(place.zone, "bridge", design.name, [beside(*deck, metres, left) for metres, left in corners])
        _lay_bridge(draft, place, design, deck)
        for side, crossing, end in (("south", south, deck[0]), ("north", north, deck[1])):
            _lay_approach(draft, place, design, side, (crossing, end))


def _lay_bridge(draft: Draft, place: Place, design: _Design, deck: tuple[Point, Point]) -> None:
    bridge = f"BR-{design.number}"
    facts: dict[str, Fact] = {
        "capacity_t": design.capacity_t,
        "length_m": round(distance(*deck), 1),
        "built": design.built,
        "design_strain_ue": DESIGN_STRAIN_UE,
        "design_deflection_mm": DESIGN_DEFLECTION_MM,
    }
    draft.add(place, bridge, "bridge", design.name, points=deck, facts=facts)
    spans = [
        _part(draft, place, design, bridge, kind="span", index=i, point=between(*deck, (i + 0.5) / _SPANS))
        for i in range(_SPANS)
    ]
    bearings = [
        _part(draft, place, design, bridge, kind="bearing", index=i, point=between(*deck, i / _SPANS))
        for i in range(_SPANS + 1)
    ]
    _limit(draft, draft.sense(bridge, "vehicle_weight", place.zone, "bridge"), design.capacity_t, _WEIGHT_GRADES)
    for span, strains in zip(spans, design.strain_sensors_per_span, strict=True):
        for _ in range(strains):
            _limit(draft, draft.sense(span, "strain", place.zone, "bridge"), DESIGN_STRAIN_UE, _GRADES)
        _limit(draft, draft.sense(span, "deflection", place.zone, "bridge"), DESIGN_DEFLECTION_MM, _GRADES)
        draft.sense(span, "acceleration_rms", place.zone, "bridge")
    draft.sense(bearings[1], "acceleration_rms", place.zone, "bridge")
    for span in (spans[0], spans[2]):
        draft.sense(span, "deck_temperature", place.zone, "bridge")
    for span in spans:
        draft.sense(span, "acceleration", place.zone, "bridge")
    for mode in range(1, _SPANS + 1):
        draft.sense(bridge, f"tracked_mode_{mode}", place.zone, "bridge")


def _lay_approach(draft: Draft, place: Place, design: _Design, side: str, line: tuple[Point, Point]) -> None:
    """The bank that carries the road up to the deck; it begins at a crossing with mains and sewers under it."""
    ident = f"BR-{design.number}-A{side[0].upper()}"
    name = Words(f"{design.name.en}, {side} approach", f"{design.name.zh}{'南' if side == 'south' else '北'}引道")
    foot = between(*line, _FOOT_M / distance(*line))
    draft.add(place, ident, "approach", name, points=(foot, line[1]), facts={"built": design.built})
    draft.links.append(Link(ident, f"BR-{design.number}", "part-of", 0.0))


def _part(draft: Draft, place: Place, design: _Design, bridge: str, *, kind: str, index: int, point: Point) -> str:
    ident = f"{bridge}-{'S' if kind == 'span' else 'E'}{index + 1}"
    zh = f"{design.name.zh}第{index + 1}跨" if kind == "span" else f"{design.name.zh}{index + 1}号支座"
    name = Words(f"{design.name.en}, {kind} {index + 1}", zh)
    draft.add(place, ident, kind, name, points=(point,), facts={"built": design.built})
    draft.links.append(Link(ident, bridge, "part-of", 0.0))
    return ident


def _limit(draft: Draft, sensor: str, design_value: float, grades: tuple[tuple[int, float], ...]) -> None:
    for severity, share in grades:
        raise_at = round(design_value * share, 2)
        clear_at = round(raise_at * 0.95, 2)
        source = f"{share:g} of the bridge's design value (default)"
        draft.thresholds.append(Threshold(sensor, severity, "above", raise_at, clear_at, 0, 120, source))
