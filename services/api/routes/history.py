"""What sensors measured from one moment to another."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from psycopg import AsyncConnection
from pydantic import TypeAdapter

from services.api import problems
from services.api.moment import Moment
from services.api.question import LONGEST_NAME, KeptSources, known_sensor, now, time_range
from services.api.reading_answers import HistoryAnswer, HistoryPoint, HistorySample, Shape
from services.api.schemas import Page
from services.api.security import Connection, Reader
from services.core.downsampling import FEWEST_POINTS, extremes, largest_triangles
from services.core.store import history
from services.core.store.history_source import BucketPlan, Kept, Source, plan_buckets, plan_readings
from services.core.store.readings import moment

router = APIRouter(tags=["sensors"])

ShapeAsked = Annotated[
    Shape,
    Query(
        description="`buckets`: summaries of equal stretches of time; `lttb`: the readings that keep the line's shape; "
        "`minmax`: the readings that keep its extremes"
    ),
]
KnownAt = Annotated[
    Moment | None,
    Query(
        description="what was known at this moment: without values that came later, and with those that were replaced "
        "later; up to 31 days"
    ),
]
_DAY = timedelta(hours=24)
_LONGEST_KNOWN = timedelta(days=31)
_MOST_READINGS = 200_000
"""What one request may read where every reading is looked at: a minute's sensor for four months."""
_MOST_SENSORS = 20
_POINTS = TypeAdapter(list[HistoryPoint])


@router.get("/sensors/{sensor}/history", summary="A sensor's history", responses=problems.documented(404))
async def get_history(
    sensor: str,
    connection: Connection,
    _: Reader,
    kept: KeptSources,
    start: Moment | None = None,
    end: Moment | None = None,
    points: Annotated[int, Query(ge=1, le=5000, description="buckets or samples at the most")] = 600,
    shape: ShapeAsked = Shape.BUCKETS,
    known_at: KnownAt = None,
) -> HistoryAnswer:
    """What a sensor measured, in few points; without ``start`` the last 24 hours before ``end``."""
    known, _words = await known_sensor(connection, sensor)
    since, until = time_range(start, end, _DAY, None if known_at is None else _LONGEST_KNOWN)
    (answer,) = await _histories(
        connection,
        {sensor: (known.key, known.unit)},
        since,
        until,
        points=points,
        shape=shape,
        kept=kept,
        known_at=known_at,
    )
    return answer


@router.get("/history", summary="The history of several sensors")
async def list_histories(
    connection: Connection,
    _: Reader,
    kept: KeptSources,
    sensor: Annotated[
        list[Annotated[str, Query(max_length=LONGEST_NAME)]],
        Query(max_length=_MOST_SENSORS, description="repeated: one for each sensor"),
    ] = [],  # noqa: B006 - FastAPI copies the default for every request
    start: Moment | None = None,
    end: Moment | None = None,
    points: Annotated[int, Query(ge=1, le=1000, description="buckets or samples at the most, of each")] = 300,
    shape: ShapeAsked = Shape.BUCKETS,
    known_at: KnownAt = None,
) -> Page[HistoryAnswer]:
    """What sensors measured in the same time, in the order asked for and in buckets that lie side by side."""
    since, until = time_range(start, end, _DAY, None if known_at is None else _LONGEST_KNOWN)
    known = await history.keys_and_units(connection, sensor)
    for name in sensor:
        if name not in known:
            raise problems.not_valid("query.sensor", f"there is no sensor {name}")
    asked = {name: known[name] for name in sensor}
    found = await _histories(connection, asked, since, until, points=points, shape=shape, kept=kept, known_at=known_at)
    return Page(items=found)


async def _histories(
    connection: AsyncConnection,
    sensors: Mapping[str, tuple[int, str]],
    start: datetime,
    end: datetime,
    *,
    points: int,
    shape: Shape,
    kept: Kept,
    known_at: datetime | None,
) -> list[HistoryAnswer]:
    if shape is Shape.BUCKETS and known_at is not None:
        return await _in_buckets(connection, sensors, plan_readings(start, end, points), known_at)
    if shape is Shape.BUCKETS:
        return await _in_buckets(connection, sensors, _planned(start, end, points, kept))
    if points < FEWEST_POINTS:
        raise problems.not_valid("query.points", f"must be {FEWEST_POINTS} or more in this shape")
    return await _as_samples(connection, sensors, start, end, points=points, shape=shape, known_at=known_at)


def _planned(start: datetime, end: datetime, points: int, kept: Kept) -> BucketPlan:
    try:
        return plan_buckets(start, end, points, kept=kept, now=now())
    except OverflowError:
        raise problems.not_valid("query.start", "lies too early") from None


async def _in_buckets(
    connection: AsyncConnection,
    sensors: Mapping[str, tuple[int, str]],
    plan: BucketPlan,
    known_at: datetime | None = None,
) -> list[HistoryAnswer]:
    found = await history.history(connection, [key for key, _ in sensors.values()], plan, known_at)
    return [
        HistoryAnswer(
            sensor=sensor,
            unit=unit,
            shape=Shape.BUCKETS,
            source=plan.source,
            bucket_s=plan.width.total_seconds(),
            points=_POINTS.validate_python(found.get(key, []), from_attributes=True),
            samples=[],
        )
        for sensor, (key, unit) in sensors.items()
    ]


async def _as_samples(
    connection: AsyncConnection,
    sensors: Mapping[str, tuple[int, str]],
    start: datetime,
    end: datetime,
    *,
    points: int,
    shape: Shape,
    known_at: datetime | None,
) -> list[HistoryAnswer]:
    keys = [key for key, _ in sensors.values()]
    try:
        found = await history.samples(connection, keys, start, end, _MOST_READINGS, known_at=known_at)
    except history.TooManyReadingsError as error:
        raise problems.not_valid("query.start", f"{error} to choose from; ask for less time or for buckets") from None
    return [
        HistoryAnswer(
            sensor=sensor,
            unit=unit,
            shape=shape,
            source=Source.RAW,
            bucket_s=None,
            points=[],
            samples=_chosen(found[key], points, shape) if key in found else [],
        )
        for sensor, (key, unit) in sensors.items()
    ]


def _chosen(given: history.Samples, points: int, shape: Shape) -> list[HistorySample]:
    choose = largest_triangles if shape is Shape.LTTB else extremes
    positions = choose(given.times_us, given.values, points)
    return [
        HistorySample(time=moment(time_us), value=value, quality=quality)
        for time_us, value, quality in zip(
            given.times_us[positions].tolist(),
            given.values[positions].tolist(),
            given.qualities[positions].tolist(),
            strict=True,
        )
    ]
