"""A trace says what of other lifelines is endangered, by which way, and which neighbour may be to blame."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.neighbour_shares import OpenTrouble, weighed
from services.alerts.tracing.trace import trace
from services.core.adjacency import between_m
from services.core.alert import Alert
from services.core.asset import Asset, Link, LinkKind
from services.core.lifeline import Lifeline
from services.core.text import Text
from tests.unit.alerts.test_flooded_places import _alert

_NORTH = 1 / 111_320.0
_EAST = _NORTH / 0.8572
"""Degrees of a metre at 31° north."""


def _asset(name: str, lifeline: Lifeline, kind: str, *places: tuple[float, float], **facts: Any) -> Asset:
    points = [[117.0 + east * _EAST, 31.0 + north * _NORTH] for east, north in places]
    geometry = {"type": "Point", "coordinates": points[0]}
    if len(points) > 1:
        geometry = {"type": "LineString", "coordinates": points}
    return Asset(name, lifeline, kind, "Z", Text(name, f"{name}号"), geometry, properties=facts)


_GAS = [
    _asset("GP", Lifeline.GAS, "pipe", (0, 0), (100, 0)),
    _asset("cellar", Lifeline.GAS, "underground-space", (-40, 300), space="basement"),
    _asset("house", Lifeline.GAS, "building", (50, -20)),
]
_SEWERS = [
    _asset("M-1", Lifeline.DRAINAGE, "manhole", (160, 10)),
    _asset("DP-1", Lifeline.DRAINAGE, "pipe", (160, 10), (-60, 10)),
    _asset("M-2", Lifeline.DRAINAGE, "manhole", (-60, 10)),
    _asset("DP-2", Lifeline.DRAINAGE, "pipe", (-60, 10), (-60, 320)),
    _asset("M-3", Lifeline.DRAINAGE, "manhole", (-60, 320)),
    _asset("DP-0", Lifeline.DRAINAGE, "pipe", (160, 300), (160, 10)),
]
_FLOW = [
    Link(one, other, LinkKind.FLOW, length_m)
    for one, other, length_m in (
        ("DP-0", "M-1", 290.0),
        ("M-1", "DP-1", 0.0),
        ("DP-1", "M-2", 220.0),
        ("M-2", "DP-2", 0.0),
        ("DP-2", "M-3", 310.0),
    )
]
_BRIDGE = [
    _asset("BR", Lifeline.BRIDGE, "bridge", (0, 1000), (100, 1000)),
    _asset("pier", Lifeline.BRIDGE, "pier", (50, 1000)),
    _asset("span", Lifeline.BRIDGE, "span", (50, 1000)),
]
_WATER = [
    _asset("WP", Lifeline.WATER, "pipe", (0, 985), (100, 985), material="cast iron", built=1975),
    _asset("far-main", Lifeline.WATER, "pipe", (0, 1200), (100, 1200)),
    _asset("valve", Lifeline.WATER, "valve", (50, 990)),
]
_STREET = [
    _asset("road", Lifeline.DRAINAGE, "road", (50, 980), (50, 1100)),
    _asset("dip", Lifeline.DRAINAGE, "low-point", (130, 930)),
    _asset("dip-road", Lifeline.DRAINAGE, "road", (150, 920), (400, 920)),
]
_PARTS = [Link("pier", "BR", LinkKind.PART_OF, 0.0), Link("span", "BR", LinkKind.PART_OF, 0.0)]
_TOWN = CityGraph([*_GAS, *_SEWERS, *_BRIDGE, *_WATER, *_STREET], [*_FLOW, *_PARTS])


def _about(lifeline: Lifeline, kind: str, asset: str) -> Alert:
    return replace(_alert(kind, asset), lifeline=lifeline)


def _across(alert: Alert, graph: CityGraph = _TOWN) -> dict[str, Any]:
    evidence = {"suspects": [[alert.asset, 0.8]]}
    told: dict[str, Any] = trace(graph, alert, evidence, {"s": alert.asset}).get("across", {})
    return told


def _endangered(alert: Alert, graph: CityGraph = _TOWN) -> dict[str, dict[str, Any]]:
    return {each["asset"]: each for each in _across(alert, graph)["endangered"]}


def test_gas_goes_into_the_sewer_down_the_sewer_and_into_the_cellars_along_it() -> None:
    found = _endangered(_about(Lifeline.GAS, "gas-leak", "GP"))
    assert set(found) == {"DP-1", "M-2", "M-3", "house", "cellar"}
    assert found["cellar"]["path"] == {
        "en": "GP → 10 m through the ground → DP-1 → down the sewer → DP-2 → 20 m through a house connection → cellar",
        "zh": "GP号 → 经土壤10米 → DP-1号 → 沿排水管向下游 → DP-2号 → 经入户管道20米 → cellar号",
    }
    assert found["cellar"]["distance_m"] > 290, "a cellar three hundred metres off is not near"
    assert found["house"]["steps"] == 1


def test_gas_does_not_go_up_the_sewer() -> None:
    assert not {"DP-0", "M-1"} & set(_endangered(_about(Lifeline.GAS, "gas-leak", "GP")))


def test_a_burst_main_endangers_the_road_the_pier_beside_it_and_the_road_in_the_dip_it_runs_to() -> None:
    found = _endangered(_about(Lifeline.WATER, "burst-suspected", "WP"))
    assert set(found) == {"road", "pier", "dip", "dip-road"}
    assert found["pier"]["distance_m"] == pytest.approx(15, abs=0.3)
    assert found["road"]["distance_m"] == 0, "the road crosses the main"
    assert found["dip-road"]["steps"] == 2
    assert "over the street → dip →" in found["dip-road"]["path"]["en"]


def test_what_lets_nothing_out_endangers_nobody() -> None:
    assert "across" not in trace(_TOWN, _about(Lifeline.WATER, "meter-off-model", "WP"), {}, {})
    assert "across" not in trace(_TOWN, replace(_alert("x", "WP"), sensor_fault=True), {}, {})


def test_adjacencies_that_the_register_declares_hold_instead_of_those_measured() -> None:
    declared = [Link("GP", "house", LinkKind.ADJACENT, 12.5)]
    far = _asset("far-house", Lifeline.GAS, "building", (50, 22))
    found = _endangered(_about(Lifeline.GAS, "gas-leak", "GP"), CityGraph([*_GAS, far], declared))
    assert {name: each["distance_m"] for name, each in found.items()} == {"house": 20.0}, "the longer of both counts"
    assert "12 m through the ground" in found["house"]["path"]["en"]


def test_a_settling_pier_may_be_the_fault_of_the_main_beside_it() -> None:
    for asset in ("pier", "BR"):
        told = _across(_about(Lifeline.BRIDGE, "bridge-settlement", asset))
        assert [each["asset"] for each in told["causes"]] == ["WP"], asset
        assert "15 m through the ground from pier; cast iron, built 1975" in told["causes"][0]["reason"]["en"]
        assert told["own"] + told["causes"][0]["probability"] == pytest.approx(1, abs=1e-3)
    assert not _across(_about(Lifeline.BRIDGE, "bridge-collision", "pier")).get("causes")


def test_an_open_alert_at_the_main_makes_it_the_likelier_cause_and_its_end_takes_that_back() -> None:
    before = _across(_about(Lifeline.BRIDGE, "bridge-settlement", "pier"))
    with_leak = weighed(before, {"WP": OpenTrouble(UUID(int=7), 0.9)})
    assert with_leak["causes"][0]["probability"] > 0.7 > 4 * before["causes"][0]["probability"]
    assert with_leak["causes"][0]["alert"] == str(UUID(int=7))
    assert weighed(with_leak, {}) == before


def test_water_in_a_dip_is_of_the_rain_where_it_rained_and_of_the_main_where_it_did_not() -> None:
    told = _across(_about(Lifeline.DRAINAGE, "waterlogging", "dip"))
    unknown, wet, dry = (weighed(told, rained=rained)["causes"][0] for rained in (None, True, False))
    assert unknown["asset"] == "WP"
    assert wet["probability"] < unknown["probability"] < dry["probability"]


def test_gas_in_a_manhole_may_come_from_the_sewer_of_another_register() -> None:
    space = _asset("US", Lifeline.GAS, "underground-space", (60, 14), space="sewer-manhole")
    graph = CityGraph([*_GAS, *_SEWERS, space], _FLOW)
    leak = _about(Lifeline.GAS, "methane-high", "US")
    told = trace(graph, leak, {}, {})["across"]
    assert [each["asset"] for each in told["causes"]] == ["DP-1"]
    weighed_by_search = {"suspects": [["GP", 0.9]], "seen": {"causes": {"leak": 0.1, "sewage": 0.9, "device": 0.0}}}
    assert trace(graph, leak, weighed_by_search, {})["across"]["own"] < told["own"], "the search says sewage"


def test_lines_that_cross_are_no_metre_apart() -> None:
    assert between_m([(0, 0), (2, 2)], [(0, 2), (2, 0)]) == 0
    assert between_m([(0, 0), (0, 1)], [(1 * _NORTH, 0), (1 * _NORTH, 1)]) == pytest.approx(1, abs=0.01)
