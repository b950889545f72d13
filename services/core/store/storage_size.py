"""What readings and their summaries take on disk, and how far the summaries are written down."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg import errors

from services.core.store import continuous_aggregates, hypertables, rollup_tables
from services.core.store.storage_level import StorageLevel, detect
from services.core.store.summary import SUMMARIES

_OTHER_TABLES = ("superseded_reading", "latest", "feed", "rejection", "rejected_payload", "event")


@dataclass(frozen=True, slots=True)
class TableSize:
    """What one table takes, its indexes and out-of-line values included; ``rows`` is the planner's estimate.

    ``compressed_from_bytes`` is what the compressed chunks took before, ``compressed_bytes`` what they take now; both
    are 0 where nothing is compressed.
    """

    name: str
    size_bytes: int
    rows: int
    chunks: int
    compressed_chunks: int
    oldest: datetime | None
    newest: datetime | None
    compressed_from_bytes: int = 0
    compressed_bytes: int = 0

    @property
    def compression_ratio(self) -> float | None:
        """How many times smaller the compressed chunks have become."""
        return self.compressed_from_bytes / self.compressed_bytes if self.compressed_bytes else None


@dataclass(frozen=True, slots=True)
class SummaryLag:
    """How far a summary is written down; what is younger is worked out when it is asked for."""

    name: str
    until: datetime | None
    behind: timedelta | None


@dataclass(frozen=True, slots=True)
class StorageStatus:
    """The state of storage at one moment."""

    level: StorageLevel
    postgresql: str
    timescaledb: str | None
    chunk_interval: timedelta | None
    tables: list[TableSize]
    lags: list[SummaryLag]
    unread_feed_entries: int | None
    """Entries that the summaries have not taken in; ``None`` where they do not follow the feed."""
    jobs: list[str]


# The bounds of a hypertable are those of its chunks; a plain table would have to be read for them.
_CHUNKS = """
select coalesce(sum(pg_total_relation_size(format('%%I.%%I', chunk_schema, chunk_name)::regclass)), 0)::bigint,
    count(*), count(*) filter (where is_compressed), min(range_start), max(range_end)
from timescaledb_information.chunks where hypertable_schema = %s and hypertable_name = %s
"""
_COMPRESSION = """
select coalesce(sum(before_compression_total_bytes), 0)::bigint, coalesce(sum(after_compression_total_bytes), 0)::bigint
from hypertable_compression_stats(%s::text::regclass)
"""
_AGGREGATE_TABLE = """
select materialization_hypertable_schema, materialization_hypertable_name
from timescaledb_information.continuous_aggregates where view_name = %s
"""
_PLAIN = """
select pg_total_relation_size(%s::text::regclass), greatest(reltuples, 0)::bigint from pg_class
where oid = %s::text::regclass
"""
_AGGREGATE_LAG = """
select until, now() - until from (
    select _timescaledb_functions.to_timestamp(_timescaledb_functions.cagg_watermark(mat_hypertable_id)) as until
    from _timescaledb_catalog.continuous_agg where user_view_name = %s
) watermark
"""
_JOBS = """
select format('%%s of %%s every %%s: %%s', replace(substr(job.proc_name, 8), '_', ' '),
    coalesce(aggregate.view_name, job.hypertable_name), job.schedule_interval,
    coalesce(stats.last_run_status, 'not run yet'))
from timescaledb_information.jobs job
left join timescaledb_information.continuous_aggregates aggregate
    on aggregate.materialization_hypertable_schema = job.hypertable_schema
    and aggregate.materialization_hypertable_name = job.hypertable_name
left join timescaledb_information.job_stats stats using (job_id)
where coalesce(aggregate.view_name, job.hypertable_name) = any(%s) order by 1
"""


def storage_status(connection: psycopg.Connection) -> StorageStatus:
    """Sizes, compression, and how far behind the summaries are."""
    level = detect(connection)
    row = connection.execute(
        "select current_setting('server_version'), (select extversion from pg_extension where extname = 'timescaledb')"
    ).fetchone()
    postgresql, timescaledb = row or ("?", None)
    has_rollups = rollup_tables.exist(connection)
    has_extension = level is not StorageLevel.PLAIN
    summaries = [summary.table if has_rollups else summary.view for summary in SUMMARIES]
    names = ("reading", *summaries, *_OTHER_TABLES)
    return StorageStatus(
        level,
        postgresql,
        timescaledb,
        hypertables.chunk_interval(connection, "reading") if has_extension else None,
        [_size(connection, name, has_extension=has_extension) for name in names],
        _lags(connection) if has_rollups else _aggregate_lags(connection),
        _unread(connection) if has_rollups else None,
        [] if has_rollups else _jobs(connection),
    )


def _size(connection: psycopg.Connection, name: str, *, has_extension: bool) -> TableSize:
    if has_extension:
        row = connection.execute(_AGGREGATE_TABLE, (name,)).fetchone()
        schema, table = row or (_current_schema(connection), name)
        if row is not None or hypertables.is_hypertable(connection, name):
            return _hypertable_size(connection, name, schema, table)
    row = connection.execute(_PLAIN, (name, name)).fetchone()
    size, rows = row or (0, 0)
    return TableSize(name, size, rows, 0, 0, None, None)


def _hypertable_size(connection: psycopg.Connection, name: str, schema: str, table: str) -> TableSize:
    chunks = connection.execute(_CHUNKS, (schema, table)).fetchone() or (0, 0, 0, None, None)
    rows = connection.execute("select approximate_row_count(%s::text::regclass)", (f"{schema}.{table}",)).fetchone()
    before, after = _compression(connection, f"{schema}.{table}") if chunks[2] else (0, 0)
    size, count, compressed, oldest, newest = chunks
    # A compressed chunk is an empty shell; what it holds lies in a table of its own.
    return TableSize(name, size + after, rows[0] if rows else 0, count, compressed, oldest, newest, before, after)


def _compression(connection: psycopg.Connection, relation: str) -> tuple[int, int]:
    try:
        with connection.transaction():
            row = connection.execute(_COMPRESSION, (relation,)).fetchone()
    except errors.FeatureNotSupported:  # the licence is another one than when it was compressed
        return 0, 0
    return row or (0, 0)


def _current_schema(connection: psycopg.Connection) -> str:
    row = connection.execute("select current_schema()").fetchone()
    return str(row[0]) if row else "public"


def _lags(connection: psycopg.Connection) -> list[SummaryLag]:
    rows = connection.execute("select summary, until, now() - until from rollup_progress order by until desc")
    return [SummaryLag(*row) for row in rows]


def _aggregate_lags(connection: psycopg.Connection) -> list[SummaryLag]:
    lags = []
    for summary in SUMMARIES:
        if not continuous_aggregates.is_aggregate(connection, summary.view):
            continue
        try:
            with connection.transaction():
                row = connection.execute(_AGGREGATE_LAG, (summary.view,)).fetchone()
        except psycopg.DataError:  # nothing is written down yet: the watermark is minus infinity
            row = None
        lags.append(SummaryLag(summary.view, *(row or (None, None))))
    return lags


def _unread(connection: psycopg.Connection) -> int:
    row = connection.execute(
        """
        select count(*) from feed f, feed_cursor c
        where c.consumer = %s and (f.transaction_id, f.id) > (c.transaction_id, c.id)
        """,
        (rollup_tables.CONSUMER,),
    ).fetchone()
    return int(row[0]) if row else 0


def _jobs(connection: psycopg.Connection) -> list[str]:
    names = ["reading", *(summary.view for summary in SUMMARIES)]
    return [row[0] for row in connection.execute(_JOBS, (names,))]
