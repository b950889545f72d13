"""The city folder: writing the demo city, reading any city. The format is described in ``docs/city-folder.md``."""

import csv
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulators.city import Asset, City, Link, LonLat, Organisation, Person, Sensor, Threshold, Words, Zone
from simulators.demo_city.background import background
from simulators.demo_city.low_points import COLUMNS, low_point_rows
from simulators.demo_city.plan import plan_city
from simulators.physics.city_sewers import city_sewers
from simulators.physics.epanet_network import epanet_input
from simulators.physics.swmm_text import swmm_input

_ASSET_COLUMNS = ("id", "lifeline", "kind", "zone", "name_en", "name_zh", "organisation")
_FILES: Mapping[str, tuple[str, ...]] = {
    "organisations.csv": ("id", "name_en", "name_zh", "role", "lifelines"),
    "people.csv": ("id", "organisation", "name", "post_en", "post_zh", "phone"),
    "links.csv": ("source", "target", "kind", "length_m"),
    "sensors.csv": ("sensor", "lifeline", "quantity", "unit", "asset", "lon", "lat", "interval_s", "gateway"),
    "thresholds.csv": (
        "sensor",
        "severity",
        "side",
        "raise_at",
        "clear_at",
        "on_delay_s",
        "off_delay_s",
        "source",
    ),
}


class CityFolderError(ValueError):
    """A city folder cannot be read; the message names the file and what is wrong."""


def write_city(folder: Path, seed: int) -> City:
    """Write the demo city of one seed and return it; existing files of the same names are replaced."""
    city, streets = plan_city(seed)
    folder.mkdir(parents=True, exist_ok=True)
    _write_settings(folder / "city.toml", city)
    rows: dict[str, Iterable[Sequence[object]]] = {
        "organisations.csv": ((o.id, *o.name, o.role, " ".join(o.lifelines)) for o in city.organisations),
        "people.csv": ((p.id, p.organisation, p.name, *p.post, p.phone) for p in city.people),
        "links.csv": ((k.source, k.target, k.kind, k.length_m) for k in city.links),
        "sensors.csv": (
            (s.id, s.lifeline, s.quantity, s.unit, s.asset, *s.position, s.interval_s, s.gateway) for s in city.sensors
        ),
        "thresholds.csv": (
            (t.sensor, t.severity, t.side, t.raise_at, t.clear_at, t.on_delay_s, t.off_delay_s, t.source)
            for t in city.thresholds
        ),
    }
    for name, lines in rows.items():
        _write_rows(folder / name, _FILES[name], lines)
    _write_rows(folder / "low_points.csv", COLUMNS, low_point_rows(city))
    _write_features(folder / "zones.geojson", (zone_feature(zone) for zone in city.zones))
    _write_features(folder / "assets.geojson", (asset_feature(asset) for asset in city.assets))
    _write_features(folder / "background.geojson", background(streets))
    (folder / "network.inp").write_text(epanet_input(city), "utf-8")
    (folder / "sewers.inp").write_text(swmm_input(city_sewers(city)), "utf-8")
    return city


def read_city(folder: Path) -> City:
    """Read a city folder.

    Raises:
        CityFolderError: a file is missing or a field is; the message names both.
    """
    rows = {name: _read_rows(folder / name, columns) for name, columns in _FILES.items()}
    try:
        return _city(folder, rows)
    except (KeyError, TypeError, ValueError) as error:
        raise CityFolderError(f"{folder}: {type(error).__name__}: {error}") from error


def _city(folder: Path, rows: Mapping[str, list[dict[str, str]]]) -> City:
    settings = tomllib.loads((folder / "city.toml").read_text("utf-8"))
    return City(
        id=settings["id"],
        name=Words(settings["name_en"], settings["name_zh"]),
        timezone=settings["timezone"],
        centre=(settings["longitude"], settings["latitude"]),
        organisations=tuple(
            Organisation(r["id"], Words(r["name_en"], r["name_zh"]), r["role"], tuple(r["lifelines"].split()))
            for r in rows["organisations.csv"]
        ),
        people=tuple(
            Person(r["id"], r["organisation"], r["name"], Words(r["post_en"], r["post_zh"]), r["phone"])
            for r in rows["people.csv"]
        ),
        zones=tuple(_zone(feature) for feature in _read_features(folder / "zones.geojson")),
        assets=tuple(_asset(feature) for feature in _read_features(folder / "assets.geojson")),
        links=tuple(Link(r["source"], r["target"], r["kind"], float(r["length_m"])) for r in rows["links.csv"]),
        sensors=tuple(_sensor(r) for r in rows["sensors.csv"]),
        thresholds=tuple(_threshold(r) for r in rows["thresholds.csv"]),
    )


def zone_feature(zone: Zone) -> dict[str, Any]:
    """A zone as a GeoJSON feature."""
    names = {"name_en": zone.name.en, "name_zh": zone.name.zh}
    return {
        "type": "Feature",
        "properties": {"id": zone.id, "lifeline": zone.lifeline, **names},
        "geometry": {"type": "Polygon", "coordinates": [[list(p) for p in zone.ring]]},
    }


def asset_feature(asset: Asset) -> dict[str, Any]:
    """An asset as a GeoJSON feature: a Point, or a LineString when it has several points."""
    named = (asset.id, asset.lifeline, asset.kind, asset.zone, *asset.name, asset.organisation)
    line = len(asset.points) > 1
    return {
        "type": "Feature",
        "properties": {**dict(zip(_ASSET_COLUMNS, named, strict=True)), **asset.facts},
        "geometry": {
            "type": "LineString" if line else "Point",
            "coordinates": [list(p) for p in asset.points] if line else list(asset.points[0]),
        },
    }


def _write_settings(path: Path, city: City) -> None:
    lines = (
        f'id = "{city.id}"',
        f'name_en = "{city.name.en}"',
        f'name_zh = "{city.name.zh}"',
        f'timezone = "{city.timezone}"',
        f"longitude = {city.centre[0]}",
        f"latitude = {city.centre[1]}",
    )
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_features(path: Path, features: Iterable[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features)
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n', "utf-8")


def _read_rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = set(columns) - set(reader.fieldnames or ())
            if missing:
                raise CityFolderError(f"{path}: column {min(missing)!r} is missing")
            return list(reader)
    except OSError as error:
        raise CityFolderError(f"{path}: {error.strerror}") from error


def _read_features(path: Path) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["features"]
    return features


def _lon_lat(position: Sequence[float]) -> LonLat:
    return float(position[0]), float(position[1])


def _zone(feature: Mapping[str, Any]) -> Zone:
    facts, ring = feature["properties"], feature["geometry"]["coordinates"][0]
    name = Words(facts["name_en"], facts["name_zh"])
    return Zone(facts["id"], facts["lifeline"], name, tuple(_lon_lat(p) for p in ring))


def _asset(feature: Mapping[str, Any]) -> Asset:
    facts, geometry = dict(feature["properties"]), feature["geometry"]
    points = geometry["coordinates"] if geometry["type"] == "LineString" else [geometry["coordinates"]]
    ident, lifeline, kind, zone, name_en, name_zh, organisation = (facts.pop(c) for c in _ASSET_COLUMNS)
    name = Words(name_en, name_zh)
    return Asset(ident, lifeline, kind, zone, name, organisation, tuple(_lon_lat(p) for p in points), facts)


def _sensor(row: Mapping[str, str]) -> Sensor:
    position = (float(row["lon"]), float(row["lat"]))
    measured = (row["sensor"], row["lifeline"], row["quantity"], row["unit"], row["asset"])
    return Sensor(*measured, position, int(row["interval_s"]), row["gateway"])


def _threshold(row: Mapping[str, str]) -> Threshold:
    limits = (float(row["raise_at"]), float(row["clear_at"]), int(row["on_delay_s"]), int(row["off_delay_s"]))
    return Threshold(row["sensor"], int(row["severity"]), row["side"], *limits, row["source"])
