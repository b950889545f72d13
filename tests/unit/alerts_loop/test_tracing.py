"""Where it comes from and what shuts it off, on the generated city."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from services.alerts.lifelines import discover
from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.isolation import isolate
from services.alerts.tracing.trace import trace
from services.alerts.zone_engine import ZoneEngine
from services.core.alert import Alert
from services.core.asset import Asset, LinkKind
from services.core.city_folder import CityFolder
from services.core.finding import Finding, FindingState
from services.core.lifeline import Lifeline
from services.core.reading import Reading
from services.core.recorded_readings import read_readings
from services.core.recording import read_recording
from services.core.sensor import Sensor
from simulators.recording import write_recording
from tests.unit.alerts_loop.findings_made import KIND, alert, finding

SOURCES = {"water": {"reservoir", "tank"}, "gas": {"regulator"}}
START = datetime(2026, 3, 2, tzinfo=UTC)


def _network(city: CityFolder, lifeline: str) -> "nx.Graph[str]":
    """The pipes and what they join, straight from the folder's links."""
    kinds = {asset.id: asset.lifeline for asset in city.assets}
    network: nx.Graph[str] = nx.Graph()
    network.add_nodes_from(asset.id for asset in city.assets if asset.lifeline == lifeline)
    network.add_edges_from(
        (link.source, link.target)
        for link in city.links
        if link.kind is LinkKind.FLOW and kinds[link.source] == lifeline == kinds[link.target]
    )
    return network


def _assets(city: CityFolder, lifeline: str, kinds: Iterable[str]) -> list[Asset]:
    return [asset for asset in city.assets if asset.lifeline == lifeline and asset.kind in set(kinds)]


@pytest.mark.parametrize("lifeline", ["water", "gas"])
def test_shutting_the_isolation_of_any_pipe_cuts_it_off_from_every_source(
    lifeline: str, city: CityFolder, graph: CityGraph
) -> None:
    network = _network(city, lifeline)
    sources = {asset.id for asset in _assets(city, lifeline, SOURCES[lifeline])}
    valves = {asset.id for asset in _assets(city, lifeline, ["valve"])}
    pipes = _assets(city, lifeline, ["pipe"])
    assert len(pipes) > 300
    usually = set().union(*(nx.node_connected_component(network, source) for source in sources))
    for pipe in pipes:
        shut = isolate(graph, pipe.id)
        assert shut.complete
        assert set(shut.barriers) <= valves
        still_open = network.subgraph(set(network) - set(shut.barriers))
        reached = nx.node_connected_component(still_open, pipe.id)
        assert not reached & sources
        fed = set().union(*(nx.node_connected_component(still_open, source) for source in sources & set(still_open)))
        assert {pipe.id, *shut.cut_off} == usually - fed - set(shut.barriers)
        assert reached <= {pipe.id, *shut.cut_off}
        # Not one valve too many: each of them borders on what is cut off.
        assert all(set(network[valve]) & reached for valve in shut.barriers)


def test_without_a_valve_on_the_way_the_isolation_says_that_it_is_not_complete(city: CityFolder) -> None:
    bare = CityGraph(
        [replace(asset, kind="junction") if asset.kind == "valve" else asset for asset in city.assets], city.links
    )
    pipe = _assets(city, "water", ["pipe"])[0]
    assert not isolate(bare, pipe.id).complete
    assert isolate(bare, pipe.id).barriers == ()
    assert not isolate(bare, "nowhere").complete


def _check_candidates(traced: Mapping[str, Any], city: CityFolder) -> list[str]:
    """Candidates are known assets with shares of one suspicion, best first; returns them."""
    shares = [candidate["probability"] for candidate in traced["candidates"]]
    names = [candidate["asset"] for candidate in traced["candidates"]]
    assert all(0 < share <= 1 for share in shares)
    assert sum(shares) <= 1 + 1e-3
    assert shares == sorted(shares, reverse=True)
    assert len(set(names)) == len(names) <= 10
    assert set(names) <= {asset.id for asset in city.assets}
    return names


def _at(asset: Asset, sensor: str) -> Alert:
    return replace(alert(sensor=sensor, lifeline=asset.lifeline, asset=asset.id), zone=asset.zone)


def test_every_sensor_of_the_city_gives_a_trace_that_adds_up(city: CityFolder, graph: CityGraph) -> None:
    places = {sensor.sensor: sensor.asset for sensor in city.sensors}
    for sensor in city.sensors:
        traced = trace(graph, _at(graph.assets[sensor.asset], sensor.sensor), {}, places)
        assert _check_candidates(traced, city)


def test_the_gas_story_ranks_the_leaking_main_among_the_first_three_with_its_valves(
    city: CityFolder, graph: CityGraph
) -> None:
    places = {sensor.sensor: sensor.asset for sensor in city.sensors}
    sensor = next(name for name, asset in places.items() if asset == "US-041")
    traced = trace(graph, _at(graph.assets["US-041"], sensor), {}, places)
    assert "GP-041" in _check_candidates(traced, city)[:3]
    assert traced["candidates"][0]["asset"] == "GP-041"
    assert traced["isolation"] == ["V-118", "V-121"]
    assert "cast iron" in traced["candidates"][0]["reason"]["en"]


@pytest.mark.parametrize("written", ["cast iron", "cast-iron", "Cast_Iron"])
def test_an_old_material_counts_however_the_register_writes_it(written: str, city: CityFolder) -> None:
    ductile = _shares(city, "ductile iron")
    assert _shares(city, written)["WP-207"] > 1.5 * ductile["WP-207"]


def _shares(city: CityFolder, material: str) -> dict[str, float]:
    changed = [
        replace(
            asset, properties={**asset.properties, "material": material if asset.id == "WP-207" else "ductile iron"}
        )
        if asset.kind == "pipe"
        else asset
        for asset in city.assets
    ]
    graph = CityGraph(changed, city.links)
    traced = trace(graph, _at(graph.assets["WJ-069"], "gauge"), {}, {"gauge": "WJ-069"})
    return {candidate["asset"]: candidate["probability"] for candidate in traced["candidates"]}


def test_a_sensor_that_deviates_more_pulls_the_suspicion_towards_itself(graph: CityGraph) -> None:
    places = {"near": "WJ-069", "far": "WJ-100"}
    about = replace(_at(graph.assets["WJ-069"], "near"), sensors=("far", "near"))

    def best(near: float, far: float) -> str:
        evidence = {"seen": {"order": ["near", "far"], "sums": [near, far]}}
        return str(trace(graph, about, evidence, places)["candidates"][0]["asset"])

    assert best(40, 1) != best(1, 40)
    assert best(40, 0) == trace(graph, replace(about, sensors=("near",)), {}, places)["candidates"][0]["asset"]


def test_evidence_of_unknown_sensors_and_gateways_does_no_harm(graph: CityGraph, city: CityFolder) -> None:
    evidence = {"seen": {"order": ["removed"], "sums": [40.0]}}
    about = _at(graph.assets["WJ-069"], "removed")
    assert _check_candidates(trace(graph, about, evidence, {}), city)
    gateway = replace(about, asset="GW-1")
    said = trace(graph, gateway, {}, {})
    assert not any(said.values()), said


def _judged(city: CityFolder, recorded: Path, zone: str) -> list[Finding]:
    """What the engine of a zone finds in a recording."""
    recording = read_recording(recorded)
    zones = {asset.id: asset.zone for asset in city.assets}
    rules = discover()[Lifeline.WATER]
    members = []
    for key, row in enumerate(recording.sensors.values()):
        quantity = rules.quantity(row.quantity)
        assert quantity is not None
        if zones[row.asset] == zone:
            members.append(
                Sensor(
                    id=row.sensor,
                    key=key,
                    lifeline=row.lifeline,
                    quantity=row.quantity,
                    unit=row.unit,
                    asset=row.asset,
                    zone=zone,
                    longitude=row.lon or 0.0,
                    latitude=row.lat or 0.0,
                    interval=timedelta(seconds=row.interval_s),
                    gateway=None,
                    plausible=quantity.plausible,
                    thresholds=quantity.thresholds,
                )
            )
    known = {member.id for member in members}
    engine = ZoneEngine(zone, rules, members, allowed_lateness=timedelta(minutes=15))
    readings = [
        Reading(each.sensor, each.time, each.value, each.quality, each.time)
        for each in read_readings(recording)
        if each.sensor in known
    ]
    return engine.observe(sorted(readings, key=lambda each: (each.time, each.sensor))) + engine.release()


@pytest.mark.slow
def test_the_water_story_has_the_burst_main_among_its_ten_candidates(
    city: CityFolder, city_path: Path, graph: CityGraph, tmp_path: Path
) -> None:
    learnt = timedelta(days=2)
    write_recording(
        tmp_path / "recording",
        city_path,
        "water-main-leak",
        START,
        learnt + timedelta(hours=1),
        step=timedelta(minutes=5),
        lifelines=("water",),
        scenario_start=START + learnt,
    )
    places = {sensor.sensor: sensor.asset for sensor in city.sensors}
    found = [
        each
        for each in _judged(city, tmp_path / "recording", graph.assets["WP-207"].zone)
        if each.kind == "leak-suspected" and each.state is not FindingState.CLEARED
    ]
    assert found
    for each in found:
        about = replace(_at(graph.assets[each.asset], each.sensors[0]), sensors=each.sensors)
        traced = trace(graph, about, each.evidence, places)
        assert "WP-207" in _check_candidates(traced, city)
        assert traced["isolation"]


def test_a_finding_of_another_kind_has_no_strengths_and_all_its_sensors_count_alike(graph: CityGraph) -> None:
    places = {"a": "WJ-069", "b": "WJ-074"}
    about = replace(_at(graph.assets["WJ-069"], "a"), sensors=("a", "b"), kind=KIND.kind)
    plain = trace(graph, about, finding(0, 2).evidence, places)
    alike = trace(graph, about, {"seen": {"order": ["a", "b"], "sums": [1.0, 1.0]}}, places)
    assert plain == alike


def test_a_suspect_that_broke_before_is_suspected_the_more_and_the_trace_says_so(graph: CityGraph) -> None:
    about = replace(_at(graph.assets["WJ-069"], "gauge"), sensors=("gauge",))
    places = {"gauge": "WJ-069"}
    plain = trace(graph, about, {}, places)["candidates"]
    second = plain[1]["asset"]
    again = [trace(graph, about, {}, places, breaks={second: 6})["candidates"] for _ in range(2)]
    assert again[0] == again[1]
    known = next(each for each in again[0] if each["asset"] == second)
    assert known["probability"] > plain[1]["probability"]
    assert "6 confirmed breaks before" in known["reason"]["en"]
    assert "6次经确认的破损" in known["reason"]["zh"]

    searched = {"suspects": [[plain[0]["asset"], 0.5], [second, 0.4]]}
    assert trace(graph, about, searched, places)["candidates"][0]["asset"] == plain[0]["asset"]
    weighed = trace(graph, about, searched, places, breaks={second: 1})["candidates"]
    assert weighed[0]["asset"] == second
    assert sum(each["probability"] for each in weighed) == pytest.approx(0.9)
