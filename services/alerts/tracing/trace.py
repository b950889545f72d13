"""One answer to "where does it come from": candidates, what is upstream, what isolates it, who is affected. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerts.tracing.candidates import Candidate, rank
from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.isolation import downstream, isolate, upstream
from services.core.alert import Alert
from services.core.text import Text


def trace(
    graph: CityGraph, alert: Alert, evidence: Mapping[str, Any], sensor_assets: Mapping[str, str]
) -> dict[str, Any]:
    """The trace of an alert as JSON, in the form the API answers with.

    ``evidence`` is that of the finding. Where its search has ranked assets itself, they are the candidates. Where its
    detector ranks sensors, one that deviates more pulls the suspicion towards its asset. ``sensor_assets`` says where
    each sensor sits.
    """
    strengths = _strengths(evidence) or dict.fromkeys(alert.sensors, 1.0)
    weights: dict[str, float] = {}
    for sensor, strength in strengths.items():
        if sensor in sensor_assets:
            asset = sensor_assets[sensor]
            weights[asset] = weights.get(asset, 0.0) + strength
    candidates = _suspects(evidence) or rank(graph, alert.lifeline, alert.asset, weights)
    suspect = candidates[0].asset if candidates else alert.asset
    isolation = isolate(graph, suspect) if graph.is_segment(suspect) else None
    return {
        "candidates": [
            {
                "asset": candidate.asset,
                "probability": round(candidate.probability, 4),
                "reason": candidate.reason.as_json(),
            }
            for candidate in candidates
        ],
        "upstream": upstream(graph, suspect),
        "isolation": [] if isolation is None else list(isolation.barriers),
        "downstream": _affected(graph, suspect, [] if isolation is None else isolation.cut_off),
    }


_BY_MODEL = Text(
    "the readings fit a source here by this share, by the model of the network",
    "根据管网模型，读数与此处为源头的吻合程度",
)


def _suspects(evidence: Mapping[str, Any]) -> list[Candidate]:
    return [Candidate(asset, probability, _BY_MODEL) for asset, probability in evidence.get("suspects") or ()]


def _strengths(evidence: Mapping[str, Any]) -> dict[str, float]:
    """How strongly each sensor speaks: the sums of falls that ``pressure-residual`` shows, nothing elsewhere."""
    seen = evidence.get("seen") or {}
    ranked = zip(seen.get("order", ()), seen.get("sums", ()), strict=False)
    return {sensor: float(strength) for sensor, strength in ranked if strength > 0}


def _affected(graph: CityGraph, suspect: str, cut_off: Sequence[str]) -> list[str]:
    return list(cut_off)[:50] if cut_off else downstream(graph, suspect)
