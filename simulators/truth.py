"""What really happened, for those who judge detectors; no service reads it."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulators.city import City
from simulators.physics.swmm_drainage import SwmmDrainage
from simulators.scenario import (
    BridgeCollision,
    Cloudburst,
    ColdFront,
    CoverDisplaced,
    DesignStorm,
    ForeignInflow,
    GasLeak,
    GateShut,
    GatewayOutage,
    HydrantUse,
    Injection,
    MovingStorm,
    Overload,
    PipeLeak,
    PumpSchedule,
    PumpTrip,
    RiverRise,
    Scenario,
    SensorFault,
    SewerBlockage,
    SewerGas,
    SewerInfiltration,
    StiffnessLoss,
    SupportSettlement,
    ValveShut,
    WaterLeak,
    ends_at,
    starts_at,
)

COLUMNS = ("id", "kind", "lifeline", "asset", "start", "end", "peak", "unit", "note")
_WET_CM = 5.0
_WATERLOGGED_CM = 15.0
"""Design criterion of GB 50014: water on the road counts from 15 cm; an episode spans the time above 5 cm."""
GRADES_CM = (15, 27, 40)
"""Depths from which drivers are warned, roads are closed and cars float; practice, not a standard's clause."""
_DRAINING, _DRAINED_AT_LAST = timedelta(hours=2), timedelta(hours=12)
"""Roads are watched so long after a storm, and on until they are dry, but not for ever."""
_FAULTS_OF_DRAINAGE = (ForeignInflow, GateShut, PumpTrip, RiverRise, SewerBlockage, SewerInfiltration)
_PEAKS_IN_DRAINAGE: tuple[tuple[tuple[type[Injection], ...], str, str], ...] = (
    ((Cloudburst, MovingStorm), "peak_mm_h", "mm/h"),
    ((DesignStorm,), "return_period_years", "a"),
    ((ForeignInflow, SewerInfiltration), "flow_l_s", "L/s"),
    ((RiverRise,), "rise_m", "m"),
    ((CoverDisplaced,), "tilt_deg", "deg"),
)
"""What is stated as the peak of an injection in drainage, and its unit."""
_IN_DRAINAGE = (*_FAULTS_OF_DRAINAGE, Cloudburst, CoverDisplaced, DesignStorm, MovingStorm)


@dataclass(frozen=True, slots=True)
class Truth:
    """One thing that happened; ``peak`` in ``unit``."""

    id: str
    kind: str
    lifeline: str
    asset: str
    start: datetime
    end: datetime
    peak: float
    unit: str
    note: str


def truths(city: City, scenario: Scenario, origin: datetime, seed: int) -> list[Truth]:
    """Every injection, and every low point that its rain floods."""
    rows = [_truth(city, injection, origin) for injection in scenario.injections]
    rows += _floods(city, scenario, origin, seed)
    return sorted(rows, key=lambda row: (row.start, row.id))


def write_truth(path: Path, rows: Sequence[Truth], columns: Sequence[str] = COLUMNS) -> None:
    """Write the rows as CSV with RFC 3339 times."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            named = dict(zip(COLUMNS, astuple(row), strict=True))
            writer.writerow({**named, "start": rfc3339(row.start), "end": rfc3339(row.end)})


def rfc3339(time: datetime) -> str:
    """A UTC instant as ``2026-01-31T08:00:00Z``."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _truth(city: City, injection: Injection, origin: datetime) -> Truth:
    lifeline, asset, peak, unit = _what(city, injection)
    note = injection.note
    if isinstance(injection, SensorFault):
        note = f"{injection.sensor} {injection.fault} {injection.note}".strip()
    start, end = starts_at(injection, origin), ends_at(injection, origin)
    return Truth(injection.id, injection.kind, lifeline, asset, start, end, peak, unit, note)


def lifeline_of(city: City, injection: Injection) -> str:
    """The lifeline an injection happens in."""
    return _what(city, injection)[0]


def _what(city: City, injection: Injection) -> tuple[str, str, float, str]:
    """Lifeline, asset (a gateway outage has the gateway), peak and unit."""
    if isinstance(injection, WaterLeak | HydrantUse | PipeLeak | PumpSchedule | ValveShut):
        return "water", injection.asset, *_what_in_water(injection)
    if isinstance(injection, GasLeak | SewerGas):
        return "gas", injection.asset, *_what_in_gas(injection)
    if isinstance(injection, _IN_DRAINAGE):
        return "drainage", getattr(injection, "asset", ""), *_what_in_drainage(injection)
    if isinstance(injection, Overload | ColdFront | SupportSettlement | StiffnessLoss | BridgeCollision):
        return "bridge", getattr(injection, "asset", ""), *_what_on_a_bridge(injection)
    if isinstance(injection, GatewayOutage):
        sensors = [s for s in city.sensors if s.gateway == injection.gateway]
        minutes = injection.end_min - injection.start_min
        return sensors[0].lifeline, injection.gateway, minutes, "min"
    sensor = city.sensor[injection.sensor]
    return sensor.lifeline, sensor.asset, injection.size, sensor.unit


def _what_in_gas(injection: GasLeak | SewerGas) -> tuple[float, str]:
    return (injection.hole_mm, "mm") if isinstance(injection, GasLeak) else (injection.lel, "%LEL")


def _what_in_drainage(injection: Injection) -> tuple[float, str]:
    for kinds, field, unit in _PEAKS_IN_DRAINAGE:
        if isinstance(injection, kinds):
            return float(getattr(injection, field)), unit
    if isinstance(injection, SewerBlockage):
        return 100 * injection.share, "%"
    return injection.end_min - injection.start_min, "min"


def _what_in_water(injection: WaterLeak | HydrantUse | PipeLeak | PumpSchedule | ValveShut) -> tuple[float, str]:
    if isinstance(injection, PipeLeak):
        return injection.hole_mm, "mm"
    if isinstance(injection, PumpSchedule):
        return injection.head_change_m, "m"
    if isinstance(injection, ValveShut):
        return injection.end_min - injection.start_min, "min"
    return injection.flow_m3h, "m3/h"


def _what_on_a_bridge(
    injection: Overload | ColdFront | SupportSettlement | StiffnessLoss | BridgeCollision,
) -> tuple[float, str]:
    if isinstance(injection, Overload):
        return injection.weight_t, "t"
    if isinstance(injection, ColdFront):
        return injection.drop_k, "K"
    if isinstance(injection, SupportSettlement):
        return injection.settled_mm, "mm"
    if isinstance(injection, StiffnessLoss):
        return 100 * injection.share, "%"
    return injection.peak_m_s2, "m/s2"


def _floods(city: City, scenario: Scenario, origin: datetime, seed: int) -> Iterator[Truth]:
    """Runs the drainage alone and without instrument noise."""
    storms = [i for i in scenario.injections if isinstance(i, Cloudburst | DesignStorm | MovingStorm)]
    sound = scenario.model_copy(update={"injections": tuple(storms)})
    broken = any(isinstance(i, _FAULTS_OF_DRAINAGE) for i in scenario.injections)
    for storm in storms:
        depths = _depths_cm(city, scenario, origin, seed, storm)
        otherwise = _depths_cm(city, sound, origin, seed, storm) if broken else {}
        for low_point, series in depths.items():
            if max(series.values()) >= _WATERLOGGED_CM:
                wet = [moment for moment, depth_cm in series.items() if depth_cm >= _WET_CM]
                peak, ident = round(max(series.values()), 1), f"{storm.id}-{low_point}"
                note = f"deeper than {_WET_CM:g} cm from start to end; {_passed(series)}"
                if broken:
                    note += f"; {max(otherwise[low_point].values()):.1f} cm if nothing were out of order"
                yield Truth(ident, "waterlogging", "drainage", low_point, wet[0], wet[-1], peak, "cm", note)


def _depths_cm(
    city: City, scenario: Scenario, origin: datetime, seed: int, storm: Injection
) -> dict[str, dict[datetime, float]]:
    """Depth at each low point, minute by minute, from a storm's begin until it has drained."""
    physics = SwmmDrainage(city, scenario, origin, seed)
    depths: dict[str, dict[datetime, float]] = {a.id: {} for a in city.assets_of("drainage", "low-point")}
    # What a blocked sewer has held back by the storm's begin has gathered since the scenario's.
    physics.advance(origin)
    time = starts_at(storm, origin)
    end, wet = ends_at(storm, origin), False
    while time <= end + _DRAINING or (wet and time <= end + _DRAINED_AT_LAST):
        physics.advance(time)
        for low_point, series in depths.items():
            series[time] = physics.road_depth_cm(low_point)
        wet = any(series[time] >= _WET_CM for series in depths.values())
        time += timedelta(minutes=1)
    return depths


def _passed(depths_cm: Mapping[datetime, float]) -> str:
    """When each grade was first reached, such as ``15 cm at 2026-07-14T06:31:00Z``."""
    first = {
        grade: next((moment for moment, depth_cm in depths_cm.items() if depth_cm >= grade), None)
        for grade in GRADES_CM
    }
    return "; ".join(f"{grade} cm at {rfc3339(moment)}" for grade, moment in first.items() if moment is not None)
