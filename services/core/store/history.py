"""Reading readings: the current value of each sensor, and its history in buckets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core.lifeline import Lifeline


@dataclass(frozen=True, slots=True)
class Latest:
    """A sensor's newest value by measurement time."""

    sensor: str
    time: datetime
    value: float
    quality: int
    reason: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Bucket:
    """What a sensor measured in one stretch of time; bad readings are counted in ``bad`` alone."""

    time: datetime
    minimum: float | None
    maximum: float | None
    mean: float | None
    count: int
    bad: int


_LATEST = """
select sensor.id as sensor, latest.time, latest.value, latest.quality, latest.reason, latest.received_at
from latest join sensor on sensor.key = latest.sensor_key
"""


async def latest_of(connection: AsyncConnection, sensors: Sequence[str]) -> list[Latest]:
    """The current value of some sensors; one that never reported is absent."""
    async with connection.cursor(row_factory=class_row(Latest)) as cursor:
        await cursor.execute(_LATEST + " where sensor.id = any(%s)", (list(sensors),))
        return await cursor.fetchall()


async def all_latest(
    connection: AsyncConnection, *, lifeline: Lifeline | None = None, zone: str | None = None
) -> list[Latest]:
    """The current value of every sensor that matches, in one call."""
    async with connection.cursor(row_factory=class_row(Latest)) as cursor:
        await cursor.execute(
            _LATEST
            + """
            where (%(lifeline)s::text is null or sensor.lifeline = %(lifeline)s)
              and (%(zone)s::text is null or sensor.zone = %(zone)s)
            order by sensor.id
            """,
            {"lifeline": lifeline, "zone": zone},
        )
        return await cursor.fetchall()


async def newest_time(connection: AsyncConnection) -> tuple[datetime | None, datetime | None]:
    """The newest measurement time of the city and the moment the newest reading came in."""
    cursor = await connection.execute("select max(time), max(received_at) from latest")
    row = await cursor.fetchone()
    return (None, None) if row is None else (row[0], row[1])


async def history(
    connection: AsyncConnection, sensor_key: int, start: datetime, end: datetime, bucket: timedelta
) -> list[Bucket]:
    """A sensor's values from ``start`` to before ``end`` in buckets; empty buckets are absent."""
    async with connection.cursor(row_factory=class_row(Bucket)) as cursor:
        await cursor.execute(
            """
            select date_bin(%(bucket)s, time, %(start)s) as time,
                   min(value) filter (where quality < 2) as minimum,
                   max(value) filter (where quality < 2) as maximum,
                   avg(value) filter (where quality < 2) as mean,
                   count(*) filter (where quality < 2) as count,
                   count(*) filter (where quality = 2) as bad
            from reading
            where sensor_key = %(sensor_key)s and time >= %(start)s and time < %(end)s
            group by 1 order by 1
            """,
            {"bucket": bucket, "start": start, "end": end, "sensor_key": sensor_key},
        )
        return await cursor.fetchall()


async def received_after(connection: AsyncConnection, moment: datetime | None, limit: int = 5000) -> list[Latest]:
    """Current values that came in after a moment, oldest first."""
    async with connection.cursor(row_factory=class_row(Latest)) as cursor:
        await cursor.execute(
            _LATEST
            + """
            where %(moment)s::timestamptz is null or latest.received_at > %(moment)s
            order by latest.received_at limit %(limit)s
            """,
            {"moment": moment, "limit": limit},
        )
        return await cursor.fetchall()
