"""A work order: dispatched to the responsible organisation and followed until the sensors agree that it is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.core.lifeline import Lifeline
from services.core.severity import Severity
from services.core.text import Text


class WorkOrderState(StrEnum):
    """Where a work order stands."""

    DISPATCHED = "dispatched"
    RECEIVED = "received"
    ON_SITE = "on-site"
    UNDER_CONTROL = "under-control"
    HANDLED = "handled"
    VERIFIED = "verified"
    CLOSED = "closed"


class WorkOrderMove(StrEnum):
    """What can happen to a work order."""

    RECEIVE = "receive"
    ARRIVE = "arrive"
    CONTROL = "control"
    HAND_BACK = "hand-back"
    VERIFY = "verify"
    CLOSE = "close"


MOVES: Mapping[WorkOrderMove, Mapping[WorkOrderState, WorkOrderState]] = {
    WorkOrderMove.RECEIVE: {WorkOrderState.DISPATCHED: WorkOrderState.RECEIVED},
    WorkOrderMove.ARRIVE: {WorkOrderState.RECEIVED: WorkOrderState.ON_SITE},
    WorkOrderMove.CONTROL: {WorkOrderState.ON_SITE: WorkOrderState.UNDER_CONTROL},
    WorkOrderMove.HAND_BACK: {WorkOrderState.UNDER_CONTROL: WorkOrderState.HANDLED},
    WorkOrderMove.VERIFY: {WorkOrderState.HANDLED: WorkOrderState.VERIFIED},
    WorkOrderMove.CLOSE: {WorkOrderState.VERIFIED: WorkOrderState.CLOSED},
}


class SensorsDisagreeError(Exception):
    """The order cannot be verified: the sensors do not say that it is over."""


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """An order to an organisation (处置工单), with the clock of each step."""

    id: UUID
    alert: UUID
    warning: UUID | None
    state: WorkOrderState
    lifeline: Lifeline
    zone: str
    asset: str
    severity: Severity
    organisation: str | None
    title: Text
    feedback: str | None
    feedback_by: str | None
    verification: str | None
    created_at: datetime
    dispatched_at: datetime | None
    received_at: datetime | None
    on_site_at: datetime | None
    under_control_at: datetime | None
    handled_at: datetime | None
    verified_at: datetime | None
    closed_at: datetime | None
    version: int
