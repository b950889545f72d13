"""Whom water on the street concerns: roads, underpasses, metro entrances, hospitals beside where it comes to. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.customers import is_critical
from services.core.adjacency import to_line_m
from services.core.alert import Alert
from services.core.asset import Asset
from services.core.geometry import centre, points_of

FLOODED_KINDS = frozenset({"road", "underpass", "metro-entrance"})
"""Kinds of asset that water on the street closes or runs into; customers that must not be without count as well."""
_REACH_M = 80.0
"""So far from the place it comes to water on a street concerns what stands there; a default, to be set by the relief
of the ground where it is known."""
_STANDS = frozenset({"waterlogging", "manhole-surcharge"})
"""Kinds of alert about water at the very place; others are about what is going to send it there."""
_WET_CM = 15.0
"""The first grade of depth on a road, see the rules of drainage."""
_MOST = 30


@dataclass(frozen=True, slots=True)
class FloodedPlace:
    """What is concerned, by the water at which asset, how far from it, and in how many minutes (0: now)."""

    asset: str
    water_at: str
    distance_m: float
    in_min: float


def flooded_places(graph: CityGraph, alert: Alert, evidence: Mapping[str, Any]) -> list[FloodedPlace]:
    """The places that an alert about drainage concerns, the soonest first; each by the water that reaches it first."""
    concerned = [asset for asset in graph.assets.values() if asset.kind in FLOODED_KINDS or is_critical(asset)]
    found: dict[str, FloodedPlace] = {}
    for water_at, in_min in sorted(_water(alert, evidence).items(), key=lambda each: (each[1], each[0])):
        if water_at not in graph.assets:
            continue
        for place, away_m in _beside(graph.assets[water_at], concerned):
            known = found.get(place)
            if known is None or (in_min, away_m) < (known.in_min, known.distance_m):
                found[place] = FloodedPlace(place, water_at, round(away_m, 1), in_min)
    return sorted(found.values(), key=lambda each: (each.in_min, each.distance_m, each.asset))[:_MOST]


def _water(alert: Alert, evidence: Mapping[str, Any]) -> dict[str, float]:
    """Where water stands or is expected, and in how many minutes."""
    seen = evidence.get("seen") or {}
    comes = {str(node): float(minutes) for node, minutes in seen.get("floods_next_min") or ()}
    comes |= {str(each["asset"]): float(each["in_min"]) for each in seen.get("floods_next") or ()}
    if alert.kind in _STANDS:
        comes[alert.asset] = _comes_min(seen)
    return comes


def _comes_min(seen: Mapping[str, Any]) -> float:
    """In how many minutes water is likely at a low point by its forecast; 0 where it was measured."""
    ahead = sorted((int(minutes), spread[1]) for minutes, spread in (seen.get("ahead_cm") or {}).items())
    deep = [minutes for minutes, likely_cm in ahead if likely_cm >= _WET_CM]
    return float(deep[0] if deep else ahead[-1][0]) if ahead else 0.0


def _beside(water: Asset, concerned: list[Asset]) -> Iterator[tuple[str, float]]:
    spot = centre(water.geometry)
    for asset in concerned:
        away_m = to_line_m(spot, list(points_of(asset.geometry)))
        if away_m <= _REACH_M and asset.id != water.id:
            yield asset.id, away_m
