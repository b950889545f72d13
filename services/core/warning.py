"""A warning: judged, graded, published to named recipients, received, lifted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity
from services.core.text import Text


class WarningState(StrEnum):
    """Where a warning stands."""

    PUBLISHED = "published"
    RECEIVED = "received"
    LIFTED = "lifted"


class WarningMove(StrEnum):
    """What can happen to a warning."""

    RECEIVE = "receive"
    LIFT = "lift"


MOVES: Mapping[WarningMove, Mapping[WarningState, WarningState]] = {
    WarningMove.RECEIVE: {WarningState.PUBLISHED: WarningState.RECEIVED},
    WarningMove.LIFT: {
        WarningState.PUBLISHED: WarningState.LIFTED,
        WarningState.RECEIVED: WarningState.LIFTED,
    },
}


@dataclass(frozen=True, slots=True)
class PublicWarning:
    """A published warning (预警). ``policy`` says which rule or person decided to publish it."""

    id: UUID
    alert: UUID
    state: WarningState
    lifeline: Lifeline
    zone: str
    asset: str
    severity: Severity
    scheme: Scheme
    headline: Text
    instruction: Text
    organisation: str | None
    policy: str
    created_at: datetime
    published_at: datetime | None
    published_by: str | None
    received_at: datetime | None
    received_by: str | None
    lifted_at: datetime | None
    lifted_by: str | None
    version: int
