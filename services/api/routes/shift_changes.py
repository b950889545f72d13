"""Changes of shift: who goes, who comes, what is open then, and that somebody has confirmed it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, status
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from services.api import problems, schemas
from services.api.moment import Moment
from services.api.question import time_range
from services.api.security import Connection, Reader, ShiftWorker
from services.core.shift_change import OFFERED_FROM, ChangeState, Handover, HandoverState, shift_changes
from services.core.store import duty_shifts, organisations, shift_handovers

router = APIRouter(tags=["duty"])
_LONGEST = timedelta(days=92)
_USUALLY_SHOWN = timedelta(days=8)
_USUALLY_BACK = timedelta(days=1)
_LONGEST_SHIFT = timedelta(days=31)


class OpenItems(BaseModel):
    """Of one kind: how many there are, and the worst by name."""

    count: int
    named: list[dict[str, Any]]


class HandoverAnswer(schemas.Answer):
    """What one shift left to the next."""

    id: UUID
    state: HandoverState
    organisation: str
    role: str
    outgoing: str | None = Field(description="person who goes")
    incoming: str | None = Field(description="person who comes")
    open: dict[str, OpenItems] = Field(
        description="alerts, drafts, warnings, silences and orders at the moment of the offer"
    )
    note: str
    offered_by: str
    offered_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    withdrawn_at: datetime | None


class HandoverRequest(BaseModel):
    """An offer to hand over."""

    model_config = ConfigDict(extra="forbid")

    organisation: str = Field(min_length=1, max_length=100)
    role: str = Field(default="duty", min_length=1, max_length=100)
    outgoing: str | None = Field(default=None, min_length=1, max_length=100, description="both people or neither")
    incoming: str | None = Field(default=None, min_length=1, max_length=100)
    note: str = Field(default="", max_length=4000)


class ConfirmRequest(BaseModel):
    """Who takes over."""

    model_config = ConfigDict(extra="forbid")

    person: str | None = Field(
        default=None, min_length=1, max_length=100, description="the person who comes, as the offer names them"
    )


class ShiftChangeAnswer(schemas.Answer):
    """A change of who is on duty."""

    organisation: str
    role: str
    at: datetime
    goes: list[str]
    comes: list[str]
    handover: UUID | None
    state: ChangeState = Field(description="`missing`: past, and nothing was handed over; `nobody`: nobody comes")


@router.get("/duty/changes", summary="Changes of shift, and whether they were handed over")
async def list_changes(
    connection: Connection,
    _: Reader,
    organisation: Annotated[str | None, Query(max_length=100)] = None,
    start: Moment | None = None,
    end: Moment | None = None,
) -> list[ShiftChangeAnswer]:
    """Usually of the last day and of the seven days ahead; a hole in the rota is a change at which nobody comes."""
    now = datetime.now(UTC)
    begin = start or now - _USUALLY_BACK
    since, until = time_range(begin, end or begin + _USUALLY_SHOWN, _USUALLY_SHOWN, _LONGEST)
    shifts = await duty_shifts.between(connection, since - _LONGEST_SHIFT, until, organisation)
    offered = await shift_handovers.between(connection, since - OFFERED_FROM, until, organisation)
    changes = shift_changes(shifts, offered, since=since, until=until, now=now)
    return [ShiftChangeAnswer.model_validate(change) for change in changes]


@router.get("/duty/handovers", summary="What shifts left to the next, newest first")
async def list_handovers(
    connection: Connection,
    _: Reader,
    organisation: Annotated[str | None, Query(max_length=100)] = None,
    start: Moment | None = None,
    end: Moment | None = None,
) -> list[HandoverAnswer]:
    """Usually of the last eight days; at most a thousand."""
    since, until = time_range(start, end, _USUALLY_SHOWN, _LONGEST)
    found = await shift_handovers.between(connection, since, until, organisation)
    return [HandoverAnswer.model_validate(each) for each in found]


@router.post(
    "/duty/handovers",
    summary="Offer to hand a shift over",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(409, 422),
)
async def offer_handover(request: HandoverRequest, connection: Connection, caller: ShiftWorker) -> HandoverAnswer:
    """What is open is written down as it stands now; one offer at a time waits in a post.

    Without people, whoever comes confirms it, never who offered it: that is for crews without a rota.
    """
    if request.organisation not in await organisations.load_organisations(connection):
        raise problems.not_valid("body.organisation", "there is no such organisation")
    if request.outgoing is not None or request.incoming is not None:
        await _check_people(connection, request)
    now = datetime.now(UTC)
    handover = Handover(
        id=uuid4(),
        organisation=request.organisation,
        role=request.role,
        outgoing=request.outgoing,
        incoming=request.incoming,
        open=await shift_handovers.standing(connection, request.organisation, now),
        note=request.note,
        offered_by=caller.actor,
        offered_at=now,
    )
    await shift_handovers.offer(connection, handover)
    return HandoverAnswer.model_validate(handover)


@router.post(
    "/duty/handovers/{handover}/confirm",
    summary="Confirm that a shift is taken over",
    responses=problems.documented(404, 409, 422),
)
async def confirm_handover(
    handover: UUID, request: ConfirmRequest, connection: Connection, caller: ShiftWorker
) -> HandoverAnswer:
    """By the person who comes; whose key it was is in the trail. Without people, by anybody but who offered it."""
    known = await _known(connection, handover)
    if request.person != known.incoming:
        raise problems.not_valid("body.person", f"it was offered to {known.incoming}")
    await shift_handovers.confirm(connection, known, actor=caller.actor, now=datetime.now(UTC))
    return HandoverAnswer.model_validate(await _known(connection, handover))


@router.post(
    "/duty/handovers/{handover}/withdraw", summary="Take an offer back", responses=problems.documented(404, 409)
)
async def withdraw_handover(handover: UUID, connection: Connection, caller: ShiftWorker) -> HandoverAnswer:
    """For a new one, because more has happened or somebody else comes."""
    known = await _known(connection, handover)
    await shift_handovers.withdraw(connection, known, actor=caller.actor, now=datetime.now(UTC))
    return HandoverAnswer.model_validate(await _known(connection, handover))


async def _check_people(connection: AsyncConnection, request: HandoverRequest) -> None:
    people = {person.id for person in await duty_shifts.people_of(connection, request.organisation)}
    for field in ("outgoing", "incoming"):
        if getattr(request, field) not in people:
            reason = f"{getattr(request, field)!r} is nobody of {request.organisation}"
            raise problems.not_valid(f"body.{field}", reason)
    if request.outgoing == request.incoming:
        raise problems.not_valid("body.incoming", "is the person who goes")


async def _known(connection: AsyncConnection, handover: UUID) -> Handover:
    found = await shift_handovers.find(connection, handover, lock=True)
    if found is None:
        raise problems.not_found("hand-over", handover)
    return found
