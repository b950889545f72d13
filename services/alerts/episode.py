"""One rule's episodes at one target, and the findings that tell of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from services.alerts.detectors.contract import Score
from services.alerts.explanation import duration, fill, number
from services.alerts.lifelines.contract import Rule
from services.core.finding import Finding, FindingState
from services.core.grading import Grading
from services.core.lifeline import Lifeline
from services.core.severity import Severity
from services.core.text import Text
from services.core.threshold import Threshold

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:lifeline:finding")
_SCORE_DIGITS = 6
"""Significant digits of a stored score: what lies behind them depends on the machine's linear algebra."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whom a finding is about; ``target`` is the sensor, the gateway or the zone that the rule watches."""

    lifeline: Lifeline
    zone: str
    target: str
    asset: str
    sensors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a finding is founded on: the score, the value a person reads, the limit it met, and the evidence."""

    score: Score
    value: float | None
    detector: str
    detector_version: str
    fields: Mapping[str, str | Text]
    evidence: Mapping[str, Any] = field(default_factory=dict)
    limit: float | None = None


class Episode:
    """The course of one rule at one target: its severity and when the present trouble began."""

    __slots__ = ("grading", "rule", "severity", "started_s")

    def __init__(self, rule: Rule, grades: Sequence[Threshold]) -> None:
        self.rule = rule
        self.grading = Grading(grades)
        self.severity = Severity.NORMAL
        self.started_s: float | None = None

    def judge(self, time_s: float, score: Score) -> FindingState | None:
        """Take a score; what there is to tell about it, usually nothing."""
        severity = self.grading.observe(time_s, score.value)
        before = self.severity
        if severity is before:
            return None
        self.severity = severity
        if before is Severity.NORMAL:
            self.started_s = self.grading.started_s if score.since_s is None else score.since_s
            return FindingState.RAISED
        return FindingState.CLEARED if severity is Severity.NORMAL else FindingState.CHANGED

    def tell(self, state: FindingState, place: Place, time_s: float, grounds: Grounds) -> Finding:
        """The finding about what ``judge`` returned."""
        started_s = time_s if self.started_s is None else self.started_s
        reached = self.grading.reached
        evidence = {
            **grounds.evidence,
            "threshold": as_json(reached[-1]) if reached else None,
            "reached": [as_json(threshold) for threshold in reached],
            "expected": grounds.score.expected,
            "seen": dict(grounds.score.seen or {}),
        }
        if state is FindingState.CLEARED:
            self.started_s = None
        return finding(
            self.rule,
            state,
            place,
            severity=self.severity,
            span=(started_s, time_s),
            grounds=replace(grounds, evidence=evidence, limit=reached[-1].raise_at if reached else None),
        )

    def state(self) -> dict[str, Any]:
        """Grades that are not at rest, and the episode's beginning; empty at rest."""
        grades = self.grading.state()
        if not grades and self.severity is Severity.NORMAL:
            return {}
        return {"grades": grades, "started_s": self.started_s, "told": int(self.severity)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken.

        What was told stays told, also of grades that were redefined since: the next score tells what has become of it.
        """
        self.grading.restore(state.get("grades", {}))
        told = state.get("told")
        self.severity = self.grading.severity if told is None else Severity(told)
        self.started_s = state.get("started_s")


def finding(
    rule: Rule, state: FindingState, place: Place, *, severity: Severity, span: tuple[float, float], grounds: Grounds
) -> Finding:
    """Write a finding; ``span`` is the begin of the episode and the moment of the finding, seconds since 1970."""
    started_at, time = moment(span[0]), moment(span[1])
    sentence = rule.cleared if state is FindingState.CLEARED else rule.raised
    return Finding(
        id=_identifier(rule, place, state, started_at, time),
        state=state,
        lifeline=place.lifeline,
        kind=rule.kind.kind,
        zone=place.zone,
        asset=place.asset,
        sensors=place.sensors,
        severity=severity,
        time=time,
        started_at=started_at,
        score=float(f"{grounds.score.value:.{_SCORE_DIGITS}g}"),
        value=grounds.value,
        threshold=grounds.limit if rule.score_unit is None else None,
        rule=rule.name,
        detector=grounds.detector,
        detector_version=grounds.detector_version,
        explanation=fill(sentence, {**_fields(rule, place, span, grounds), **grounds.fields}),
        evidence=grounds.evidence,
        target=place.target,
    )


def _identifier(rule: Rule, place: Place, state: FindingState, started_at: datetime, time: datetime) -> str:
    """Judging the same readings again gives the same identifier."""
    key = f"{rule.name}|{place.zone}|{place.target}|{state}|{started_at.isoformat()}|{time.isoformat()}"
    return str(uuid5(_NAMESPACE, key))


def _fields(rule: Rule, place: Place, span: tuple[float, float], grounds: Grounds) -> dict[str, str | Text]:
    value, expected = grounds.value, grounds.score.expected
    return {
        "sensor": place.sensors[0],
        "asset": place.asset,
        "label": rule.kind.label,
        "value": number(value),
        "score": number(grounds.score.value),
        "score_unit": rule.score_unit or "",
        "limit": number(grounds.limit),
        "expected": number(expected),
        "difference": number(None if value is None or expected is None else abs(value - expected)),
        "lasting": duration(span[1] - span[0]),
    }


def moment(time_s: float) -> datetime:
    """Seconds since 1970 as UTC."""
    return datetime.fromtimestamp(time_s, UTC)


def as_json(threshold: Threshold) -> dict[str, Any]:
    """A threshold as evidence shows it."""
    return {
        "severity": int(threshold.severity),
        "side": str(threshold.side),
        "raise_at": threshold.raise_at,
        "clear_at": threshold.clear_at,
        "on_delay_s": threshold.on_delay.total_seconds(),
        "off_delay_s": threshold.off_delay.total_seconds(),
        "source": threshold.source,
    }


def configuration_hash(rule: Rule, configuration: Mapping[str, Any], grades: Sequence[Threshold]) -> str:
    """A short fingerprint of all numbers that decide what a rule says."""
    numbers = [rule.name, dict(configuration), [as_json(grade) for grade in grades]]
    return sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:16]
