"""Who is on duty, where nobody is, and who stands in for whom."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request, status
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from services.api import problems, schemas
from services.api.moment import Moment
from services.api.question import time_range
from services.api.security import Approver, Connection, Operator, Reader
from services.core.duty import Hole, RotaError, Shift, holes, read_rota
from services.core.lifeline import Lifeline
from services.core.organisation import OrganisationRole
from services.core.store import duty_shifts, organisations

router = APIRouter(tags=["duty"])
_LAID_OUT = timedelta(days=400)
_USUALLY_SHOWN = timedelta(days=7)


class ShiftAnswer(schemas.Answer):
    """One person's time on duty."""

    id: UUID
    organisation: str
    role: str
    person: str
    starts_at: datetime
    ends_at: datetime
    source: str = Field(description="the calendar's entry, or who arranged the substitution")
    substitutes: str | None = Field(description="the person they stand in for")


class HoleAnswer(schemas.Answer):
    """A time in which nobody is on duty in a role that has a rota."""

    organisation: str
    role: str
    starts_at: datetime
    ends_at: datetime


class DutyAnswer(BaseModel):
    """The rota of a span of time."""

    shifts: list[ShiftAnswer]
    holes: list[HoleAnswer]


class RotaAnswer(BaseModel):
    """What became of a calendar."""

    shifts: int
    holes: list[HoleAnswer] = Field(description="of the next seven days")


class SubstitutionRequest(BaseModel):
    """Somebody stands in for the person of a shift, for all of it or a part."""

    model_config = ConfigDict(extra="forbid")

    person: str = Field(min_length=1, max_length=100)
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class PersonAnswer(schemas.Answer):
    """Somebody who can be on duty."""

    id: str
    name: str
    post: schemas.TextAnswer


class OrganisationAnswer(schemas.Answer):
    """An organisation and its people."""

    id: str
    name: schemas.TextAnswer
    role: OrganisationRole
    lifelines: list[Lifeline]
    people: list[PersonAnswer]


def _holes(found: list[Hole]) -> list[HoleAnswer]:
    return [HoleAnswer.model_validate(hole) for hole in found]


@router.get("/organisations", summary="Organisations and their people")
async def list_organisations(connection: Connection, _: Reader) -> list[OrganisationAnswer]:
    """In the order of their identifiers. Phones are not shown here, only where somebody has to call."""
    return [
        OrganisationAnswer(
            id=organisation.id,
            name=schemas.TextAnswer.model_validate(organisation.name),
            role=organisation.role,
            lifelines=sorted(organisation.lifelines),
            people=[
                PersonAnswer.model_validate(person)
                for person in await duty_shifts.people_of(connection, organisation.id)
            ],
        )
        for organisation in (await organisations.load_organisations(connection)).values()
    ]


@router.get("/duty", summary="Who is on duty, and where nobody is")
async def get_duty(
    connection: Connection,
    _: Reader,
    organisation: Annotated[str | None, Query(max_length=100)] = None,
    start: Moment | None = None,
    end: Moment | None = None,
) -> DutyAnswer:
    """The shifts that touch a span of time (usually the next seven days), and its holes."""
    begin = start or datetime.now(UTC)
    since, until = time_range(begin, end or begin + _USUALLY_SHOWN, _USUALLY_SHOWN, _LAID_OUT)
    found = await duty_shifts.between(connection, since, until, organisation)
    return DutyAnswer(
        shifts=[ShiftAnswer.model_validate(shift) for shift in found], holes=_holes(holes(found, since, until))
    )


@router.put(
    "/duty/{organisation}/rota",
    summary="Take over a duty calendar",
    responses=problems.documented(404, 422),
    openapi_extra={"requestBody": {"required": True, "content": {"text/calendar": {"schema": {"type": "string"}}}}},
)
async def put_rota(organisation: str, request: Request, connection: Connection, caller: Approver) -> RotaAnswer:
    """An iCalendar file: summaries name persons of the organisation, the first category is the role.

    It replaces every shift from now on, laid out for 400 days; substitutions stay. Either all of it is taken or, with
    the entry and the reason named, nothing.
    """
    await _known(connection, organisation)
    now = datetime.now(UTC)
    people = await duty_shifts.people_of(connection, organisation)
    try:
        shifts = read_rota(await request.body(), organisation, people, now, now + _LAID_OUT)
    except RotaError as error:
        raise problems.not_valid("body", str(error)) from None
    count = await duty_shifts.replace_rota(connection, organisation, shifts, since=now, actor=caller.actor)
    return RotaAnswer(shifts=count, holes=_holes(holes(shifts, now, now + _USUALLY_SHOWN)))


@router.post(
    "/duty/shifts/{shift}/substitute",
    summary="Let somebody stand in",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(404, 409, 422),
)
async def substitute(
    shift: UUID, request: SubstitutionRequest, connection: Connection, caller: Operator
) -> ShiftAnswer:
    """From then on the substitute is on duty instead; the shift itself stays on record."""
    known = await duty_shifts.find(connection, shift)
    if known is None:
        raise problems.not_found("shift", shift)
    if request.person not in {person.id for person in await duty_shifts.people_of(connection, known.organisation)}:
        raise problems.not_valid("body.person", f"{request.person!r} is nobody of {known.organisation}")
    starts_at, ends_at = request.starts_at or known.starts_at, request.ends_at or known.ends_at
    if not known.starts_at <= starts_at < ends_at <= known.ends_at:
        raise problems.not_valid("body.starts_at", "the substitution must lie within the shift")
    instead = Shift(
        id=uuid4(),
        organisation=known.organisation,
        role=known.role,
        person=request.person,
        starts_at=starts_at,
        ends_at=ends_at,
        source=f"arranged by {caller.actor}",
        substitutes=known.person,
    )
    await duty_shifts.substitute(connection, instead, actor=caller.actor)
    return ShiftAnswer.model_validate(instead)


async def _known(connection: AsyncConnection, organisation: str) -> None:
    if organisation not in await organisations.load_organisations(connection):
        raise problems.not_found("organisation", organisation)
