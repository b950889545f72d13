"""Silences and inhibitions as the API takes and answers them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.api.moment import Moment
from services.api.schemas import Answer, TextAnswer
from services.core.inhibition import Reach
from services.core.lifeline import Lifeline
from services.core.silence import SilenceKind

_Name = Annotated[str | None, Field(max_length=300)]


class MatcherFields(BaseModel):
    """Which alerts are meant: all that is given has to fit, and something has to be given."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    lifeline: Lifeline | None = None
    zone: _Name = None
    asset: _Name = None
    kind: _Name = Field(default=None, description="kind of alert")
    sensor: _Name = Field(default=None, description="alerts that this sensor alone tells")


class SilenceRequest(BaseModel):
    """What is to be quiet, until when, and why."""

    model_config = ConfigDict(extra="forbid")

    kind: SilenceKind
    matcher: MatcherFields
    starts_at: Moment | None = Field(default=None, description="unset: now")
    ends_at: Moment
    recurrence: str | None = Field(
        default=None,
        max_length=200,
        description="maintenance only: an iCalendar rule such as FREQ=WEEKLY;BYDAY=TU, counted from starts_at",
    )
    mutes_to: int = Field(default=3, ge=1, le=4, description="worst severity kept quiet; what is worse is told")
    records: bool = Field(
        default=True,
        description="false: what comes and goes within maintenance gets the verdict test and counts nowhere",
    )
    reason: str = Field(min_length=1, max_length=2000)


class SilenceAnswer(Answer):
    """A silence, a shelving or a maintenance window."""

    id: UUID
    kind: SilenceKind
    matcher: MatcherFields
    starts_at: datetime
    ends_at: datetime
    recurrence: str | None
    mutes_to: int
    records: bool
    reason: str
    author: str
    created_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    in_force: bool
    over_at: datetime | None = Field(description="when the window in force ends")


class InhibitionAnswer(Answer):
    """A rule by which one alert explains another."""

    id: str
    lifeline: Lifeline
    causes: list[str] = Field(description="kinds that explain")
    effects: list[str] = Field(description="kinds that are explained; * is every kind that is no device fault")
    reach: Reach = Field(description="what both alerts must have in common")
    effect_lifelines: list[Lifeline] = Field(description="whose kinds the effects are; none: the causes' own")
    within_m: float | None = Field(description="metres between both, for the reach nearby")
    mutes_to: int = Field(description="worst severity that is kept quiet by it")
    reason: TextAnswer
    enabled: bool


class SwitchRequest(BaseModel):
    """Whether a rule is asked."""

    enabled: bool
    reason: str = Field(min_length=1, max_length=2000)
