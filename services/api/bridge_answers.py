"""What the API answers about bridges."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.api.schemas import Answer, TextAnswer


class HealthEvaluationAnswer(Answer):
    """How a bridge was doing at a moment, and why."""

    zone: str
    evaluated_at: datetime
    grade: int = Field(description="1 sound, 2 attention, 3 impaired, 4 critical; 0 too few sensors heard")
    label: TextAnswer
    reasons: list[TextAnswer]
    alerts: list[UUID]
    sensors: int
    heard: int
    overloads: int = Field(description="vehicles over the limit in the twelve hours before")
    proposes_closure: bool = Field(description="a person is asked to close the bridge to traffic")


class OverloadedVehicleAnswer(Answer):
    """A vehicle over the limit; both in t."""

    sensor: str
    asset: str
    time: datetime
    weight_t: float
    limit_t: float
