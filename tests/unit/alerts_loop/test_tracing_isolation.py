"""The valves to shut are the right ones on any network, and those are told who has no water then."""

import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.isolation import VALVE_WORTH, Isolation, alternatives, isolate
from services.core.asset import Asset, Link, LinkKind
from services.core.city_folder import CityFolder
from services.core.lifeline import Lifeline
from services.core.text import Text


def _asset(ident: str, kind: str, **facts: Any) -> Asset:
    point = {"type": "Point", "coordinates": [117.0, 31.0]}
    return Asset(ident, Lifeline.WATER, kind, "W1", Text(ident, ident), point, None, facts)


def _graph(assets: Iterable[Asset], ways: Iterable[tuple[str, ...]]) -> CityGraph:
    links = [Link(one, other, LinkKind.FLOW, 10.0) for way in ways for one, other in pairwise(way)]
    return CityGraph(assets, links)


def _street(extra: Iterable[Asset] = (), more: Iterable[tuple[str, ...]] = ()) -> CityGraph:
    """A source, and a ring of two mains with a dead end: S-V0-A, A-V1-P1-V2-B, A-V3-P2-V4-B, B-V5-P3."""
    kinds = {"S": "reservoir", "A": "junction", "B": "junction"}
    kinds |= {f"V{n}": "valve" for n in range(6)}
    assets = {ident: _asset(ident, kind) for ident, kind in kinds.items()}
    assets |= {f"P{n}": _asset(f"P{n}", "pipe", households=100) for n in (1, 2, 3)}
    assets |= {asset.id: asset for asset in extra}
    ways = [("S", "V0", "A"), ("A", "V1", "P1", "V2", "B"), ("A", "V3", "P2", "V4", "B"), ("B", "V5", "P3"), *more]
    return _graph(assets.values(), ways)


def test_a_pipe_of_a_ring_is_shut_at_both_ends_and_nobody_else_goes_without() -> None:
    shut = isolate(_street(), "P1")
    assert shut.barriers == ("V1", "V2")
    assert shut.complete
    assert shut.customers.households == 100


def test_a_dead_end_needs_one_valve_and_a_crossing_no_valve_towards_what_is_dead_with_it() -> None:
    assert isolate(_street(), "P3").barriers == ("V5",)
    # Behind B lies only P3, which has no water when B is shut: V5 need not be shut.
    shut = isolate(_street(), "B")
    assert shut.barriers == ("V2", "V4")
    assert shut.customers.households == 100
    assert "P3" in shut.cut_off


def test_a_stuck_valve_moves_the_isolation_to_the_next_ones() -> None:
    graph = _street()
    instead = alternatives(graph, "P1", isolate(graph, "P1"))
    assert set(instead) == {"V1", "V2"}
    # The ring beyond the stuck valve is shut instead; of the two sides only the other one keeps water.
    assert instead["V2"].barriers == ("V1", "V4")
    assert instead["V2"].customers.households == 200
    assert instead["V1"].barriers == ("V0",)
    assert instead["V1"].customers.households == 300
    assert all(other.complete for other in instead.values())
    assert all(stuck not in other.barriers for stuck, other in instead.items())


def test_a_leaking_valve_is_shut_off_from_both_sides() -> None:
    assert isolate(_street(), "V2").barriers == ("V1", "V4")


def test_one_valve_further_away_is_taken_where_it_costs_few_customers() -> None:
    """Two taps in a row behind one valve: V5 alone is cheaper than V6 and V7 as long as few live in between."""
    extra = [_asset("V6", "valve"), _asset("V7", "valve"), _asset("V8", "valve"), _asset("P4", "pipe", households=9)]
    more = [("P3", "V6", "P4"), ("P3", "V7", "P4"), ("P3", "V8", "P4")]
    few = _street([*extra, _asset("P3", "pipe", households=int(2 * VALVE_WORTH) - 5)], more)
    assert isolate(few, "P4").barriers == ("V5",)
    many = _street([*extra, _asset("P3", "pipe", households=int(2 * VALVE_WORTH) + 5)], more)
    assert isolate(many, "P4").barriers == ("V6", "V7", "V8")


def test_a_hospital_is_worth_more_valves_than_the_same_street_without() -> None:
    extra = [_asset("V6", "valve"), _asset("V7", "valve"), _asset("P4", "pipe", households=9)]
    more = [("P3", "V6", "P4"), ("P3", "V7", "P4")]
    quiet = [*extra, _asset("P3", "pipe", households=5)]
    assert isolate(_street(quiet, more), "P4").barriers == ("V5",)
    with_hospital = _street([*quiet, _asset("H", "hospital")], [*more, ("P3", "H")])
    assert isolate(with_hospital, "P4").barriers == ("V6", "V7")
    assert isolate(with_hospital, "P3").customers.critical == ("H",)


def test_customers_who_keep_another_way_to_water_are_not_counted() -> None:
    graph = _street([_asset("S2", "reservoir"), _asset("V9", "valve")], [("S2", "V9", "P3")])
    assert isolate(graph, "B").barriers == ("V2", "V4", "V5")
    assert isolate(graph, "B").customers.households == 0


def test_a_boundary_valve_that_stands_shut_neither_feeds_nor_has_to_be_shut() -> None:
    graph = _street([_asset("S2", "reservoir"), _asset("V9", "valve", status="closed")], [("S2", "V9", "P1")])
    assert isolate(graph, "P1").barriers == ("V1", "V2")


def test_nothing_comes_back_through_a_pump() -> None:
    graph = _street([_asset("PU", "pump"), _asset("P9", "pipe", households=7)], [("P3", "PU", "P9")])
    assert isolate(graph, "P3").barriers == ("V5",)
    assert isolate(graph, "P3").customers.households == 107


def test_a_source_that_nothing_can_shut_makes_the_isolation_incomplete() -> None:
    shut = isolate(_street([_asset("T", "tank")], [("T", "P1")]), "P1")
    assert not shut.complete
    assert shut.barriers == ("V1", "V2")


def test_without_households_the_demand_tells_how_many_there_are() -> None:
    bare = _street([_asset(f"P{n}", "pipe") for n in (1, 2, 3)])
    assert isolate(bare, "P1").customers.is_estimated
    drawn = [*(_asset(f"P{n}", "pipe") for n in (1, 2, 3)), _asset("B", "junction", base_demand_m3h=1.0)]
    shut = isolate(_street(drawn), "B")
    assert (shut.customers.households, shut.customers.is_estimated) == (80, True)


def _random_graph(seed: int, size: int) -> tuple[CityGraph, list[str], "nx.Graph[str]"]:
    """A connected network with valves here and there, one or two sources and uneven streets."""
    chance = random.Random(seed)  # noqa: S311 - a drawing, no secret
    plan: nx.Graph[int] = nx.connected_watts_strogatz_graph(size, 4, 0.3, seed=seed)
    assets = [_asset(f"J{n}", "junction") for n in plan]
    ways: list[tuple[str, ...]] = []
    for number, (one, other) in enumerate(plan.edges):
        assets.append(_asset(f"P{number}", "pipe", households=chance.choice((0, 3, 20, 90))))
        way = [f"J{one}", f"P{number}", f"J{other}"]
        if chance.random() < 0.75:
            assets.append(_asset(f"V{number}", "valve"))
            way.insert(chance.choice((1, 2)), f"V{number}")
        ways.append(tuple(way))
    for number in range(chance.choice((1, 2))):
        assets += [_asset(f"S{number}", "reservoir"), _asset(f"G{number}", "valve")]
        ways.append((f"S{number}", f"G{number}", f"J{chance.randrange(size)}"))
    graph = _graph(assets, ways)
    return graph, [a.id for a in assets if a.kind == "valve"], nx.Graph(graph.undirected)


def _cost(graph: CityGraph, network: "nx.Graph[str]", pipe: str, valves: Iterable[str]) -> float | None:
    """What shutting valves costs, counted by walking; ``None`` if it does not isolate the pipe."""
    shut = set(valves)
    still_open = network.subgraph(set(network) - shut)
    fed = set().union(*(nx.node_connected_component(still_open, s) for s in network if s.startswith("S")))
    if pipe in fed:
        return None
    lost = set(network) - fed - shut
    segments = {graph.supply.segment(name) for name in lost} - {None, graph.supply.segment(pipe)}
    households = sum(float(graph.assets[name].properties.get("households", 0)) for name in lost)
    return len(shut) * VALVE_WORTH + households + len(segments)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_set_of_valves_is_cheaper_than_the_one_that_is_told(seed: int) -> None:
    graph, valves, network = _random_graph(seed, 7)
    pipe = random.Random(seed).choice([name for name in network if name.startswith("P")])  # noqa: S311 - no secret
    told = isolate(graph, pipe)
    assert told.complete
    cost = _cost(graph, network, pipe, told.barriers)
    assert cost is not None, "the pipe is still fed"
    for count in range(1, min(len(told.barriers) + 1, 4)):
        for others in combinations(valves, count):
            other = _cost(graph, network, pipe, others)
            # Where several ways lead to what no valve can save, the search may count it once too often.
            assert other is None or cost <= other + VALVE_WORTH, (others, told.barriers)
    assert all(_cost(graph, network, pipe, set(told.barriers) - {valve}) is None for valve in told.barriers)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_who_is_said_to_be_without_water_has_no_way_to_a_source(seed: int) -> None:
    graph, _, network = _random_graph(seed, 12)
    for pipe in [name for name in network if name.startswith("P")][:6]:
        told = isolate(graph, pipe)
        still_open = network.subgraph(set(network) - set(told.barriers))
        fed = set().union(*(nx.node_connected_component(still_open, s) for s in network if s.startswith("S")))
        assert set(told.cut_off) | {pipe} == set(network) - fed - set(told.barriers)
        expected = sum(graph.assets[name].properties.get("households", 0) for name in {*told.cut_off, pipe})
        assert told.customers.households == expected


def test_the_school_on_the_bursting_street_is_told_and_the_hospital_next_door_keeps_its_water(
    city: CityFolder, graph: CityGraph
) -> None:
    shut: Isolation = isolate(graph, "WP-207")
    assert shut.barriers == ("WV-418", "WV-419")
    assert shut.customers.critical == ("SC-3",)
    streets = [asset for asset in city.assets if asset.id in {*shut.cut_off, "WP-207"}]
    assert shut.customers.households == sum(asset.properties.get("households", 0) for asset in streets) > 0


@pytest.mark.parametrize("stuck", ["WV-418", "WV-419"])
def test_a_stuck_valve_of_the_bursting_street_costs_more_customers(graph: CityGraph, stuck: str) -> None:
    first = isolate(graph, "WP-207")
    other = isolate(graph, "WP-207", frozenset({stuck}))
    assert other.complete
    assert stuck not in other.barriers
    assert other.customers.households > first.customers.households


def test_a_city_without_sources_is_isolated_by_the_nearest_valves() -> None:
    street = _street()
    without = CityGraph(
        [replace(asset, kind="junction") if asset.id == "S" else asset for asset in street.assets.values()],
        [Link(a, b, LinkKind.FLOW, 10.0) for a, b in street.flow.edges],
    )
    shut = isolate(without, "P1")
    assert shut.barriers == ("V1", "V2")
    assert shut.complete
