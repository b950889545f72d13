"""Where a crew should listen next: the place from which the answer tells most about where the leak is. Pure.

A crew with a listening rod, a ground microphone or a correlator hears a leak the less likely the further it is along
the pipe, and sometimes hears one where there is none. With that, the expected fall of the entropy of the suspicion
(the mutual information of the leak's place and the answer, Shannon 1948) is worked out for every place in reach, and
the place with the greatest is the next to go to.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.alerts.tracing.candidates import Candidate
from services.alerts.tracing.city_graph import CityGraph
from services.core.asset import Asset

_HEARD_AT_THE_LEAK = 0.95
_HEARD_WITHOUT_LEAK = 0.05
_METAL_REACH_M = 100.0
_PLASTIC_REACH_M = 30.0
"""Metres over which the chance to hear a leak falls to a third; defaults, to be fitted to a crew and its instruments.
Sound carries several times further along metal than along plastic (Hunaidi and Chu, Applied Acoustics 58, 1999)."""
_PLASTICS = frozenset({"pe", "pvc", "hdpe", "pe100", "polyethylene", "upvc"})
_SEARCHED_M = 300.0
_CANDIDATES = 20
"""How many candidates are told apart; those behind them count as one place that nobody hears."""
_LISTENED = {"hydrant": 1.0, "valve": 1.0, "meter": 1.0, "pipe": 0.8}
"""Kinds of asset one can listen at, and how well: above a pipe there is soil in between, a default."""
_LEAST_GAIN_BITS = 0.01


@dataclass(frozen=True, slots=True)
class NextMeasurement:
    """A place to listen at; bits of entropy of the suspicion now and, on average, after the answer."""

    asset: str
    chance: float
    entropy_bits: float
    expected_entropy_bits: float


def next_measurement(graph: CityGraph, candidates: Sequence[Candidate]) -> NextMeasurement | None:
    """The place to listen at next; ``None`` where no place in reach could tell candidates apart.

    What the candidates' probabilities lack to 1 is the suspicion of some other place, which is heard by mistake only.
    """
    suspects = [c for c in candidates[:_CANDIDATES] if c.probability > 0 and c.asset in graph.flow]
    distances = [_distances_m(graph, candidate.asset) for candidate in suspects]
    reaches = [_reach_m(graph.assets[candidate.asset]) for candidate in suspects]
    weights = [candidate.probability for candidate in suspects]
    weights.append(max(0.0, 1.0 - sum(weights)))
    before = _entropy_bits(weights)
    best: NextMeasurement | None = None
    for place in sorted({place for reached in distances for place in reached}):
        quality = _LISTENED.get(graph.assets[place].kind)
        if quality is None:
            continue
        heard = [
            _heard(quality, reached[place], reach_m) if place in reached else _HEARD_WITHOUT_LEAK
            for reached, reach_m in zip(distances, reaches, strict=True)
        ]
        heard.append(_HEARD_WITHOUT_LEAK)
        gain, chance = _gain_bits(weights, heard)
        if gain >= _LEAST_GAIN_BITS and (best is None or gain > best.entropy_bits - best.expected_entropy_bits + 1e-9):
            best = NextMeasurement(place, chance, before, before - gain)
    return best


def _heard(quality: float, distance_m: float, reach_m: float) -> float:
    """The chance that the crew hears a leak at a distance, or believes to."""
    truly = quality * _HEARD_AT_THE_LEAK * math.exp(-distance_m / reach_m)
    return truly + (1 - truly) * _HEARD_WITHOUT_LEAK


def _gain_bits(weights: Sequence[float], heard: Sequence[float]) -> tuple[float, float]:
    """The mutual information of place and answer, and the chance that something is heard."""
    total = sum(weights)
    chance = sum(weight * hears for weight, hears in zip(weights, heard, strict=True)) / total
    known = sum(weight * _entropy_bits((hears, 1 - hears)) for weight, hears in zip(weights, heard, strict=True))
    return _entropy_bits((chance, 1 - chance)) - known / total, chance


def _entropy_bits(shares: Iterable[float]) -> float:
    return -sum(share * math.log2(share) for share in shares if share > 0)


def _reach_m(asset: Asset) -> float:
    material = str(asset.properties.get("material", "")).lower()
    return _PLASTIC_REACH_M if material in _PLASTICS else _METAL_REACH_M


def _distances_m(graph: CityGraph, suspect: str) -> Mapping[str, float]:
    """Metres along the pipes from a suspect to the assets around it; a pipe is taken to leak in its middle."""
    if not graph.is_segment(suspect):
        return graph.distance_along(suspect, _SEARCHED_M)
    half_m = _length_m(graph, suspect) / 2
    found: dict[str, float] = {}
    for end in graph.undirected[suspect]:
        reached = graph.distance_along(end, _SEARCHED_M)
        for asset, along_m in reached.items():
            away_m = half_m + along_m
            if graph.is_segment(asset):
                nearest_m = min(reached.get(node, math.inf) for node in graph.undirected[asset])
                away_m = half_m + nearest_m + _length_m(graph, asset) / 2
            found[asset] = min(away_m, found.get(asset, math.inf))
    return {**found, suspect: 0.0}


def _length_m(graph: CityGraph, pipe: str) -> float:
    return float(max((graph.flow.edges[pipe, end]["length_m"] for end in graph.flow[pipe]), default=0.0))
