"""What follows from a located leak: what is lost, and where to listen next."""

import math
from dataclasses import replace

import pytest

from services.alerts.tracing.candidates import Candidate
from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.loss import DEFAULT_PRICE, WaterPrice, loss_of, price_of
from services.alerts.tracing.next_measurement import next_measurement
from services.alerts.tracing.trace import trace
from services.core.asset import Asset, Link, LinkKind
from services.core.lifeline import Lifeline
from services.core.settings import Settings
from services.core.text import Text
from tests.unit.alerts_loop.findings_made import alert

_WHY = Text("because", "因为")


def _road(kinds: dict[str, str], length_m: float = 60.0, material: str = "ductile iron") -> CityGraph:
    """A row of assets, joined by pipes of one length: N0-P0-N1-P1 and so on."""

    def asset(ident: str, kind: str) -> Asset:
        point = {"type": "Point", "coordinates": [117.0, 31.0]}
        return Asset(ident, Lifeline.WATER, kind, "W1", Text(ident, ident), point, None, {"material": material})

    assets, links = [], []
    names = list(kinds)
    for number, name in enumerate(names):
        assets.append(asset(name, kinds[name]))
        if number + 1 < len(names):
            assets.append(asset(f"P{number}", "pipe"))
            links.append(Link(name, f"P{number}", LinkKind.FLOW, 0.0))
            links.append(Link(f"P{number}", names[number + 1], LinkKind.FLOW, length_m))
    return CityGraph(assets, links)


def _listen(graph: CityGraph, **suspicion: float) -> tuple[str, float] | None:
    candidates = [Candidate(asset, share, _WHY) for asset, share in suspicion.items()]
    place = next_measurement(graph, candidates)
    return None if place is None else (place.asset, place.entropy_bits - place.expected_entropy_bits)


def test_of_two_suspects_far_apart_the_crew_listens_at_one_of_them() -> None:
    graph = _road(dict.fromkeys(("N0", "N1", "N2", "N3", "N4", "N5"), "junction") | {"N0": "hydrant", "N5": "hydrant"})
    place = _listen(graph, P0=0.5, P4=0.5)
    assert place is not None
    assert place[0] in {"P0", "P4", "N0", "N5"}
    assert 0.3 < place[1] <= 1


def test_the_middle_tells_nothing_of_two_suspects_equally_far() -> None:
    """Only the middle hydrant can be listened at, and from there both sides sound alike."""
    graph = _road({"N0": "junction", "N1": "hydrant", "N2": "junction"})
    mute = replace(graph.assets["P0"], kind="conduit"), replace(graph.assets["P1"], kind="conduit")
    graph.assets.update({asset.id: asset for asset in mute})
    assert _listen(graph, P0=0.5, P1=0.5) is None


def test_one_certain_suspect_leaves_nothing_to_find_out() -> None:
    assert _listen(_road({"N0": "hydrant", "N1": "hydrant"}), P0=1.0) is None
    assert _listen(_road({"N0": "hydrant", "N1": "hydrant"})) is None


def test_plastic_is_heard_less_far_than_iron_and_tells_less() -> None:
    kinds = {"N0": "junction", "N1": "hydrant", "N2": "junction", "N3": "junction"}
    iron, plastic = (_road(kinds, 80.0, material) for material in ("ductile iron", "PE"))
    for graph in (iron, plastic):
        for pipe in ("P0", "P1", "P2"):
            graph.assets[pipe] = replace(graph.assets[pipe], kind="conduit")
    heard, barely = _listen(iron, P0=0.6), _listen(plastic, P0=0.6)
    assert heard is not None
    assert barely is not None
    assert heard[0] == barely[0] == "N1"
    assert heard[1] > 2 * barely[1]


def test_the_gain_is_the_fall_of_entropy_that_bayes_gives() -> None:
    """Worked out by hand: one suspect of probability one half, one hydrant at its pipe, 30 m from its middle."""
    graph = _road({"N0": "hydrant", "N1": "junction"})
    graph.assets["P0"] = replace(graph.assets["P0"], kind="conduit")
    place = _listen(graph, P0=0.5)
    assert place is not None
    truly = 0.95 * math.exp(-30 / 100)
    hear, mistake = truly + (1 - truly) * 0.05, 0.05

    def bits(*shares: float) -> float:
        return -sum(share * math.log2(share) for share in shares)

    heard, silent = (hear + mistake) / 2, (2 - hear - mistake) / 2
    after = heard * bits(hear / (hear + mistake), mistake / (hear + mistake))
    after += silent * bits((1 - hear) / (2 - hear - mistake), (1 - mistake) / (2 - hear - mistake))
    assert place[1] == pytest.approx(1 - after)


_ABOUT = alert(sensor="W3-F-001", lifeline=Lifeline.WATER, asset="WP-207")


def test_a_leak_that_the_model_has_sized_costs_its_flow_at_the_set_price() -> None:
    price = WaterPrice(2.5, "CNY", "setting")
    loss = loss_of(_ABOUT, {"seen": {"leak_m3h": 10.0}}, price)
    assert loss is not None
    assert (loss["flow_m3h"], loss["basis"], loss["cost_per_day"], loss["currency"]) == (10.0, "model", 600.0, "CNY")


def test_a_night_flow_alert_loses_what_is_beyond_the_usual() -> None:
    about = replace(_ABOUT, kind="night-flow-high")
    loss = loss_of(about, {"seen": {"excess": 6.5, "usual": 20.0}}, DEFAULT_PRICE)
    assert loss is not None
    assert (loss["flow_m3h"], loss["basis"]) == (6.5, "excess-flow")
    assert "default" in loss["price_source"]
    burst = replace(_ABOUT, kind="burst-suspected", peak_value=90.0)
    burst_loss = loss_of(burst, {"expected": 50.0, "seen": {}}, DEFAULT_PRICE)
    assert burst_loss is not None
    assert burst_loss["flow_m3h"] == 40.0


def test_nothing_is_said_about_a_loss_that_nobody_measured() -> None:
    assert loss_of(replace(_ABOUT, kind="leak-suspected"), {"expected": 400.0}, DEFAULT_PRICE) is None
    assert loss_of(replace(_ABOUT, lifeline=Lifeline.GAS), {"seen": {"leak_m3h": 3.0}}, DEFAULT_PRICE) is None
    assert loss_of(_ABOUT, {"seen": {"leak_m3h": 0.0}}, DEFAULT_PRICE) is None


def test_a_leak_seen_by_a_meter_loses_what_the_meter_shows_beyond_the_expected(graph: CityGraph) -> None:
    about = replace(_ABOUT, kind="leak-suspected", peak_value=658.0)
    places = {"W3-F-001": "WP-349"}
    by_meter = trace(graph, about, {"expected": 570.0, "seen": {}}, places)["loss"]
    assert (by_meter["flow_m3h"], by_meter["basis"]) == (88.0, "excess-flow")
    assert trace(graph, about, {"expected": 570.0, "seen": {}}, {"W3-F-001": "WJ-069"})["loss"] is None


def test_the_price_is_the_citys_own_where_it_has_set_one() -> None:
    unset, own = Settings(), Settings(water_price=3.05, water_currency="CNY")
    assert price_of(unset.water_price, unset.water_currency) is DEFAULT_PRICE
    price = price_of(own.water_price, own.water_currency)
    assert (price.per_m3, price.currency) == (3.05, "CNY")
    assert "default" not in price.source


def test_the_trace_of_a_search_has_everything_that_follows(graph: CityGraph) -> None:
    evidence = {"suspects": [["WP-207", 0.6], ["WP-066", 0.2]], "seen": {"leak_m3h": 12.5}}
    traced = trace(graph, _ABOUT, evidence, {})
    assert [candidate["asset"] for candidate in traced["candidates"]] == ["WP-207", "WP-066"]
    assert traced["isolation"] == ["WV-418", "WV-419"]
    assert [other["stuck"] for other in traced["isolation_alternatives"]] == traced["isolation"]
    assert traced["isolation_complete"] is True
    assert traced["critical"] == ["SC-3"]
    assert traced["customers"]["households"] > 0
    assert traced["loss"]["cost_per_day"] == pytest.approx(12.5 * 24 * 0.8)
    after, before = (traced["next_measurement"][name] for name in ("expected_entropy_bits", "entropy_bits"))
    assert 0 < after < before


def test_a_leak_at_a_junction_is_isolated_like_one_in_a_pipe(graph: CityGraph) -> None:
    traced = trace(graph, _ABOUT, {"suspects": [["WJ-069", 1.0]]}, {})
    assert traced["isolation"]
    assert traced["isolation_complete"] is True
