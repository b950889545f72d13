"""Findings, kinds and alerts for the tests of the loop's pure parts."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from services.alerts.alert_merge import open_episode
from services.core.alert import Alert
from services.core.alert_kind import AlertKind
from services.core.finding import Finding, FindingState
from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity
from services.core.text import Text

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
KIND = AlertKind(
    lifeline=Lifeline.GAS,
    kind="methane-high",
    label=Text("Methane too high", "甲烷浓度超限"),
    instruction=Text("Keep away.", "疏散人员。"),
    scheme=Scheme.EMERGENCY,
    sensor_fault=False,
    publishes_from=Severity.MAJOR,
)
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:test")


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def finding(
    minutes: float,
    severity: int,
    state: FindingState = FindingState.RAISED,
    *,
    rule: str = "level",
    sensor: str = "M-1",
    value: float | None = None,
    evidence: Mapping[str, Any] | None = None,
    lifeline: Lifeline = Lifeline.GAS,
    asset: str = "US-1",
    started: float | None = None,
) -> Finding:
    """What a rule says at a minute; its words name the rule, the minute and the severity."""
    words = f"{rule} at {minutes:g}: {severity}"
    return Finding(
        id=str(uuid5(_NAMESPACE, f"{words} {state} {sensor}")),
        state=state,
        lifeline=lifeline,
        kind=KIND.kind,
        zone="G1",
        asset=asset,
        sensors=(sensor,),
        severity=Severity(severity),
        time=at(minutes),
        started_at=at(minutes if started is None else started),
        score=1.0,
        value=severity * 10.0 if value is None else value,
        threshold=float(severity),
        rule=rule,
        detector="value",
        detector_version="1",
        explanation=Text(words, words),
        evidence=evidence or {},
        target=sensor,
    )


def alert(severity: int = 3, **changes: Any) -> Alert:
    """An alert that one finding has opened."""
    return open_episode(finding(0, severity, **changes), KIND, NOW)
