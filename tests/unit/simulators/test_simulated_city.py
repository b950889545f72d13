"""The demo city is complete, consistent and the same for a seed."""

import csv
import json
import re
from collections import Counter
from datetime import datetime
from pathlib import Path

import networkx as nx
import pytest

from simulators.city import City
from simulators.city_folder import CityFolderError, read_city
from simulators.demo_city.draft import QUANTITIES
from simulators.demo_city.folder import write_city
from simulators.demo_city.plan import LARGEST_GATEWAY, plan_city
from simulators.geometry import Projection, distance, inside, nearest_on_line
from simulators.physics.rain_radar import HORIZONS_MIN
from simulators.physics.world import World
from simulators.scenario import check_scenario, list_scenarios, load_scenario

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SOURCES = {"reservoir", "tank", "regulator"}


@pytest.fixture(scope="module", params=[1, 2, 17])
def any_city(request: pytest.FixtureRequest) -> City:
    """Cities of several seeds."""
    return plan_city(request.param)[0]


def test_the_same_seed_gives_the_same_files_and_another_seed_another_city(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_city(tmp_path / name, seed)
    same = {p.name: p.read_bytes() for p in (tmp_path / "a").iterdir()}
    assert same == {p.name: p.read_bytes() for p in (tmp_path / "b").iterdir()}
    assert same["assets.geojson"] != (tmp_path / "c" / "assets.geojson").read_bytes()


def test_what_was_written_is_what_is_read(tmp_path: Path) -> None:
    written = write_city(tmp_path, 3)
    assert read_city(tmp_path) == written


def test_the_folder_has_the_documented_files_and_columns(city_folder: Path) -> None:
    expected = {
        "organisations.csv": "id,name_en,name_zh,role,lifelines",
        "people.csv": "id,organisation,name,post_en,post_zh,phone",
        "links.csv": "source,target,kind,length_m",
        "sensors.csv": "sensor,lifeline,quantity,unit,asset,lon,lat,interval_s,gateway",
        "thresholds.csv": "sensor,severity,side,raise_at,clear_at,on_delay_s,off_delay_s,source",
    }
    for name, header in expected.items():
        assert (city_folder / name).read_text("utf-8").splitlines()[0] == header
    zone = json.loads((city_folder / "zones.geojson").read_text("utf-8"))["features"][0]["properties"]
    assert set(zone) == {"id", "lifeline", "name_en", "name_zh"}
    with (city_folder / "people.csv").open(encoding="utf-8") as file:
        assert all(row["phone"].startswith("555-") for row in csv.DictReader(file))


def test_a_missing_column_is_named_with_its_file(tmp_path: Path) -> None:
    write_city(tmp_path, 1)
    (tmp_path / "links.csv").write_text("source,target,kind\n", "utf-8")
    with pytest.raises(CityFolderError, match=r"links\.csv.*length_m"):
        read_city(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CityFolderError, match=r"organisations\.csv"):
        read_city(tmp_path)


def test_about_three_hundred_and_fifty_sensors_measure_all_four_lifelines(any_city: City) -> None:
    assert Counter(s.lifeline for s in any_city.sensors) == {"water": 70, "gas": 110, "drainage": 130, "bridge": 68}
    for sensor in any_city.sensors:
        assert (sensor.unit, sensor.interval_s) == QUANTITIES[sensor.quantity][:2]


def test_sewers_pumps_gates_rivers_and_covers_are_watched(any_city: City) -> None:
    watched = Counter(s.quantity for s in any_city.sensors if s.lifeline == "drainage")
    expected = {"sewer_flow": 12, "pump_state": 8, "gate_position": 4, "river_level": 4, "cover_tilt": 16}
    assert expected.items() <= watched.items()


def test_ids_are_unique_and_fit_the_wire_contract(any_city: City) -> None:
    for ids in (
        [a.id for a in any_city.assets],
        [s.id for s in any_city.sensors],
        [z.id for z in any_city.zones],
        [p.id for p in any_city.people],
    ):
        assert len(ids) == len(set(ids))
        assert all(_ID.fullmatch(ident) for ident in ids)
    assert all(_ID.fullmatch(s.gateway) for s in any_city.sensors)


def test_everything_that_is_named_exists(any_city: City) -> None:
    zones = {z.id: z.lifeline for z in any_city.zones}
    organisations = {o.id for o in any_city.organisations}
    sensors = set(any_city.sensor)
    assert all(zones[a.zone] == a.lifeline for a in any_city.assets)
    assert all(a.organisation in organisations for a in any_city.assets)
    assert all(p.organisation in organisations for p in any_city.people)
    assert all(any_city.asset[s.asset].lifeline == s.lifeline for s in any_city.sensors)
    assert all(k.source in any_city.asset and k.target in any_city.asset for k in any_city.links)
    assert all(t.sensor in sensors for t in any_city.thresholds)


def test_gateways_serve_one_zone_and_a_handful_of_sensors(any_city: City) -> None:
    sizes = Counter(s.gateway for s in any_city.sensors)
    assert max(sizes.values()) <= LARGEST_GATEWAY
    told = {s.gateway for s in any_city.sensors if s.quantity in HORIZONS_MIN}
    assert min(size for gateway, size in sizes.items() if gateway not in told) >= 10
    assert {sizes[gateway] for gateway in told} == {len(HORIZONS_MIN)}
    zones: dict[str, set[str]] = {}
    for sensor in any_city.sensors:
        zones.setdefault(sensor.gateway, set()).add(any_city.asset[sensor.asset].zone)
    assert all(len(of_gateway) == 1 for of_gateway in zones.values())


def test_nodes_lie_in_their_zone_and_the_city_is_where_it_should_be(any_city: City) -> None:
    rings = {z.id: z.ring for z in any_city.zones}
    points = [a for a in any_city.assets if len(a.points) == 1]
    outside = [a.id for a in points if not inside(a.points[0], rings[a.zone])]
    assert outside == []
    assert all(abs(a.points[0][0] - 117.27) < 0.05 and abs(a.points[0][1] - 31.86) < 0.05 for a in points)


@pytest.mark.parametrize("lifeline", ["water", "gas", "drainage"])
def test_flow_runs_from_node_to_pipe_to_node_and_never_in_a_circle(any_city: City, lifeline: str) -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    for link in any_city.flow_links(lifeline):
        graph.add_edge(link.source, link.target, length=link.length_m)
        if any_city.asset[link.target].kind == "pipe":
            assert link.length_m == 0
    assert nx.is_directed_acyclic_graph(graph)
    for pipe in any_city.assets_of(lifeline, "pipe"):
        assert (graph.in_degree(pipe.id), graph.out_degree(pipe.id)) == (1, 1)
        assert next(iter(graph.out_edges(pipe.id, data="length")))[2] == pipe.facts["length_m"]


@pytest.mark.parametrize("lifeline", ["water", "gas"])
def test_every_pipe_can_be_isolated_by_valves(any_city: City, lifeline: str) -> None:
    graph: nx.Graph[str] = nx.Graph((k.source, k.target) for k in any_city.flow_links(lifeline))
    graph.remove_nodes_from([a.id for a in any_city.assets_of(lifeline, "valve")])
    kinds = {a.id: a.kind for a in any_city.assets_of(lifeline)}
    for segment in nx.connected_components(graph):
        of_kinds = {kinds[ident] for ident in segment}
        assert not ("pipe" in of_kinds and of_kinds & _SOURCES), segment


def test_low_points_drain_to_an_outfall(any_city: City) -> None:
    graph: nx.DiGraph[str] = nx.DiGraph((k.source, k.target) for k in any_city.flow_links("drainage"))
    outfalls = {a.id for a in any_city.assets_of("drainage", "outfall")}
    for low_point in any_city.assets_of("drainage", "low-point"):
        assert nx.descendants(graph, low_point.id) & outfalls


def test_adjacency_holds_the_distance_between_pipe_and_space(any_city: City) -> None:
    projection = Projection(any_city.centre, (0.0, 0.0))
    # A duct between two spaces is a link of the same kind.
    adjacent = [k for k in any_city.links if k.kind == "adjacent" and any_city.asset[k.source].kind == "pipe"]
    assert len(adjacent) > 100
    for link in adjacent:
        line = [projection.metres(p) for p in any_city.asset[link.source].points]
        space = projection.metres(any_city.asset[link.target].points[0])
        assert distance(space, nearest_on_line(space, line)) == pytest.approx(link.length_m, abs=0.2)
        assert link.length_m <= 25


def test_the_place_of_the_story_is_the_same_for_every_seed(any_city: City) -> None:
    projection = Projection(any_city.centre, (0.0, 0.0))
    telecom, sewer = (projection.metres(any_city.asset[i].points[0]) for i in ("US-041", "US-042"))
    assert distance(telecom, sewer) == pytest.approx(18, abs=0.2)
    beside = {k.source: k.length_m for k in any_city.links if k.kind == "adjacent" and k.target == "US-041"}
    assert beside.pop("GP-041") == pytest.approx(2, abs=0.2)
    assert len(beside) == 2
    main = any_city.asset["GP-041"]
    assert (main.facts["material"], main.facts["built"]) == ("cast iron", 1994)
    watched = {s.asset for s in any_city.sensors if s.quantity == "methane"}
    assert {"US-041", "US-042"} <= watched


def test_bridges_have_their_own_limits(city: City) -> None:
    limits = {t.sensor: t for t in city.thresholds if t.severity == 3}
    weight = next(s for s in city.sensors if s.asset == "BR-2" and s.quantity == "vehicle_weight")
    assert limits[weight.id].raise_at == 55
    assert all(t.clear_at < t.raise_at for t in city.thresholds)


def test_every_scenario_fits_the_city_of_every_seed(any_city: City) -> None:
    for name in list_scenarios():
        check_scenario(load_scenario(name), any_city)


def test_every_city_can_be_simulated(any_city: City, origin: datetime) -> None:
    assert len(World(any_city, load_scenario("story"), origin, 1).step(origin)) == sum(
        s.is_read for s in any_city.sensors
    )
