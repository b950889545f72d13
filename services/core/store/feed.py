"""Committed readings, handed to the alert processes exactly once and in an order that survives restarts."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection

CHANNEL = "lifeline_feed"


@dataclass(frozen=True, slots=True, order=True)
class FeedPosition:
    """A place in the feed: the writing transaction, then the order within it."""

    transaction_id: int
    id: int


START = FeedPosition(0, 0)


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """The readings that one transaction added to one zone, as parallel columns.

    ``reasons`` are codes of ``QualityReason``. An entry that ``corrects`` holds other values for moments that an
    earlier entry brought.
    """

    position: FeedPosition
    zone: str
    sensor_keys: list[int]
    times: list[datetime]
    values: list[float]
    qualities: list[int]
    reasons: list[int]
    received_at: datetime
    corrects: bool


_READ = """
select transaction_id::text::bigint, id, zone, sensor_keys, times, "values", qualities, reasons, received_at, corrects
from (
    select *, sum(pg_column_size(times) / 8) over (
        order by transaction_id groups between unbounded preceding and 1 preceding) as readings_before
    from (
        select * from feed
        where (transaction_id, id) > (%s::text::xid8, %s)
          and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
        order by transaction_id, id limit %s
    ) candidate
) entry
where coalesce(readings_before, 0) < %s
order by transaction_id, id
"""


async def read(
    connection: AsyncConnection, after: FeedPosition, limit: int, readings: int = 1_000_000
) -> list[FeedEntry]:
    """Entries behind a position, oldest first: ``limit`` of them, or less when they hold some ``readings`` already.

    Only transactions older than every open one are shown. A writer that took its number earlier but commits later
    can then never appear behind a position that has already moved on. ``readings`` ends the answer behind a whole
    transaction, ``limit`` does not care.
    """
    cursor = await connection.execute(_READ, (after.transaction_id, after.id, limit, readings))
    return [FeedEntry(FeedPosition(row[0], row[1]), *row[2:]) async for row in cursor]


async def load_cursor(
    connection: AsyncConnection, consumer: str, *, lock: bool = False
) -> tuple[FeedPosition, datetime | None]:
    """Where a consumer stopped, and the event time the city had reached.

    With ``lock`` nobody else moves the consumer until the transaction ends.
    """
    cursor = await connection.execute(
        "select transaction_id::text::bigint, id, city_time from feed_cursor where consumer = %s"
        + (" for update" if lock else ""),
        (consumer,),
    )
    row = await cursor.fetchone()
    return (START, None) if row is None else (FeedPosition(row[0], row[1]), row[2])


async def save_cursor(
    connection: AsyncConnection, consumer: str, position: FeedPosition, city_time: datetime | None
) -> None:
    """Move a consumer on, in the transaction that stores what it concluded."""
    await connection.execute(
        """
        insert into feed_cursor (consumer, transaction_id, id, city_time) values (%s, %s::text::xid8, %s, %s)
        on conflict (consumer) do update set transaction_id = excluded.transaction_id, id = excluded.id,
            city_time = excluded.city_time
        """,
        (consumer, position.transaction_id, position.id, city_time),
    )


async def prune(connection: AsyncConnection) -> int:
    """Drop what every consumer has read; returns how many entries went."""
    cursor = await connection.execute(
        """
        delete from feed where (transaction_id, id) <= (
            select transaction_id, id from feed_cursor order by transaction_id, id limit 1)
        """
    )
    return cursor.rowcount
