"""A trace of drainage says whom the water concerns: what stands beside it, and when."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.flooded_places import flooded_places
from services.alerts.tracing.trace import trace
from services.core.alert import Alert, AlertState
from services.core.asset import Asset
from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity
from services.core.text import Text

_METRE = 1 / 111_320.0
_NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def _asset(name: str, kind: str, *norths_m: float, **facts: Any) -> Asset:
    places = [[117.0, 31.0 + north_m * _METRE] for north_m in norths_m]
    geometry = {"type": "Point", "coordinates": places[0]}
    if len(places) > 1:
        geometry = {"type": "LineString", "coordinates": places}
    return Asset(name, Lifeline.DRAINAGE, kind, "D1", Text(name, name), geometry, properties=facts)


_TOWN = CityGraph(
    [
        _asset("LP-1", "low-point", 0),
        _asset("M-2", "manhole", 500),
        _asset("road", "road", -300, 300),
        _asset("metro", "metro-entrance", 40),
        _asset("hospital", "hospital", 520),
        _asset("kiosk", "kiosk", 10),
        _asset("far", "underpass", 200),
        _asset("depot", "bus-depot", 470, critical="buses"),
    ],
    [],
)


def _alert(kind: str, asset: str) -> Alert:
    return Alert(
        id=UUID(int=1),
        state=AlertState.OPEN,
        lifeline=Lifeline.DRAINAGE,
        kind=kind,
        zone="D1",
        asset=asset,
        sensors=("s",),
        severity=Severity.MAJOR,
        highest_severity=Severity.MAJOR,
        scheme=Scheme.EMERGENCY,
        sensor_fault=False,
        started_at=_NOW,
        detected_at=_NOW,
        last_at=_NOW,
        cleared_at=None,
        finding_count=1,
        open_rules={},
        peak_value=None,
        peak_at=None,
        threshold=None,
        rule="r",
        detector="d",
        detector_version="1",
        explanation=Text("", ""),
        trace=None,
        acknowledged_by=None,
        acknowledged_at=None,
        verdict=None,
        verdict_reason=None,
        created_at=_NOW,
        version=1,
    )


def test_standing_water_concerns_what_is_beside_it_now() -> None:
    found = flooded_places(_TOWN, _alert("waterlogging", "LP-1"), {})
    assert [(each.asset, each.in_min) for each in found] == [("road", 0.0), ("metro", 0.0)]
    assert [each.distance_m for each in found] == [pytest.approx(0, abs=0.1), pytest.approx(40, abs=0.1)]


def test_water_that_is_expected_concerns_it_in_so_many_minutes() -> None:
    ahead = {"ahead_cm": {"15": [2, 8, 14], "30": [9, 21, 40], "60": [5, 15, 30]}}
    found = flooded_places(_TOWN, _alert("waterlogging", "LP-1"), {"seen": ahead})
    assert {each.in_min for each in found} == {30.0}


def test_a_blocked_sewer_concerns_what_stands_where_it_will_flood_and_not_what_stands_beside_itself() -> None:
    evidence = {"seen": {"floods_next_min": [["M-2", 25.0], ["gone", 1.0]]}}
    found = flooded_places(_TOWN, _alert("sewer-blockage", "LP-1"), evidence)
    assert [(each.asset, each.water_at, each.in_min) for each in found] == [
        ("hospital", "M-2", 25.0),
        ("depot", "M-2", 25.0),
    ]


def test_of_two_waters_the_one_that_comes_first_counts() -> None:
    floods = [{"asset": "M-2", "in_min": 40.0}, {"asset": "LP-1", "in_min": 10.0}]
    found = flooded_places(_TOWN, _alert("sewer-flooding-expected", "M-2"), {"seen": {"floods_next": floods}})
    assert [(each.asset, each.in_min) for each in found] == [
        ("road", 10.0),
        ("metro", 10.0),
        ("hospital", 40.0),
        ("depot", 40.0),
    ]


def test_the_trace_of_drainage_holds_them_and_others_do_not() -> None:
    alert = _alert("waterlogging", "LP-1")
    told = trace(_TOWN, alert, {}, {"s": "LP-1"})["affected"]
    assert [(each["asset"], each["water_at"]) for each in told] == [("road", "LP-1"), ("metro", "LP-1")]
    assert "affected" not in trace(_TOWN, replace(alert, sensor_fault=True), {}, {"s": "LP-1"})
    assert "affected" not in trace(_TOWN, replace(alert, lifeline=Lifeline.BRIDGE), {}, {"s": "LP-1"})
