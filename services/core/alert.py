"""An alert: one evolving record an episode, and the moves it may make."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.core.lifeline import Lifeline
from services.core.root_cause import RootCause
from services.core.severity import Scheme, Severity
from services.core.suppression import Suppression
from services.core.text import Text


class AlertState(StrEnum):
    """Where an episode stands. ``CLEARED`` is said by the sensors alone, never by a person."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


class AlertMove(StrEnum):
    """What can happen to an alert."""

    ACKNOWLEDGE = "acknowledge"
    CLEAR = "clear"
    REOPEN = "reopen"


MOVES: Mapping[AlertMove, Mapping[AlertState, AlertState]] = {
    AlertMove.ACKNOWLEDGE: {AlertState.OPEN: AlertState.ACKNOWLEDGED},
    AlertMove.CLEAR: {
        AlertState.OPEN: AlertState.CLEARED,
        AlertState.ACKNOWLEDGED: AlertState.CLEARED,
    },
    AlertMove.REOPEN: {AlertState.CLEARED: AlertState.OPEN},
}
BY_SENSORS = frozenset({AlertMove.CLEAR, AlertMove.REOPEN})
"""What only the sensors say, never a person."""


class Verdict(StrEnum):
    """What a person judged the alert to be."""

    TRUE_ALARM = "true-alarm"
    FALSE_ALARM = "false-alarm"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode at one asset (报警), from its first finding until the sensors are normal again.

    ``open_rules`` are the rules that still hold the episode open, each with the severity it sees now.
    ``rule``, ``threshold``, ``detector`` and
    ``explanation`` are those of the finding that gave the highest severity; later changes of the configuration do
    not reach back into them. ``version`` counts changes and guards against two people acting at once.
    ``suppression`` says why it is told to nobody, if it is not, and ``explained_by`` names the alert that explains it.
    ``root_cause`` is what a person found it to be. ``reopened`` counts how often it came back within the reopening
    time.
    """

    id: UUID
    state: AlertState
    lifeline: Lifeline
    kind: str
    zone: str
    asset: str
    sensors: tuple[str, ...]
    severity: Severity
    highest_severity: Severity
    scheme: Scheme
    sensor_fault: bool
    started_at: datetime
    detected_at: datetime
    last_at: datetime
    cleared_at: datetime | None
    finding_count: int
    open_rules: Mapping[str, int]
    peak_value: float | None
    peak_at: datetime | None
    threshold: float | None
    rule: str
    detector: str
    detector_version: str
    explanation: Text
    trace: Mapping[str, Any] | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    verdict: Verdict | None
    verdict_reason: str | None
    created_at: datetime
    version: int
    suppression: Suppression | None = None
    explained_by: UUID | None = None
    reopened: int = 0
    assignee: str | None = None
    root_cause: RootCause | None = None
