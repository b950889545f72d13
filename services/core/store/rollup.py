"""Summaries follow the feed on servers without continuous aggregates.

A step takes the next entries of the feed, works the minutes they touch out anew from the readings, then the hours and
days above them that are written down already, and moves the cursor, all in one transaction: a step that was cut off
has not happened. Steps are short, because the feed waits for every open transaction that writes.
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection

from services.core.store.rollup_tables import CONSUMER, LOCK, statement
from services.core.store.storage_policy import LATENESS
from services.core.store.summary import DAY, HOUR, MINUTE, ORIGIN, SUMMARIES, Summary

READINGS_AT_ONCE = 20_000
"""Readings that a step aims at: some tenths of a second."""
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
    select sensor_key, date_bin({MINUTE.interval}, time, {ORIGIN}) as bucket from brought group by 1, 2 order by 1, 2
)
select last.transaction_id::text, last.id,
    (select count(*) from brought), (select min(time) from brought), (select max(time) from brought),
    (select array_agg(sensor_key) from touched), (select array_agg(bucket) from touched)
from (select transaction_id, id from entry order by transaction_id desc, id desc limit 1) last
"""

# The bounds beside the bucket's own are the same for all: a server with chunks leaves out the others with them.
_WRITE_TOUCHED = """
with given as (
    select distinct sensor_key, date_bin({interval}, minute, {origin}) as bucket
    from unnest(%(sensor_keys)s::integer[], %(buckets)s::timestamptz[]) as touched (sensor_key, minute)
)
insert into {table} (sensor_key, bucket, {names})
select given.sensor_key, given.bucket, made.*
from given, rollup_progress progress, lateral (
    select {columns} from {source_table} source
    where source.sensor_key = given.sensor_key
      and source.{source_time} >= given.bucket and source.{source_time} < given.bucket + {interval}
      and source.{source_time} >= %(low)s and source.{source_time} < %(high)s
) made
where progress.summary = '{view}' and made.count + made.bad > 0
  and given.bucket >= coalesce(progress.source_from, '-infinity') and (%(all)s or given.bucket < progress.until)
order by 1, 2
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
        cursor = await connection.execute(_NEXT, {"consumer": CONSUMER, "limit": entries}, prepare=False)
        row = await cursor.fetchone()
        if row is None:
            return 0
        transaction_id, entry, readings, oldest, newest, sensor_keys, buckets = row
        for summary in SUMMARIES:
            await _write_touched(connection, summary, sensor_keys, buckets)
        await connection.execute(
            "insert into rollup_sensor select distinct unnest(%s::integer[]) on conflict do nothing", (sensor_keys,)
        )
        place = {"transaction_id": transaction_id, "id": entry, "oldest": oldest, "newest": newest}
        above = {"views": [HOUR.view, DAY.view], "widths": [HOUR.width, DAY.width], "lateness": LATENESS}
        await connection.execute(_MOVE_ON, place | above)
        return int(readings)


async def _write_touched(
    connection: AsyncConnection, summary: Summary, sensor_keys: list[int], buckets: list[datetime]
) -> None:
    """Minutes are written as soon as they are touched, longer buckets once they are closed: see ``_close``."""
    await connection.execute(
        statement(_WRITE_TOUCHED, summary).encode(),
        {
            "sensor_keys": sensor_keys,
            "buckets": buckets,
            "low": min(buckets) - summary.width,
            "high": max(buckets) + summary.width,
            "all": summary is MINUTE,
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
