"""One detector's claim."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.core.lifeline import Lifeline
from services.core.severity import Severity
from services.core.text import Text


class FindingState(StrEnum):
    """Whether the claim opens, changes or ends an episode."""

    RAISED = "raised"
    CHANGED = "changed"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says about one asset at one moment of event time (研判结果).

    ``started_at`` is when the episode began in event time and ``time`` when the rule could know it. ``id`` is
    derived from the rule, its target and the times, so that judging the same readings again gives the same
    finding and storing it twice changes nothing. ``score`` is the detector's number; ``value`` and
    ``threshold`` are what a person wants to read. ``evidence`` holds the window and the numbers behind it.
    ``target`` is what the rule watches (a sensor, a gateway, a zone): a rule that raised on a target clears on it.
    """

    id: str
    state: FindingState
    lifeline: Lifeline
    kind: str
    zone: str
    asset: str
    sensors: tuple[str, ...]
    severity: Severity
    time: datetime
    started_at: datetime
    score: float
    value: float | None
    threshold: float | None
    rule: str
    detector: str
    detector_version: str
    explanation: Text
    evidence: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
