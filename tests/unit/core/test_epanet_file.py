"""EPANET files are read in our units, and what is wrong in one is told with its section and line."""

from pathlib import Path

import pytest
from epanet import toolkit

from services.core.epanet_file import EpanetFileError, read_epanet
from services.core.epanet_input import write_epanet
from services.core.network_file import NetworkFile, NetworkFormat
from services.core.pipe_network import HeadLoss, NodeKind, Pipe, PipeNetworkError, Pump, Tank, Valve, ValveType

_TOWN = """[TITLE]
A small town

[JUNCTIONS]
;id  elevation demand pattern
 A   10   5  day ; at the works
 B   20   3.6
 C   15
[RESERVOIRS]
 R   50
[TANKS]
 T   40 2 0.5 5 12 0
[PIPES]
 P1  R A 100 300 120
 P2  A B 200 150 100 0.5 Open
 P3  B C 250 100 90 Closed
 P4  B T 50 100 90 0 CV
[PUMPS]
 U1  A C HEAD K1 SPEED 0.9
[VALVES]
 V1  C B 100 PRV 30 0
[STATUS]
 V1 Closed
[DEMANDS]
 B 1.0 day
 B 0.8 night
[CURVES]
 K1 10 40
[OPTIONS]
 Units LPS
 Headloss H-W
 Demand Multiplier 2
[COORDINATES]
 A 100 200
[VERTICES]
 P2 110 210
 P2 120 220
[END]
 this is no longer read
"""


def _file(text: str) -> NetworkFile:
    return NetworkFile("town.inp", NetworkFormat.EPANET, text)


def test_nodes_and_links_are_read_with_their_demands_curves_and_states() -> None:
    network = read_epanet(_file(_TOWN))
    assert set(network.nodes) == {"A", "B", "C", "R", "T"}
    assert network.nodes["A"].demand_m3h == pytest.approx(5 * 2 * 3.6)
    assert network.nodes["B"].demand_m3h == pytest.approx(1.8 * 2 * 3.6)
    assert network.nodes["A"].position == pytest.approx((100, 200))
    assert network.nodes["R"].kind == NodeKind.RESERVOIR
    tank = network.nodes["T"]
    assert isinstance(tank, Tank)
    assert (tank.elevation_m, tank.initial_level_m, tank.maximum_level_m, tank.diameter_m) == (40, 2, 5, 12)
    pipe = network.links["P2"]
    assert isinstance(pipe, Pipe)
    assert (pipe.length_m, pipe.diameter_mm, pipe.minor_loss, pipe.vertices) == (
        200,
        150,
        0.5,
        ((110, 210), (120, 220)),
    )
    assert [network.links[name].is_open for name in ("P1", "P3", "V1")] == [True, False, False]
    check = network.links["P4"]
    assert isinstance(check, Pipe)
    assert check.has_check_valve
    pump = network.links["U1"]
    assert isinstance(pump, Pump)
    assert pump.head_curve == ((36.0, 40.0),)
    assert pump.speed == 0.9
    valve = network.links["V1"]
    assert isinstance(valve, Valve)
    assert (valve.type, valve.setting) == (ValveType.PRESSURE_REDUCING, 30)


def test_american_units_become_metres() -> None:
    network = read_epanet(_file(_TOWN.replace("LPS", "GPM").replace("H-W", "D-W")))
    pipe, valve = network.links["P1"], network.links["V1"]
    assert network.head_loss is HeadLoss.DARCY_WEISBACH
    assert isinstance(pipe, Pipe)
    assert pipe.length_m == pytest.approx(30.48)
    assert pipe.diameter_mm == pytest.approx(7620)
    assert pipe.roughness == pytest.approx(120 * 0.3048)
    assert network.nodes["A"].demand_m3h == pytest.approx(10 * 0.2271, rel=1e-3)
    assert isinstance(valve, Valve)
    assert valve.setting == pytest.approx(21.09, rel=1e-3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (" P2  A B 200", " P2  A B far", r"^town.inp, \[PIPES\], line 15: length 'far' is not a number$"),
        (" P2  A B 200", " P2  A X 200", r"\[PIPES\], line 15: node 'X' is not declared"),
        (" P2  A B 200", " P1  A B 200", r"\[PIPES\], line 15: link 'P1' is declared a second time"),
        (" P2  A B 200 150 100 0.5 Open", " P2  A B 200", r"\[PIPES\], line 15: diameter is missing"),
        (" P2  A B 200", " P2  A B 0", r"line 15: length must be greater than 0, not 0"),
        (" B   20   3.6", " A   20   3.6", r"\[JUNCTIONS\], line 7: node 'A' is declared a second time"),
        (" T   40 2 0.5", " T   40 0.2 0.5", r"\[TANKS\], line 12: initial level 0.2 m is not between"),
        ("HEAD K1", "HEAD K2", r"\[PUMPS\], line 19: curve 'K2' is not declared"),
        ("100 PRV", "100 XYZ", r"\[VALVES\], line 21: type 'XYZ' is none of PRV"),
        (" V1 Closed", " V7 Closed", r"\[STATUS\], line 23: link 'V7' is not declared"),
        (" B 1.0 day", " Q 1.0 day", r"\[DEMANDS\], line 25: node 'Q' is not declared"),
        ("Units LPS", "Units BBL", r"\[OPTIONS\], line 30: flow unit 'BBL' is none of"),
        ("[CURVES]", "[GRAPHS]", r"line 27: there is no section \[GRAPHS\]"),
        ("[TITLE]", "A town\n[TITLE]", r"line 1: stands before the first section"),
        (" A 100 200", " A 100 inf", r"\[COORDINATES\], line 34: y 'inf' is not a finite number"),
    ],
)
def test_what_is_wrong_is_told_with_file_section_line_and_reason(old: str, new: str, message: str) -> None:
    assert old in _TOWN
    with pytest.raises(EpanetFileError, match=message):
        read_epanet(_file(_TOWN.replace(old, new, 1)))


def test_a_file_of_another_program_is_refused() -> None:
    with pytest.raises(EpanetFileError, match="not of EPANET"):
        read_epanet(NetworkFile("sewer.inp", NetworkFormat.SWMM, _TOWN))


def _heads_m(text: str, folder: Path) -> dict[str, float]:
    """The heads that EPANET itself computes for a file."""
    path = folder / "network.inp"
    path.write_text(text, "utf-8")
    project = toolkit.createproject()
    toolkit.open(project, str(path), str(folder / "report.txt"), "")
    toolkit.openH(project)
    toolkit.initH(project, toolkit.INITFLOW)
    toolkit.runH(project)
    metric = toolkit.getflowunits(project) >= toolkit.LPS
    heads = {
        toolkit.getnodeid(project, n): toolkit.getnodevalue(project, n, toolkit.HEAD) * (1 if metric else 0.3048)
        for n in range(1, toolkit.getcount(project, toolkit.NODECOUNT) + 1)
    }
    toolkit.closeH(project)
    toolkit.close(project)
    toolkit.deleteproject(project)
    return heads


@pytest.mark.parametrize("unit", ["LPS", "GPM", "CMH", "MGD"])
def test_a_written_file_has_the_heads_of_the_one_it_was_read_from(unit: str, tmp_path: Path) -> None:
    """EPANET solves both; patterns are left out, so the original has none either."""
    demand = {"LPS": "0.5", "GPM": "8", "CMH": "1.8", "MGD": "0.01"}[unit]
    text = (
        _TOWN.replace("LPS", unit).replace(" day", "").replace(" night", "").replace(" A   10   5", f" A   10 {demand}")
    )
    text = text.replace("Demand Multiplier 2", "Demand Multiplier 0.5").replace(" 10 40", f" {demand} 40")
    network = read_epanet(_file(text))
    again = write_epanet(network)
    assert read_epanet(again).links.keys() == network.links.keys()
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    original, written = _heads_m(text, tmp_path / "one"), _heads_m(again.text, tmp_path / "other")
    assert written == pytest.approx(original, abs=0.02)


def test_a_name_that_epanet_cannot_carry_is_refused() -> None:
    network = read_epanet(_file(_TOWN.replace("P1 ", f"P{'1' * 31} ")))
    with pytest.raises(PipeNetworkError, match="cannot be an identifier of EPANET"):
        write_epanet(network)
