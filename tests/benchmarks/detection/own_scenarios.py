"""Recordings of our own simulator: leaks of several sizes and places, things that look like leaks, and quiet weeks.

Everything is drawn from a seed: the city, its noise, what happens where and when. The seeds from 9301 on are used
nowhere else, neither in tests nor where a threshold was chosen; 7301 to 7303 were, for the neighbours of a zone.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from simulators.city import City
from simulators.city_folder import read_city
from simulators.demo_city.folder import write_city
from simulators.recording import record_scenario

FIRST_SEED = 9301
CITIES = 2
"""How many cities have leaks in a round; they also share everything else."""
START = datetime(2026, 3, 2, tzinfo=UTC)
_DAY_MIN = 24 * 60.0
_HOLES_MM = (10, 15, 20, 30, 45)
"""About 5 to 95 m3/h at 40 m of head: from a leak worth listening for to a burst."""
_ABRUPT = 6
_GROWING = 5
_RECOVERY_MIN = 1.0 * _DAY_MIN
"""Between a repair and the next leak; an alert in this time is a false one."""
_GAS_HOLES_MM = (1, 2, 4, 8)
_RAIN_MM_H = (30, 60, 90, 120)
_TRUCKS_T = (58, 66, 80, 95)

Injections = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A recording to write: what happens in a lifeline of the city of ``seed``, after normal days to learn from."""

    name: str
    lifeline: str
    seed: int
    history: timedelta
    step: timedelta
    days: float
    draw: Callable[[City, random.Random], Injections]


def drawn(rounds: int = 1) -> Iterator[Drawn]:
    """What is recorded; every further round takes other cities, places and times."""
    slow, quick = timedelta(minutes=5), timedelta(minutes=1)
    history, days = timedelta(days=9), timedelta(days=2.5)
    for round_ in range(rounds):
        seeds = [FIRST_SEED + round_ * CITIES + number for number in range(CITIES)]
        for seed in seeds:
            yield Drawn(f"water-leaks-{seed}", "water", seed, history, slow, _LEAK_DAYS, _leaks)
        first = seeds[0]
        yield Drawn(f"water-quiet-{first}", "water", first, history, slow, 21, _nothing)
        yield Drawn(f"water-lookalikes-{seeds[1]}", "water", seeds[1], history, slow, len(_LOOKALIKES), _lookalikes)
        yield Drawn(f"gas-{first}", "gas", first, days, quick, 2, _methane)
        yield Drawn(f"drainage-{first}", "drainage", first, days, quick, 2, _storms)
        yield Drawn(f"bridge-{first}", "bridge", first, days, quick, 2, _trucks)


def recorded(plan: Drawn, folder: Path) -> Path:
    """Write the recording below ``folder``, unless it is there, and return where it lies."""
    city_folder, path = folder / f"city-{plan.seed}", folder / plan.name
    if (path / "complete").exists():
        return path
    if not city_folder.exists():
        write_city(city_folder, plan.seed)
    city = read_city(city_folder)
    chance = random.Random(plan.name)  # noqa: S311  # reproducible draws
    scenario = folder / f"{plan.name}.toml"
    scenario.write_text(_toml(plan, plan.draw(city, chance)), "utf-8")
    record_scenario(
        path, city_folder, scenario, START, plan.history, step=plan.step, seed=plan.seed, lifelines=(plan.lifeline,)
    )
    (path / "complete").touch()
    return path


def _toml(plan: Drawn, injections: Sequence[Mapping[str, Any]]) -> str:
    lines = [f'id = "{plan.name}"', f'name_en = "{plan.name}"', f'name_zh = "{plan.name}"']
    lines.append(f"length_min = {plan.days * _DAY_MIN}")
    for injection in injections:
        lines += ["", "[[injections]]", *(f"{field} = {json.dumps(value)}" for field, value in injection.items())]
    return "\n".join(lines) + "\n"


def _nothing(_city: City, _chance: random.Random) -> Injections:
    return []


# Leaks: abrupt ones for a day and a quarter, growing ones for three days of which they grow for two.

_ABRUPT_MIN, _GROWING_MIN, _GROWTH_MIN = 1.25 * _DAY_MIN, 3 * _DAY_MIN, 2 * _DAY_MIN
_LEAK_DAYS = (_ABRUPT * (_ABRUPT_MIN + _RECOVERY_MIN) + _GROWING * (_GROWING_MIN + _RECOVERY_MIN)) / _DAY_MIN + 1


def _leaks(city: City, chance: random.Random) -> Injections:
    zones = sorted({asset.zone for asset in city.assets_of("water", "pipe")})
    pipes = {zone: [pipe.id for pipe in city.assets_of("water", "pipe") if pipe.zone == zone] for zone in zones}
    sizes = [hole for hole in _HOLES_MM for _ in range(2)] + [chance.choice(_HOLES_MM)]
    growing = [True] * _GROWING + [False] * _ABRUPT
    chance.shuffle(sizes)
    chance.shuffle(growing)
    found: Injections = []
    at_min = _RECOVERY_MIN / 2
    for number, (hole_mm, grows) in enumerate(zip(sizes, growing, strict=True)):
        start_min = at_min + chance.uniform(0, _RECOVERY_MIN / 4)
        end_min = start_min + (_GROWING_MIN if grows else _ABRUPT_MIN)
        found.append(
            {
                "id": f"{'growing' if grows else 'abrupt'}-{hole_mm}-{number}",
                "kind": "pipe-leak",
                "asset": chance.choice(pipes[zones[number % len(zones)]]),
                "hole_mm": hole_mm,
                "growth_min": _GROWTH_MIN if grows else 0.0,
                "position": round(chance.uniform(0.1, 0.9), 2),
                "start_min": round(start_min),
                "end_min": round(end_min),
                "note": "growing" if grows else "abrupt",
            }
        )
        at_min = end_min + 0.75 * _RECOVERY_MIN
    return found


# What may look like a leak, one a day.


def _hydrant(city: City, chance: random.Random) -> dict[str, Any]:
    asset = chance.choice(city.assets_of("water", "hydrant")).id
    return {"kind": "hydrant-use", "asset": asset, "flow_m3h": chance.choice((18, 36, 72)), "end_min": 120}


def _valve(city: City, chance: random.Random) -> dict[str, Any]:
    return {"kind": "valve-shut", "asset": chance.choice(city.assets_of("water", "valve")).id, "end_min": 720}


def _pumps(city: City, chance: random.Random) -> dict[str, Any]:
    change_m = chance.choice((-8, -5, 5))
    reservoir = chance.choice(city.assets_of("water", "reservoir")).id
    return {
        "kind": "pump-schedule",
        "asset": reservoir,
        "head_change_m": change_m,
        "ramp_min": 20,
        "end_min": 420,
    }


def _fault(
    fault: str, size: float, quantity: str = "pressure", lasts_min: float = 720
) -> Callable[..., dict[str, Any]]:
    def draw(city: City, chance: random.Random) -> dict[str, Any]:
        sensors = [sensor.id for sensor in city.sensors_of("water") if sensor.quantity == quantity]
        sensor = chance.choice(sensors)
        return {"kind": "sensor-fault", "sensor": sensor, "fault": fault, "size": size, "end_min": lasts_min}

    return draw


def _outage(city: City, chance: random.Random) -> dict[str, Any]:
    gateway = chance.choice(sorted({sensor.gateway for sensor in city.sensors_of("water")}))
    return {"kind": "gateway-outage", "gateway": gateway, "end_min": 60}


_LOOKALIKES: tuple[Callable[..., dict[str, Any]], ...] = (
    *(_hydrant,) * 4,
    *(_valve,) * 3,
    *(_pumps,) * 3,
    *(_fault("drift", -0.5),) * 2,
    _fault("drift", 0.5),
    *(_fault("stuck", 0.0),) * 2,
    _fault("stuck", 0.0, "flow"),
    *(_fault("noise", 6.0),) * 2,
    _fault("spikes", 150.0),
    _fault("out-of-range", -9999.0),
    *(_fault("outage", 0.0),) * 2,
    _outage,
)
"""Drifts are in kPa an hour, noise in kPa of standard deviation."""


def _lookalikes(city: City, chance: random.Random) -> Injections:
    kinds = list(_LOOKALIKES)
    chance.shuffle(kinds)
    found: Injections = []
    for day, kind in enumerate(kinds):
        injection = kind(city, chance)
        start_min = round(day * _DAY_MIN + chance.uniform(0, 0.4 * _DAY_MIN))
        name = f"{injection['kind']}-{day}"
        found.append({"id": name, **injection, "start_min": start_min, "end_min": start_min + injection["end_min"]})
    return found


# The other lifelines.


def _methane(city: City, chance: random.Random) -> Injections:
    """Leaks beside spaces that have a sensor."""
    watched = {sensor.asset for sensor in city.sensors_of("gas") if sensor.quantity == "methane"}
    beside = [link for link in city.links if link.kind == "adjacent" and link.target in watched]
    mains = {pipe.id for pipe in city.assets_of("gas", "pipe")}
    chosen = chance.sample([link for link in beside if link.source in mains], 2 * len(_GAS_HOLES_MM))
    return [
        {
            "id": f"gas-leak-{hole_mm}mm-{number}",
            "kind": "gas-leak",
            "asset": link.source,
            "near": link.target,
            "hole_mm": hole_mm,
            "start_min": 60 + number * 330,
            "end_min": 60 + number * 330 + 150,
        }
        for number, (link, hole_mm) in enumerate(zip(chosen, _GAS_HOLES_MM * 2, strict=True))
    ]


def _storms(_city: City, chance: random.Random) -> Injections:
    peaks = list(_RAIN_MM_H)
    chance.shuffle(peaks)
    return [
        {
            "id": f"cloudburst-{peak}",
            "kind": "cloudburst",
            "peak_mm_h": peak,
            "start_min": 60 + number * 660,
            "end_min": 60 + number * 660 + 50,
        }
        for number, peak in enumerate(peaks)
    ]


def _trucks(city: City, chance: random.Random) -> Injections:
    watched = sorted({sensor.asset for sensor in city.sensors_of("bridge") if sensor.quantity == "vehicle_weight"})
    return [
        {
            "id": f"overload-{weight_t}",
            "kind": "overload",
            "asset": chance.choice(watched),
            "weight_t": weight_t,
            "start_min": 120 + number * 600,
            "end_min": 120 + number * 600 + 4,
        }
        for number, weight_t in enumerate(_TRUCKS_T)
    ]
