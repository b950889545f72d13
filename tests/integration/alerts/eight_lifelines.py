"""A tiny city with all eight lifelines, each with an owner and a regulator, and deadlines of seconds for its orders."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.core.lifeline import Lifeline
from tests.integration.alerts.tiny_city import SENSORS, write_tiny_city

_MORE_SENSORS = (
    "D-1,drainage,manhole_level,m,MH-1,117.000,31.020,60,\n",
    "S-1,bridge,strain,µε,BR-1,117.000,31.030,60,\n",
)
_LIMITS = """sensor,severity,side,raise_at,clear_at
P-1,4,below,150,200
D-1,4,above,2,1.5
S-1,4,above,300,250
"""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong at one place; without a sensor a patrol tells of it."""

    lifeline: Lifeline
    asset: str
    sensor: str | None = None
    normal: float = 0.0
    bad: float = 0.0

    @property
    def owner(self) -> str:
        """Who has to see to it."""
        return f"{self.lifeline}-company"

    @property
    def regulator(self) -> str:
        """Who watches the owner."""
        return f"{self.lifeline}-regulator"


TROUBLES = (
    Trouble(Lifeline.GAS, "US-1", "M-1", 1.0, 60.0),
    Trouble(Lifeline.WATER, "WJ-1", "P-1", 320.0, 60.0),
    Trouble(Lifeline.DRAINAGE, "MH-1", "D-1", 0.3, 2.6),
    Trouble(Lifeline.BRIDGE, "BR-1", "S-1", 40.0, 420.0),
    Trouble(Lifeline.HEAT, "HP-1"),
    Trouble(Lifeline.TUNNEL, "TU-1"),
    Trouble(Lifeline.POWER, "SU-1"),
    Trouble(Lifeline.TELECOM, "TC-1"),
)
_PLACES = {"HP-1": (117.000, 31.032), "TU-1": (117.001, 31.032), "SU-1": (117.002, 31.032), "TC-1": (117.003, 31.032)}


def write_eight_lifelines(folder: Path) -> Path:
    """Write the city folder and return it."""
    write_tiny_city(folder, (*SENSORS, *_MORE_SENSORS))
    _write_organisations(folder / "organisations.csv")
    (folder / "thresholds.csv").write_text(_LIMITS, encoding="utf-8")
    unwatched = [trouble for trouble in TROUBLES if trouble.sensor is None]
    _add_features(folder / "zones.geojson", [_zone(trouble) for trouble in unwatched])
    _add_features(folder / "assets.geojson", [_asset(trouble) for trouble in unwatched])
    assets = json.loads((folder / "assets.geojson").read_text(encoding="utf-8"))
    for feature in assets["features"]:
        feature["properties"]["organisation"] = f"{feature['properties']['lifeline']}-company"
    (folder / "assets.geojson").write_text(json.dumps(assets, ensure_ascii=False), encoding="utf-8")
    return folder


def _write_organisations(path: Path) -> None:
    everything = " ".join(Lifeline)
    lines = ["id,name_en,name_zh,role,lifelines"]
    lines += [
        f"centre,Centre,监测中心,centre,{everything}",
        f"emergency,Emergency bureau,应急管理局,emergency,{everything}",
    ]
    for lifeline in Lifeline:
        lines.append(f"{lifeline}-company,{lifeline} company,{lifeline}公司,owner,{lifeline}")
        lines.append(f"{lifeline}-regulator,{lifeline} regulator,{lifeline}管理处,regulator,{lifeline}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _add_features(path: Path, features: Sequence[dict[str, Any]]) -> None:
    collection = json.loads(path.read_text(encoding="utf-8"))
    collection["features"] += features
    path.write_text(json.dumps(collection, ensure_ascii=False), encoding="utf-8")


def _zone_of(trouble: Trouble) -> str:
    return f"{trouble.lifeline}-1"


def _zone(trouble: Trouble) -> dict[str, Any]:
    ring = [[117.0, 31.0], [117.01, 31.0], [117.01, 31.04], [117.0, 31.0]]
    named = {"name_en": f"Zone of {trouble.lifeline}", "name_zh": f"{trouble.lifeline}片区"}
    return {
        "type": "Feature",
        "properties": {"id": _zone_of(trouble), "lifeline": trouble.lifeline, **named},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def _asset(trouble: Trouble) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {
            "id": trouble.asset,
            "lifeline": trouble.lifeline,
            "kind": "place",
            "zone": _zone_of(trouble),
            "name_en": f"Place {trouble.asset}",
            "name_zh": f"设施{trouble.asset}",
        },
        "geometry": {"type": "Point", "coordinates": list(_PLACES[trouble.asset])},
    }
