"""An incident: what happened, whoever works on it; one or several alerts, orders and organisations."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from services.core.lifeline import Lifeline
from services.core.text import Text


@dataclass(frozen=True, slots=True)
class Incident:
    """What several organisations may work on together (事件); open as long as one of its orders is."""

    id: UUID
    lifeline: Lifeline
    asset: str
    title: Text
    is_exercise: bool
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    lessons: str | None
    lessons_by: str | None
    version: int


@dataclass(frozen=True, slots=True)
class IncidentCost:
    """What something cost, as somebody wrote it down."""

    id: UUID
    label: str
    amount: Decimal
    currency: str
    author: str
    at: datetime
