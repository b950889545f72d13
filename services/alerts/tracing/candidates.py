"""Which assets an alert may come from, ranked. Pure.

A first, geometric answer: what lies near the sensors that speak, weighted by how likely such an asset is to fail.
The probabilities say how the suspicion is shared among the candidates; they are not calibrated leak rates.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.parts import SEGMENT_KINDS
from services.core.asset import Asset
from services.core.failure_prior import NEVER_BROKE, break_factor, broke_before, failure_prior
from services.core.geometry import centre, distance_m
from services.core.lifeline import Lifeline
from services.core.text import Text

_KEPT = 10
_GAS_SOIL_REACH_M = 12.0
"""Distance over which gas in soil thins to a third; a default, to be fitted per soil and pavement."""
_GAS_SEARCH_M = 60.0
_WATER_REACH_M = 250.0
"""Distance along the pipes over which the pressure drop of a burst fades to a third; a default."""
_WATER_SEARCH_M = 1500.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A suspected source, its share of the suspicion, and why."""

    asset: str
    probability: float
    reason: Text


def rank(
    graph: CityGraph,
    lifeline: Lifeline,
    asset: str,
    weights: Mapping[str, float],
    breaks: Mapping[str, int] = NEVER_BROKE,
) -> list[Candidate]:
    """Candidates for an alert at an asset, best first; ``weights`` says how strongly each sensed asset speaks.

    ``breaks`` says how often an asset broke before, as people confirmed.
    """
    found: list[Candidate] = []
    if lifeline is Lifeline.GAS:
        found = _gas(graph, asset, breaks)
    elif lifeline is Lifeline.WATER:
        found = _water(graph, weights or {asset: 1.0}, breaks)
    if found:
        return found
    if asset in graph.assets:
        name = graph.assets[asset].name
        return [Candidate(asset, 1.0, Text(f"measured at {name.en} itself", f"在{name.zh}直接测得"))]
    return []


def _share(scores: Mapping[str, float], reasons: Mapping[str, Text]) -> list[Candidate]:
    total = sum(scores.values())
    if total <= 0:
        return []
    best = sorted(scores, key=lambda asset: (-scores[asset], asset))[:_KEPT]
    return [Candidate(asset, scores[asset] / total, reasons[asset]) for asset in best]


def register_facts(asset: Asset, breaks: int = 0) -> tuple[str, str]:
    """Material, year and breaks as far as they are known, in English and in Chinese; empty where nothing is."""
    material, built = asset.properties.get("material"), asset.properties.get("built")
    broke = broke_before(breaks)
    return (
        ", ".join(str(fact) for fact in (material, built and f"built {built}", broke and broke.en) if fact),
        "，".join(str(fact) for fact in (material, built and f"{built}年建", broke and broke.zh) if fact),
    )


def _gas(graph: CityGraph, space: str, breaks: Mapping[str, int]) -> list[Candidate]:
    if space not in graph.assets:
        return []
    scores: dict[str, float] = {}
    reasons: dict[str, Text] = {}
    for segment, length_m in _gas_segments_near(graph, space).items():
        asset = graph.assets[segment]
        broke = breaks.get(segment, 0)
        scores[segment] = failure_prior(asset) * break_factor(broke) * math.exp(-length_m / _GAS_SOIL_REACH_M)
        facts_en, facts_zh = register_facts(asset, broke)
        reasons[segment] = Text(f"{length_m:.0f} m from the space; {facts_en}", f"距该空间{length_m:.0f}米；{facts_zh}")
    return _share(scores, reasons)


def _gas_segments_near(graph: CityGraph, space: str) -> dict[str, float]:
    here = centre(graph.assets[space].geometry)
    near = {
        asset.id: distance_m(here, centre(asset.geometry))
        for asset in graph.assets.values()
        if asset.lifeline is Lifeline.GAS and asset.kind in SEGMENT_KINDS
    }
    near = {segment: length_m for segment, length_m in near.items() if length_m <= _GAS_SEARCH_M}
    if space in graph.adjacent:
        # A declared adjacency is measured from the pipe's nearest point and beats the distance to its middle.
        for neighbour, link in graph.adjacent[space].items():
            if graph.is_segment(neighbour):
                near[neighbour] = float(link["length_m"])
    return near


def _water(graph: CityGraph, weights: Mapping[str, float], breaks: Mapping[str, int]) -> list[Candidate]:
    scores: dict[str, float] = {}
    nearest: dict[str, tuple[float, str]] = {}
    for sensed, weight in weights.items():
        for segment, length_m in graph.distance_along(sensed, _WATER_SEARCH_M).items():
            if not graph.is_segment(segment):
                continue
            scores[segment] = scores.get(segment, 0.0) + weight * math.exp(-length_m / _WATER_REACH_M)
            if segment not in nearest or length_m < nearest[segment][0]:
                nearest[segment] = (length_m, sensed)
    reasons: dict[str, Text] = {}
    for segment in scores:
        broke = breaks.get(segment, 0)
        scores[segment] *= math.sqrt(failure_prior(graph.assets[segment]) * break_factor(broke))
        facts_en, facts_zh = register_facts(graph.assets[segment], broke)
        length_m, sensed = nearest[segment]
        name = graph.assets[sensed].name
        reasons[segment] = Text(
            f"{length_m:.0f} m along the pipes from {name.en}; {facts_en}",
            f"沿管距{name.zh}{length_m:.0f}米；{facts_zh}",
        )
    return _share(scores, reasons)
