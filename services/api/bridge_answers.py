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


class ModeSightingAnswer(Answer):
    """A mode seen in one window of raw vibration."""

    seen_at: datetime
    frequency_hz: float
    likeness: float = Field(description="modal assurance criterion beside the known shape, 1 when they are alike")
    event: str | None = Field(description="why the gateway kept the window; none where the clock said so")


class BridgeModeAnswer(Answer):
    """A way in which a bridge swings, under the number that it keeps."""

    number: int
    frequency_hz: float = Field(description="the frequency it is followed at, Hz; the weather moves it")
    shape: dict[str, float] = Field(description="how far each sensor swings with it, the farthest 1 or -1")
    sightings: int
    missed: int = Field(description="windows since it was seen last")
    first_seen_at: datetime
    last_seen_at: datetime
    recent: list[ModeSightingAnswer] = Field(description="the last sightings, oldest first")


class OverloadedVehicleAnswer(Answer):
    """A vehicle over the limit; both in t."""

    sensor: str
    asset: str
    time: datetime
    weight_t: float
    limit_t: float
