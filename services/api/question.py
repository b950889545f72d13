"""What questions about readings share: which sensors, from when to when, at which moment, from which source."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Query, Request
from psycopg import AsyncConnection

from services.api import problems
from services.api.bounding_box import BoxText, read_box
from services.api.moment import Moment
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from services.core.store import sensors
from services.core.store.history_source import Kept
from services.core.store.sensor_selection import SensorSelection
from services.core.text import Text

LONGEST_NAME = 300
Name = Annotated[str | None, Query(max_length=LONGEST_NAME)]
Missed = Annotated[
    float, Query(ge=1, le=1000, description="so many of a sensor's declared intervals without a reading are silence")
]
Cursor = Annotated[str | None, Query(max_length=LONGEST_NAME, description="the `next` of the page before")]
MISSED_REPORTS = 3
"""As the dashboard judges: one report may be lost and one be late."""


def now() -> datetime:
    """The service's clock."""
    return datetime.now(UTC)


async def selection_of(
    lifeline: Lifeline | None = None, zone: Name = None, gateway: Name = None, bbox: BoxText = None
) -> SensorSelection:
    """The sensors that meet every condition of the request."""
    return SensorSelection(lifeline=lifeline, zone=zone, gateway=gateway, box=read_box(bbox))


Selected = Annotated[SensorSelection, Depends(selection_of)]


async def kept_of(request: Request) -> Kept:
    """How long readings and their summaries are kept, by the settings the service started with."""
    kept: Kept = request.app.state.kept
    return kept


KeptSources = Annotated[Kept, Depends(kept_of)]


async def known_sensor(connection: AsyncConnection, sensor: str) -> tuple[Sensor, Text]:
    """A registered sensor with the words for its quantity.

    Raises:
        Problem: there is none of this name.
    """
    found = await sensors.find_sensor(connection, sensor)
    if found is None:
        raise problems.not_found("sensor", sensor)
    return found


def time_range(
    start: Moment | None, end: Moment | None, usual: timedelta, longest: timedelta | None = None
) -> tuple[datetime, datetime]:
    """From when to when; without an end until now, without a start the usual length before the end.

    Raises:
        Problem: the start does not lie before the end, or there is more between them than the longest allowed.
    """
    until = end or now()
    try:
        since = start or until - usual
    except OverflowError:
        raise problems.not_valid("query.end", f"lies too early for {usual} before it") from None
    if since >= until:
        raise problems.not_valid("query.start", "must lie before query.end")
    if longest is not None and until - since > longest:
        raise problems.not_valid("query.start", f"must not lie more than {longest.days} days before query.end")
    return since, until
