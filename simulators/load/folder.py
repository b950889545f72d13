"""A city folder with the sensors of a plan, so that they can be registered. Nothing in it exists."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from simulators.load.plan import LoadPlan

_ZONES = 20
_SIDE_DEG = 0.01
_OWNER = "owner"


def write_load_city(folder: Path, plan: LoadPlan) -> None:
    """Write ``docs/city-folder.md``'s files: gas pressure sensors (kPa), those of one gateway at one junction."""
    folder.mkdir(parents=True, exist_ok=True)
    names = 'name_en = "Load test"\nname_zh = "负载测试"'
    place = 'timezone = "Etc/UTC"\nlongitude = 0.0\nlatitude = 0.0'
    (folder / "city.toml").write_text(f'id = "{plan.city}"\n{names}\n{place}\n', encoding="utf-8")
    owner = f"{plan.prefix}-{_OWNER}"
    organisation = (owner, "Load test", "负载测试", "owner", "gas")
    _rows(folder / "organisations.csv", "id,name_en,name_zh,role,lifelines", [organisation])
    _rows(folder / "people.csv", "id,organisation,name,post_en,post_zh,phone", [])
    _rows(folder / "links.csv", "source,target,kind,length_m", [])
    _rows(
        folder / "sensors.csv",
        "sensor,lifeline,quantity,unit,asset,lon,lat,interval_s,gateway",
        (
            (name, "gas", "gas_pressure", "kPa", _asset(plan, gateway), *_position(gateway), interval_s, gateway_name)
            for number, name in enumerate(plan.sensor_names)
            for gateway in [number % plan.gateways]
            for gateway_name in [plan.gateway_names[gateway]]
            for interval_s in [plan.step_ms / 1000]
        ),
    )
    zones = min(_ZONES, plan.gateways)
    _features(folder / "zones.geojson", [_zone(plan, number) for number in range(zones)])
    _features(folder / "assets.geojson", [_junction(plan, gateway, owner) for gateway in range(plan.gateways)])


def _asset(plan: LoadPlan, gateway: int) -> str:
    return f"{plan.prefix}-junction-{gateway}"


def _position(gateway: int) -> tuple[float, float]:
    return round(gateway % _ZONES * _SIDE_DEG + _SIDE_DEG / 2, 4), round(_SIDE_DEG / 2, 4)


def _zone(plan: LoadPlan, number: int) -> dict[str, Any]:
    west, east = round(number * _SIDE_DEG, 4), round((number + 1) * _SIDE_DEG, 4)
    ring = [[west, 0.0], [east, 0.0], [east, _SIDE_DEG], [west, _SIDE_DEG], [west, 0.0]]
    names = {"name_en": f"Load test {number}", "name_zh": f"负载测试{number}"}
    properties = {"id": f"{plan.prefix}-zone-{number}", "lifeline": "gas", **names}
    return _feature(properties, {"type": "Polygon", "coordinates": [ring]})


def _junction(plan: LoadPlan, gateway: int, owner: str) -> dict[str, Any]:
    names = {"name_en": f"Load test {gateway}", "name_zh": f"负载测试{gateway}"}
    properties = {
        "id": _asset(plan, gateway),
        "lifeline": "gas",
        "kind": "junction",
        "zone": f"{plan.prefix}-zone-{gateway % _ZONES}",
        **names,
        "organisation": owner,
    }
    return _feature(properties, {"type": "Point", "coordinates": list(_position(gateway))})


def _feature(properties: dict[str, Any], geometry: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _rows(path: Path, header: str, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def _features(path: Path, features: Sequence[dict[str, Any]]) -> None:
    content = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
