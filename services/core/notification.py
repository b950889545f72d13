"""A message to a receiver and the attempts to deliver it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

TEST = "receiver.test"
"""The type of a message that somebody sends to see whether it arrives."""


class NotificationState(StrEnum):
    """Where a notification stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one receiver. Its ``id`` is the ``webhook-id`` of every attempt.

    Messages of one ``lane`` go out one after the other; without one, those about one subject to one receiver do.
    A person who asks for it to be sent again gives it its whole time once more: ``retried_at`` says when, and
    ``attempts_before`` how many attempts there had been.
    """

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
    lane: str | None = None
    retried_at: datetime | None = None
    attempts_before: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt: what was sent, and what was answered or went wrong. Secrets and signatures are never in it."""

    notification: UUID
    attempt: int
    started_at: datetime
    duration_ms: float
    status: int | None
    response: str | None
    error: str | None
    request: Mapping[str, Any] | None = None
