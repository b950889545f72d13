"""Runs the detection of an evidence bundle again, without any database, and compares what comes out. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from math import inf
from typing import Any

from services.alerts import lifelines
from services.alerts.lifelines.drainage_forecast import with_low_points
from services.alerts.models.adoption import with_models
from services.alerts.units import Unit, Units
from services.alerts.zone_engine import Sample, ZoneEngine
from services.core.code_version import code_version
from services.core.evidence_bundle import Bundle, EvidenceError, EvidenceReading
from services.core.evidence_register import EvidenceRegister
from services.core.finding import Finding
from services.core.store.evidence import known_until_s
from services.core.store.networks import RegisteredNetwork

_SLICE_S = 60.0
_COMPARED = (
    "state",
    "severity",
    "time",
    "started_at",
    "score",
    "value",
    "threshold",
    "rule",
    "detector",
    "detector_version",
    "sensors",
    "explanation_en",
    "explanation_zh",
    "evidence",
)
_REPORTED = "report-"
"""How the detectors of what people told begin: there is nothing to run again."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the replay differs: about a finding, in words."""

    finding: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay found.

    ``same`` of ``findings`` came out again exactly. ``told`` were reported by people or other systems and are not made
    by any detection. ``other_code`` names what differs between the code that runs here and that of the bundle.
    """

    findings: int
    same: int
    told: int
    readings: int
    differences: Sequence[Difference]
    other_code: Mapping[str, tuple[str | None, str | None]]

    @property
    def is_same(self) -> bool:
        """Whether all came out again, and nothing else about the same trouble."""
        return not self.differences


def replay(bundle: Bundle) -> ReplayResult:
    """Judge the readings of a bundle by the code that is here.

    Raises:
        EvidenceError: a part that is needed is missing or malformed.
    """
    try:
        register = EvidenceRegister.from_json(bundle.parts["register"])
        states: Mapping[str, Any] = bundle.parts["state"]
        stored: list[dict[str, Any]] = bundle.parts["findings"]
        around: list[dict[str, Any]] = bundle.parts["findings-around"]
        lateness = timedelta(seconds=bundle.facts["allowed_lateness_s"])
        zone = str(bundle.facts["zone"])
        code: Mapping[str, str] = bundle.facts["code_when_detected"] or bundle.facts["code"]
        place = (bundle.parts["alert"]["asset"], bundle.parts["alert"]["kind"])
        city_times: list[int] = bundle.parts["city-times"]
    except (KeyError, ValueError, TypeError) as error:
        raise EvidenceError(f"a part that is needed cannot be read: {error!r}") from None
    units = _units(register, zone)
    told = [each for each in stored if each["detector"].startswith(_REPORTED)]
    expected = {each["id"]: each for each in stored if not each["detector"].startswith(_REPORTED)}
    until = max((datetime.fromisoformat(each["time"]) for each in expected.values()), default=None)
    found: dict[str, Finding] = {}
    for unit in units if expected else ():
        state = states.get(unit.name, {})
        engine = unit.engine(lateness, state)
        for finding in _judged(engine, bundle.readings, known_until_s(state), city_times):
            found.setdefault(finding.id, finding)
    differences = [*_missing_or_changed(expected, found)]
    # What was found of the same place at the time may belong to an episode before.
    known = {each["id"] for each in (*stored, *around)}
    for identifier, finding in sorted(found.items()):
        if identifier not in known and (finding.asset, finding.kind) == place and until and finding.time <= until:
            text = f"{finding.state} at {finding.time.isoformat()} by {finding.rule}: not found then"
            differences.append(Difference(identifier, text))
    changed = {each.finding for each in differences}
    here = code_version()
    return ReplayResult(
        findings=len(expected),
        same=sum(identifier not in changed for identifier in expected),
        told=len(told),
        readings=len(bundle.readings),
        differences=differences,
        other_code={
            name: (code.get(name), here.get(name))
            for name in sorted(code.keys() | here.keys())
            if code.get(name) != here.get(name)
        },
    )


def _units(register: EvidenceRegister, zone: str) -> list[Unit]:
    """The units in which the trouble can have been found: the zone, and the supplies that cover it."""
    networks = [RegisteredNetwork(each.lifeline, each.file, each.zones) for each in register.networks]
    units = Units(lifelines.discover()).of(register.sensors, networks, register.assets, register.links, register.works)
    models = {(each.rule, each.target): each for each in register.models}
    covering = {f"supply:{each.file.name}" for each in networks}
    return [
        Unit(
            unit.name,
            with_models(with_low_points(unit.rules, register.low_points), models),
            unit.sensors,
            unit.network,
            unit.surroundings,
        )
        for name, unit in units.items()
        if name == zone or name in covering
    ]


def _judged(
    engine: ZoneEngine,
    readings: Iterable[EvidenceReading],
    known_s: Mapping[str, float],
    city_times_us: Sequence[int],
) -> list[Finding]:
    """What the engine says of the readings in the order in which they came in; of each moment the first value counts.

    What another value says of a moment that was judged comes after it, as it did then.
    """
    findings: list[Finding] = []
    city = iter([time_us / 1e6 for time_us in city_times_us])
    next_city_s = next(city, inf)
    newest_s = -inf
    for _, part in groupby(readings, key=lambda each: each.received_us):
        samples: list[Sample] = [
            (each.time_us / 1e6, each.sensor, each.value, each.quality)
            for each in part
            if each.time_us / 1e6 > known_s.get(each.sensor, -inf)
        ]
        samples.sort()
        for _, piece in groupby(samples, key=lambda sample: sample[0] // _SLICE_S):
            taken = list(piece)
            findings += engine.take(taken)
            newest_s = max(newest_s, taken[-1][0])
            while next_city_s <= newest_s:
                findings += engine.advance(datetime.fromtimestamp(next_city_s, UTC))
                next_city_s = next(city, inf)
    findings += engine.release()
    while next_city_s < inf:
        findings += engine.advance(datetime.fromtimestamp(next_city_s, UTC))
        next_city_s = next(city, inf)
    return findings


def _missing_or_changed(
    expected: Mapping[str, Mapping[str, Any]], found: Mapping[str, Finding]
) -> Iterable[Difference]:
    for identifier, row in expected.items():
        finding = found.get(identifier)
        if finding is None:
            yield Difference(identifier, f"{row['state']} at {row['time']} by {row['rule']}: not found now")
            continue
        now = _as_row(finding)
        for name in _COMPARED:
            then = datetime.fromisoformat(row[name]) if name in ("time", "started_at") else row[name]
            if now[name] != then:
                yield Difference(
                    identifier, f"{name} at {row['time']} by {row['rule']}: {then!r} then, {now[name]!r} now"
                )


def _as_row(finding: Finding) -> dict[str, Any]:
    return {
        **{name: getattr(finding, name) for name in ("time", "started_at", "score", "value", "threshold", "rule")},
        "state": finding.state.value,
        "severity": int(finding.severity),
        "detector": finding.detector,
        "detector_version": finding.detector_version,
        "sensors": list(finding.sensors),
        "explanation_en": finding.explanation.en,
        "explanation_zh": finding.explanation.zh,
        "evidence": json.loads(json.dumps(dict(finding.evidence))),
    }
