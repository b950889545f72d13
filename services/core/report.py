"""What a citizen, a patrol or another system has noticed: a claim like a detector's, kept as it came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.core.alert_kind import AlertKind
from services.core.finding import FindingState
from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity
from services.core.text import Text

REPORTED = "reported"
"""The kind of what nobody has put into a kind that the lifeline knows."""

POWER_OUT = "power-out"
"""The kind of what the grid, a patrol or a pump's own monitoring says of the electricity of a place."""


class ReportSource(StrEnum):
    """Who reports."""

    CITIZEN = "citizen"
    """群众上报"""
    PATROL = "patrol"
    """巡检巡查"""
    SYSTEM = "system"
    """Another system, such as a Prometheus that watches the pumps."""


SOURCE_LABELS: Mapping[ReportSource, Text] = {
    ReportSource.CITIZEN: Text("A citizen reports", "群众上报"),
    ReportSource.PATROL: Text("A patrol reports", "巡检上报"),
    ReportSource.SYSTEM: Text("Another system reports", "外部系统上报"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report. ``target`` names the trouble: a report that clears ends what one of the same target raised."""

    id: UUID
    source: ReportSource
    state: FindingState
    lifeline: Lifeline
    kind: str
    zone: str
    asset: str
    target: str
    severity: Severity
    time: datetime
    text: str
    reporter: str
    received_at: datetime
    labels: Mapping[str, Any] = field(default_factory=dict)


def reported_kind(lifeline: Lifeline) -> AlertKind:
    """The kind that every lifeline has for what people and other systems report; a person publishes."""
    return AlertKind(
        lifeline=lifeline,
        kind=REPORTED,
        label=Text("Reported trouble", "上报事件"),
        instruction=Text("Call back, look at the sensors nearby, send somebody.", "回访核实，查看附近监测，派人到场。"),
        scheme=Scheme.EMERGENCY,
        sensor_fault=False,
        publishes_from=None,
    )


def power_out_kind(lifeline: Lifeline) -> AlertKind:
    """The kind that every lifeline has for places without electricity; it explains the devices that fall silent."""
    return AlertKind(
        lifeline=lifeline,
        kind=POWER_OUT,
        label=Text("Power out", "停电"),
        instruction=Text(
            "Ask the grid how long it lasts, see to the batteries, and look by hand at what is no longer watched.",
            "向供电部门了解恢复时间，检查备用电池，对失去监测的点位安排人工巡查。",
        ),
        scheme=Scheme.EMERGENCY,
        sensor_fault=False,
        publishes_from=None,
    )
