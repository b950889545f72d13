"""What a recording tells of a city: its network as assets, whatever program wrote it, and its sensors' places."""

import json
from pathlib import Path

import pytest

from services.core.network_file import NetworkFormat
from services.core.recorded_city import RecordedCity, recorded_city
from services.core.recording import RecordingError, read_recording
from tests.unit.backtest import recorded

SEWERS = """\
[TITLE]
[JUNCTIONS]
M1 10 2 ; a manhole
M2 9 2
[OUTFALLS]
O1 5 FREE
[CONDUITS]
C1 M1 M2 328.084 0.013 0 0
C2 M2 O1 50 0.013 0 0
[WEIRS]
M1 M1 O1 TRANSVERSE
[OPTIONS]
FLOW_UNITS CFS
[COORDINATES]
M1 0 0
M2 1000 0
O1 1000 1000
[VERTICES]
C1 500 100
"""
SENSORS = "sensor,lifeline,quantity,unit,asset,lon,lat,interval_s\nL1,drainage,level,m,M2,,,60\n"


def city(folder: Path, network: str, content: str, *, sensors: str = SENSORS, more: str = "") -> RecordedCity:
    recorded.write_recording(folder, days=0.1)
    (folder / "recording.toml").write_text(recorded.DESCRIPTION.replace("network.inp", network) + more, "utf-8")
    (folder / network).write_text(content, "utf-8")
    (folder / "sensors.csv").write_text(sensors, "utf-8")
    return recorded_city(read_recording(folder))


def test_sewers_become_assets_with_lengths_in_metres(tmp_path: Path) -> None:
    found = city(tmp_path / "recording", "sewers.inp", SEWERS)
    assert found.network is not None
    assert found.network.format is NetworkFormat.SWMM
    kinds = {asset.id: asset.kind for asset in found.assets}
    # A link that bears a node's name is called after its kind.
    expected = {"M1": "manhole", "M2": "manhole", "O1": "outfall", "C1": "conduit", "C2": "conduit", "weir.M1": "weir"}
    assert kinds == expected
    (length_m,) = [link.length_m for link in found.links if (link.source, link.target) == ("C1", "M2")]
    assert length_m == pytest.approx(100.0, abs=0.01)


def test_a_map_in_metres_is_laid_around_the_origin(tmp_path: Path) -> None:
    found = city(tmp_path / "recording", "sewers.inp", SEWERS, more="origin = [117.2, 31.8]\n")
    places = {asset.id: asset.geometry["coordinates"] for asset in found.assets}
    middle = [(places["M1"][axis] + places["O1"][axis]) / 2 for axis in (0, 1)]
    assert middle == pytest.approx([117.2, 31.8])
    assert places["O1"][1] - places["M2"][1] == pytest.approx(1000 / 111_320, rel=1e-3)
    assert len(places["C1"]) == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("C2 M2 O1", "C2 M2 O9", "sewers.inp, line 9: conduit C2 ends at 'O9', which is no node"),
        ("328.084", "long", "sewers.inp, line 8: 'long' is not a number"),
        ("M2 1000 0", "M2 1000", "sewers.inp, line 16: has 2 fields, not 3"),
    ],
)
def test_a_broken_sewer_file_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(RecordingError) as caught:
        city(tmp_path / "recording", "sewers.inp", SEWERS.replace(old, new))
    assert str(caught.value) == message


def feature(identifier: str, kind: str) -> dict[str, object]:
    names = {"id": identifier, "lifeline": "drainage", "kind": kind, "zone": "D1", "name_en": "x", "name_zh": "x"}
    return {"type": "Feature", "properties": names, "geometry": {"type": "Point", "coordinates": [117.2, 31.8]}}


def test_a_geojson_network_brings_its_links(tmp_path: Path) -> None:
    link = {"source": "M2", "target": "C1", "kind": "flow", "length_m": 3}
    content = {"features": [feature("M2", "manhole"), feature("C1", "conduit")], "links": [link]}
    found = city(tmp_path / "recording", "network.geojson", json.dumps(content))
    assert found.network is None
    assert {asset.zone for asset in found.assets} == {"small-town"}
    assert [(each.source, each.target, each.length_m) for each in found.links] == [("M2", "C1", 3.0)]


def test_a_geojson_link_to_nowhere_is_named(tmp_path: Path) -> None:
    link = {"source": "M2", "target": "M9", "kind": "flow", "length_m": 3}
    content = {"features": [feature("M2", "manhole")], "links": [link]}
    with pytest.raises(RecordingError, match=r"network.geojson, link 1, target: 'M9' is not declared"):
        city(tmp_path / "recording", "network.geojson", json.dumps(content))


def test_an_asset_that_only_a_sensor_names_stands_where_the_sensor_does(tmp_path: Path) -> None:
    sensors = SENSORS + "L2,drainage,level,m,square,117.3,31.9,60\n"
    found = city(tmp_path / "recording", "sewers.inp", SEWERS, sensors=sensors)
    (square,) = [asset for asset in found.assets if asset.id == "square"]
    assert square.geometry["coordinates"] == [117.3, 31.9]


def test_several_lifelines_have_a_zone_each(tmp_path: Path) -> None:
    sensors = SENSORS + "G1,gas,methane,%LEL,space,117.3,31.9,60\n"
    found = city(tmp_path / "recording", "sewers.inp", SEWERS, sensors=sensors)
    assert {zone.id: str(zone.lifeline) for zone in found.zones} == {
        "small-town-drainage": "drainage",
        "small-town-gas": "gas",
    }
