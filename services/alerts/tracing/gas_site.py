"""What follows from a suspected gas leak: which spaces to sample next, how far to keep away, who is inside. Pure.

An estimate by the model of ``services/alerts/gas/soil.py``, not a measurement. The next space to sample is the one
whose answer says most about the place of the leak: the mutual information of both (Shannon 1948).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.alerts.gas.readings import Array
from services.alerts.gas.soil import Plume, danger_radius_m
from services.alerts.gas.town import PIPE, SPACE, Ground, Place, Town, away_m, town_of
from services.alerts.tracing.candidates import Candidate
from services.alerts.tracing.city_graph import CityGraph
from services.core.alert import Alert
from services.core.asset import Asset
from services.core.geometry import METRES_PER_DEGREE, centre, points_of
from services.core.lifeline import Lifeline
from services.core.text import Text

_CANDIDATES = 10
_AROUND_M = 90.0
_STRENGTHS_LEL = (20.0, 100.0, 500.0)
_SHOWS_LEL = 1.0
"""What a hand-held instrument tells from nothing."""
_MISTAKEN = 0.03
_NEXT = 5
_LEAST_GAIN_BITS = 0.01
_BUILDING = "building"
_PEOPLE_PER_HOUSEHOLD = 2.6
"""Where the register states households and no people: the mean of the census of 2020; a default."""
_USUAL_PEAK_LEL = 20.0
_DANGEROUS_LEL, _COVER_M = 20.0, 1.0


@dataclass(frozen=True, slots=True)
class _Inside:
    """A building in the radius, and whether its people are an estimate."""

    asset: Asset
    distance_m: float
    people: int
    is_estimated: bool


def gas_site(
    graph: CityGraph, alert: Alert, candidates: Sequence[Candidate], evidence: Mapping[str, Any], sensed: Iterable[str]
) -> dict[str, Any] | None:
    """What follows from the candidates of a gas alert, as JSON; ``None`` where no candidate is a main in the ground.

    ``sensed`` are the assets that have a sensor: sampling there again tells little.
    """
    pipes = [c for c in candidates[:_CANDIDATES] if c.asset in graph.assets and graph.assets[c.asset].kind == PIPE]
    if not pipes or alert.lifeline is not Lifeline.GAS:
        return None
    town = _town_around(graph, pipes)
    if town is None:
        return None
    seen = evidence.get("seen") or {}
    ground = Ground(town)
    first = graph.assets[pipes[0].asset]
    spot = _likeliest(town, first, seen, _space_of(town, alert, seen))
    radius_m = _radius_m(town, alert, first, seen, spot)
    inside = _buildings(graph, town, spot, radius_m)
    return {
        "causes": dict(seen.get("causes") or {}),
        "next_spaces": _next_spaces(ground, Plume(ground), pipes, frozenset(sensed)),
        "centre": list(town.globe(spot)),
        "radius_m": round(radius_m, 1),
        "buildings": [
            {
                "asset": each.asset.id,
                "use": str(each.asset.properties.get("use", "")),
                "people": each.people,
                "distance_m": round(each.distance_m, 1),
            }
            for each in inside
        ],
        "people": sum(each.people for each in inside),
        "people_is_estimated": any(each.is_estimated for each in inside),
    }


def reasons_of(evidence: Mapping[str, Any]) -> dict[str, Text]:
    """Why a search suspects each main, where it said so."""
    told = (evidence.get("seen") or {}).get("reasons") or {}
    return {asset: Text(words["en"], words["zh"]) for asset, words in told.items()}


def _town_around(graph: CityGraph, candidates: Sequence[Candidate]) -> Town | None:
    """The candidates and the spaces around them."""
    mains = [graph.assets[candidate.asset] for candidate in candidates]
    points = [point for main in mains for point in points_of(main.geometry)]
    (west, east), (south, north) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))
    margin_y = _AROUND_M / METRES_PER_DEGREE
    margin_x = margin_y / max(0.01, math.cos(math.radians(south)))
    spaces = [
        asset
        for asset in graph.assets.values()
        if asset.lifeline is Lifeline.GAS
        and asset.kind == SPACE
        and _is_in(
            next(points_of(asset.geometry)), (west - margin_x, east + margin_x, south - margin_y, north + margin_y)
        )
    ]
    names = {asset.id for asset in (*mains, *spaces)}
    return town_of((*mains, *spaces), graph.adjacencies(names))


def _is_in(point: Place, box: tuple[float, float, float, float]) -> bool:
    return box[0] <= point[0] <= box[1] and box[2] <= point[1] <= box[3]


def _space_of(town: Town, alert: Alert, seen: Mapping[str, Any]) -> Place | None:
    """Where the space stands that shows most."""
    shown = seen.get("spaces") or {}
    most = max(shown, key=lambda space: shown[space]["peak_lel"], default=alert.asset)
    return next((space.place for space in town.spaces if space.id == most), None)


def _likeliest(town: Town, main: Asset, seen: Mapping[str, Any], near: Place | None) -> Place:
    """The likeliest place on the first candidate: the search's, else the one nearest to the space, else its middle."""
    told = (seen.get("at") or {}).get(main.id)
    if told is not None:
        return town.local(told[0], told[1])
    if near is not None:
        pieces = Ground(town).pieces
        own = [piece.place for piece in pieces if town.pipes[piece.pipe].id == main.id]
        return min(own, key=lambda place: away_m(place, near), default=near)
    return town.local(*centre(main.geometry))


def _radius_m(town: Town, alert: Alert, main: Asset, seen: Mapping[str, Any], spot: Place) -> float:
    shown = seen.get("spaces") or {}
    peaks = {space: float(facts["peak_lel"]) for space, facts in shown.items()}
    if not peaks:
        peaks = {alert.asset: _USUAL_PEAK_LEL if alert.peak_value is None else float(alert.peak_value)}
    soil, is_paved = str(main.properties.get("soil", "")), main.properties.get("surface") == "paved"
    places = {space.id: space.place for space in town.spaces}
    radii = [
        danger_radius_m(peak_lel, away_m(spot, places[space]) if space in places else 0.0, soil, is_paved=is_paved)
        for space, peak_lel in peaks.items()
    ]
    # Where 20 %LEL has been measured, sparks are kept away whatever the model believes, a cover's width beyond it.
    reached = [
        away_m(spot, places[space]) + _COVER_M
        for space, peak_lel in peaks.items()
        if peak_lel >= _DANGEROUS_LEL and space in places
    ]
    return max(float(np.median(radii)), *reached, 0.0)


def _buildings(graph: CityGraph, town: Town, spot: Place, radius_m: float) -> list[_Inside]:
    found = []
    for asset in graph.assets.values():
        if asset.kind != _BUILDING:
            continue
        distance_m = min(away_m(spot, town.local(*point)) for point in points_of(asset.geometry))
        if distance_m <= radius_m:
            people, is_estimated = _people(asset)
            found.append(_Inside(asset, distance_m, people, is_estimated))
    return sorted(found, key=lambda each: (each.distance_m, each.asset.id))


def _people(building: Asset) -> tuple[int, bool]:
    people, households = building.properties.get("people"), building.properties.get("households")
    if isinstance(people, int | float):
        return round(people), False
    if isinstance(households, int | float):
        return round(households * _PEOPLE_PER_HOUSEHOLD), True
    return 0, True


def _next_spaces(
    ground: Ground, plume: Plume, candidates: Sequence[Candidate], sensed: frozenset[str]
) -> list[dict[str, Any]]:
    """The spaces without a device whose sample tells most, best first."""
    weights = np.array([candidate.probability for candidate in candidates])
    if weights.sum() <= 0:
        return []
    weights = weights / weights.sum()
    number = {pipe.id: position for position, pipe in enumerate(ground.town.pipes)}
    shows = np.array([_shows(plume, ground.pieces_of[number[candidate.asset]]) for candidate in candidates])
    chance = weights @ shows
    gains = _entropy(chance) - weights @ _entropy(shows)
    order = sorted(range(len(ground.town.spaces)), key=lambda space: (-gains[space], ground.town.spaces[space].id))
    chosen = [
        space for space in order if ground.town.spaces[space].id not in sensed and gains[space] >= _LEAST_GAIN_BITS
    ]
    return [
        {
            "asset": ground.town.spaces[space].id,
            "chance": round(float(chance[space]), 3),
            "gain_bits": round(float(gains[space]), 3),
        }
        for space in chosen[:_NEXT]
    ]


def _shows(plume: Plume, pieces: Sequence[int]) -> Array:
    """The chance that each space shows gas if the leak is somewhere on these pieces, of unknown strength."""
    strength = plume.strength[list(pieces)]
    if not len(strength):
        # The register shows the main as a point: nothing is known of where along it the leak may be.
        return np.full(plume.strength.shape[1], _MISTAKEN)
    chances = [1.0 / (1.0 + (np.maximum(strength * lel, 1e-6) / _SHOWS_LEL) ** -1.7) for lel in _STRENGTHS_LEL]
    mean = np.mean([chance.mean(axis=0) for chance in chances], axis=0)
    return np.asarray(_MISTAKEN + (1 - 2 * _MISTAKEN) * mean)


def _entropy(chance: Array) -> Array:
    clipped = np.clip(chance, 1e-9, 1 - 1e-9)
    return np.asarray(-clipped * np.log2(clipped) - (1 - clipped) * np.log2(1 - clipped))
