"""Tables and views of the summaries on servers without continuous aggregates, and their first filling.

Each view joins what is written down with a live end: buckets before ``rollup_progress.until`` come from the table,
younger ones are worked out when they are asked for. A missing row of progress means that the first filling has not
ended; everything is then worked out from the readings, which is slow and right.
"""

from datetime import timedelta

import psycopg

from services.core.store.storage_policy import LATENESS
from services.core.store.summary import COLUMNS, DAY, HOUR, MINUTE, ORIGIN, SUMMARIES, Summary

CONSUMER = "rollup"
LOCK = 0x11FE_5012
"""Key of the advisory lock that whoever writes summaries holds."""

_PROGRESS = """
-- How far each summary is written down, and before which moment its source was dropped: what is older stays as it is.
create table if not exists rollup_progress (
    summary text primary key,
    until timestamptz,
    source_from timestamptz
);

-- Every sensor that has readings; found here faster than among them.
create table if not exists rollup_sensor (sensor_key integer primary key);
"""

_TABLE = """
create table if not exists {table} (
    sensor_key integer not null,
    bucket timestamptz not null,
    minimum double precision,
    maximum double precision,
    total double precision,
    count bigint not null,
    suspect bigint not null,
    bad bigint not null,
    last_value double precision,
    last_time timestamptz,
    primary key (sensor_key, bucket)
);
create index if not exists {table}_by_time on {table} using brin (bucket timestamptz_minmax_multi_ops);
"""

# The upper bound lets everything pass. A planner that knows neither bound takes a stretch between two to be short, but
# one with a single end to be a third of the table, for which it would read all of it.
_VIEW = """
create or replace view {view} as
select sensor_key, bucket, {names} from {table}
where bucket < coalesce((select until from rollup_progress where summary = '{view}'), '-infinity')
union all
select sensor_key, date_bin({interval}, {source_time}, {origin}) as bucket, {columns} from {source}
where {source_time} >= coalesce((select until from rollup_progress where summary = '{view}'), '-infinity')
    and {source_time} < coalesce(
        (select until + interval '1000 years' from rollup_progress where summary = '{view}'), 'infinity')
group by 1, 2
"""

# Whatever a transaction before this one wrote is visible to the filling that follows; the feed brings all others.
_BEGIN_FEED = """
insert into feed_cursor (consumer, transaction_id, id)
values (%s, pg_snapshot_xmin(pg_current_snapshot()), 0) on conflict (consumer) do nothing
"""

_WRITE_STRETCH = """
insert into {table} (sensor_key, bucket, {names})
select sensor_key, date_bin({interval}, {source_time}, {origin}), {columns} from {source_table}
where {source_time} >= %(start)s and {source_time} < %(end)s
group by 1, 2
on conflict (sensor_key, bucket) do update set {replaced}
"""

# The new rows of progress begin the summaries' life: from here on the feed is followed.
_BEGIN_PROGRESS = f"""
with minute as (
    select date_bin({MINUTE.interval}, max(bucket) - %s, {ORIGIN}) as until from {MINUTE.table} where bucket <= now()
)
insert into rollup_progress (summary, until)
select summary, date_bin(width, until, {ORIGIN})
from minute, unnest(%s::text[], %s::interval[]) as given (summary, width)
"""

_READINGS_AT_ONCE = 5_000_000
"""Most readings that one transaction of the first filling summarises; about ten seconds' work."""

# As the planner knows it, over the chunks of a hypertable too; negative where nobody has counted yet.
_READINGS = """
select coalesce(sum(greatest(reltuples, 0)), 0) from pg_class
where oid = 'reading'::regclass or oid in (select inhrelid from pg_inherits where inhparent = 'reading'::regclass)
"""


def replaced() -> str:
    """The assignments that put a summary's new columns in place of its old ones."""
    return ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)


def statement(template: str, summary: Summary) -> str:
    """A statement for one summary; the names that stand in braces are those of its fields."""
    return template.format(
        view=summary.view,
        table=summary.table,
        source=summary.source,
        source_table=summary.source_table,
        source_time=summary.source_time,
        interval=summary.interval,
        columns=summary.columns,
        origin=ORIGIN,
        names=", ".join(COLUMNS),
        replaced=replaced(),
    )


def create(connection: psycopg.Connection) -> None:
    """Tables, views and a place in the feed, in one transaction; nothing where they are there already."""
    with connection.transaction():
        connection.execute(_PROGRESS)
        for summary in SUMMARIES:
            connection.execute(statement(_TABLE, summary))
            connection.execute(statement(_VIEW, summary))
        connection.execute(_BEGIN_FEED, (CONSUMER,))


def exist(connection: psycopg.Connection) -> bool:
    """Whether this database keeps its summaries in tables."""
    return connection.execute("select to_regclass('rollup_progress')").fetchone() != (None,)


def hold_more_than_readings(connection: psycopg.Connection) -> bool:
    """Whether a summary's source was dropped, so that it could not be made again."""
    if not exist(connection):
        return False
    row = connection.execute("select exists (select from rollup_progress where source_from is not null)").fetchone()
    return bool(row and row[0])


def is_filled(connection: psycopg.Connection) -> bool:
    """Whether the first filling has ended."""
    return connection.execute("select from rollup_progress limit 1").fetchone() is not None


def fill(connection: psycopg.Connection) -> int:
    """Write down the summaries of all readings there are; returns how many days had any.

    Every stretch is a transaction of its own, so that nobody waits long; the connection must not be in one. What was
    interrupted is done again from the beginning, which changes nothing that was right.
    """
    connection.execute("select pg_advisory_lock(%s)", (LOCK,))
    try:
        days = [
            row[0]
            for row in connection.execute(
                f"select date_bin({DAY.interval}, time, {ORIGIN}) from reading group by 1 order by 1"
            )
        ]
        parts = _parts_of_a_day(connection, len(days))
        for day in days:
            for number in range(parts):
                stretch = {
                    "start": day + number * timedelta(days=1) / parts,
                    "end": day + (number + 1) * timedelta(days=1) / parts,
                }
                connection.execute(statement(_WRITE_STRETCH, MINUTE), stretch)
            for summary in (HOUR, DAY):
                whole_day = {"start": day, "end": day + timedelta(days=1)}
                connection.execute(statement(_WRITE_STRETCH, summary), whole_day)
        with connection.transaction():
            connection.execute(
                "insert into rollup_sensor select distinct sensor_key from reading on conflict do nothing"
            )
            connection.execute(_BEGIN_PROGRESS, (LATENESS, [s.view for s in SUMMARIES], [s.width for s in SUMMARIES]))
        return len(days)
    finally:
        connection.execute("select pg_advisory_unlock(%s)", (LOCK,))


def _parts_of_a_day(connection: psycopg.Connection, days: int) -> int:
    """Into how many stretches of whole hours a day is cut: a search for an hour costs as much as one for a day."""
    row = connection.execute(_READINGS).fetchone()
    readings_a_day = (row[0] if row else 0) / max(days, 1)
    return next((parts for parts in (1, 2, 4, 8) if readings_a_day / parts <= _READINGS_AT_ONCE), 24)


def drop(connection: psycopg.Connection) -> bool:
    """Remove tables, views and the place in the feed; ``False`` when there were none."""
    if not exist(connection):
        return False
    with connection.transaction():
        for summary in reversed(SUMMARIES):
            connection.execute(f"drop view if exists {summary.view}")
        for table in (*(summary.table for summary in SUMMARIES), "rollup_progress", "rollup_sensor"):
            connection.execute(f"drop table if exists {table}")
        connection.execute("delete from feed_cursor where consumer = %s", (CONSUMER,))
    return True
