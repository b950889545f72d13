"""A city of a few assets, written by hand: one zone per lifeline, organisations with every role."""

import json
from pathlib import Path
from typing import Any

_PLACES = {
    "GR-1": (117.000, 31.000),
    "GV-1": (117.001, 31.000),
    "GP-1": (117.002, 31.000),
    "GV-2": (117.003, 31.000),
    "GP-2": (117.004, 31.000),
    "US-1": (117.002, 31.00003),
    "US-2": (117.004, 31.00003),
    "WR-1": (117.000, 31.010),
    "WV-1": (117.001, 31.010),
    "WP-1": (117.002, 31.010),
    "WJ-1": (117.003, 31.010),
    "MH-1": (117.000, 31.020),
    "OF-1": (117.001, 31.020),
    "BR-1": (117.000, 31.030),
}
_KINDS = {
    "GR": ("gas", "regulator", "G1"),
    "GV": ("gas", "valve", "G1"),
    "GP": ("gas", "pipe", "G1"),
    "US": ("gas", "underground-space", "G1"),
    "WR": ("water", "reservoir", "W1"),
    "WV": ("water", "valve", "W1"),
    "WP": ("water", "pipe", "W1"),
    "WJ": ("water", "junction", "W1"),
    "MH": ("drainage", "manhole", "D1"),
    "OF": ("drainage", "outfall", "D1"),
    "BR": ("bridge", "bridge", "B1"),
}
_OWNERS = {"gas": "gas-company", "water": "water-company"}
_ORGANISATIONS = """id,name_en,name_zh,role,lifelines
centre,Monitoring centre,监测中心,centre,gas water drainage bridge
gas-company,Gas company,燃气公司,owner,gas
second-gas-company,Second gas company,第二燃气公司,owner,gas
water-company,Water company,供水公司,owner,water
gas-regulator,Gas regulator,燃气管理处,regulator,gas
water-regulator,Water regulator,供水管理处,regulator,water
emergency,Emergency bureau,应急管理局,emergency,gas water drainage bridge
"""
_PEOPLE = "id,organisation,name,post_en,post_zh,phone\nperson-1,centre,An Yiming,Duty operator,值班员,555-0101\n"
_LINKS = """source,target,kind,length_m
GR-1,GV-1,flow,95
GV-1,GP-1,flow,0
GP-1,GV-2,flow,95
GV-2,GP-2,flow,0
GP-1,US-1,adjacent,3
GP-2,US-2,adjacent,4
WR-1,WV-1,flow,95
WV-1,WP-1,flow,0
WP-1,WJ-1,flow,95
MH-1,OF-1,flow,95
"""
_SENSOR_HEADER = "sensor,lifeline,quantity,unit,asset,lon,lat,interval_s,gateway\n"
SENSORS = (
    "M-1,gas,methane,%LEL,US-1,117.002,31.00003,60,\n",
    "M-2,gas,methane,%LEL,US-2,117.004,31.00003,60,\n",
    "P-1,water,pressure,kPa,WJ-1,117.003,31.010,60,\n",
)
THIRD_METHANE = "M-3,gas,methane,%LEL,US-2,117.004,31.00003,60,\n"


def write_tiny_city(folder: Path, sensors: tuple[str, ...] = SENSORS) -> Path:
    """Write the city folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = 'id = "tiny"\nname_en = "Tiny City"\nname_zh = "小市"\ntimezone = "Asia/Shanghai"\n'
    texts = {
        "city.toml": settings + "longitude = 117.0\nlatitude = 31.0\n",
        "organisations.csv": _ORGANISATIONS,
        "people.csv": _PEOPLE,
        "links.csv": _LINKS,
        "sensors.csv": _SENSOR_HEADER + "".join(sensors),
        "zones.geojson": _collection([_zone(*zone) for zone in sorted({(k[0], k[2]) for k in _KINDS.values()})]),
        "assets.geojson": _collection([_asset(asset) for asset in _PLACES]),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _collection(features: list[dict[str, Any]]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def _zone(lifeline: str, zone: str) -> dict[str, Any]:
    ring = [[117.0, 31.0], [117.01, 31.0], [117.01, 31.04], [117.0, 31.0]]
    return {
        "type": "Feature",
        "properties": {"id": zone, "lifeline": lifeline, "name_en": f"Zone {zone}", "name_zh": f"片区{zone}"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def _asset(asset: str) -> dict[str, Any]:
    lifeline, kind, zone = _KINDS[asset[:2]]
    facts = {"material": "cast iron", "built": 1994} if kind == "pipe" else {}
    return {
        "type": "Feature",
        "properties": {
            "id": asset,
            "lifeline": lifeline,
            "kind": kind,
            "zone": zone,
            "name_en": f"{kind} {asset}",
            "name_zh": f"设施{asset}",
            "organisation": _OWNERS.get(lifeline, ""),
            **facts,
        },
        "geometry": {"type": "Point", "coordinates": list(_PLACES[asset])},
    }
