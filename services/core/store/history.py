"""What sensors measured from one moment to another: in buckets, or every value."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection

from services.core.store.history_source import VIEWS, BucketPlan, Source


class TooManyReadingsError(Exception):
    """More readings lie between the two moments than one question may read."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What a sensor measured in one stretch of time.

    ``count`` holds good and suspect readings, ``suspect`` the latter alone; bad readings are counted in ``bad`` and
    are part of nothing else. Values are in the sensor's declared unit and null where there is none but bad readings.
    """

    time: datetime
    minimum: float | None
    maximum: float | None
    mean: float | None
    last: float | None
    count: int
    suspect: int
    bad: int


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """A sensor's good and suspect readings by time, as arrays of one length; times are epoch microseconds."""

    times_us: NDArray[np.int64]
    values: NDArray[np.float64]
    qualities: NDArray[np.int16]


# The key (sensor_key, time) leads to the readings, (sensor_key, bucket) to the rows of a stored summary.
_RAW_BUCKETS = """
select sensor_key, date_bin(%(width)s, time, %(start)s) as time,
    min(value) filter (where quality < 2) as minimum,
    max(value) filter (where quality < 2) as maximum,
    avg(value) filter (where quality < 2) as mean,
    (array_agg(value order by time desc) filter (where quality < 2))[1] as last,
    count(*) filter (where quality < 2) as count,
    count(*) filter (where quality = 1) as suspect,
    count(*) filter (where quality = 2) as bad
from reading
where sensor_key = any(%(sensor_keys)s) and time >= %(start)s and time < %(end)s
group by 1, 2 order by 1, 2
"""
_SUMMARY_BUCKETS = """
select sensor_key, date_bin(%(width)s, bucket, %(start)s) as time,
    min(minimum) as minimum,
    max(maximum) as maximum,
    sum(total) / nullif(sum(count), 0)::double precision as mean,
    (array_agg(last_value order by last_time desc) filter (where count > 0))[1] as last,
    sum(count)::bigint as count,
    sum(suspect)::bigint as suspect,
    sum(bad)::bigint as bad
from {summary}
where sensor_key = any(%(sensor_keys)s) and bucket >= %(start)s and bucket < %(end)s
group by 1, 2 order by 1, 2
"""
_SAMPLES = """
select sensor_key, array_agg(time_us order by time_us), array_agg(value order by time_us),
    array_agg(quality order by time_us)
from (
    select sensor_key, (extract(epoch from time) * 1000000)::bigint as time_us, value, quality
    from reading
    where sensor_key = any(%(sensor_keys)s) and time >= %(start)s and time < %(end)s and quality < 2
    limit %(limit)s
) given
group by sensor_key
"""


# What was believed of each moment at a moment of the world's clock, in place of what is believed now.
_KNOWN = """(
    select sensor_key, time, value, quality from reading
    where sensor_key = any(%(sensor_keys)s) and time >= %(start)s and time < %(end)s and received_at <= %(known_at)s
    union all
    select sensor_key, time, value, quality from superseded_reading
    where sensor_key = any(%(sensor_keys)s) and time >= %(start)s and time < %(end)s
      and received_at <= %(known_at)s and superseded_at > %(known_at)s
) reading"""


def _as_known(statement: str, known_at: datetime | None) -> str:
    return statement if known_at is None else statement.replace("from reading\n", f"from {_KNOWN}\n")


async def keys_and_units(connection: AsyncConnection, sensors: Sequence[str]) -> dict[str, tuple[int, str]]:
    """The key and the declared unit of some sensors; unknown ones are absent."""
    cursor = await connection.execute("select id, key, unit from sensor where id = any(%s)", (list(sensors),))
    return {row[0]: (row[1], row[2]) async for row in cursor}


async def history(
    connection: AsyncConnection, sensor_keys: Sequence[int], plan: BucketPlan, known_at: datetime | None = None
) -> dict[int, list[Bucket]]:
    """The buckets of some sensors by key, each sensor's in order of time; empty buckets are absent.

    With ``known_at``, of what was known then; the plan is one of readings.
    """
    statement = (
        _as_known(_RAW_BUCKETS, known_at)
        if plan.source is Source.RAW
        else _SUMMARY_BUCKETS.format(summary=VIEWS[plan.source])
    )
    found: dict[int, list[Bucket]] = defaultdict(list)
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(
            statement.encode(),
            {
                "sensor_keys": list(sensor_keys),
                "start": plan.start,
                "end": plan.end,
                "width": plan.width,
                "known_at": known_at,
            },
        )
        for sensor_key, *fields in await cursor.fetchall():
            found[sensor_key].append(Bucket(*fields))
    return found


async def samples(
    connection: AsyncConnection,
    sensor_keys: Sequence[int],
    start: datetime,
    end: datetime,
    limit: int,
    *,
    known_at: datetime | None = None,
) -> dict[int, Samples]:
    """Every good and suspect reading of some sensors by key, from ``start`` to before ``end``.

    With ``known_at``, as they were known then: values that came later are absent, and values that replaced others
    later have not done so.

    Raises:
        TooManyReadingsError: there are more than ``limit`` of them in all.
    """
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(
            _as_known(_SAMPLES, known_at).encode(),
            {
                "sensor_keys": list(sensor_keys),
                "start": start,
                "end": end,
                "limit": limit + 1,
                "known_at": known_at,
            },
        )
        found = {
            sensor_key: Samples(np.array(times, np.int64), np.array(values, np.float64), np.array(qualities, np.int16))
            for sensor_key, times, values, qualities in await cursor.fetchall()
        }
    if sum(len(part.values) for part in found.values()) > limit:
        raise TooManyReadingsError(f"more than {limit} readings")
    return found
