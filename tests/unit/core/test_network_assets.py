"""A network becomes assets and links and comes back; a city's register gets a hydraulic model."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.alerts.tracing.network_graph import city_graph_of
from services.core.asset import Asset
from services.core.checked_rows import CityFolderError
from services.core.city_folder import CityFolder, read_city_folder
from services.core.epanet_file import read_epanet
from services.core.epanet_input import write_epanet
from services.core.lifeline import Lifeline
from services.core.network_assets import HOUSEHOLD_M3H, Place, assets_of, network_of
from services.core.network_file import NetworkFile, NetworkFormat
from services.core.pipe_network import Pipe, PipeNetworkError, Valve
from simulators.physics.epanet_network import EpanetNetwork

_TOWN = """[JUNCTIONS]
 A 10 5
 B 20 3
 1 15 2
[RESERVOIRS]
 R 50
[TANKS]
 T 40 2 0.5 5 12 0
[PIPES]
 1 R A 100 300 120
 P2 A B 200 150 100 0 Closed
 P4 1 T 50 100 90 0 CV
[PUMPS]
 U1 A 1 POWER 5
[VALVES]
 V1 1 B 100 PRV 30 0
[OPTIONS]
 Units CMH
[COORDINATES]
 A 1000 2000
 B 1100 2000
"""


def _file(text: str = _TOWN) -> NetworkFile:
    return NetworkFile("town.inp", NetworkFormat.EPANET, text)


@pytest.fixture(scope="module")
def register(city_folder: Path) -> CityFolder:
    return read_city_folder(city_folder)


def test_a_network_comes_back_from_its_assets_as_it_was() -> None:
    network = read_epanet(_file())
    back = network_of("town.inp", *assets_of(network))
    renamed = {"pipe.1": "1"}
    assert set(back.nodes) == set(network.nodes)
    assert {renamed.get(name, name) for name in back.links} == set(network.links)
    for name, node in back.nodes.items():
        assert node.elevation_m == network.nodes[name].elevation_m
        assert node.demand_m3h == network.nodes[name].demand_m3h
    for name, link in back.links.items():
        known = network.links[renamed.get(name, name)]
        assert (link.start, link.end, link.is_open) == (known.start, known.end, known.is_open)
        if isinstance(link, Pipe) and isinstance(known, Pipe):
            assert (link.length_m, link.roughness, link.has_check_valve) == (
                known.length_m,
                known.roughness,
                known.has_check_valve,
            )


def test_a_link_that_bears_the_name_of_a_node_is_told_apart() -> None:
    assets, links = assets_of(read_epanet(_file()), Place(zone="W1"))
    kinds = {asset.id: asset.kind for asset in assets}
    assert kinds["1"] == "junction"
    assert kinds["pipe.1"] == "pipe"
    assert {asset.zone for asset in assets} == {"W1"}
    assert ("R", "pipe.1") in {(link.source, link.target) for link in links}


def test_a_map_in_metres_keeps_its_shape_and_degrees_stay_where_they_are() -> None:
    assets, _ = assets_of(read_epanet(_file()))
    place = {asset.id: asset.geometry["coordinates"] for asset in assets}
    assert (place["B"][0] - place["A"][0]) * 111_320 == pytest.approx(100, abs=0.1)
    degrees, _ = assets_of(
        read_epanet(_file(_TOWN.replace("1000 2000", "117.2 31.8").replace("1100 2000", "117.3 31.8")))
    )
    assert next(asset for asset in degrees if asset.id == "A").geometry["coordinates"] == [117.2, 31.8]


def test_tracing_walks_a_hydraulic_model() -> None:
    graph = city_graph_of(_file())
    assert graph.is_segment("pipe.1")
    assert graph.distance_along("R", 500)["A"] == 100
    assert graph.assets["V1"].kind == "valve"


def test_the_register_of_the_demo_city_has_the_model_by_which_it_is_simulated(
    register: CityFolder, city_folder: Path
) -> None:
    """The services' model, made from assets and links, against the simulators' own, node by node."""
    written = write_epanet(network_of("demo", register.assets, register.links))
    ours, theirs = EpanetNetwork(written.text), EpanetNetwork((city_folder / "network.inp").read_text("utf-8"))
    ours.solve()
    theirs.solve()
    nodes = [asset.id for asset in register.assets if asset.lifeline is Lifeline.WATER and asset.kind == "junction"]
    assert len(nodes) > 90
    for node in nodes:
        assert ours.head_m(ours.node(node)) == pytest.approx(theirs.head_m(theirs.node(node)), abs=1e-3)


def test_a_pipe_without_what_hydraulics_needs_is_named(register: CityFolder) -> None:
    def without(fact: str) -> list[Asset]:
        return [
            replace(asset, properties={k: v for k, v in asset.properties.items() if k != fact})
            if asset.id in {"WP-207", "WJ-069"}
            else asset
            for asset in register.assets
        ]

    with pytest.raises(PipeNetworkError, match="pipe WP-207 states no number diameter_mm"):
        network_of("demo", without("diameter_mm"), register.links)
    with pytest.raises(PipeNetworkError, match="junction WJ-069 states no number elevation_m"):
        network_of("demo", without("elevation_m"), register.links)
    severed = [link for link in register.links if link.target != "WP-207"]
    with pytest.raises(PipeNetworkError, match="pipe WP-207 has not exactly one asset before it"):
        network_of("demo", register.assets, severed)


def test_households_draw_where_no_demand_is_stated(register: CityFolder) -> None:
    bare = [
        replace(a, properties={k: v for k, v in a.properties.items() if k != "base_demand_m3h"})
        for a in register.assets
    ]
    households = sum(
        a.properties.get("households", 0) for a in bare if a.lifeline is Lifeline.WATER and a.kind == "pipe"
    )
    network = network_of("demo", bare, register.links)
    drawn = sum(node.demand_m3h for node in network.nodes.values())
    assert drawn == pytest.approx(households * HOUSEHOLD_M3H)


def test_a_valve_that_stands_shut_shuts_its_pipes_and_a_reducing_valve_gets_two_sides(register: CityFolder) -> None:
    def with_facts(**facts: object) -> list[Asset]:
        return [replace(a, properties={**a.properties, **facts}) if a.id == "WV-418" else a for a in register.assets]

    shut = network_of("demo", with_facts(status="closed"), register.links)
    assert not any(pipe.is_open for pipe in shut.pipes if "WV-418" in {pipe.start, pipe.end})
    reducing = network_of("demo", with_facts(valve_type="PRV", setting=30, diameter_mm=150), register.links)
    valve = reducing.links["WV-418"]
    assert isinstance(valve, Valve)
    assert (valve.start, valve.end, valve.setting) == ("WV-418.in", "WV-418.out", 30)
    assert EpanetNetwork(write_epanet(reducing).text).link("WV-418")
    with pytest.raises(PipeNetworkError, match="valve_type 'ODD' is none of"):
        network_of("demo", with_facts(valve_type="odd", setting=30, diameter_mm=150), register.links)


def test_a_city_folder_brings_its_model_for_the_zones_it_names(register: CityFolder) -> None:
    assert register.model is not None
    assert register.model.zones == ("W1", "W2", "W3", "W4")
    assert register.model.file.name == "demo"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[PIPES]\n P1 A B 100 100 100\n", r"network.inp, \[PIPES\], line 2: node 'A' is not declared"),
        ("[RESERVOIRS]\n elsewhere 50\n", r"network.inp: names no water asset"),
    ],
)
def test_a_model_that_does_not_fit_the_folder_is_refused(
    city_folder: Path, tmp_path: Path, text: str, message: str
) -> None:
    for path in city_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "network.inp").write_text(text, "utf-8")
    with pytest.raises(CityFolderError, match=message):
        read_city_folder(tmp_path)
