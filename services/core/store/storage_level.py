"""What the database can do for readings, and the DDL that differs by it. Nothing else differs by level."""

from enum import StrEnum

import psycopg


class StorageLevel(StrEnum):
    """Detected once at the start of a process and shown by ``/readyz`` and ``lifeline doctor``."""

    PLAIN = "plain"
    """PostgreSQL without the extension: same tables, same queries."""
    TIMESCALE_APACHE = "timescale-apache"
    """TimescaleDB under Apache 2: hypertables."""
    TIMESCALE_COMMUNITY = "timescale-community"
    """TimescaleDB Community: also compression, continuous aggregates and policies."""


def detect(connection: psycopg.Connection) -> StorageLevel:
    """The level of the connected database, from what is installed in it."""
    installed = connection.execute("select 1 from pg_extension where extname = 'timescaledb'").fetchone()
    if installed is None:
        return StorageLevel.PLAIN
    row = connection.execute("select current_setting('timescaledb.license', true)").fetchone()
    licence = row[0] if row else None
    return StorageLevel.TIMESCALE_COMMUNITY if licence == "timescale" else StorageLevel.TIMESCALE_APACHE


def apply(connection: psycopg.Connection) -> list[str]:
    """Use the extension where the server offers it; returns what was done in words."""
    offered = connection.execute("select 1 from pg_available_extensions where name = 'timescaledb'").fetchone()
    if offered is None:
        return []
    connection.execute("create extension if not exists timescaledb")
    known = connection.execute(
        "select 1 from timescaledb_information.hypertables where hypertable_name = 'reading'"
    ).fetchone()
    if known is not None:
        return []
    connection.execute(
        "select create_hypertable('reading', 'time', chunk_time_interval => interval '1 day', migrate_data => true)"
    )
    return ["readings are a hypertable"]
