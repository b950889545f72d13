"""The measure of recordings of our own simulator: what was found, how soon, where, by its right name, and what was not.

A trouble is found by the first alert about a danger of a fitting kind that was raised while it ran; water on roads and
overweight vehicles have to be told at their own place. Every other alert about a danger is false, unless it tells
rightly what else happens: low pressure behind a shut valve is no lie, a leak there would be. Alerts about devices are
judged apart in the same way.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Self

from services.alerts.tracing.city_graph import CityGraph
from services.backtest.report.judgement import judge
from services.backtest.report.result_folder import RaisedAlert, read_result
from services.backtest.report.truth import Trouble, read_truth
from services.core.recorded_city import recorded_city
from services.core.recording import read_recording
from tests.benchmarks.detection.tally import MONTH, Tally, middle, scored, told

Figures = Mapping[str, float | str]

_LEAK = frozenset({"leak-suspected", "burst-suspected"})
RIGHT_NAMES: Mapping[str, frozenset[str]] = {
    "pipe-leak": _LEAK,
    "gas-leak": frozenset({"methane-high"}),
    "waterlogging": frozenset({"waterlogging"}),
    "overload": frozenset({"overload"}),
}
"""What is to be found, and the kinds of alert that name it rightly."""
_FITTING: Mapping[str, frozenset[str]] = {
    "pipe-leak": _LEAK | {"unusual-draw", "night-flow-high", "pressure-low", "tank-level", "operation-unusual"},
    "gas-leak": frozenset({"methane-high", "gas-pressure-low", "gas-flow-high"}),
    "waterlogging": frozenset({"waterlogging"}),
    "overload": frozenset({"overload"}),
}
"""Kinds by which it counts as found, be it by a weaker name."""
_PLACED = frozenset({"waterlogging", "overload"})
_EXCUSED: Mapping[str, frozenset[str]] = {
    "hydrant-use": frozenset({"unusual-draw", "pressure-low"}),
    "valve-shut": frozenset({"pressure-low", "flow-path-changed", "operation-unusual"}),
    "pump-schedule": frozenset({"pump-schedule-changed", "pressure-low", "pressure-high", "operation-unusual"}),
    "cloudburst": frozenset({"heavy-rain", "manhole-surcharge", "pump-overload"}),
    "overload": frozenset({"structure-limit"}),
}
"""Kinds that tell rightly what else happens."""
_FAULT_NAMES: Mapping[str, frozenset[str]] = {
    "stuck": frozenset({"sensor-stuck", "pressure-off-model", "meter-off-model"}),
    "out-of-range": frozenset({"sensor-out-of-range"}),
    "spikes": frozenset({"sensor-spiky", "pressure-off-model", "meter-off-model"}),
    "outage": frozenset({"sensor-silent", "gateway-silent"}),
    "noise": frozenset({"pressure-off-model", "sensor-spiky"}),
    "drift": frozenset({"pressure-off-model"}),
}
_AFTERWARDS = timedelta(hours=2)
"""What is raised so soon after something that looks like trouble was set off by it; sewers drain as long."""
_NIGHT = timedelta(hours=24)
"""A night flow is told when its night is over."""
_LEAD = timedelta(minutes=30)
"""Water that rises is told before it stands high."""
_NEAR_M = 300.0
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Found:
    """A trouble and the alert that told it, ``None`` if none did; metres along the network and rank as in reports."""

    trouble: Trouble
    delay: timedelta | None = None
    is_named: bool = False
    distance_m: float | None = None
    rank: int | None = None


@dataclass(slots=True)
class Judged:
    """All that one recording or several came to.

    ``false`` are kinds of alerts about dangers with what had set them off, or nothing; ``false_faults`` the same about
    devices. ``others`` counts what else happened, ``set_off`` what of it caused a false alarm.
    """

    found: list[Found] = field(default_factory=list)
    false: Counter[tuple[str, str]] = field(default_factory=Counter)
    false_faults: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    set_off: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    faults_named: Counter[str] = field(default_factory=Counter)
    sensor_months: float = 0.0

    def __iadd__(self, other: "Judged") -> Self:
        self.found += other.found
        for name in ("false", "false_faults", "others", "set_off", "faults", "faults_named"):
            getattr(self, name).update(getattr(other, name))
        self.sensor_months += other.sensor_months
        return self


def judged(out: Path, path: Path) -> Judged:
    """Hold a backtest against what its recording's truth says."""
    recording, result = read_recording(path), read_result(out)
    city = recorded_city(recording)
    begin, end = scored(out, path)
    places = {sensor.sensor: sensor.asset for sensor in recording.sensors.values()}
    interval = timedelta(seconds=max(sensor.interval_s for sensor in recording.sensors.values()))
    truth = [each for each in read_truth(path) if begin <= each.end and each.start <= end]
    alerts = [alert for alert in result.alerts if alert.detected_at >= begin]
    dangers = [alert for alert in alerts if not alert.is_fault]
    graph = CityGraph(city.assets, city.links)
    whole = Judged(sensor_months=len(places) * ((end - begin) / MONTH))
    right: set[int] = set()
    for trouble in truth:
        if trouble.kind in RIGHT_NAMES:
            fitting = [alert for alert in dangers if _fits(alert, trouble, interval, places)]
            right |= {id(alert) for alert in fitting}
            whole.found.append(_found(trouble, fitting, graph, interval))
    _count_false([alert for alert in dangers if id(alert) not in right], truth, interval, whole)
    _count_faults([alert for alert in alerts if alert.is_fault], truth, whole)
    return whole


def _fits(alert: RaisedAlert, trouble: Trouble, interval: timedelta, places: Mapping[str, str]) -> bool:
    lead = _LEAD if trouble.kind == "waterlogging" else interval
    here = trouble.kind not in _PLACED or trouble.asset in {places.get(sensor) for sensor in alert.sensors}
    return here and alert.kind in _FITTING[trouble.kind] and trouble.start - lead <= alert.detected_at <= trouble.end


def _found(trouble: Trouble, fitting: Sequence[RaisedAlert], graph: CityGraph, interval: timedelta) -> Found:
    if not fitting:
        return Found(trouble)
    named = [alert for alert in fitting if alert.kind in RIGHT_NAMES[trouble.kind]]
    [located] = judge((named or fitting)[:1], [trouble], graph, None, max(interval, _LEAD)).alerts
    delay = max(fitting[0].detected_at - trouble.start, timedelta(0))
    return Found(trouble, delay, bool(named), located.distance_m, located.rank)


def _count_false(alerts: Iterable[RaisedAlert], truth: Sequence[Trouble], interval: timedelta, into: Judged) -> None:
    others = [each for each in truth if each.kind not in RIGHT_NAMES or each.kind in _EXCUSED]
    into.others.update(_what(each) for each in others if each.kind not in RIGHT_NAMES)
    guilty: set[str] = set()
    for alert in alerts:
        after = _NIGHT if alert.kind == "night-flow-high" else _AFTERWARDS
        running = [each for each in others if each.start - interval <= alert.detected_at <= each.end + after]
        if any(alert.kind in _EXCUSED.get(each.kind, ()) for each in running):
            continue
        causes = [each for each in running if each.kind not in RIGHT_NAMES]
        into.false[alert.kind, _what(causes[-1]) if causes else ""] += 1
        guilty |= {each.id for each in causes[-1:]}
    into.set_off.update(_what(each) for each in others if each.id in guilty)


def _what(trouble: Trouble) -> str:
    """The kind, and which fault a device has: the note of a faulty sensor begins with its name and the fault."""
    if trouble.kind != "sensor-fault":
        return trouble.kind
    return f"sensor {trouble.note.split()[1]}"


def _count_faults(alerts: Sequence[RaisedAlert], truth: Iterable[Trouble], into: Judged) -> None:
    right: set[int] = set()
    for trouble in truth:
        if trouble.kind != "sensor-fault":
            continue
        sensor, fault = trouble.note.split()[:2]
        mine = [
            alert
            for alert in alerts
            if sensor in alert.sensors and trouble.start <= alert.detected_at <= trouble.end + _AFTERWARDS
        ]
        right |= {id(alert) for alert in mine}
        into.faults[fault] += 1
        into.faults_named[fault] += any(alert.kind in _FAULT_NAMES[fault] for alert in mine)
    into.false_faults.update(alert.kind for alert in alerts if id(alert) not in right)


def tally(out: Path, path: Path) -> Tally:
    """The same counts as of every family."""
    one = judged(out, path)
    delays = [each.delay for each in one.found if each.delay is not None]
    return Tally(
        recordings=1,
        troubles=len(one.found),
        found=len(delays),
        false=one.false.total(),
        faults=one.false_faults.total() + one.faults_named.total(),
        sensor_months=one.sensor_months,
        delays=delays,
    )


def pooled(pairs: Iterable[tuple[Path, Path]]) -> Figures:
    """All recordings of the family, told by lifeline; result folders, each with its recording."""
    by_lifeline: defaultdict[str, Judged] = defaultdict(Judged)
    quiet = Judged()
    for out, path in pairs:
        lifelines = {str(sensor.lifeline) for sensor in read_recording(path).sensors.values()}
        one = judged(out, path)
        by_lifeline["/".join(sorted(lifelines))] += one
        if not one.found and not one.others and not one.faults:
            quiet += one
    figures: dict[str, float | str] = {}
    leaks = by_lifeline.get("water", Judged())
    if leaks.found:
        rates = [f"{each.false.total() / each.sensor_months:.3f}" for each in (quiet, leaks) if each.sensor_months]
        figures["water leaks"] = (
            f"{_count(leaks.found)} found; false a sensor-month, quiet and in all: {', '.join(rates)}"
        )
    for lifeline, one in sorted(by_lifeline.items(), key=lambda each: each[0] != "water"):
        figures.update({f"{lifeline}: {name}": value for name, value in _of(one)})
    if quiet.sensor_months:
        figures["quiet weeks: false alarms a sensor-month"] = quiet.false.total() / quiet.sensor_months
        figures["quiet weeks: false alarms by kind"] = _listed({kind: n for (kind, _), n in quiet.false.items()})
        figures["quiet weeks: device alerts by kind"] = _listed(quiet.false_faults)
    return figures


def _of(one: Judged) -> Iterator[tuple[str, float | str]]:
    groups: defaultdict[str, list[Found]] = defaultdict(list)
    for each in one.found:
        groups[f"{each.trouble.kind}{f', {each.trouble.note}' if each.trouble.kind == 'pipe-leak' else ''}"].append(
            each
        )
        if each.trouble.kind == "pipe-leak":
            groups[f"hole of {each.trouble.id.split('-')[1]} mm"].append(each)
    for group, members in sorted(groups.items()):
        delays = [each.delay for each in members if each.delay is not None]
        yield group, f"{_count(members)} found, median delay {told(middle(delays))}"
    told_of = [each for each in one.found if each.delay is not None]
    if told_of:
        yield "named rightly", f"{sum(each.is_named for each in told_of)}/{len(told_of)}"
    off_m = [each.distance_m for each in told_of if each.distance_m is not None]
    if off_m:
        near = sum(metres <= _NEAR_M for metres in off_m)
        yield "first suspect", f"median {median(off_m):.0f} m off, {near}/{len(told_of)} within {_NEAR_M:.0f} m"
        ranks = [each.rank for each in told_of if each.rank is not None]
        yield "true place", f"{ranks.count(1)}/{len(told_of)} first, {len(ranks)}/{len(told_of)} listed"
    yield "false alarms", _listed({f"{kind} ({cause or 'nothing'})": n for (kind, cause), n in one.false.items()})
    if one.sensor_months:
        yield "false alarms a sensor-month", one.false.total() / one.sensor_months
    for kind, count in sorted(one.others.items()):
        yield f"set off by {kind}", f"{one.set_off[kind]}/{count}"
    for fault, count in sorted(one.faults.items()):
        yield f"device fault {fault} named", f"{one.faults_named[fault]}/{count}"
    yield "needless device alerts", _listed(one.false_faults)


def _count(found: Sequence[Found]) -> str:
    return f"{sum(each.delay is not None for each in found)}/{len(found)}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda each: -each[1])) or "none"
