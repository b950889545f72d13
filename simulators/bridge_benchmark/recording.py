"""Writes drawn bridges as recordings: the healthy one, and one for each thing that may happen to it."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from simulators.bridge_benchmark.case import HEALTHY, Case, draw_cases, readings_of
from simulators.bridge_benchmark.drawn_bridge import DrawnBridge, draw_bridge
from simulators.city import Asset, Words
from simulators.city_folder import asset_feature
from simulators.noise import Vector
from simulators.truth import rfc3339

START = datetime(2024, 1, 1, tzinfo=UTC)
_LONGITUDE, _LATITUDE = 117.2, 31.8
_SENSOR_COLUMNS = ("sensor", "lifeline", "quantity", "unit", "asset", "lon", "lat", "interval_s")
_TRUTH_COLUMNS = ("id", "kind", "asset", "start", "end", "peak", "unit", "note")
_DIGITS = {"spectral_peak": 5, "tilt": 5, "acceleration": 4, "crack_width": 4}


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a recording is, how much of it is healthy for sure and may be learnt from, and how often is read."""

    days: int = 400
    learnt_days: int = 365
    step_s: int = 3600

    @property
    def onset(self) -> int:
        """The row with which something begins to happen: some hours after what may be learnt from."""
        return round((self.learnt_days * 24 + 53) * 3600 / self.step_s)

    @property
    def hours(self) -> Vector:
        """The hours of the rows since ``START``."""
        hours: Vector = (np.arange(round(self.days * 86400 / self.step_s)) + 1) * self.step_s / 3600
        return hours


def bridge_of(seed: int, number: int, extent: Extent) -> tuple[DrawnBridge, list[Case]]:
    """Bridge ``number`` of a seed and what may happen to it; every second one is held by cables."""
    bridge_rng, case_rng = np.random.default_rng([seed, number]).spawn(2)
    name = f"bridge-{seed}-{number:02d}"
    bridge = draw_bridge(name, extent.days, extent.step_s, bridge_rng, is_stayed=number % 2 == 0)
    return bridge, draw_cases(bridge, case_rng)


def record_bridge(out: Path, seed: int, number: int, extent: Extent) -> list[str]:
    """Write the recordings of one bridge and return their names; the same arguments give the same bytes."""
    bridge, cases = bridge_of(seed, number, extent)
    names = []
    for case in (HEALTHY, *cases):
        name = f"{bridge.name}-{case.id}"
        _write(out / name, name, bridge, case, extent)
        names.append(name)
    return names


def _write(folder: Path, name: str, bridge: DrawnBridge, case: Case, extent: Extent) -> None:
    (folder / "readings").mkdir(parents=True, exist_ok=True)
    scored = START + timedelta(days=extent.learnt_days), START + timedelta(days=extent.days)
    lines = [
        f'name = "{name}"',
        'lifeline = "bridge"',
        'timezone = "UTC"',
        'network = "network.geojson"',
        'readings = "readings/*.csv.gz"',
        f'source = "simulated: drawn bridge {bridge.name}"',
        f'scored = ["{rfc3339(scored[0])}", "{rfc3339(scored[1])}"]',
    ]
    (folder / "recording.toml").write_text("\n".join(lines) + "\n", "utf-8")
    _write_parts(folder / "network.geojson", bridge)
    places = {part: _place(k) for k, part in enumerate(dict.fromkeys(g.asset for g in bridge.gauges))}
    rows = [(g.id, "bridge", g.quantity, g.unit, g.asset, *places[g.asset], extent.step_s) for g in bridge.gauges]
    _write_rows(folder / "sensors.csv", _SENSOR_COLUMNS, rows)
    truth: list[tuple[object, ...]] = []
    if case is not HEALTHY:
        begins = START + timedelta(hours=float(extent.hours[extent.onset]))
        asset = next((g.asset for g in bridge.gauges if g.id == case.sensor), case.asset)
        truth.append(
            (case.id, case.kind, asset, rfc3339(begins), rfc3339(scored[1]), case.size, case.unit, case.sensor)
        )
    _write_rows(folder / "truth.csv", _TRUTH_COLUMNS, truth)
    _write_readings(folder / "readings" / "all.csv.gz", bridge, case, extent)


def _write_parts(path: Path, bridge: DrawnBridge) -> None:
    """The parts of the bridge that carry gauges, as points along it."""
    parts = dict.fromkeys(gauge.asset for gauge in bridge.gauges)
    assets = [
        Asset(
            part, "bridge", kind.en.lower(), bridge.name, Words(f"{kind.en} {part}", f"{kind.zh}{part}"), "", (place,)
        )
        for part, kind, place in ((part, _kind(part), _place(number)) for number, part in enumerate(parts))
    ]
    features = {"type": "FeatureCollection", "features": [asset_feature(asset) for asset in assets], "links": []}
    path.write_text(json.dumps(features, ensure_ascii=False), "utf-8")


def _kind(part: str) -> Words:
    kinds = {"S": Words("Span", "桥跨"), "E": Words("Bearing", "支座"), "C": Words("Cable", "拉索")}
    return kinds.get(part[0], Words("Bridge", "桥梁"))


def _place(number: int) -> tuple[float, float]:
    return round(_LONGITUDE + 1e-4 * number, 6), _LATITUDE


def _write_readings(path: Path, bridge: DrawnBridge, case: Case, extent: Extent) -> None:
    """The same values give the same bytes."""
    readings = readings_of(bridge, case, extent.onset, extent.hours)
    columns = [np.round(readings[g.id], _digits(g.quantity)).tolist() for g in bridge.gauges]
    times = [rfc3339(START + timedelta(hours=float(hour))) for hour in extent.hours]
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("time", *(gauge.id for gauge in bridge.gauges)))
        writer.writerows(zip(times, *columns, strict=True))


def _digits(quantity: str) -> int:
    return next((digits for begin, digits in _DIGITS.items() if quantity.startswith(begin)), 3)


def _write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
