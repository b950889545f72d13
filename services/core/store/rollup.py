"""Summaries follow the feed on servers without continuous aggregates.

A step takes the next entries of the feed, works the minutes they touch out anew from the readings, then the hours and
days above them that are written down already, and moves the cursor, all in one transaction: a step that was cut off
has not happened. Steps are short, because the feed waits for every open transaction that writes.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import AsyncConnection

from services.core.store.rollup_tables import CONSUMER, LOCK, statement
from services.core.store.storage_policy import LATENESS
from services.core.store.summary import DAY, HOUR, MINUTE, ORIGIN, SUMMARIES, Summary

READINGS_AT_ONCE = 5_000
"""Readings that a step aims at: some tenths of a second on a small machine."""
_FIRST_ENTRIES = 10
_MOST_ENTRIES = 5_000
_SENSORS_AT_ONCE = 2_000

_NEXT = f"""
with position as (
    select transaction_id, id from feed_cursor where consumer = %(consumer)s
), entry as materialized (
    select f.transaction_id, f.id, f.sensor_keys, f.times from feed f, position p
    where (f.transaction_id, f.id) > (p.transaction_id, p.id)
      and f.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    order by f.transaction_id, f.id limit %(limit)s
), brought as materialized (
    select given.* from entry, unnest(sensor_keys, times) as given (sensor_key, time)
), touched as (
    select sensor_key, extract(epoch from date_bin({MINUTE.interval}, time, {ORIGIN}))::bigint as minute_s
    from brought group by 1, 2 order by 1, 2
)
select last.transaction_id::text, last.id,
    (select count(*) from brought), (select min(time) from brought), (select max(time) from brought),
    (select array_agg(sensor_key) from touched), (select array_agg(minute_s) from touched),
    (select array_agg(extract(epoch from until)::bigint order by array_position(%(views)s::text[], summary))
     from rollup_progress)
from (select transaction_id, id from entry order by transaction_id desc, id desc limit 1) last
"""

# The bounds beside the bucket's own are the same for all: a server with chunks leaves out the others with them.
_WRITE_TOUCHED = """
with touched as (
    select distinct sensor_key, date_bin({interval}, to_timestamp(minute_s), {origin}) as bucket
    from unnest(%(sensor_keys)s::integer[], %(minutes_s)s::bigint[]) as given (sensor_key, minute_s)
), due as materialized (
    select sensor_key, bucket from touched, rollup_progress progress
    where progress.summary = '{view}' and bucket >= coalesce(progress.source_from, '-infinity')
    order by 1, 2
)
insert into {table} (sensor_key, bucket, {names})
select due.sensor_key, due.bucket, made.*
from due, lateral (
    select {columns} from {source_table} source
    where source.sensor_key = due.sensor_key
      and source.{source_time} >= due.bucket and source.{source_time} < due.bucket + {interval}
      and source.{source_time} >= %(low)s::timestamptz and source.{source_time} < %(high)s::timestamptz
) made
where made.count + made.bad > 0
on conflict (sensor_key, bucket) do update set {replaced}
"""

_WRITE_CLOSED = """
insert into {table} (sensor_key, bucket, {names})
select given.sensor_key, made.*
from unnest(%(sensor_keys)s::integer[]) as given (sensor_key), lateral (
    select date_bin({interval}, source.{source_time}, {origin}), {columns} from {source_table} source
    where source.sensor_key = given.sensor_key
      and source.{source_time} >= %(start)s and source.{source_time} < %(end)s
    group by 1
) made
on conflict (sensor_key, bucket) do update set {replaced}
"""

# The first entries of all begin the hours and days: before them there is nothing to write down.
_MOVE_ON = f"""
with minute as (
    update rollup_progress set until = greatest(until, date_bin(
        {MINUTE.interval}, least(%(newest)s, now()) - %(lateness)s, {ORIGIN}))
    where summary = '{MINUTE.view}'
), others as (
    update rollup_progress
    set until = date_bin(width, least(%(oldest)s, now() - %(lateness)s), {ORIGIN})
    from unnest(%(views)s::text[], %(widths)s::interval[]) as given (view, width)
    where summary = view and until is null
)
update feed_cursor set transaction_id = %(transaction_id)s::text::xid8, id = %(id)s where consumer = '{CONSUMER}'
"""


@dataclass(frozen=True, slots=True)
class RolledUp:
    """What one round took from the feed."""

    readings: int
    steps: int


async def catch_up(connection: AsyncConnection, *, wait: bool = True) -> RolledUp | None:
    """Take in everything the feed holds; the connection must not be in a transaction.

    One caller at a time: another waits, or gets ``None`` at once without ``wait``. Call it only where the storage
    level has rollup tables.
    """
    if not await _lock(connection, wait=wait):
        return None
    try:
        readings = steps = 0
        entries = _FIRST_ENTRIES
        while await _is_filled(connection) and (taken := await roll_up(connection, entries)):
            for summary, below in ((HOUR, MINUTE), (DAY, HOUR)):
                await _close(connection, summary, below)
            readings, steps = readings + taken, steps + 1
            entries = min(_MOST_ENTRIES, max(1, entries * READINGS_AT_ONCE // taken))
        return RolledUp(readings, steps)
    finally:
        await _unlock(connection)


async def _lock(connection: AsyncConnection, *, wait: bool) -> bool:
    async with connection.transaction():
        if not wait:
            cursor = await connection.execute("select pg_try_advisory_lock(%s)", (LOCK,))
            return await cursor.fetchone() == (True,)
        await connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        return True


async def _unlock(connection: AsyncConnection) -> None:
    if not connection.closed:
        async with connection.transaction():
            await connection.execute("select pg_advisory_unlock(%s)", (LOCK,))


async def _is_filled(connection: AsyncConnection) -> bool:
    async with connection.transaction():
        cursor = await connection.execute("select from rollup_progress limit 1")
        return await cursor.fetchone() is not None


async def roll_up(connection: AsyncConnection, entries: int) -> int:
    """One step over the next entries of the feed; returns how many readings they held, 0 when there are none.

    The caller holds the lock.
    """
    async with connection.transaction():
        given = {"consumer": CONSUMER, "limit": entries, "views": [summary.view for summary in SUMMARIES]}
        cursor = await connection.execute(_NEXT, given, prepare=False)
        row = await cursor.fetchone()
        if row is None:
            return 0
        transaction_id, entry, readings, oldest, newest, sensor_keys, minutes_s, written_until_s = row
        touched = list(zip(sensor_keys, minutes_s, strict=True))
        await _write_touched(connection, MINUTE, touched)
        # Minutes are written as soon as they are touched, longer buckets once they are closed.
        for summary, until_s in zip((HOUR, DAY), written_until_s[1:], strict=True):
            await _write_touched(connection, summary, [pair for pair in touched if pair[1] < (until_s or -math.inf)])
        await connection.execute(
            "insert into rollup_sensor select distinct unnest(%s::integer[]) on conflict do nothing", (sensor_keys,)
        )
        place = {"transaction_id": transaction_id, "id": entry, "oldest": oldest, "newest": newest}
        above = {"views": [HOUR.view, DAY.view], "widths": [HOUR.width, DAY.width], "lateness": LATENESS}
        await connection.execute(_MOVE_ON, place | above)
        return int(readings)


async def _write_touched(connection: AsyncConnection, summary: Summary, touched: list[tuple[int, int]]) -> None:
    """Work out anew the buckets that hold these minutes of these sensors (epoch seconds)."""
    if not touched:
        return
    minutes_s = [minute_s for _, minute_s in touched]
    await connection.execute(
        statement(_WRITE_TOUCHED, summary).encode(),
        {
            "sensor_keys": [sensor_key for sensor_key, _ in touched],
            "minutes_s": minutes_s,
            "low": datetime.fromtimestamp(min(minutes_s), UTC) - summary.width,
            "high": datetime.fromtimestamp(max(minutes_s), UTC) + summary.width,
        },
        prepare=False,
    )


async def _close(connection: AsyncConnection, summary: Summary, below: Summary) -> None:
    """Write down the buckets that have ended since the last time, some sensors in a transaction.

    Until the last sensor is done the view goes on working them out, so a cut-off closing is begun again.
    """
    async with connection.transaction():
        cursor = await connection.execute(
            f"""
            select own.until, date_bin({summary.interval}, below.until, {ORIGIN})
            from rollup_progress own, rollup_progress below where own.summary = %s and below.summary = %s
            """,
            (summary.view, below.view),
        )
        row = await cursor.fetchone()
    if row is None or None in row or row[1] <= row[0]:
        return
    last = -1
    while sensor_keys := await _next_sensors(connection, last):
        async with connection.transaction():
            await connection.execute(
                statement(_WRITE_CLOSED, summary).encode(),
                {"sensor_keys": sensor_keys, "start": row[0], "end": row[1]},
                prepare=False,
            )
        last = sensor_keys[-1]
    async with connection.transaction():
        await connection.execute("update rollup_progress set until = %s where summary = %s", (row[1], summary.view))


async def _next_sensors(connection: AsyncConnection, last: int) -> list[int]:
    async with connection.transaction():
        cursor = await connection.execute(
            "select sensor_key from rollup_sensor where sensor_key > %s order by 1 limit %s", (last, _SENSORS_AT_ONCE)
        )
        return [row[0] async for row in cursor]
