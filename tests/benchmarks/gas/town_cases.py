"""The cases of one simulated town beside what was told: from its truth, its readings and its alerts."""

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from services.core.recorded_readings import read_readings
from services.core.recording import read_recording

LIMITS_LEL = (5.0, 10.0, 20.0)
_AFTER_S = 6 * 3600.0
"""An alert within so long of a case's end belongs to it: gas stays in spaces."""
_HIGHEST = re.compile(r"highest at a device ([\d.]+)")
_SECOND = re.compile(r"second 20 %LEL \S+ ([^;\s]+)")
_MET = re.compile(r"met [\d.]+ %LEL at a device ([^;\s]+)")
_AT = re.compile(r"at ([-\d.]+) ([-\d.]+)")
_METRES_PER_DEGREE = 111_320.0
FAULTS = frozenset({"sensor-drift", "humidity-error"})
OF_NETWORK = frozenset({"main-break", "regulator-fault"})
OF_SPACES = frozenset({"gas-leak", "sewer-gas", *FAULTS})


@dataclass(frozen=True, slots=True)
class Told:
    """An alert, or what a plain limit says: its kind, when it was known, and the mains it suspects."""

    kind: str
    time_s: float
    suspects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A case of the truth and what was told of it; ``limits`` is when each plain limit said so at any device.

    ``second_s`` is when 20 %LEL is passed in a second space, ``met_s`` when any device has first met gas of the leak.
    """

    kind: str
    asset: str
    start_s: float
    end_s: float
    highest_lel: float
    second_s: float | None
    met_s: float | None
    at: tuple[float, float] | None
    told: tuple[Told, ...]
    limits: Mapping[float, float]
    distance_m: float | None
    mode: str

    @property
    def is_urgent(self) -> bool:
        """Whether it comes to 20 %LEL in a second space."""
        return self.second_s is not None

    @property
    def is_seen_in_time(self) -> bool:
        """Whether a device has met gas of it before that: without, devices hardly tell of it."""
        return self.second_s is not None and self.met_s is not None and self.met_s < self.second_s

    @property
    def level(self) -> Told | None:
        """The first alert within it that has people sent there as to a leak: a leak, or a dangerous level."""
        return next((each for each in self.told if each.kind in {"gas-leak", "methane-high"}), None)

    @property
    def leak(self) -> Told | None:
        """The first alert of a leak within it."""
        return next((each for each in self.told if each.kind == "gas-leak"), None)


@dataclass(frozen=True, slots=True)
class TownResult:
    """The cases of a town, and what was told of a leak where there was none."""

    name: str
    cases: tuple[Case, ...]
    false_leaks: int
    false_limits: Mapping[float, int]
    device_months: float
    beside: tuple[Told, ...]
    """What was told of the network outside breaks and faults of regulators."""
    days: float


def judged_town(recording: Path, results: Path) -> TownResult:
    """Compare the alerts in a results folder with the truth of a recording."""
    described = read_recording(recording)
    assert described.scored is not None
    begin_s, end_s = (moment.timestamp() for moment in described.scored)
    methane = sorted(name for name, sensor in described.sensors.items() if sensor.quantity == "methane")
    crossings = _crossings(recording, methane, begin_s)
    middles = _middles(recording)
    alerts = [json.loads(line) for line in (results / "alerts.jsonl").read_text(encoding="utf-8").splitlines()]
    told = sorted((_told(alert) for alert in alerts), key=lambda each: each.time_s)
    rows = list(csv.DictReader((recording / "truth.csv").read_text(encoding="utf-8").splitlines()))
    cases = tuple(_case(row, told, crossings, middles) for row in rows)
    of_spaces = [case for case in cases if case.kind in OF_SPACES]
    false = [each for each in told if each.kind == "gas-leak" and not _within(each.time_s, of_spaces)]
    return TownResult(
        described.name,
        cases,
        len(false),
        {limit: sum(not _within(at_s, of_spaces) for at_s in crossings[limit]) for limit in LIMITS_LEL},
        len(methane) * (end_s - begin_s) / 86_400.0 / 30.0,
        tuple(each for each in told if not _within(each.time_s, [c for c in cases if c.kind in OF_NETWORK])),
        (end_s - begin_s) / 86_400.0,
    )


def _told(alert: Mapping[str, Any]) -> Told:
    suspects = tuple(each["asset"] for each in alert["trace"])
    return Told(alert["kind"], _seconds(alert["detected_at"]), suspects)


def _case(
    row: Mapping[str, str],
    told: Sequence[Told],
    crossings: Mapping[float, Sequence[float]],
    middles: Mapping[str, tuple[float, float]],
) -> Case:
    start_s, end_s, note = _seconds(row["start"]), _seconds(row["end"]), row["note"]
    own = tuple(each for each in told if start_s - 300 <= each.time_s <= end_s + _AFTER_S)
    second, at, highest = _SECOND.search(note), _AT.search(note), _HIGHEST.search(note)
    met = _MET.search(note)
    place = (float(at[1]), float(at[2])) if at else None
    leak = next((each for each in own if each.kind == "gas-leak" and each.suspects), None)
    distance_m = None
    if leak is not None and place is not None and leak.suspects[0] in middles:
        distance_m = _apart_m(middles[leak.suspects[0]], place)
    return Case(
        kind=row["kind"],
        asset=row["asset"],
        start_s=start_s,
        end_s=end_s,
        highest_lel=float(highest[1]) if highest else float(row["peak"] or 0.0),
        second_s=_seconds(second[1]) if second else None,
        met_s=_seconds(met[1]) if met else None,
        at=place,
        told=own,
        limits={
            limit: next(at_s for at_s in sorted(times) if start_s <= at_s <= end_s + _AFTER_S)
            for limit, times in crossings.items()
            if any(start_s <= at_s <= end_s + _AFTER_S for at_s in times)
        },
        distance_m=distance_m,
        mode=note.split(";")[0],
    )


def _crossings(recording: Path, methane: Sequence[str], begin_s: float) -> dict[float, list[float]]:
    """When any device passed each limit from below, after the history ended."""
    readings = read_readings(read_recording(recording)).in_order()
    names = [str(name) for name in readings.sensors]
    found: dict[float, list[float]] = {limit: [] for limit in LIMITS_LEL}
    for name in methane:
        own = readings.positions == names.index(name)
        times_s, values = readings.times_us[own] / 1e6, readings.values[own]
        for limit in LIMITS_LEL:
            above = values >= limit
            rises = above[1:] & ~above[:-1] & (times_s[1:] >= begin_s)
            found[limit] += times_s[1:][rises].tolist()
    return found


def _middles(recording: Path) -> dict[str, tuple[float, float]]:
    features = json.loads((recording / "network.geojson").read_text(encoding="utf-8"))["features"]
    return {
        feature["properties"]["id"]: _middle(feature["geometry"]["coordinates"])
        for feature in features
        if feature["properties"]["kind"] == "pipe"
    }


def _middle(line: Sequence[Sequence[float]]) -> tuple[float, float]:
    return sum(point[0] for point in line) / len(line), sum(point[1] for point in line) / len(line)


def _within(time_s: float, cases: Iterable[Case]) -> bool:
    return any(case.start_s - 300 <= time_s <= case.end_s + _AFTER_S for case in cases)


def _apart_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    east = (one[0] - other[0]) * math.cos(math.radians(one[1]))
    return math.hypot(east, one[1] - other[1]) * _METRES_PER_DEGREE


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def lines(towns: Sequence[TownResult]) -> Iterator[str]:
    """The figures of leaks and of what looks like them over all towns, one a line."""
    cases = [case for town in towns for case in town.cases]
    leaks = [case for case in cases if case.kind == "gas-leak"]
    months = sum(town.device_months for town in towns)
    yield f"{len(towns)} towns, {len(cases)} cases, {len(leaks)} leaks, {months:.1f} device-months scored"
    for name, least in (("all leaks", 0.0), ("leaks of 5 %LEL or more at a device", 5.0)):
        yield from _of_leaks(name, [case for case in leaks if case.highest_lel >= least])
    for kind in ("sewer-gas", *sorted(FAULTS)):
        own = [case for case in cases if case.kind == kind]
        yield f"{kind} called leak: {_share([case.leak is not None for case in own])}; " + "; ".join(
            f"{limit:g} %LEL alarms {_share([limit in case.limits for case in own])}" for limit in LIMITS_LEL
        )
    false = sum(town.false_leaks for town in towns)
    yield f"leak told where nothing was: {false}, {false / months:.2f} a device-month; plain limits: " + "; ".join(
        f"{limit:g} %LEL {sum(town.false_limits[limit] for town in towns) / months:.2f}" for limit in LIMITS_LEL
    )


def _of_leaks(name: str, leaks: Sequence[Case]) -> Iterator[str]:
    found = [(case, case.leak) for case in leaks]
    known = [(case, told) for case, told in found if told is not None]
    delays = sorted((told.time_s - case.start_s) / 3600.0 for case, told in known)
    away = sorted(case.distance_m for case, _ in known if case.distance_m is not None)
    yield f"{name}: found {_share([told is not None for _, told in found])}"
    urgent = [case for case in leaks if case.is_urgent]
    seen = [case for case in urgent if case.is_seen_in_time]
    in_time = _share([_told_in_time(case.leak, case) for case in urgent])
    yield f"  told before 20 %LEL stands in a second space, where it comes to that: {in_time}"
    in_time = _share([_told_in_time(case.leak, case) for case in seen])
    level = _share([_told_in_time(case.level, case) for case in seen])
    yield f"    where a device has met gas by then: {in_time}; told as a leak or as a dangerous level: {level}"
    if known:
        first = _share([told.suspects[:1] == (case.asset,) for case, told in known])
        third = _share([case.asset in told.suspects[:3] for case, told in known])
        yield f"  hours until told: median {_median(delays):.1f}; right main first {first}, among three {third}"
    if away:
        yield f"  metres from the middle of the first main to the leak: median {_median(away):.0f}"
    yield "  plain limits found: " + "; ".join(
        f"{limit:g} %LEL {_share([limit in case.limits for case in leaks])}" for limit in LIMITS_LEL
    )


def _told_in_time(told: Told | None, case: Case) -> bool:
    return told is not None and case.second_s is not None and told.time_s < case.second_s


def _share(marks: Sequence[bool]) -> str:
    return f"{sum(marks)} of {len(marks)} ({100 * sum(marks) / len(marks):.0f} %)" if marks else "none there"


def _median(ordered: Sequence[float]) -> float:
    return ordered[len(ordered) // 2]
