"""The current value of each sensor follows the feed.

Whoever stores readings does not touch it: under load one move takes in what many transactions brought, and no two
writers ever wait for the same sensor's row.
"""

from psycopg import AsyncConnection

CONSUMER = "latest"
_ENTRIES_AT_ONCE = 2000

# Of the values of one moment the last one received stands, as in the table of readings.
_FOLLOW = """
with position as (
    select transaction_id, id from feed_cursor where consumer = %(consumer)s for update
), entry as materialized (
    select f.* from feed f, position p
    where (f.transaction_id, f.id) > (p.transaction_id, p.id)
      and f.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    order by f.transaction_id, f.id limit %(limit)s
), brought as (
    select given.*, entry.received_at, entry.transaction_id, entry.id
    from entry, unnest(sensor_keys, times, "values", qualities, reasons)
        as given (sensor_key, time, value, quality, reason)
), newest as (
    select distinct on (sensor_key) sensor_key, time, value, quality, reason, received_at
    from brought order by sensor_key, time desc, transaction_id desc, id desc
), moved as (
    insert into latest as held (sensor_key, time, value, quality, reason, received_at)
    select * from newest
    on conflict (sensor_key) do update
    set time = excluded.time, value = excluded.value, quality = excluded.quality, reason = excluded.reason,
        received_at = excluded.received_at, revision = nextval('latest_revision')
    where held.time <= excluded.time
), last as (
    select transaction_id, id from entry order by transaction_id desc, id desc limit 1
), kept as (
    update feed_cursor c set transaction_id = last.transaction_id, id = last.id from last where consumer = %(consumer)s
)
select count(*) from entry
"""


async def follow(connection: AsyncConnection) -> bool:
    """Take in the next entries of the feed, in the caller's transaction; whether more may be left.

    Only one caller at a time gets on; the others wait for it and then go on behind it.
    """
    cursor = await connection.execute(_FOLLOW, {"consumer": CONSUMER, "limit": _ENTRIES_AT_ONCE})
    row = await cursor.fetchone()
    return bool(row and row[0] == _ENTRIES_AT_ONCE)
