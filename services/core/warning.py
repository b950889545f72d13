"""A warning: judged, graded, published to named recipients, received, lifted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity
from services.core.text import Text


class WarningState(StrEnum):
    """Where a warning stands."""

    DRAFT = "draft"
    """待审批: judged, and published when somebody approves it."""
    PUBLISHED = "published"
    RECEIVED = "received"
    LIFTED = "lifted"
    """解除: it was right and holds no longer."""
    CANCELLED = "cancelled"
    """撤销: it should not have been published."""
    REJECTED = "rejected"
    """Not approved, never published."""


class WarningMove(StrEnum):
    """What can happen to a warning."""

    APPROVE = "approve"
    REJECT = "reject"
    RECEIVE = "receive"
    LIFT = "lift"
    CANCEL = "cancel"


MOVES: Mapping[WarningMove, Mapping[WarningState, WarningState]] = {
    WarningMove.APPROVE: {WarningState.DRAFT: WarningState.PUBLISHED},
    WarningMove.REJECT: {WarningState.DRAFT: WarningState.REJECTED},
    WarningMove.RECEIVE: {WarningState.PUBLISHED: WarningState.RECEIVED},
    WarningMove.LIFT: {
        WarningState.PUBLISHED: WarningState.LIFTED,
        WarningState.RECEIVED: WarningState.LIFTED,
    },
    WarningMove.CANCEL: {
        WarningState.PUBLISHED: WarningState.CANCELLED,
        WarningState.RECEIVED: WarningState.CANCELLED,
    },
}
ENDS = frozenset({WarningMove.REJECT, WarningMove.LIFT, WarningMove.CANCEL})
"""After these a warning is in force no longer."""
ASKS_FOR_REASON = frozenset({WarningMove.REJECT, WarningMove.CANCEL})


class Approval(StrEnum):
    """When somebody has to approve a warning (审批)."""

    NONE = "none"
    BEFORE = "before"
    """It is a draft until then."""
    AFTER = "after"
    """Life safety goes first: it is published at once and confirmed afterwards."""


@dataclass(frozen=True, slots=True)
class PublicWarning:
    """A warning (预警). ``policy`` says which rule or person decided to publish it, ``policy_version`` by which policy.

    ``lifted_at`` is when it ceased to be in force, in whichever way ``state`` says; ``ended_reason`` is why, where it
    was cancelled or rejected. ``area`` is GeoJSON in WGS 84: where people are concerned.
    """

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
    area: Mapping[str, Any] | None = None
    valid_until: datetime | None = None
    approval: Approval = Approval.NONE
    approved_at: datetime | None = None
    approved_by: str | None = None
    ended_reason: str | None = None
    policy_version: int | None = None

    @property
    def awaits_confirmation(self) -> bool:
        """Whether it was published before anybody approved it, and still has to be confirmed."""
        return (
            self.approval is Approval.AFTER
            and self.approved_at is None
            and self.state in {WarningState.PUBLISHED, WarningState.RECEIVED}
        )
