"""A message to a receiver and the attempts to deliver it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class NotificationState(StrEnum):
    """Where a notification stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one receiver. Its ``id`` is the ``webhook-id`` of every attempt."""

    id: UUID
    receiver: str
    type: str
    subject_kind: str
    subject: UUID
    body: str
    state: NotificationState
    attempts: int
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt: what was answered, or what went wrong. Secrets and signatures are never in it."""

    notification: UUID
    attempt: int
    started_at: datetime
    duration_ms: float
    status: int | None
    response: str | None
    error: str | None
