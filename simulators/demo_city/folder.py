"""The demo city written down as a city folder."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from simulators.city import City
from simulators.city_folder import FILES, asset_feature, zone_feature
from simulators.demo_city.background import background
from simulators.demo_city.low_points import COLUMNS, low_point_rows
from simulators.demo_city.plan import plan_city
from simulators.physics.city_sewers import city_sewers
from simulators.physics.epanet_network import epanet_input
from simulators.physics.swmm_text import swmm_input


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
        _write_rows(folder / name, FILES[name], lines)
    _write_rows(folder / "low_points.csv", COLUMNS, low_point_rows(city))
    _write_features(folder / "zones.geojson", (zone_feature(zone) for zone in city.zones))
    _write_features(folder / "assets.geojson", (asset_feature(asset) for asset in city.assets))
    _write_features(folder / "background.geojson", background(streets))
    (folder / "network.inp").write_text(epanet_input(city), "utf-8")
    (folder / "sewers.inp").write_text(swmm_input(city_sewers(city)), "utf-8")
    return city


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
