"""What the API answers and asks about response plans."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from services.api.position import Position
from services.api.schemas import Answer, TextAnswer
from services.core.organisation import OrganisationRole
from services.core.response_plan import ResponsePlan

_Name = Annotated[str, Field(min_length=1, max_length=200)]


class PlanGapAnswer(Answer):
    """What the plan relies on and is not there."""

    step: int | None
    reason: TextAnswer


class PlanAnswer(Answer):
    """A plan with what it lacks today, so that it is known before the plan is needed."""

    id: str
    version: int = Field(description="0: a default that nobody has changed")
    plan: ResponsePlan
    is_default: bool
    author: str | None
    reason: str | None
    created_at: datetime | None
    gaps: list[PlanGapAnswer]


class PlanRequest(BaseModel):
    """The next version of a plan."""

    plan: ResponsePlan
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class ActivateRequest(BaseModel):
    """Set a plan going: for an incident, or as an exercise at an asset."""

    plan: _Name
    incident: UUID | None = None
    exercise_at: _Name | None = Field(default=None, description="an asset: begins an exercise there, no earnest")


class TickRequest(BaseModel):
    """A word about a step that is done."""

    note: str | None = Field(default=None, max_length=2000)


class EndRequest(BaseModel):
    """Why a plan ends."""

    note: Annotated[str, Field(min_length=1, max_length=2000)]


class ActivatedStepAnswer(Answer):
    """A step with its person, its moment, and who did it."""

    number: int
    label: TextAnswer
    role: OrganisationRole
    organisation: str | None
    person: str | None
    person_name: str | None
    post: TextAnswer | None
    phone: str | None
    due_at: datetime
    done_at: datetime | None
    done_by: str | None
    note: str | None


class ActivationAnswer(Answer):
    """A plan that runs or ran; an exercise says so in its title too."""

    id: UUID
    plan: str
    plan_version: int
    title: TextAnswer
    incident: UUID
    work_order: UUID | None
    """The order that an exercise sends out with it."""
    is_exercise: bool
    exclusion_radius_m: float
    public_message: TextAnswer | None
    activated_at: datetime
    activated_by: str
    ended_at: datetime | None
    ended_by: str | None
    steps: list[ActivatedStepAnswer]


class MaterialRequest(BaseModel):
    """So much of something."""

    id: _Name
    name: TextAnswer
    stock: float = Field(ge=0, allow_inf_nan=False)
    unit: Annotated[str, Field(min_length=1, max_length=20)]


class MaterialAnswer(Answer):
    """So much of something, as it was last counted."""

    id: str
    name: TextAnswer
    stock: float
    unit: str
    counted_at: datetime
    counted_by: str


class DepotRequest(BaseModel):
    """A place where material lies, with what was counted there."""

    organisation: _Name
    name: TextAnswer
    position: Position
    materials: list[MaterialRequest] = Field(default=[], max_length=500)


class DepotAnswer(Answer):
    """A place where material lies; longitude, latitude."""

    id: str
    organisation: str
    name: TextAnswer
    position: tuple[float, float]
    materials: list[MaterialAnswer]
    version: int = Field(description="another one after each change, as `ETag` names it")
