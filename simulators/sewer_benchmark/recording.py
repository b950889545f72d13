"""Writes one drawn network and its storms as a recording, with the truth beside it.

The readings are those of a tenth of the nodes, of the rain gauges and the pumps. What only a scorer may read stands in
``truth.csv`` and in the folder ``truth``: the level in every node, and what fell.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from simulators.noise import Vector
from simulators.physics.daily import SEWAGE
from simulators.physics.sewer_model import Forcing, SewerModel, Steps
from simulators.physics.swmm_run import SewerSeries, run_swmm
from simulators.physics.swmm_text import swmm_input
from simulators.sewer_benchmark.episode import Episode, Fault, apply_faults, draw_dry_spell, draw_episode
from simulators.sewer_benchmark.network import DrawnSewers, draw_sewers
from simulators.truth import rfc3339

_START = datetime(2026, 5, 1, tzinfo=UTC)
_WARM_UP = timedelta(hours=3)
_MINUTE = timedelta(minutes=1)
_LEARNT = 0.6
"""Share of the storms that may be learnt from; nothing is out of order in them."""
_BROKEN = 0.5
"""Share of the other storms with a fault."""
_SENSED = 0.1
_FLOODED_CM = 1.0
_RATED_A, _IDLE_A, _RUNNING_SHARE = 62.0, 0.4, 0.005
_SEWAGE_M3S_HA = 0.001
_LEVELS_EVERY_MIN = 5
_LASTS_MIN = 30
_SENSOR_COLUMNS = ("sensor", "lifeline", "quantity", "unit", "asset", "lon", "lat", "interval_s")
_TRUTH_COLUMNS = ("id", "kind", "asset", "start", "end", "peak", "unit", "note")
_STORM_COLUMNS = ("id", "kind", "start", "end", "return_years", "depth_mm", "hardest_mm_h", "scored")


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is written: storms a network, hours a storm with the dry ones around it, seconds between readings.

    After the storms come so many ``dry_spells`` of as many hours.
    """

    storms: int
    hours: int = 12
    step_s: int = 300
    dry_spells: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """What a recording holds."""

    nodes: int
    sensors: int
    readings: int
    floods: int
    worst_balance_percent: float


@dataclass(frozen=True, slots=True)
class _Sensor:
    id: str
    quantity: str
    unit: str
    asset: str
    position: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Storm:
    """One computed storm; ``sound`` is what would have been if nothing were out of order."""

    number: int
    start: datetime
    episode: Episode
    series: SewerSeries
    sound: SewerSeries

    @property
    def label(self) -> str:
        """What the storm is called in files and truth."""
        return f"storm-{self.number:03d}"


def record_network(folder: Path, name: str, nodes: int, extent: Extent, seed: Sequence[int]) -> Written:
    """Write one recording; the same arguments give the same bytes."""
    network_rng, storm_rng, sensor_rng = np.random.default_rng(list(seed)).spawn(3)
    drawn = draw_sewers(name, nodes, network_rng)
    sensors = _choose_sensors(drawn, sensor_rng)
    (folder / "readings").mkdir(parents=True, exist_ok=True)
    (folder / "truth").mkdir(exist_ok=True)
    (folder / "network.inp").write_text(swmm_input(drawn.model), "utf-8")
    learnt = round(extent.storms * _LEARNT)
    _write_settings(folder, name, extent, learnt, seed)
    _write_rows(folder / "sensors.csv", _SENSOR_COLUMNS, (_sensor_row(s, extent.step_s) for s in sensors))
    truth: list[tuple[object, ...]] = []
    told: list[tuple[object, ...]] = []
    readings, worst = 0, 0.0
    for storm in _storms(drawn, extent, learnt, storm_rng):
        columns = [_shown(sensor, drawn.model, storm, extent.step_s // 60, sensor_rng) for sensor in sensors]
        readings += _write_readings(folder, sensors, columns, storm, extent.step_s // 60)
        _write_levels(folder / "truth" / f"levels-{storm.label}.csv.gz", drawn.model, storm)
        truth += [*_fault_rows(storm, sensors, extent), *_flood_rows(drawn.model, storm)]
        told.append(_storm_row(storm, scored=storm.number > learnt))
        worst = max(worst, abs(storm.series.balance_error_percent))
    _write_rows(folder / "truth.csv", _TRUTH_COLUMNS, truth)
    _write_rows(folder / "truth" / "storms.csv", _STORM_COLUMNS, told)
    floods = sum(row[1] == "node-flooding" for row in truth)
    return Written(len(_rims_m(drawn.model)), len(sensors), readings, floods, worst)


def _storms(drawn: DrawnSewers, extent: Extent, learnt: int, rng: np.random.Generator) -> Iterator[_Storm]:
    """One storm after another, each from the state in which the one before left the network."""
    length = timedelta(hours=extent.hours)
    dry_rng = rng.spawn(1)[0]
    dry = {zone: np.zeros(round(_WARM_UP / _MINUTE)) for zone in drawn.gauges}
    _, state = _run(drawn.model, _forcing(drawn.model, _START - _WARM_UP, dry, ()), b"")
    for number in range(1, extent.storms + extent.dry_spells + 1):
        start = _START + (number - 1) * length
        draw, its_rng = (draw_episode, rng) if number <= extent.storms else (draw_dry_spell, dry_rng)
        broken = number > learnt and bool(its_rng.random() < _BROKEN)
        episode = draw(drawn.gauges, drawn.model, round(length / _MINUTE), its_rng, broken=broken)
        forcing = _forcing(drawn.model, start, episode.rain_mm_h, episode.faults)
        series, after = _run(apply_faults(drawn.model, episode.faults), forcing, state)
        sound = series
        if episode.faults:
            sound, _ = _run(drawn.model, _forcing(drawn.model, start, episode.rain_mm_h, ()), state)
        yield _Storm(number, start, episode, series, sound)
        state = after


def _run(model: SewerModel, forcing: Forcing, state: bytes) -> tuple[SewerSeries, bytes]:
    return run_swmm(partial(swmm_input, model, forcing), forcing.every_s, state)


def _forcing(model: SewerModel, start: datetime, rain_mm_h: Mapping[str, Vector], faults: tuple[Fault, ...]) -> Forcing:
    minutes = max(len(intensity) for intensity in rain_mm_h.values())
    end = start + minutes * _MINUTE
    rain = {zone: _rain_steps(start, intensity) for zone, intensity in rain_mm_h.items()}
    hours = [start + timedelta(hours=h) for h in range(minutes // 60 + 1)]
    mean = sum(SEWAGE) / len(SEWAGE)
    sewage = tuple((t, _SEWAGE_M3S_HA * SEWAGE[t.hour] / mean) for t in hours)
    sewered_ha = {s.node: s.area_ha for s in model.surfaces if not s.node.startswith("LP")}
    usual_m = {outfall.id: outfall.level_m for outfall in model.outfalls}
    rivers = {
        fault.asset: _risen(start, end, usual_m[fault.asset], fault.size)
        for fault in faults
        if fault.cause == "river-rise"
    }
    foreign = {
        fault.asset: _fed(start, minutes, sewage, sewered_ha.get(fault.asset, 0.0), fault)
        for fault in faults
        if fault.unit == "L/s"
    }
    return Forcing(start, end, rain, sewage, sewered_ha, foreign, rivers)


def _risen(start: datetime, end: datetime, usual_m: float, rise_m: float) -> Steps:
    """A river that rises within the first hour."""
    return (start, usual_m), (start + 60 * _MINUTE, usual_m + rise_m), (end, usual_m + rise_m)


def _fed(start: datetime, minutes: int, sewage: Steps, sewered_ha: float, fault: Fault) -> Steps:
    """Sewage and foreign water into a manhole, minute by minute."""
    at = np.arange(minutes + 1)
    hours = [(time - start) / _MINUTE for time, _ in sewage]
    usual = sewered_ha * np.interp(at, hours, [rate for _, rate in sewage])
    grown = np.clip((at - fault.begins_min) / max(1, fault.grows_min), 0.0, 1.0)
    flow_m3s = usual + fault.size / 1000 * grown
    return tuple((start + k * _MINUTE, float(flow)) for k, flow in enumerate(flow_m3s.tolist()))


def _rain_steps(start: datetime, intensity: Vector) -> Steps:
    wet = [(start + int(k) * _MINUTE, float(intensity[k])) for k in np.flatnonzero(intensity)]
    return tuple(wet) if intensity[0] else ((start, 0.0), *wet)


def _rims_m(model: SewerModel) -> dict[str, float]:
    """Depth from the invert to the street, by node; the bottom of a low point is the street."""
    pumped = {pump.start for pump in model.pumps}
    rims_m = {m.id: m.depth_m for m in model.manholes if not m.id.endswith(".chamber")}
    return rims_m | {b.id: b.depth_m - 1.0 if b.id in pumped else 0.0 for b in model.basins}


def _choose_sensors(drawn: DrawnSewers, rng: np.random.Generator) -> list[_Sensor]:
    """A tenth of the nodes, low points first among them as a city would; every gauge and every pump."""
    model = drawn.model
    position = {m.id: m.position for m in model.manholes} | {b.id: b.position for b in model.basins}
    low = sorted(b.id for b in model.basins if b.id.startswith("LP"))
    others = sorted(set(_rims_m(model)) - set(low))
    count = max(2, round(_SENSED * len(_rims_m(model))))
    chosen = [low[int(k)] for k in rng.permutation(len(low))[: count // 3]]
    chosen += [others[int(k)] for k in rng.permutation(len(others))[: count - len(chosen)]]
    rain = [
        _Sensor(f"rain-{zone}", "rain_intensity", "mm/h", zone, drawn.projection.lon_lat(place))
        for zone, place in drawn.gauges.items()
    ]
    depths = [
        _Sensor(f"depth-{n}", "road_depth", "cm", n, position[n])
        if n in low
        else _Sensor(f"level-{n}", "manhole_level", "m", n, position[n])
        for n in sorted(chosen)
    ]
    pumps = [_Sensor(f"current-{p.id}", "pump_current", "A", p.id, position[p.start]) for p in model.pumps]
    return [*rain, *depths, *pumps]


def _sensor_row(sensor: _Sensor, step_s: int) -> tuple[object, ...]:
    return sensor.id, "drainage", sensor.quantity, sensor.unit, sensor.asset, *sensor.position, step_s


def _shown(sensor: _Sensor, model: SewerModel, storm: _Storm, width: int, rng: np.random.Generator) -> Vector:
    """What a sensor reports every ``width`` minutes; rain is the mean since the reading before."""
    minutes = np.arange(width, len(storm.series.seconds) + 1, width)
    error: Vector = rng.standard_normal(len(minutes))
    if sensor.quantity == "rain_intensity":
        fallen = np.concatenate(([0.0], np.cumsum(storm.episode.rain_mm_h[sensor.asset])))
        mean = (fallen[minutes] - fallen[minutes - width]) / width
        shown, decimals = mean * (1 + 0.04 * error), 1
    elif sensor.quantity == "pump_current":
        capacity = next(p.capacity_m3s for p in model.pumps if p.id == sensor.asset)
        share = storm.series.flow_m3s[sensor.asset][minutes - 1] / capacity
        current_a = np.where(share > _RUNNING_SHARE, _RATED_A * (0.35 + 0.65 * share), _IDLE_A)
        shown, decimals = current_a + 0.25 * error, 2
    elif sensor.quantity == "road_depth":
        shown, decimals = np.abs(100 * storm.series.depth_m[sensor.asset][minutes - 1] + 0.15 * error), 2
    else:
        shown, decimals = storm.series.depth_m[sensor.asset][minutes - 1] + 0.006 * error, 3
    clipped: Vector = np.maximum(0.0, shown).round(decimals)
    return clipped


def _write_readings(folder: Path, sensors: list[_Sensor], columns: list[Vector], storm: _Storm, width: int) -> int:
    times = [rfc3339(storm.start + (k + 1) * width * _MINUTE) for k in range(len(columns[0]))]
    path = folder / "readings" / f"{storm.label}.csv.gz"
    _write_packed(path, ("time", *(s.id for s in sensors)), zip(times, *columns, strict=True))
    return len(times) * len(sensors)


def _write_levels(path: Path, model: SewerModel, storm: _Storm) -> None:
    """Level above the invert in metres of every node."""
    rims = sorted(_rims_m(model))
    rows = np.arange(_LEVELS_EVERY_MIN, len(storm.series.seconds) + 1, _LEVELS_EVERY_MIN)
    columns = [storm.series.depth_m[node][rows - 1].round(3) for node in rims]
    times = [rfc3339(storm.start + int(k) * _MINUTE) for k in rows]
    _write_packed(path, ("time", *rims), zip(times, *columns, strict=True))


def _fault_rows(storm: _Storm, sensors: Sequence[_Sensor], extent: Extent) -> Iterator[tuple[object, ...]]:
    """What was out of order, and by how much the gauge that shows it most differs for half an hour because of it."""
    note = f"{_shows_cm(storm, sensors):.1f} cm at a gauge"
    end = storm.start + timedelta(hours=extent.hours)
    for fault in storm.episode.faults:
        ident = f"{storm.label}-{fault.asset}"
        begins = storm.start + fault.begins_min * _MINUTE
        yield ident, fault.cause, fault.asset, rfc3339(begins), rfc3339(end), fault.size, fault.unit, note


def _shows_cm(storm: _Storm, sensors: Sequence[_Sensor]) -> float:
    """What is exceeded for half an hour in all: a peak of minutes is within what any model errs in its timing."""
    depth_m, sound_m = storm.series.depth_m, storm.sound.depth_m
    gauges = {sensor.asset for sensor in sensors if sensor.asset in depth_m}
    lasting = [np.sort(np.abs(depth_m[name] - sound_m[name]))[-_LASTS_MIN] for name in gauges]
    return 100 * float(max(lasting, default=0.0))


def _flood_rows(model: SewerModel, storm: _Storm) -> Iterator[tuple[object, ...]]:
    """Nodes with water on the street, and whether they would have had it if nothing were out of order."""
    causes = " ".join(f"{fault.cause}:{fault.asset}" for fault in storm.episode.faults)
    for node, rim_m in sorted(_rims_m(model).items()):
        street_cm = 100 * (storm.series.depth_m[node] - rim_m)
        wet = np.flatnonzero(street_cm >= _FLOODED_CM)
        if not len(wet):
            continue
        otherwise_cm = max(0.0, 100 * float((storm.sound.depth_m[node] - rim_m).max()))
        cause = causes if causes and otherwise_cm < _FLOODED_CM else "rain"
        note = f"cause {cause}; {otherwise_cm:.1f} cm if nothing were out of order"
        start, end = (rfc3339(storm.start + int(k + 1) * _MINUTE) for k in (wet[0], wet[-1]))
        yield f"{storm.label}-{node}", "node-flooding", node, start, end, round(float(street_cm.max()), 1), "cm", note


def _storm_row(storm: _Storm, *, scored: bool) -> tuple[object, ...]:
    rain = np.mean(list(storm.episode.rain_mm_h.values()), axis=0)
    hardest = max(float(intensity.max()) for intensity in storm.episode.rain_mm_h.values())
    start = rfc3339(storm.start + storm.episode.begins_min * _MINUTE)
    end = rfc3339(storm.start + storm.episode.ends_min * _MINUTE)
    years, depth_mm = round(storm.episode.return_years, 1), round(float(rain.sum()) / 60, 1)
    return storm.label, storm.episode.kind, start, end, years, depth_mm, round(hardest, 1), int(scored)


def _write_settings(folder: Path, name: str, extent: Extent, learnt: int, seed: Sequence[int]) -> None:
    episodes = extent.storms + extent.dry_spells
    scored = [_START + k * timedelta(hours=extent.hours) for k in (learnt, episodes)]
    lines = [
        f"name = {json.dumps(name)}",
        'lifeline = "drainage"',
        'timezone = "Asia/Shanghai"',
        'network = "network.inp"',
        'readings = "readings/*.csv.gz"',
        f'source = "simulated: drawn sewers, SWMM, seed {" ".join(str(part) for part in seed)}"',
        f'scored = ["{rfc3339(scored[0])}", "{rfc3339(scored[1])}"]',
    ]
    (folder / "recording.toml").write_text("\n".join(lines) + "\n", "utf-8")


def _write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_packed(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """The same rows give the same bytes."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
