"""Committed readings, handed to the alert processes exactly once and in an order that survives restarts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from psycopg import AsyncConnection

from services.core.store.binary import POSTGRES_EPOCH_US

CHANNEL = "lifeline_feed"


@dataclass(frozen=True, slots=True, order=True)
class FeedPosition:
    """A place in the feed: the writing transaction, then the order within it."""

    transaction_id: int
    id: int


START = FeedPosition(0, 0)
END = FeedPosition(2**63 - 1, 2**63 - 1)
"""Behind everything that will ever be written."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """The readings that one transaction added to one zone, as parallel columns.

    ``times_s`` are seconds since 1970, ``qualities`` numbers of ``Quality``. An entry that ``corrects`` holds other
    values for moments that an earlier entry brought.
    """

    position: FeedPosition
    zone: str
    sensor_keys: list[int]
    times_s: list[float]
    values: list[float]
    qualities: list[int]
    corrects: bool


_READ = """
select transaction_id::text::bigint, id, zone, array_send(sensor_keys), array_send(times), array_send("values"),
    array_send(qualities), corrects
from (
    select *, sum(pg_column_size(times) / 8) over (
        order by transaction_id groups between unbounded preceding and 1 preceding) as readings_before
    from (
        select * from feed
        where (transaction_id, id) > (%s::text::xid8, %s) and (transaction_id, id) <= (%s::text::xid8, %s)
          and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
        order by transaction_id, id limit %s
    ) candidate
) entry
where coalesce(readings_before, 0) < %s
order by transaction_id, id
"""


async def read(
    connection: AsyncConnection,
    after: FeedPosition,
    limit: int,
    readings: int = 1_000_000,
    until: FeedPosition = END,
) -> list[FeedEntry]:
    """Entries behind a position, oldest first: ``limit`` of them, or less when they hold some ``readings`` already.

    Only transactions older than every open one are shown. A writer that took its number earlier but commits later
    can then never appear behind a position that has already moved on. ``readings`` ends the answer behind a whole
    transaction, ``limit`` does not care. Nothing behind ``until`` is shown.
    """
    # Columns come as PostgreSQL holds them: a value alone costs a hundred times more as text and as an object.
    cursor = connection.cursor(binary=True)
    await cursor.execute(_READ, (after.transaction_id, after.id, until.transaction_id, until.id, limit, readings))
    return [_entry(row) async for row in cursor]


def _entry(row: tuple[Any, ...]) -> FeedEntry:
    transaction_id, number, zone, keys, times, values, qualities, corrects = row
    times_s = (_elements(times, "i8") + POSTGRES_EPOCH_US) / 1e6
    return FeedEntry(
        FeedPosition(transaction_id, number),
        zone,
        _elements(keys, "i4").tolist(),
        times_s.tolist(),
        _elements(values, "f8").tolist(),
        _elements(qualities, "i2").tolist(),
        corrects,
    )


def _elements(sent: bytes, kind: str) -> np.ndarray[Any, Any]:
    """The numbers of an array without nulls as ``array_send`` writes it; see ``binary.array``."""
    header_bytes = 20
    if len(sent) <= header_bytes:
        return np.empty(0, kind)
    elements = np.frombuffer(sent, np.dtype([("length", ">i4"), ("value", f">{kind}")]), offset=header_bytes)
    return elements["value"].astype(kind)


async def load_cursor(connection: AsyncConnection, consumer: str) -> FeedPosition:
    """Where a consumer stopped."""
    cursor = await connection.execute(
        "select transaction_id::text::bigint, id from feed_cursor where consumer = %s", (consumer,)
    )
    row = await cursor.fetchone()
    return START if row is None else FeedPosition(*row)


async def prune(connection: AsyncConnection) -> int:
    """Drop what every consumer has read and every share was judged on; returns how many entries went."""
    cursor = await connection.execute(
        """
        delete from feed where (transaction_id, id) <= (
            select transaction_id, id from (
                select transaction_id, id from feed_cursor union all select transaction_id, id from alert_share
            ) reader order by transaction_id, id limit 1)
        """
    )
    return cursor.rowcount


async def behind(connection: AsyncConnection, position: FeedPosition, limit: int) -> tuple[int, datetime | None]:
    """How many entries, ``limit`` at the most, stand behind a position, and when the first of them was written."""
    cursor = await connection.execute(
        """
        select count(*), min(received_at) from (
            select received_at from feed where (transaction_id, id) > (%s::text::xid8, %s)
            order by transaction_id, id limit %s) waiting
        """,
        (position.transaction_id, position.id, limit),
    )
    row = await cursor.fetchone()
    return (0, None) if row is None else (row[0], row[1])
