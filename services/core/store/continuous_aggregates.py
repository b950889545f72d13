"""Summaries, compression and retention by TimescaleDB itself, where its Community licence is in force."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from services.core.store.storage_policy import StoragePolicy
from services.core.store.summary import DAY, MINUTE, ORIGIN, SUMMARIES, Summary, kept

# Hours and days are worked out from the summary before them; the newest buckets from the readings, at once.
_VIEW = """
create materialized view {view} with (timescaledb.continuous, timescaledb.materialized_only = false) as
select sensor_key, time_bucket({interval}, {source}.{source_time}) as bucket, {columns}
from {source} group by 1, 2 with no data
"""


# TimescaleDB works a stretch out anew when its source was dropped, and would find nothing there: what was dropped is
# remembered, and refreshing stays away from it.
_DROPPED = """
create table if not exists dropped_source (
    name text primary key,
    before timestamptz not null
)
"""


@dataclass(frozen=True, slots=True)
class _Job:
    """A policy that TimescaleDB's own scheduler carries out."""

    every: timedelta | None
    start: timedelta | None = None
    end: timedelta | None = None
    age: timedelta | None = None


_REFRESH = "policy_refresh_continuous_aggregate"
_COMPRESSION = "policy_compression"
_RETENTION = "policy_retention"
_ADD = {
    _REFRESH: """
        select add_continuous_aggregate_policy(%(relation)s::text::regclass, start_offset => %(start)s::interval,
            end_offset => %(end)s::interval, schedule_interval => %(every)s::interval)
    """,
    _COMPRESSION: "select add_compression_policy(%(relation)s::text::regclass, %(age)s::interval)",
    _RETENTION: "select add_retention_policy(%(relation)s::text::regclass, drop_after => %(age)s::interval)",
}
_REMOVE = {
    _REFRESH: "select remove_continuous_aggregate_policy(%s::text::regclass)",
    _COMPRESSION: "select remove_compression_policy(%s::text::regclass)",
    _RETENTION: "select remove_retention_policy(%s::text::regclass)",
}
# A job of an aggregate names the hidden table behind it.
_JOBS = """
select job.proc_name, job.schedule_interval, (job.config->>'start_offset')::interval,
    (job.config->>'end_offset')::interval, coalesce(job.config->>'compress_after', job.config->>'drop_after')::interval
from timescaledb_information.jobs job
left join timescaledb_information.continuous_aggregates aggregate
    on aggregate.materialization_hypertable_schema = job.hypertable_schema
    and aggregate.materialization_hypertable_name = job.hypertable_name
where coalesce(aggregate.view_name, job.hypertable_name) = %s and job.proc_name = any(%s)
"""


def create(connection: psycopg.Connection, policy: StoragePolicy) -> list[str]:
    """The aggregates and the compressed form that are not there yet; returns what was done in words."""
    steps = []
    connection.execute(_DROPPED)
    if not _is_compressible(connection):
        connection.execute(
            "alter table reading set (timescaledb.compress, timescaledb.compress_segmentby = 'sensor_key', "
            "timescaledb.compress_orderby = 'time')"
        )
        steps.append("readings can be compressed")
    for summary in SUMMARIES:
        if not is_aggregate(connection, summary.view):
            connection.execute(_definition(summary))
            connection.execute(
                "select set_chunk_time_interval(%s::text::regclass, %s::interval)",
                (summary.view, summary.chunk_interval or policy.chunk_interval),
            )
            connection.execute(
                sql.SQL("alter materialized view {} set (timescaledb.compress = true)").format(
                    sql.Identifier(summary.view)
                )
            )
            steps.append(f"{summary.view} is a continuous aggregate")
    return steps


def is_aggregate(connection: psycopg.Connection, view: str) -> bool:
    """Whether TimescaleDB keeps a view by that name."""
    row = connection.execute(
        "select exists (select from timescaledb_information.continuous_aggregates where view_name = %s)", (view,)
    ).fetchone()
    return bool(row and row[0])


def _is_compressible(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "select compression_enabled from timescaledb_information.hypertables where hypertable_name = 'reading'"
    ).fetchone()
    return bool(row and row[0])


def _definition(summary: Summary) -> sql.SQL:
    return sql.SQL(
        _VIEW.format(
            view=summary.view,
            interval=summary.interval,
            source=summary.source,
            source_time=summary.source_time,
            columns=summary.columns,
        )
    )


def _refreshed_back_to(connection: psycopg.Connection, policy: StoragePolicy) -> dict[str, timedelta | None]:
    """How far back each source may be summarised anew: as far as it is kept, and not where it was dropped."""
    rows = connection.execute("select name, extract(day from now() - before)::integer from dropped_source").fetchall()
    limits = {name: timedelta(days=days) for name, days in rows}
    return {
        name: min((limit for limit in (age, limits.get(name)) if limit is not None), default=None)
        for name, age in kept(policy).items()
    }


def note_dropped(connection: psycopg.Connection, name: str, before: datetime) -> None:
    """Remember that a source holds less than it did from before a moment."""
    connection.execute(
        "insert into dropped_source as held values (%s, %s) on conflict (name) do update "
        "set before = greatest(held.before, excluded.before)",
        (name, before),
    )


def _wanted(connection: psycopg.Connection, policy: StoragePolicy) -> dict[str, dict[str, _Job]]:
    """The jobs of the readings and of each summary, by kind.

    A refresh works only on stretches that were changed, so that going back far costs nothing by itself.
    """
    ages, back_to = kept(policy), _refreshed_back_to(connection, policy)
    wanted: dict[str, dict[str, _Job]] = {name: {} for name in ages}
    for name, age in ages.items():
        if policy.compress_after is not None:
            wanted[name][_COMPRESSION] = _Job(None, age=policy.compress_after)
        if age is not None:
            wanted[name][_RETENTION] = _Job(None, age=age)
    for summary in SUMMARIES:
        wanted[summary.view][_REFRESH] = _Job(policy.refresh_every, back_to[summary.source], summary.closed_after)
    return wanted


def apply_policy(connection: psycopg.Connection, policy: StoragePolicy, *, replace: bool) -> list[str]:
    """Add the jobs that are missing; with ``replace`` also change those that differ and remove those not wanted."""
    steps = []
    present = {name: _present(connection, name) for name in kept(policy)}
    if replace:
        for name, jobs in present.items():
            if _RETENTION in jobs and jobs[_RETENTION].age != kept(policy)[name]:
                row = connection.execute("select now() - %s::interval", (jobs[_RETENTION].age,)).fetchone()
                note_dropped(connection, name, row[0] if row else datetime.now(UTC))
    for name, wanted in _wanted(connection, policy).items():
        for kind, add in _ADD.items():
            job, held = wanted.get(kind), present[name].get(kind)
            if held == job or (held is not None and not replace):
                continue
            with connection.transaction():
                if held is not None:
                    connection.execute(_REMOVE[kind], (name,))
                if job is not None:
                    values: dict[str, Any] = {"relation": name, "start": job.start, "end": job.end}
                    connection.execute(add, values | {"every": job.every, "age": job.age})
            steps.append(f"{name}: {kind.removeprefix('policy_').replace('_', ' ')} {_described(job)}")
    return steps


def _described(job: _Job | None) -> str:
    if job is None:
        return "no more"
    return f"after {job.age}" if job.age is not None else f"every {job.every}"


def _present(connection: psycopg.Connection, name: str) -> dict[str, _Job]:
    found = {}
    for kind, every, start, end, age in connection.execute(_JOBS, (name, list(_ADD))):
        found[kind] = _Job(every if kind == _REFRESH else None, start, end, age)
    return found


def fill(connection: psycopg.Connection) -> int:
    """Work out the summaries of all readings day by day, each in transactions of its own; returns how many days."""
    days = connection.execute(
        f"""
        select distinct generate_series(date_bin({DAY.interval}, range_start, {ORIGIN}), range_end - {MINUTE.interval},
            {DAY.interval})
        from timescaledb_information.chunks where hypertable_name = 'reading' order by 1
        """
    ).fetchall()
    row = connection.execute("select now()").fetchone()
    for (day,) in days:
        for summary in SUMMARIES:
            end = min(day + DAY.width, row[0] - summary.closed_after if row else day)
            if end - day >= summary.width:
                connection.execute(
                    "call refresh_continuous_aggregate(%s::text::regclass, %s::timestamptz, %s::timestamptz)",
                    (summary.view, day, end),
                )
    return len(days)


def refresh(connection: psycopg.Connection, policy: StoragePolicy) -> None:
    """Work out what was changed since the last time, as the jobs do; the connection must be in autocommit mode."""
    back_to = _refreshed_back_to(connection, policy)
    for summary in SUMMARIES:
        connection.execute(
            "call refresh_continuous_aggregate(%s::text::regclass, now() - %s::interval, now() - %s::interval)",
            (summary.view, back_to[summary.source], summary.closed_after),
        )


def compress(connection: psycopg.Connection, age: timedelta) -> int:
    """Compress what is older than an age, readings and summaries; returns how many chunks were."""
    count = 0
    for name in ("reading", *(summary.view for summary in SUMMARIES)):
        chunks = connection.execute(
            """
            select format('%%I.%%I', chunk.chunk_schema, chunk.chunk_name)
            from timescaledb_information.chunks chunk
            left join timescaledb_information.continuous_aggregates aggregate
                on aggregate.materialization_hypertable_name = chunk.hypertable_name
            where coalesce(aggregate.view_name, chunk.hypertable_name) = %s
              and not chunk.is_compressed and chunk.range_end <= now() - %s::interval
            order by chunk.range_start
            """,
            (name, age),
        ).fetchall()
        for (chunk,) in chunks:
            connection.execute("select compress_chunk(%s::text::regclass, true)", (chunk,))
            count += 1
    return count


def drop_readings(connection: psycopg.Connection, policy: StoragePolicy, before: datetime) -> int:
    """Drop whole chunks from before a moment, after they were summarised; returns how many went."""
    refresh(connection, policy)
    note_dropped(connection, "reading", before)
    apply_policy(connection, policy, replace=True)
    rows = connection.execute("select drop_chunks('reading', older_than => %s::timestamptz)", (before,)).fetchall()
    return len(rows)
