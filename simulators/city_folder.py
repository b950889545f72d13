"""The city folder: reading it, and what it holds of each thing. The format is described in ``docs/city-folder.md``."""

import csv
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulators.city import Asset, City, Link, LonLat, Organisation, Person, Sensor, Threshold, Words, Zone

_ASSET_COLUMNS = ("id", "lifeline", "kind", "zone", "name_en", "name_zh", "organisation")
FILES: Mapping[str, tuple[str, ...]] = {
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


def read_city(folder: Path) -> City:
    """Read a city folder.

    Raises:
        CityFolderError: a file is missing or a field is; the message names both.
    """
    rows = {name: _read_rows(folder / name, columns) for name, columns in FILES.items()}
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
