"""One answer to "where does it come from": candidates, what is upstream, what isolates it, who is affected. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerts.tracing.candidates import rank
from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.isolation import downstream, isolate, upstream
from services.core.alert import Alert


def trace(
    graph: CityGraph, alert: Alert, evidence: Mapping[str, Any], sensor_assets: Mapping[str, str]
) -> dict[str, Any]:
    """The trace of an alert as JSON, in the form the API answers with.

    ``evidence`` may hold ``residuals`` (sensor → strength); a sensor that deviates more pulls the suspicion
    towards its asset. ``sensor_assets`` says where each sensor sits.
    """
    strengths = evidence.get("residuals", {})
    weights = {
        sensor_assets[sensor]: max(float(strengths.get(sensor, 0.0)), 0.0)
        for sensor in alert.sensors
        if sensor in sensor_assets
    }
    if not any(weights.values()):
        weights = dict.fromkeys(weights, 1.0)
    candidates = rank(graph, alert.lifeline, alert.asset, weights)
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


def _affected(graph: CityGraph, suspect: str, cut_off: Sequence[str]) -> list[str]:
    return list(cut_off)[:50] if cut_off else downstream(graph, suspect)
