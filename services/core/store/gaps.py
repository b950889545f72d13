"""Stretches in which a sensor was not heard."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without readings, between two readings that lie too far apart.

    ``last_before`` and ``first_after`` are these readings' times, of any quality; ``last_before`` is null when the
    sensor had never reported, ``first_after`` when it has not reported since. ``start`` and ``end`` are the part of
    the stretch that lies in the range asked about.
    """

    start: datetime
    end: datetime
    last_before: datetime | None
    first_after: datetime | None


# Each of the three parts walks the index (sensor_key, time); the outer two take one step. A row without a time is an
# end of the range beyond which there is nothing.
_GAPS = """
with edge as (
    select (select time from reading where sensor_key = %(sensor_key)s and time < %(start)s
            order by time desc limit 1) as before,
           (select time from reading where sensor_key = %(sensor_key)s and time >= %(end)s
            order by time limit 1) as after
), heard as (
    select before as time, coalesce(before, %(start)s) as place from edge
    union all
    select time, time from reading where sensor_key = %(sensor_key)s and time >= %(start)s and time < %(end)s
    union all
    select after, coalesce(after, %(end)s) from edge
), pair as (
    select lag(time) over earlier as last_before, time as first_after,
        lag(place) over earlier as since, place as until
    from heard window earlier as (order by place, time nulls first)
)
select greatest(since, %(start)s) as start, least(until, %(end)s) as "end", last_before, first_after
from pair where until - since > %(longest)s and until > %(start)s
order by since limit %(limit)s
"""


async def gaps_of(
    connection: AsyncConnection, sensor_key: int, start: datetime, end: datetime, *, longest: timedelta, limit: int
) -> list[Gap]:
    """Gaps longer than ``longest`` that reach into the time from ``start`` to ``end``, oldest first.

    ``end`` is not later than now: what has not been measured yet is not missing.
    """
    async with connection.cursor(row_factory=class_row(Gap)) as cursor:
        await cursor.execute(
            _GAPS.encode(),
            {"sensor_key": sensor_key, "start": start, "end": end, "longest": longest, "limit": limit},
        )
        return await cursor.fetchall()
