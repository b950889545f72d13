"""What the database can do for readings, and the DDL that differs by it. Nothing else differs by level."""

from enum import StrEnum

import psycopg
from psycopg import AsyncConnection, errors

from services.core.store import continuous_aggregates, hypertables, rollup_tables
from services.core.store.storage_policy import StoragePolicy
from services.core.store.summary import SUMMARIES


class StorageLevel(StrEnum):
    """Detected once at the start of a process and shown by ``/readyz`` and ``lifeline doctor``."""

    PLAIN = "plain"
    """PostgreSQL without the extension: same tables, same queries."""
    TIMESCALE_APACHE = "timescale-apache"
    """TimescaleDB under Apache 2: hypertables."""
    TIMESCALE_COMMUNITY = "timescale-community"
    """TimescaleDB Community: also compression, continuous aggregates and policies."""


_LICENCE = """
select case when exists (select from pg_extension where extname = 'timescaledb')
    then coalesce(current_setting('timescaledb.license', true), 'apache') end
"""

# Finds a stretch of time among readings that lie mostly in order of arrival. It takes kilobytes, and outliers, the
# late readings, are kept apart in it. The other index is what TimescaleDB made of itself in the first release.
_TIME_INDEX = """
drop index if exists reading_time_idx;
create index if not exists reading_by_time on reading
using brin (time timestamptz_minmax_multi_ops) with (pages_per_range = 32, autosummarize = on)
"""


def _level(licence: str | None) -> StorageLevel:
    if licence is None:
        return StorageLevel.PLAIN
    return StorageLevel.TIMESCALE_COMMUNITY if licence == "timescale" else StorageLevel.TIMESCALE_APACHE


def detect(connection: psycopg.Connection) -> StorageLevel:
    """The level of the connected database, from what is installed in it."""
    row = connection.execute(_LICENCE).fetchone()
    return _level(row[0] if row else None)


async def detected(connection: AsyncConnection) -> StorageLevel:
    """As ``detect``, for a service."""
    cursor = await connection.execute(_LICENCE)
    row = await cursor.fetchone()
    return _level(row[0] if row else None)


def apply(connection: psycopg.Connection, policy: StoragePolicy | None = None) -> list[str]:
    """Use what the server offers for readings and their summaries; returns what was done in words.

    What is new follows the policy, or the default one; what is there stays as it is. The connection must be in
    autocommit mode: a large table is worked through in many transactions.
    """
    wanted = policy or StoragePolicy()
    steps = _extend(connection)
    if not _has_time_index(connection):
        connection.execute(_TIME_INDEX)
    level = detect(connection)
    if level is not StorageLevel.PLAIN and hypertables.create(connection, "reading", "time", wanted.chunk_interval):
        steps.append("readings are a hypertable")
    # Summaries whose readings were dropped exist in their tables alone, so such a database keeps the tables.
    if level is StorageLevel.TIMESCALE_COMMUNITY and not rollup_tables.hold_more_than_readings(connection):
        return steps + _use_aggregates(connection, wanted)
    return steps + _use_rollups(connection, level, wanted)


def apply_policy(connection: psycopg.Connection, policy: StoragePolicy) -> list[str]:
    """Change what is there to another policy; returns what was changed in words."""
    if detect(connection) is StorageLevel.PLAIN:
        return []
    steps = []
    if hypertables.set_chunk_interval(connection, "reading", policy.chunk_interval):
        steps.append(f"new chunks of readings span {policy.chunk_interval}")
    if not rollup_tables.exist(connection):
        steps += continuous_aggregates.apply_policy(connection, policy, replace=True)
    return steps


def _extend(connection: psycopg.Connection) -> list[str]:
    row = connection.execute(
        "select installed_version from pg_available_extensions where name = 'timescaledb'"
    ).fetchone()
    if row is None or row[0] is not None:
        return []
    try:
        connection.execute("create extension timescaledb")
    except errors.InsufficientPrivilege:
        return ["TimescaleDB is offered, but this role may not create it: plain tables"]
    return ["TimescaleDB is in use"]


def _has_time_index(connection: psycopg.Connection) -> bool:
    return connection.execute("select to_regclass('reading_by_time')").fetchone() != (None,)


def _use_aggregates(connection: psycopg.Connection, policy: StoragePolicy) -> list[str]:
    """A database that had tables of its own for the summaries gives them up."""
    rollup_tables.drop(connection)
    steps = continuous_aggregates.create(connection, policy)
    if steps:
        continuous_aggregates.fill(connection)
    return steps + continuous_aggregates.apply_policy(connection, policy, replace=False)


def _use_rollups(connection: psycopg.Connection, level: StorageLevel, policy: StoragePolicy) -> list[str]:
    if level is not StorageLevel.PLAIN and continuous_aggregates.is_aggregate(connection, SUMMARIES[0].view):
        return ["the licence in force does not cover the continuous aggregates of this database: they stand still"]
    rollup_tables.create(connection)
    if level is not StorageLevel.PLAIN:
        for summary in SUMMARIES:
            interval = summary.chunk_interval or policy.chunk_interval
            hypertables.create(connection, summary.table, "bucket", interval)
    if rollup_tables.is_filled(connection):
        return []
    days = rollup_tables.fill(connection)
    return [f"summaries follow the readings; those of {days} days are written down"]
