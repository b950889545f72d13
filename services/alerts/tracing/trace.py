"""One answer to "where does it come from" and to what follows from it. Pure.

Candidates, what is upstream, what isolates the first of them and what does so where a valve is stuck, who is without
supply then, what is lost, and where to listen next; for drainage, what stands where the water comes to; and which
assets of other lifelines are endangered or may be to blame.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerts.tracing.across import across
from services.alerts.tracing.candidates import Candidate, rank
from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.flooded_places import flooded_places
from services.alerts.tracing.gas_site import gas_site, reasons_of
from services.alerts.tracing.isolation import Isolation, alternatives, downstream, isolate, upstream
from services.alerts.tracing.loss import DEFAULT_PRICE, WaterPrice, loss_of
from services.alerts.tracing.next_measurement import next_measurement
from services.core.alert import Alert
from services.core.failure_prior import NEVER_BROKE, broke_before, with_breaks
from services.core.lifeline import Lifeline
from services.core.text import Text

_PIPED = frozenset({Lifeline.WATER, Lifeline.GAS})
"""Lifelines in which shutting valves around a place makes sense wherever on the network it is."""
MOST_VALVES = 12
"""Of a longer list of valves nobody asks what to do if one of them is stuck."""


def trace(
    graph: CityGraph,
    alert: Alert,
    evidence: Mapping[str, Any],
    sensor_assets: Mapping[str, str],
    price: WaterPrice = DEFAULT_PRICE,
    *,
    breaks: Mapping[str, int] = NEVER_BROKE,
) -> dict[str, Any]:
    """The trace of an alert as JSON, in the form the API answers with.

    ``evidence`` is that of the finding. Where its search has ranked assets itself, they are the candidates. Where its
    detector ranks sensors, one that deviates more pulls the suspicion towards its asset. ``sensor_assets`` says where
    each sensor sits. ``breaks`` says how often an asset broke before, as people confirmed: it is suspected the more.
    """
    strengths = _strengths(evidence) or dict.fromkeys(alert.sensors, 1.0)
    weights: dict[str, float] = {}
    for sensor, strength in strengths.items():
        if sensor in sensor_assets:
            asset = sensor_assets[sensor]
            weights[asset] = weights.get(asset, 0.0) + strength
    candidates = _suspects(evidence, breaks) or rank(graph, alert.lifeline, alert.asset, weights, breaks)
    suspect = candidates[0].asset if candidates else alert.asset
    gas = gas_site(graph, alert, candidates, evidence, sensor_assets.values()) if _is_about_gas(alert) else None
    beyond = None if alert.sensor_fault else across(graph, alert, suspect, evidence)
    isolation = isolate(graph, suspect) if _can_isolate(graph, suspect) else None
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
        **({} if isolation is None else _consequences(graph, suspect, isolation)),
        # A meter sits on a pipe, a gauge at a node.
        "loss": loss_of(
            alert, evidence, price, is_flow=graph.is_segment(sensor_assets.get(next(iter(alert.sensors), ""), ""))
        ),
        "next_measurement": _listening(graph, candidates) if alert.lifeline is Lifeline.WATER else None,
        **({} if gas is None else {"gas": gas}),
        **({} if beyond is None else {"across": beyond}),
        **({"affected": _affected_places(graph, alert, evidence)} if _is_about_water_above(alert) else {}),
    }


def _is_about_gas(alert: Alert) -> bool:
    return alert.lifeline is Lifeline.GAS and not alert.sensor_fault


def _is_about_water_above(alert: Alert) -> bool:
    return alert.lifeline is Lifeline.DRAINAGE and not alert.sensor_fault


def _affected_places(graph: CityGraph, alert: Alert, evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"asset": each.asset, "water_at": each.water_at, "distance_m": each.distance_m, "in_min": each.in_min}
        for each in flooded_places(graph, alert, evidence)
    ]


def _can_isolate(graph: CityGraph, suspect: str) -> bool:
    if graph.is_segment(suspect):
        return True
    return suspect in graph.flow and graph.assets[suspect].lifeline in _PIPED and graph.flow.degree[suspect] > 0


def _consequences(graph: CityGraph, suspect: str, isolation: Isolation) -> dict[str, Any]:
    instead = alternatives(graph, suspect, isolation) if len(isolation.barriers) <= MOST_VALVES else {}
    return {
        "isolation_complete": isolation.complete,
        "isolation_alternatives": [
            {
                "stuck": stuck,
                "isolation": list(other.barriers),
                "complete": other.complete,
                "households": other.customers.households,
            }
            for stuck, other in instead.items()
        ],
        "customers": {
            "households": isolation.customers.households,
            "is_estimated": isolation.customers.is_estimated,
        },
        "critical": list(isolation.customers.critical),
    }


def _listening(graph: CityGraph, candidates: Sequence[Candidate]) -> dict[str, Any] | None:
    place = next_measurement(graph, candidates)
    if place is None:
        return None
    return {
        "asset": place.asset,
        "chance": round(place.chance, 3),
        "entropy_bits": round(place.entropy_bits, 3),
        "expected_entropy_bits": round(place.expected_entropy_bits, 3),
    }


_BY_MODEL = Text(
    "the readings fit a source here by this share, by the model of the network",
    "根据管网模型，读数与此处为源头的吻合程度",
)


def _suspects(evidence: Mapping[str, Any], breaks: Mapping[str, int]) -> list[Candidate]:
    reasons = reasons_of(evidence)
    return [
        Candidate(asset, share, _told(reasons.get(asset, _BY_MODEL), breaks.get(asset, 0)))
        for asset, share in suspected(evidence, breaks)
    ]


def _told(reason: Text, breaks: int) -> Text:
    broke = broke_before(breaks)
    return reason if broke is None else Text(f"{reason.en}; {broke.en}", f"{reason.zh}；{broke.zh}")


def suspected(evidence: Mapping[str, Any], breaks: Mapping[str, int] = NEVER_BROKE) -> list[tuple[str, float]]:
    """The assets that a search suspects with their shares, weighed by how often each broke before.

    They are the sources of a finding that is about another asset. A search itself knows nothing of what people judged,
    so that what it says follows from readings and register alone and a replay of its evidence says the same.
    """
    named = evidence.get("suspects") or (evidence.get("seen") or {}).get("sources") or ()
    return with_breaks([(str(asset), float(share)) for asset, share in named], breaks)


def _strengths(evidence: Mapping[str, Any]) -> dict[str, float]:
    """How strongly each sensor speaks: the sums of falls that ``pressure-residual`` shows, nothing elsewhere."""
    seen = evidence.get("seen") or {}
    ranked = zip(seen.get("order", ()), seen.get("sums", ()), strict=False)
    return {sensor: float(strength) for sensor, strength in ranked if strength > 0}


def _affected(graph: CityGraph, suspect: str, cut_off: Sequence[str]) -> list[str]:
    return list(cut_off)[:50] if cut_off else downstream(graph, suspect)
