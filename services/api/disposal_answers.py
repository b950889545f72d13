"""What the API answers and asks about disposal: orders beside their steps, the field, incidents."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from services.api.moment import Moment
from services.api.position import Position
from services.api.schemas import Answer, TextAnswer, WorkOrderAnswer
from services.core.disposal_rule import DisposalRule
from services.core.lifeline import Lifeline

_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Words = Annotated[str, Field(min_length=1, max_length=4000)]


class DraftRequest(BaseModel):
    """An order that a person writes."""

    alert: UUID
    organisation: _Name | None = Field(default=None, description="the owner of the asset, if not given")
    severity: int | None = Field(default=None, ge=1, le=4, description="that of the alert, if not given")
    is_draft: bool = Field(default=True, description="false: it is sent out at once")


class OrderMoveRequest(BaseModel):
    """A note with a step; those that lead aside or back need one."""

    note: str | None = Field(default=None, max_length=2000)
    version: int | None = Field(default=None, description="refuse if the order has another one by now")
    cannot_tell: str | None = Field(
        default=None, max_length=2000, description="to verify where sensors are silent or missing: why they cannot tell"
    )


class TransferRequest(BaseModel):
    """Another organisation is to do it."""

    organisation: _Name
    note: Annotated[str, Field(min_length=1, max_length=2000)]
    version: int | None = None


class AssignPersonRequest(BaseModel):
    """Who of the organisation goes there."""

    person: _Name | None
    version: int | None = None


class EscalateRequest(BaseModel):
    """Why others have to know."""

    note: Annotated[str, Field(min_length=1, max_length=2000)]


class SuperviseRequest(BaseModel):
    """The regulator presses for it (督办)."""

    text: _Words
    due_at: Moment


class SupervisionReplyRequest(BaseModel):
    """What the owner answers the regulator."""

    text: _Words


class SupervisionAnswer(Answer):
    """What the regulator asked for, and what was answered."""

    id: UUID
    work_order: UUID
    author: str
    at: datetime
    text: str
    due_at: datetime
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None


class MeasurementAnswer(Answer):
    """What somebody measured by hand."""

    quantity: _Name
    value: Annotated[float, Field(allow_inf_nan=False)]
    unit: Annotated[str, Field(min_length=1, max_length=20)]


class FieldFeedbackRequest(BaseModel):
    """A message from the field; sent twice with the same identifier it is kept once."""

    id: UUID | None = Field(default=None, description="made by the sender, so that it may be sent again")
    at: Moment | None = Field(default=None, description="when it was written, if it is sent later")
    text: _Words
    measurements: list[MeasurementAnswer] = Field(default=[], max_length=50)
    position: Position | None = Field(default=None, description="longitude, latitude")


class FieldFeedbackAnswer(Answer):
    """A message from the field."""

    id: UUID
    work_order: UUID
    round: int
    author: str
    at: datetime
    received_at: datetime
    text: str
    measurements: list[MeasurementAnswer]
    position: tuple[float, float] | None


class AttachmentAnswer(Answer):
    """A photo or file of an order; its type was found in its content."""

    id: UUID
    work_order: UUID
    feedback: UUID | None
    sha256: str
    name: str
    media_type: str
    size_bytes: int
    width: int | None = Field(description="in pixels, of an image")
    height: int | None
    has_thumbnail: bool
    author: str
    at: datetime


class OrderStepAnswer(Answer):
    """A step that was taken, and when it had been due."""

    at: datetime
    actor: str
    move: str
    before: str | None
    after: str
    round: int
    organisation: str | None
    due_at: datetime | None
    note: str | None


class OrderRecordAnswer(Answer):
    """All that was said and done about an order."""

    steps: list[OrderStepAnswer]
    feedback: list[FieldFeedbackAnswer]
    attachments: list[AttachmentAnswer]
    supervisions: list[SupervisionAnswer]


class AssigneeAnswer(Answer):
    """Who could take an order, and what speaks for it."""

    organisation: str
    organisation_name: TextAnswer
    person: str | None
    person_name: str | None
    phone: str | None
    owns_asset: bool
    on_duty: bool
    running_orders: int
    distance_m: float | None = Field(description="from the nearest depot or the last place that was told")
    reasons: list[TextAnswer]


class DisposalRuleAnswer(Answer):
    """The rule of a lifeline; version 0 is the default."""

    lifeline: Lifeline
    version: int
    rule: DisposalRule
    author: str | None
    reason: str | None
    created_at: datetime | None


class DisposalRuleRequest(BaseModel):
    """A rule for orders from now on."""

    rule: DisposalRule
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class IncidentAnswer(Answer):
    """What happened; one or several alerts, orders and organisations."""

    id: UUID
    lifeline: Lifeline
    asset: str
    title: TextAnswer
    is_exercise: bool
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    lessons: str | None
    lessons_by: str | None
    version: int


class CostAnswer(Answer):
    """What something cost."""

    id: UUID
    label: str
    amount: Decimal
    currency: str
    author: str
    at: datetime


class IncidentDetailAnswer(IncidentAnswer):
    """An incident with all that belongs to it."""

    alerts: list[UUID]
    orders: list[WorkOrderAnswer]
    costs: list[CostAnswer]


class JointOrderRequest(BaseModel):
    """Another organisation works on the same incident."""

    organisation: _Name
    title: TextAnswer = Field(description="what it is to do there")
    severity: int | None = Field(default=None, ge=1, le=4)


class CostRequest(BaseModel):
    """What something cost; below zero it takes back one that was wrong."""

    label: _Name
    amount: Decimal = Field(max_digits=14, decimal_places=2)
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]


class LessonsRequest(BaseModel):
    """What is to be learnt."""

    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    version: int | None = None
