"""Where readings are missing: gaps of a sensor, and how much came in by day."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from services.api import problems, question
from services.api.moment import Moment
from services.api.question import MISSED_REPORTS, Cursor, Missed, Name, Selected, known_sensor
from services.api.reading_answers import AvailabilityAnswer, AvailabilityTotal, GapAnswer
from services.api.schemas import Page
from services.api.security import Connection, Reader
from services.core.store import availability
from services.core.store.gaps import gaps_of

router = APIRouter(tags=["availability"])

_WEEK = timedelta(days=7)
_QUARTER = timedelta(days=92)
First = Annotated[date | None, Query(description="the first day (UTC); without it the seventh up to `last`")]
Last = Annotated[date | None, Query(description="the last day (UTC), today at the latest")]


@router.get("/sensors/{sensor}/gaps", summary="When a sensor was not heard", responses=problems.documented(404))
async def list_gaps(
    sensor: str,
    connection: Connection,
    _: Reader,
    start: Moment | None = None,
    end: Moment | None = None,
    missed: Missed = MISSED_REPORTS,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Page[GapAnswer]:
    """Stretches without any reading that are longer than so many declared intervals, oldest first.

    Without ``start`` in the week before ``end``; 92 days at the most. Ask for more with ``next`` as ``start``.
    """
    known, _words = await known_sensor(connection, sensor)
    since, until = question.time_range(start, end, _WEEK, _QUARTER)
    longest = known.interval * missed
    found = await gaps_of(connection, known.key, since, min(until, question.now()), longest=longest, limit=limit + 1)
    items = [
        GapAnswer(
            start=gap.start,
            end=gap.end,
            last_before=gap.last_before,
            first_after=gap.first_after,
            missing=(gap.end - gap.start) // known.interval,
        )
        for gap in found[:limit]
    ]
    return Page(items=items, next=items[-1].end.isoformat() if len(found) > limit else None)


def _days(first: date | None, last: date | None) -> tuple[date, date]:
    today = question.now().date()
    until = last or today
    if until > today:
        raise problems.not_valid("query.last", "must not lie after today (UTC)")
    since = first or max(date.min + _WEEK, until) - _WEEK + timedelta(days=1)
    if since > until:
        raise problems.not_valid("query.first", "must not lie after query.last")
    if until - since >= _QUARTER:
        raise problems.not_valid("query.first", f"must not lie {_QUARTER.days} days or more before query.last")
    return since, until


@router.get("/availability", summary="How much of what was expected came in, by sensor and day")
async def list_availability(
    connection: Connection,
    _: Reader,
    selection: Selected,
    sensor: Name = None,
    first: First = None,
    last: Last = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> Page[AvailabilityAnswer]:
    """Sensors by identifier, each with every day of the range; 92 days at the most.

    What was expected follows from the sensor's declared interval.
    """
    since, until = _days(first, last)
    asked = replace(selection, sensors=None if sensor is None else (sensor,), after=cursor)
    found = await availability.sensor_days(connection, asked, since, until, now=question.now(), limit=limit + 1)
    items = [AvailabilityAnswer.model_validate(days) for days in found[:limit]]
    return Page(items=items, next=items[-1].sensor if len(found) > limit else None)


@router.get("/availability/days", summary="How much of what was expected came in, by day")
async def list_availability_days(
    connection: Connection,
    _: Reader,
    selection: Selected,
    first: First = None,
    last: Last = None,
) -> Page[AvailabilityTotal]:
    """All sensors of the selection together, one entry for each day of the range; 92 days at the most."""
    since, until = _days(first, last)
    found = await availability.day_totals(connection, selection, since, until, now=question.now())
    return Page(items=[AvailabilityTotal.model_validate(total) for total in found])
