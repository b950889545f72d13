"""A city folder: read as it was written, or refused with the place and the reason."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.core.checked_rows import CityFolderError
from services.core.city_folder import read_city_folder
from services.core.severity import Severity
from services.core.threshold import Side
from simulators.demo_city import folder as simulated

CITY = 'id = "town"\nname_en = "Town"\nname_zh = "镇"\n'
FILES = {
    "organisations.csv": "id,name_en,name_zh,role,lifelines\nowner,Owner,业主,owner,gas water\n",
    "people.csv": "id,organisation,name,post_en,post_zh,phone\np1,owner,An,Duty,值班,555-0101\n",
    "links.csv": "source,target,kind,length_m\nA1,A2,flow,12.5\n",
    "sensors.csv": "sensor,lifeline,quantity,unit,asset,lon,lat,interval_s,gateway\n"
    "S1,gas,methane,%LEL,A1,117.2,31.8,60,G1\nS2,gas,methane,%LEL,A2,117.2,31.8,60,\n",
    "thresholds.csv": "sensor,severity,side,raise_at,clear_at,on_delay_s,off_delay_s,source\n"
    "S1,2,above,5,4,0,60,default\nS1,3,above,10,8,0,60,default\n",
}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def point(longitude: float = 117.2) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [longitude, 31.8]}


RING = [[117.0, 31.0], [118.0, 31.0], [118.0, 32.0], [117.0, 31.0]]
NAMES = {"name_en": "x", "name_zh": "某"}
ZONES = [feature({"type": "Polygon", "coordinates": [RING]}, id="Z1", lifeline="gas", **NAMES)]
ASSET = {"lifeline": "gas", "kind": "pipe", "zone": "Z1", **NAMES}
ASSETS = [
    feature(
        {"type": "LineString", "coordinates": [[117.2, 31.8], [117.3, 31.8]]}, id="A1", organisation="owner", **ASSET
    ),
    feature(point(), id="A2", organisation="", diameter_mm=200, **ASSET),
]


def write_features(path: Path, features: Any) -> None:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "city.toml").write_text(CITY, "utf-8")
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, "utf-8")
    write_features(tmp_path / "zones.geojson", ZONES)
    write_features(tmp_path / "assets.geojson", ASSETS)
    return tmp_path


def refused(folder: Path) -> str:
    with pytest.raises(CityFolderError) as caught:
        read_city_folder(folder)
    return str(caught.value)


def test_a_folder_is_read_whole(folder: Path) -> None:
    city = read_city_folder(folder)
    assert (city.id, city.name.zh) == ("town", "镇")
    assert [sorted(owner.lifelines) for owner in city.organisations] == [["gas", "water"]]
    assert [(person.name, person.organisation) for person in city.people] == [("An", "owner")]
    first, second = city.assets
    assert (first.organisation, second.organisation) == ("owner", None)
    assert (dict(first.properties), dict(second.properties)) == ({}, {"diameter_mm": 200})
    assert [sensor.gateway for sensor in city.sensors] == ["G1", None]
    assert [(limit.severity, limit.side, limit.raise_at) for limit in city.thresholds["S1"]] == [
        (Severity.MODERATE, Side.ABOVE, 5.0),
        (Severity.MAJOR, Side.ABOVE, 10.0),
    ]


def test_the_demo_city_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = simulated.write_city(tmp_path, seed=3)
    city = read_city_folder(tmp_path)
    assert [asset.id for asset in city.assets] == [asset.id for asset in written.assets]
    assert [sensor.sensor for sensor in city.sensors] == [sensor.id for sensor in written.sensors]
    assert [(link.source, link.target, link.length_m) for link in city.links] == [
        (link.source, link.target, link.length_m) for link in written.links
    ]
    assert sum(map(len, city.thresholds.values())) == len(written.thresholds)


def test_a_folder_without_thresholds_is_whole(folder: Path) -> None:
    (folder / "thresholds.csv").unlink()
    assert read_city_folder(folder).thresholds == {}


def test_what_a_spreadsheet_does_to_a_file_is_understood(folder: Path) -> None:
    content = (folder / "sensors.csv").read_text("utf-8").replace("\n", "\r\n").replace("S2,", "\r\nS2,")
    (folder / "sensors.csv").write_bytes(b"\xef\xbb\xbf" + content.encode() + b"\r\n\r\n")
    assert [sensor.sensor for sensor in read_city_folder(folder).sensors] == ["S1", "S2"]


def test_a_quoted_field_may_hold_commas_and_line_ends(folder: Path) -> None:
    lines = '"Owner,\u2028\nwith more"'
    content = (folder / "organisations.csv").read_text("utf-8").replace(",Owner,", f",{lines},")
    (folder / "organisations.csv").write_text(content, "utf-8")
    assert read_city_folder(folder).organisations[0].name.en == "Owner,\u2028\nwith more"


@pytest.mark.parametrize(
    "name",
    ["city.toml", "organisations.csv", "people.csv", "zones.geojson", "assets.geojson", "links.csv", "sensors.csv"],
)
@pytest.mark.parametrize("trouble", ["missing", "not text", "a folder"])
def test_a_file_that_cannot_be_read_is_named(folder: Path, name: str, trouble: str) -> None:
    (folder / name).unlink()
    if trouble == "not text":
        (folder / name).write_bytes(b"\xff\xfe\x00")
    if trouble == "a folder":
        (folder / name).mkdir()
    assert refused(folder).startswith(f"{name}: ")


Change = Callable[[str], str]


def swap(old: str, new: str) -> Change:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def instead(new: str) -> Change:
    return lambda _: new


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("city.toml", swap('id = "town"\n', ""), "city.toml: id is missing"),
        ("city.toml", swap("name_zh", "name_de"), "city.toml: name_zh is missing"),
        ("city.toml", swap('"town"', '"to wn"'), "city.toml, id: String should match"),
        ("city.toml", swap("id =", "id"), "city.toml: cannot be read: "),
        ("organisations.csv", swap(",role,", ",rolle,"), "organisations.csv, line 1, role: the column is missing"),
        ("organisations.csv", swap(",owner,gas", ",boss,gas"), "organisations.csv, line 2, role: Input should be"),
        ("organisations.csv", swap("gas water", "gas air"), "organisations.csv, line 2, lifelines.1: Input should be"),
        ("organisations.csv", swap("\nowner", "\nan owner"), "organisations.csv, line 2, id: String should match"),
        (
            "organisations.csv",
            lambda text: text + "owner,Again,再,owner,gas\n",
            "organisations.csv, line 3, id: 'owner' is declared a second time",
        ),
        ("people.csv", swap("p1,owner", "p1,nobody"), "people.csv, line 2, organisation: 'nobody' is not declared"),
        ("people.csv", swap(",555-0101", ""), "people.csv, line 2, phone: Input should be a valid string"),
        ("people.csv", lambda text: text + text.splitlines()[1], "people.csv, line 3, id: 'p1' is declared a second"),
        ("links.csv", swap("A1,A2", "A9,A2"), "links.csv, line 2, source: 'A9' is not declared"),
        ("links.csv", swap("A1,A2", "A1,A9"), "links.csv, line 2, target: 'A9' is not declared"),
        ("links.csv", swap("flow", "beside"), "links.csv, line 2, kind: Input should be"),
        ("links.csv", swap("12.5", "-1"), "links.csv, line 2, length_m: Input should be greater"),
        ("links.csv", swap("12.5", "nan"), "links.csv, line 2, length_m: Input should be a finite number"),
        ("links.csv", swap("12.5", "12,5"), "links.csv, line 2: has more fields than the header"),
        ("links.csv", instead(""), "links.csv, line 1, source: the column is missing"),
        ("sensors.csv", swap("S2,gas", "S2,air"), "sensors.csv, line 3, lifeline: Input should be"),
        ("sensors.csv", swap("S2,gas", "\nS2,air"), "sensors.csv, line 4, lifeline: Input should be"),
        ("sensors.csv", swap("S2", "S1"), "sensors.csv, line 3, sensor: 'S1' is declared a second time"),
        ("sensors.csv", swap("S2", "S/2"), "sensors.csv, line 3, sensor: String should match"),
        ("sensors.csv", swap("A2", "A9"), "sensors.csv, line 3, asset: 'A9' is not declared"),
        ("sensors.csv", swap("A2,117.2", "A2,317.2"), "sensors.csv, line 3, lon: Input should be less"),
        ("sensors.csv", swap("A2,117.2", "A2,inf"), "sensors.csv, line 3, lon: Input should be"),
        ("sensors.csv", swap("A2,117.2", "A2,east"), "sensors.csv, line 3, lon: Input should be a valid number"),
        ("sensors.csv", swap("31.8,60,\n", "91,60,\n"), "sensors.csv, line 3, lat: Input should be less"),
        ("sensors.csv", swap("31.8,60,\n", "31.8,0,\n"), "sensors.csv, line 3, interval_s: Input should be greater"),
        ("sensors.csv", swap("31.8,60,\n", "31.8,1e300,\n"), "sensors.csv, line 3, interval_s: Input should be less"),
        ("sensors.csv", swap(",gateway", ",gate way"), "sensors.csv, line 1, gate way: there is no such column"),
        ("sensors.csv", swap(",gateway", ",unit"), "sensors.csv, line 1, unit: the column is there twice"),
        (
            "sensors.csv",
            lambda text: (
                text.replace(",gateway", ",gateway,address")
                .replace(",60,G1", ",60,G1,sensorthings:Datastreams(1)")
                .replace(",60,\n", ",60,,sensorthings:Datastreams(1)\n")
            ),
            "sensors.csv, line 3, address: 'sensorthings:Datastreams(1)' is declared a second time",
        ),
        ("thresholds.csv", swap("S1,3", "S9,3"), "thresholds.csv, line 3, sensor: 'S9' is not declared"),
        ("thresholds.csv", swap("S1,3", "S1,5"), "thresholds.csv, line 3, severity: Input should be less"),
        ("thresholds.csv", swap("3,above", "3,beside"), "thresholds.csv, line 3, side: Input should be"),
        ("thresholds.csv", swap("10,8", "10,11"), "thresholds.csv, line 3: clear_at 11.0 lies on the trouble side"),
        ("thresholds.csv", swap("10,8", "nan,8"), "thresholds.csv, line 3, raise_at: Input should be a finite number"),
        ("thresholds.csv", swap("8,0,60", "8,-1,60"), "thresholds.csv, line 3, on_delay_s: Input should be greater"),
        ("thresholds.csv", swap("8,0,60", "8,0,1e300"), "thresholds.csv, line 3, off_delay_s: Input should be less"),
        ("zones.geojson", lambda text: text[:-1], "zones.geojson: is not a GeoJSON FeatureCollection"),
        ("zones.geojson", instead("[]"), "zones.geojson: is not a GeoJSON FeatureCollection"),
        ("zones.geojson", instead('{"features": null}'), "zones.geojson: is not a GeoJSON FeatureCollection"),
        ("zones.geojson", instead('{"features": [3]}'), "zones.geojson, feature 1: has no geometry or no"),
        ("zones.geojson", swap('"lifeline": "gas"', '"lifeline": "air"'), "zones.geojson, feature 1, lifeline: Input"),
        ("assets.geojson", swap('"A2"', '"A1"'), "assets.geojson, feature 2, id: 'A1' is declared a second time"),
        ("assets.geojson", swap('"Z1"', '"Z9"'), "assets.geojson, feature 1, zone: 'Z9' is not declared"),
        ("assets.geojson", swap('"owner"', '"nobody"'), "assets.geojson, feature 1, organisation: 'nobody' is not"),
        ("assets.geojson", swap('"kind": "pipe", ', ""), "assets.geojson, feature 1, kind: Field required"),
    ],
)
def test_a_mistake_is_named_with_its_file_line_field_and_reason(
    folder: Path, name: str, change: Change, message: str
) -> None:
    path = folder / name
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    assert refused(folder).startswith(message)


def test_all_mistakes_are_named_at_once_and_what_follows_from_one_is_none(folder: Path) -> None:
    for name, change in (
        ("organisations.csv", swap(",owner,gas", ",boss,gas")),
        ("sensors.csv", swap("S2", "S/2")),
        ("thresholds.csv", swap("10,8", "nan,x")),
    ):
        path = folder / name
        path.write_text(change(path.read_text("utf-8")), "utf-8")
    told = refused(folder).splitlines()
    assert [line.partition(": ")[0] for line in told] == [
        "organisations.csv, line 2, role",
        "sensors.csv, line 3, sensor",
        "thresholds.csv, line 3, raise_at",
        "thresholds.csv, line 3, clear_at",
    ]


def test_of_very_many_mistakes_the_first_are_named_and_the_rest_counted(folder: Path) -> None:
    rows = FILES["links.csv"].splitlines()[0] + "\nA/1,A/2,flow,1" * 60
    (folder / "links.csv").write_text(rows, "utf-8")
    told = refused(folder).splitlines()
    assert (len(told), told[-1]) == (51, "and 70 more")


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        (None, "has no geometry or no properties"),
        ({"type": "Circle", "coordinates": [117.2, 31.8]}, "type: Input should be"),
        ({"type": "Point"}, "coordinates: Field required"),
        ({"type": "Point", "coordinates": []}, "coordinates do not make a Point"),
        ({"type": "Point", "coordinates": [117.2]}, "coordinates do not make a Point"),
        ({"type": "Point", "coordinates": ["a", "b"]}, "coordinates do not make a Point"),
        ({"type": "Point", "coordinates": [[117.2, 31.8]]}, "coordinates do not make a Point"),
        ({"type": "Point", "coordinates": [500000.0, 3500000.0]}, "coordinates do not make a Point in WGS 84"),
        ({"type": "LineString", "coordinates": [[117.2, 31.8]]}, "coordinates do not make a LineString"),
        ({"type": "LineString", "coordinates": [117.2, 31.8]}, "coordinates do not make a LineString"),
        ({"type": "Polygon", "coordinates": RING}, "coordinates do not make a Polygon"),
        ({"type": "Polygon", "coordinates": [RING[:3]]}, "coordinates do not make a Polygon"),
        ({"type": "MultiPolygon", "coordinates": [RING]}, "coordinates do not make a MultiPolygon"),
    ],
)
def test_a_shape_that_is_none_is_named_with_its_feature(folder: Path, geometry: Any, message: str) -> None:
    write_features(folder / "assets.geojson", [ASSETS[0], feature(geometry, id="A2", **ASSET)])
    said = refused(folder)
    assert said.startswith("assets.geojson, feature 2")
    assert message in said


@pytest.mark.parametrize(
    "geometry",
    [
        point(),
        {"type": "Point", "coordinates": [117.2, 31.8, 12.0]},
        {"type": "MultiPoint", "coordinates": [[117.2, 31.8]]},
        {"type": "MultiLineString", "coordinates": [[[117.2, 31.8], [117.3, 31.8]]]},
        {"type": "Polygon", "coordinates": [RING]},
        {"type": "MultiPolygon", "coordinates": [[RING]]},
    ],
)
def test_every_shape_of_geojson_is_kept_as_it_is(folder: Path, geometry: Any) -> None:
    write_features(folder / "assets.geojson", [ASSETS[0], feature(geometry, id="A2", **ASSET)])
    assert read_city_folder(folder).assets[1].geometry == geometry


def test_a_missing_folder_is_refused(folder: Path) -> None:
    shutil.rmtree(folder)
    assert refused(folder).startswith("city.toml: cannot be read")
