"""Writes a drawn town as a recording: register, permits, readings and truth."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from simulators.city import Asset, Fact, LonLat, Words
from simulators.city_folder import asset_feature
from simulators.gas_benchmark.case import CASES, LEARNT_H, MIXED, SLOT_H, Case, draw_cases, place_of
from simulators.gas_benchmark.instruments import (
    SPACE_MIN,
    Channel,
    report_guards,
    report_network,
    report_spaces,
)
from simulators.gas_benchmark.methane import SpaceRun, run_spaces
from simulators.gas_benchmark.pressures import run_network
from simulators.gas_benchmark.scene import Scene
from simulators.gas_benchmark.town import Town, draw_town
from simulators.gas_benchmark.weather import draw_weather
from simulators.truth import rfc3339

HOURS = LEARNT_H + CASES * SLOT_H
ALARMING_LEL = 20.0
MET_LEL = 1.0
"""Gas from a leak that a device can be said to have met: below it lie its resolution and its own errors."""
SENSOR_COLUMNS = ("sensor", "lifeline", "quantity", "unit", "asset", "lon", "lat", "interval_s")
TRUTH_COLUMNS = ("id", "kind", "asset", "start", "end", "peak", "unit", "note")
_WORKS_COLUMNS = ("id", "start", "end", "lon", "lat", "radius_m", "what", "contractor")
_DAY_MIN = 1440


@dataclass(frozen=True, slots=True)
class Written:
    """How large a recording has become."""

    mains: int
    spaces: int
    devices: int
    cases: int
    readings: int


@dataclass(frozen=True, slots=True)
class Record:
    """A town with all that happens in it, before it is written."""

    town: Town
    start: datetime
    cases: tuple[Case, ...]
    gas: SpaceRun
    channels: list[Channel]


def draw_record(name: str, seed: int, number: int, cast: str = MIXED) -> Record:
    """Town ``number`` of a seed and three weeks of a cast of cases in it; the same arguments give the same record."""
    town_rng, case_rng, sky_rng, pipe_rng, soil_rng, device_rng = np.random.default_rng([seed, number]).spawn(6)
    town = draw_town(name, number, town_rng)
    cases = draw_cases(town, case_rng, cast)
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=int(sky_rng.integers(0, 340)))
    hours = np.arange(round(HOURS * 60 / SPACE_MIN)) * SPACE_MIN / 60
    weather = draw_weather(start.timetuple().tm_yday, len(hours), SPACE_MIN / 60, sky_rng)
    scene = Scene(town, cases, weather, hours)
    network = run_network(scene, pipe_rng)
    gas = run_spaces(scene, network.leak_m3h, soil_rng)
    channels = report_spaces(scene, gas, device_rng)
    channels += report_guards(scene, device_rng)
    channels += report_network(scene, network, device_rng)
    return Record(town, start, cases, gas, channels)


def record_town(folder: Path, name: str, seed: int, number: int, cast: str = MIXED) -> Written:
    """Write the recording of a town; the same arguments give the same bytes."""
    record = draw_record(name, seed, number, cast)
    town, start = record.town, record.start
    (folder / "readings").mkdir(parents=True, exist_ok=True)
    scored = start + timedelta(hours=LEARNT_H), start + timedelta(hours=HOURS)
    lines = [
        f'name = "{name}"',
        'lifeline = "gas"',
        'timezone = "Asia/Shanghai"',
        'network = "network.geojson"',
        'readings = "readings/*.csv.gz"',
        f'source = "simulated: drawn town, seed {seed}, number {number}"',
        f'scored = ["{rfc3339(scored[0])}", "{rfc3339(scored[1])}"]',
    ]
    (folder / "recording.toml").write_text("\n".join(lines) + "\n", "utf-8")
    _write_network(folder / "network.geojson", town)
    rows = [
        (c.id, "gas", c.quantity, c.unit, c.asset, *town.projection.lon_lat(c.place), c.interval_min * 60)
        for c in record.channels
    ]
    write_rows(folder / "sensors.csv", SENSOR_COLUMNS, rows)
    write_rows(folder / "works.csv", _WORKS_COLUMNS, _permits(record))
    truth = [_truth(record, case, k) for k, case in enumerate(record.cases, start=1)]
    write_rows(folder / "truth.csv", TRUTH_COLUMNS, truth)
    readings = _write_readings(folder / "readings", start, record.channels)
    return Written(len(town.mains), len(town.spaces), len(town.devices), len(record.cases), readings)


def _moment(start: datetime, hour: float) -> str:
    return rfc3339(start + timedelta(seconds=round(hour * 3600)))


def _truth(record: Record, case: Case, number: int) -> tuple[object, ...]:
    town = record.town
    peak, unit, note = case.size, case.unit, case.mode
    if case.kind == "gas-leak":
        peak, unit, note = _leak_truth(record, case)
    elif case.kind in {"works", "main-break"}:
        note = "; ".join(part for part in (case.mode, _at(town, case)) if part)
    asset = _asset_of(town, case)
    times = _moment(record.start, case.begins_h), _moment(record.start, case.ends_h)
    return f"{case.kind}-{number}", case.kind, asset, *times, peak, unit, note


def _leak_truth(record: Record, case: Case) -> tuple[float, str, str]:
    """The highest %LEL in any space while it leaks; the note tells when 20 %LEL is passed in the first two, and more.

    It tells the hole, where it is, the highest at a device, and when any device has first met gas twice in a row:
    before, devices hardly tell of it.
    """
    step_h = SPACE_MIN / 60
    begin, end = round(case.begins_h / step_h), round(case.ends_h / step_h)
    levels = record.gas.settled_lel[begin:end]
    passed = [(int(np.argmax(c >= ALARMING_LEL)), k) for k, c in enumerate(levels.T) if c.max() >= ALARMING_LEL]
    parts = [
        f"{order} 20 %LEL {record.town.spaces[space].id} {_moment(record.start, (begin + step) * step_h)}"
        for order, (step, space) in zip(("first", "second"), sorted(passed), strict=False)
    ]
    parts += [f"hole {case.size:g} mm", _at(record.town, case)]
    if case.mode:
        parts.append(case.mode)
    watched = record.gas.leaked_lel[begin:end, list(record.town.devices)]
    parts.append(f"highest at a device {min(100.0, float(watched.max())):.1f} %LEL")
    met = (watched[1:] >= MET_LEL) & (watched[:-1] >= MET_LEL)
    if met.any():
        # The second of two reports: one alone may be anything.
        step = begin + 1 + int(np.argmax(met.any(axis=1)))
        parts.append(f"met {MET_LEL:g} %LEL at a device {_moment(record.start, step * step_h)}")
    return round(float(levels.max()), 1), "%LEL", "; ".join(parts)


def _at(town: Town, case: Case) -> str:
    lon, lat = town.projection.lon_lat(place_of(case, town))
    return f"at {lon} {lat}"


def _asset_of(town: Town, case: Case) -> str:
    if case.kind in {"gas-leak", "works", "main-break"}:
        return town.mains[case.number].id
    if case.kind == "regulator-fault":
        return f"RS-{case.number + 1}"
    return f"GJ-{case.number + 1:02d}" if case.kind == "demand-peak" else town.spaces[case.number].id


def _permits(record: Record) -> list[tuple[object, ...]]:
    """Permits of the permitted works: a day wide, as they are issued, and not to the metre."""
    rows: list[tuple[object, ...]] = []
    for number, case in enumerate(record.cases, start=1):
        if case.kind == "works" and case.mode == "permitted":
            times = _moment(record.start, case.begins_h - 2), _moment(record.start, case.ends_h + 4)
            place = record.town.projection.lon_lat(place_of(case, record.town))
            rows.append((f"WP-{number}", *times, *place, 40, "excavation", "Demo Civil Works"))
    return rows


def _write_network(path: Path, town: Town) -> None:
    features = [asset_feature(asset) for asset in _assets(town)]
    network: dict[str, Any] = {"type": "FeatureCollection", "features": features, "links": _links(town)}
    path.write_text(json.dumps(network, ensure_ascii=False), "utf-8")


def _assets(town: Town) -> list[Asset]:
    def asset(ident: str, kind: str, name: Words, points: Sequence[LonLat], facts: dict[str, Fact]) -> Asset:
        return Asset(ident, "gas", kind, town.name, name, "", tuple(points), facts)

    place = town.projection.lon_lat
    made = [
        asset(_node(town, k), _node_kind(town, k), *_node_words(town, k, place(at))) for k, at in enumerate(town.nodes)
    ]
    for main in town.mains:
        facts: dict[str, Fact] = {
            "diameter_mm": main.diameter_mm,
            "material": main.material,
            "built": main.built,
            "pressure_kpa": town.outlet_kpa,
            "depth_m": main.depth_m,
            "surface": "paved" if main.ground.is_paved else "green",
            "soil": main.ground.soil,
            "length_m": round(main.length_m, 1),
        }
        words = Words(f"Gas main {main.id}", f"燃气管{main.id}")
        made.append(asset(main.id, "pipe", words, [place(p) for p in main.line], facts))
    for space in town.spaces:
        cover = "vented" if space.is_vented else "sealed"
        facts = {"space": space.sort, "volume_m3": space.volume_m3, "depth_m": space.depth_m, "cover": cover}
        words = Words(f"{space.sort} {space.id}", f"地下空间{space.id}")
        made.append(asset(space.id, "underground-space", words, [place(space.place)], facts))
    for house in town.houses:
        facts = {"use": house.use, "people": house.people, "households": house.households}
        words = Words(f"Building {house.id}", f"建筑{house.id}")
        made.append(asset(house.id, "building", words, [place(house.place)], facts))
    return made


def _node(town: Town, node: int) -> str:
    return f"RS-{town.regulators.index(node) + 1}" if node in town.regulators else f"GJ-{node + 1:02d}"


def _node_kind(town: Town, node: int) -> str:
    return "regulator" if node in town.regulators else "junction"


def _node_words(town: Town, node: int, at: LonLat) -> tuple[Words, list[LonLat], dict[str, Fact]]:
    ident = _node(town, node)
    if node in town.regulators:
        return Words(f"Regulator {ident}", f"调压站{ident}"), [at], {"outlet_kpa": town.outlet_kpa}
    return Words(f"Junction {ident}", f"节点{ident}"), [at], {"base_demand_m3h": town.demand_m3h[node]}


def _links(town: Town) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = []
    for main in town.mains:
        one, other = (_node(town, end) for end in main.ends)
        links.append({"source": one, "target": main.id, "kind": "flow", "length_m": 0.0})
        links.append({"source": main.id, "target": other, "kind": "flow", "length_m": round(main.length_m, 1)})
    if town.says_ways:
        links += [{"source": a, "target": b, "kind": "adjacent", "length_m": m} for a, b, m in town.ways()]
    return links


def _write_readings(folder: Path, start: datetime, channels: Sequence[Channel]) -> int:
    """One wide file a day; a sensor's column is empty where it does not report."""
    count = 0
    for day in range(round(HOURS * 60 / _DAY_MIN)):
        date = start + timedelta(days=day)
        columns = [_of_day(channel, day) for channel in channels]
        count += sum(sum(cell != "" for cell in column) for column in columns)
        rows = zip(*(_spread(column, c.interval_min) for column, c in zip(columns, channels, strict=True)), strict=True)
        with (
            (folder / f"{date.date().isoformat()}.csv.gz").open("wb") as raw,
            gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="") as file,
        ):
            file.write(",".join(("time", *(c.id for c in channels))) + "\n")
            for minute, row in enumerate(rows):
                file.write(f"{rfc3339(date + timedelta(minutes=minute))},{','.join(row)}\n")
    return count


def _of_day(channel: Channel, day: int) -> list[str]:
    rows = _DAY_MIN // channel.interval_min
    values = channel.values[day * rows : (day + 1) * rows].tolist()
    return ["" if value != value else f"{value:g}" for value in values]  # noqa: PLR0124 - NaN is not itself


def _spread(cells: list[str], interval_min: int) -> list[str]:
    """The cells of a day at their minutes, empty ones between them."""
    if interval_min == 1:
        return cells
    gap = [""] * (interval_min - 1)
    return [cell for value in cells for cell in (value, *gap)]


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table of the recording."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
