"""Writes a drawn feeder as a recording: register, readings by the second, truth."""

import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from simulators.city import Asset, Fact, LonLat, Words
from simulators.city_folder import asset_feature
from simulators.gas_benchmark.feeder import (
    DAYS,
    FLOW_S,
    LEAKS,
    LEARNT_DAYS,
    DrawnFeeder,
    FeederCase,
    FeederRun,
    draw_feeder,
    run_feeder,
)
from simulators.gas_benchmark.recording import SENSOR_COLUMNS, TRUTH_COLUMNS, write_rows
from simulators.truth import rfc3339

_ORIGIN = (117.2, 31.8)
_DEGREES_PER_M = 1e-5
_DAY_S = 86_400


def record_feeder(folder: Path, name: str, seed: int, number: int) -> tuple[int, int]:
    """Write feeder ``number`` of a seed; answers how many cases and readings it holds. Same arguments, same bytes."""
    draw_rng, run_rng, sky_rng = np.random.default_rng([seed, number]).spawn(3)
    feeder = draw_feeder(draw_rng)
    run = run_feeder(feeder, run_rng)
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=int(sky_rng.integers(0, 340)))
    (folder / "readings").mkdir(parents=True, exist_ok=True)
    scored = start + timedelta(days=LEARNT_DAYS), start + timedelta(days=DAYS)
    lines = [
        f'name = "{name}"',
        'lifeline = "gas"',
        'timezone = "Asia/Shanghai"',
        'network = "network.geojson"',
        'readings = "readings/*.csv.gz"',
        f'source = "simulated: drawn feeder, seed {seed}, number {number}"',
        f'scored = ["{rfc3339(scored[0])}", "{rfc3339(scored[1])}"]',
    ]
    (folder / "recording.toml").write_text("\n".join(lines) + "\n", "utf-8")
    _write_network(folder / "network.geojson", feeder, name)
    write_rows(folder / "sensors.csv", SENSOR_COLUMNS, _sensors(feeder))
    truth = [_truth(feeder, case, start, k) for k, case in enumerate(feeder.cases, start=1)]
    write_rows(folder / "truth.csv", TRUTH_COLUMNS, truth)
    return len(feeder.cases), _write_readings(folder / "readings", start, run)


def _station(number: int) -> str:
    return f"FS-{number + 1}"


def _main(number: int) -> str:
    return f"FM-{number + 1}"


def _place(feeder: DrawnFeeder, node: int) -> LonLat:
    return round(_ORIGIN[0] + node * feeder.main.cell_m * _DEGREES_PER_M, 6), _ORIGIN[1]


def _sensors(feeder: DrawnFeeder) -> list[tuple[object, ...]]:
    """A gauge at every station, a meter at both ends."""
    rows: list[tuple[object, ...]] = [
        (f"{_station(k)}-p", "gas", "feeder_pressure", "kPa", _station(k), *_place(feeder, node), 1)
        for k, node in enumerate(feeder.gauges)
    ]
    for k in (0, len(feeder.gauges) - 1):
        place = _place(feeder, feeder.gauges[k])
        rows.append((f"{_station(k)}-q", "gas", "feeder_flow", "m3/h", _station(k), *place, FLOW_S))
    return rows


def _write_network(path: Path, feeder: DrawnFeeder, zone: str) -> None:
    def asset(ident: str, kind: str, name: Words, points: tuple[LonLat, ...], facts: dict[str, Fact]) -> Asset:
        return Asset(ident, "gas", kind, zone, name, "", points, facts)

    last = len(feeder.gauges) - 1
    assets, links = [], []
    for k, node in enumerate(feeder.gauges):
        kind = "valve" if 0 < k < last else "station"
        assets.append(asset(_station(k), kind, Words(f"Station {k + 1}", f"{k + 1}号站"), (_place(feeder, node),), {}))
    for k, (begin, end) in enumerate(zip(feeder.gauges, feeder.gauges[1:], strict=False)):
        length_m = round((end - begin) * feeder.main.cell_m, 1)
        facts: dict[str, Fact] = {"diameter_mm": round(feeder.main.diameter_m * 1000), "length_m": length_m}
        points = (_place(feeder, begin), _place(feeder, end))
        assets.append(asset(_main(k), "pipe", Words(f"Feeder part {k + 1}", f"干线{k + 1}段"), points, facts))
        links.append({"source": _station(k), "target": _main(k), "kind": "flow", "length_m": 0.0})
        links.append({"source": _main(k), "target": _station(k + 1), "kind": "flow", "length_m": length_m})
    network: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [asset_feature(each) for each in assets],
        "links": links,
    }
    path.write_text(json.dumps(network, ensure_ascii=False), "utf-8")


def _truth(feeder: DrawnFeeder, case: FeederCase, start: datetime, number: int) -> tuple[object, ...]:
    """A leak tells its hole and where it is, in metres from the inlet; the others their share."""
    is_leak = case.kind in LEAKS
    asset = _main(feeder.part_of(case.node)) if is_leak else _station(0)
    note = f"at {case.node * feeder.main.cell_m:.0f} m" if is_leak else ""
    times = (rfc3339(start + timedelta(seconds=at_s)) for at_s in (case.begins_s, case.ends_s))
    return f"{case.kind}-{number}", case.kind, asset, *times, round(case.size, 4), "mm" if is_leak else "1", note


def _write_readings(folder: Path, start: datetime, run: FeederRun) -> int:
    """A wide file a day. A flow is the mean of the ten seconds before."""
    gauges = run.pressures_kpa.shape[1]
    header = [f"{_station(k)}-p" for k in range(gauges)] + [f"{_station(k)}-q" for k in (0, gauges - 1)]
    for day in range(DAYS):
        date = start + timedelta(days=day)
        with (
            (folder / f"{date.date().isoformat()}.csv.gz").open("wb") as raw,
            gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="") as file,
        ):
            file.write(",".join(("time", *header)) + "\n")
            for second in range(day * _DAY_S, (day + 1) * _DAY_S):
                cells = [f"{value:g}" for value in run.pressures_kpa[second].tolist()]
                ended, rest = divmod(second + 1, FLOW_S)
                flows = ["", ""] if rest else [f"{run.inflow_m3h[ended - 1]:g}", f"{run.outflow_m3h[ended - 1]:g}"]
                file.write(f"{rfc3339(start + timedelta(seconds=second + 1))},{','.join((*cells, *flows))}\n")
    return run.pressures_kpa.size + run.inflow_m3h.size + run.outflow_m3h.size
