"""The newest value of each sensor at a past moment: as we know it now, or as it was believed then."""

from datetime import datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core.store import current_values
from services.core.store.current_values import Latest
from services.core.store.sensor_selection import SensorSelection

FURTHEST_AHEAD = timedelta(days=1)
"""No stored reading was measured later than this after it was received: ingest refuses what lies further ahead than
``clock_tolerance``, which is minutes."""

# One step down the index of each sensor. What was received later than the moment asked about is stepped over.
_AS_KNOWN_NOW = """
from sensor cross join lateral (
    select time, value, quality, reason, received_at from reading
    where sensor_key = sensor.key and time <= %(at)s
    order by time desc limit 1
) held
"""
_AS_BELIEVED_THEN = """
from sensor cross join lateral (
    (select time, value, quality, reason, received_at from reading
     where sensor_key = sensor.key and time <= %(at)s and received_at <= %(believed_at)s
     order by time desc limit 1)
    union all
    (select time, value, quality, reason, received_at from superseded_reading
     where sensor_key = sensor.key and time <= %(at)s
       and received_at <= %(believed_at)s and superseded_at > %(believed_at)s
     order by time desc limit 1)
    order by time desc limit 1
) held
"""


def _source(at: datetime | None, believed_at: datetime | None) -> tuple[str, dict[str, datetime | None]]:
    if believed_at is None:
        return _AS_KNOWN_NOW, {"at": at}
    last = _later(believed_at)
    return _AS_BELIEVED_THEN, {"at": last if at is None else min(at, last), "believed_at": believed_at}


def _later(believed_at: datetime) -> datetime:
    try:
        return believed_at + FURTHEST_AHEAD
    except OverflowError:
        return believed_at


async def all_at(
    connection: AsyncConnection, selection: SensorSelection, *, at: datetime | None, believed_at: datetime | None
) -> str:
    """The newest value not after ``at`` of every sensor of a selection, as a JSON list of ``Latest``.

    With ``believed_at`` only what had been received by then counts, and a value that was corrected later is shown as
    it was. Without ``at`` it is the newest value of all that was known at ``believed_at``. One of the two is needed.
    """
    source, moments = _source(at, believed_at)
    return await current_values.json_list(
        connection, f"{source} where {selection.condition()}", selection.parameters() | moments
    )


async def one_at(
    connection: AsyncConnection, sensor: str, *, at: datetime | None, believed_at: datetime | None
) -> Latest | None:
    """The same of one sensor; ``None`` when nothing was measured or known by then."""
    source, moments = _source(at, believed_at)
    async with connection.cursor(row_factory=class_row(Latest)) as cursor:
        await cursor.execute(
            f"select {current_values.COLUMNS} {source} where sensor.id = %(sensor)s".encode(),
            moments | {"sensor": sensor},
        )
        return await cursor.fetchone()
