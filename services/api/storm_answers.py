"""What the API answers about storms."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from services.api.schemas import Answer, ForecastAnswer, TextAnswer
from services.core.low_point import StormTask, TaskState
from services.core.weather_warning import MessageType


class WeatherWarningAnswer(Answer):
    """A message of a weather service."""

    id: int
    sender: str
    identifier: str
    sent: datetime
    message_type: MessageType
    is_exercise: bool
    event: TextAnswer
    severity: int
    headline: TextAnswer
    description: TextAnswer
    instruction: TextAnswer
    onset: datetime
    expires: datetime
    area_names: list[str]
    area: dict[str, Any] | None = Field(description="GeoJSON; absent where it is for everywhere")
    brings_water: bool
    received_at: datetime
    ended_at: datetime | None


class WeatherWarningTakenAnswer(Answer):
    """What became of a message that was handed over."""

    sender: str
    identifier: str
    is_new: bool


class PersonAnswer(Answer):
    """Somebody by name and post."""

    name: str
    post: TextAnswer
    phone: str


class StormTaskAnswer(Answer):
    """What is prepared at a low point, with the person and the numbers as they were then."""

    id: int
    weather_warning: int
    task: StormTask
    label: TextAnswer
    quantity: int
    person: str | None
    phone: str | None
    is_exercise: bool
    state: TaskState
    changed_by: str | None
    changed_at: datetime | None


class LowPointAnswer(Answer):
    """A low point in the storm."""

    asset: str
    name: TextAnswer
    zone: str
    person: PersonAnswer | None
    pumps: list[str]
    prepare_from: int
    sensor: str | None
    unit: str | None
    depth: float | None
    measured_at: datetime | None
    alert: UUID | None
    severity: int = Field(description="of the running alert; 0 without one")
    expected: list[ForecastAnswer]
    tasks: list[StormTaskAnswer]


class StormAnswer(Answer):
    """Warnings that bring water, and how every low point stands."""

    severity: int = Field(description="of the worst warning in force that is meant in earnest")
    warnings: list[WeatherWarningAnswer]
    places: list[LowPointAnswer]
