"""Dropping what is older than it is kept, on servers where TimescaleDB's own jobs do not."""

from datetime import datetime, timedelta

from psycopg import AsyncConnection

from services.core.store.storage_level import StorageLevel, detected
from services.core.store.storage_policy import StoragePolicy
from services.core.store.summary import DAY, HOUR, MINUTE, ORIGIN, kept

ROWS_AT_ONCE = 20_000
"""Rows of one deletion: it must end before the feed's readers notice that they wait for it."""
_FIRST_STRETCH = timedelta(minutes=1)
_LONGEST_STRETCH = timedelta(days=30)
_SHORTEST_STRETCH = timedelta(seconds=1)

_TABLES = {
    "reading": ("reading", "time", MINUTE),
    MINUTE.view: (MINUTE.table, "bucket", HOUR),
    HOUR.view: (HOUR.table, "bucket", DAY),
    DAY.view: (DAY.table, "bucket", None),
}


class TooYoungError(Exception):
    """What is to be dropped is not summarised yet."""


async def enforce(connection: AsyncConnection, policy: StoragePolicy, now: datetime) -> dict[str, int]:
    """Drop what the policy does not keep; returns how much by name: rows, or chunks where there are chunks.

    Whole days (UTC) go, and no day before its summaries are written down. For databases with rollup tables; the
    connection must not be in a transaction.
    """
    dropped = {}
    for name, age in kept(policy).items():
        if age is None:
            continue
        boundary = await _boundary(connection, name, now - age)
        if boundary is not None:
            dropped[name] = await drop(connection, name, boundary)
    return {name: count for name, count in dropped.items() if count}


async def forget_superseded(connection: AsyncConnection, before: datetime) -> int:
    """Drop what was once believed of moments before another one; returns how many values went."""
    async with connection.transaction():
        cursor = await connection.execute("delete from superseded_reading where time < %s", (before,))
        return cursor.rowcount


async def drop_readings(connection: AsyncConnection, before: datetime) -> int:
    """Drop readings before a moment now, whatever the policy says; returns rows, or chunks where there are chunks.

    Only whole days (UTC), or whole chunks, go. Summaries stay. For databases with rollup tables; the connection must
    not be in a transaction.

    Raises:
        TooYoungError: the summaries do not reach that moment yet.
    """
    boundary = await _boundary(connection, "reading", before)
    if boundary is None or boundary + DAY.width <= before:
        raise TooYoungError(f"readings are summarised until {boundary or 'nowhere yet'}, and only that may be dropped")
    return await drop(connection, "reading", boundary)


async def has_rollups(connection: AsyncConnection) -> bool:
    """Whether this database keeps its summaries in tables."""
    async with connection.transaction():
        cursor = await connection.execute("select to_regclass('rollup_progress') is not null")
        return await cursor.fetchone() == (True,)


async def _boundary(connection: AsyncConnection, name: str, before: datetime) -> datetime | None:
    """The midnight up to which may be dropped; ``None`` while nothing is summarised."""
    above = _TABLES[name][2]
    async with connection.transaction():
        cursor = await connection.execute(
            f"""
            select date_bin({DAY.interval}, case when %(above)s::text is null then %(before)s::timestamptz else least(
                %(before)s::timestamptz, (select until from rollup_progress where summary = %(above)s)) end, {ORIGIN})
            where %(above)s is null
                or (select until from rollup_progress where summary = %(above)s) is not null
            """,
            {"above": above.view if above else None, "before": before},
        )
        row = await cursor.fetchone()
    return row[0] if row else None


async def drop(connection: AsyncConnection, name: str, boundary: datetime) -> int:
    """Drop what a table holds from before a midnight; what was summarised of it is never worked out again."""
    table, column, above = _TABLES[name]
    start = await _mark_dropped(connection, above.view, boundary) if above else None
    async with connection.transaction():
        has_chunks = await detected(connection) is not StorageLevel.PLAIN
    if has_chunks:
        return await _drop_chunks(connection, table, boundary)
    return await _delete(connection, table, column, start, boundary)


async def _mark_dropped(connection: AsyncConnection, summary: str, boundary: datetime) -> datetime | None:
    """Note the boundary at the summary above; returns the one that was noted there before."""
    async with connection.transaction():
        cursor = await connection.execute(
            "select source_from from rollup_progress where summary = %s for update", (summary,)
        )
        row = await cursor.fetchone()
        await connection.execute(
            "update rollup_progress set source_from = greatest(source_from, %s) where summary = %s",
            (boundary, summary),
        )
    return row[0] if row else None


async def _drop_chunks(connection: AsyncConnection, table: str, before: datetime) -> int:
    async with connection.transaction():
        cursor = await connection.execute(
            "select drop_chunks(%s::text::regclass, older_than => %s::timestamptz)", (table, before)
        )
        return len(await cursor.fetchall())


async def _delete(
    connection: AsyncConnection, table: str, column: str, start: datetime | None, boundary: datetime
) -> int:
    """Delete stretch by stretch, each of about as many rows as may go at once; the block ranges find them.

    What lies before the boundary of the last time came late and is little.
    """
    async with connection.transaction():
        cursor = await connection.execute(
            f"select min({column}) from {table} where {column} < %s", (start or boundary,)
        )
        row = await cursor.fetchone()
    begin = row[0] if row and row[0] else start
    count, stretch = 0, _FIRST_STRETCH
    while begin is not None and begin < boundary:
        end = min(begin + stretch, boundary)
        async with connection.transaction():
            cursor = await connection.execute(
                f"delete from {table} where {column} >= %s and {column} < %s", (begin, end)
            )
        count, begin = count + cursor.rowcount, end
        wanted = stretch * min(2.0, ROWS_AT_ONCE / max(cursor.rowcount, 1))
        stretch = max(_SHORTEST_STRETCH, min(_LONGEST_STRETCH, wanted))
    return count
