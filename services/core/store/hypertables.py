"""Tables in chunks, where the server has TimescaleDB of either licence."""

from datetime import datetime, timedelta

import psycopg


def is_hypertable(connection: psycopg.Connection, table: str) -> bool:
    """Whether a table is divided into chunks already."""
    row = connection.execute(
        "select exists (select from timescaledb_information.hypertables where hypertable_schema = current_schema() "
        "and hypertable_name = %s)",
        (table,),
    ).fetchone()
    return bool(row and row[0])


def create(connection: psycopg.Connection, table: str, column: str, chunk_interval: timedelta) -> bool:
    """Divide a table, whatever it holds, into chunks by time; ``False`` when it is already.

    It gets no index but its own: a B-tree on time alone would cost more at every insert than the readings' key, and
    the block ranges (BRIN) that the table has find a stretch of time.
    """
    if is_hypertable(connection, table):
        return False
    connection.execute(
        """
        select create_hypertable(%s::text::regclass, %s, chunk_time_interval => %s, create_default_indexes => false,
            migrate_data => true)
        """,
        (table, column, chunk_interval),
    )
    return True


def chunk_interval(connection: psycopg.Connection, table: str) -> timedelta | None:
    """The stretch of time that new chunks get; ``None`` for a table without chunks."""
    row = connection.execute(
        "select time_interval from timescaledb_information.dimensions where hypertable_schema = current_schema() "
        "and hypertable_name = %s",
        (table,),
    ).fetchone()
    return row[0] if row else None


def set_chunk_interval(connection: psycopg.Connection, table: str, wanted: timedelta) -> bool:
    """Give new chunks another stretch; those that are there keep theirs. ``False`` when it is so already."""
    if chunk_interval(connection, table) == wanted:
        return False
    connection.execute("select set_chunk_time_interval(%s::text::regclass, %s::interval)", (table, wanted))
    return True


def move_chunks(connection: psycopg.Connection, tablespace: str, before: datetime) -> int:
    """Move the chunks of readings that ended before a moment, indexes included; returns how many were elsewhere.

    Moving writes a chunk anew, in the order of its key. Needs the Community licence, and a connection in autocommit
    mode: each chunk is a transaction of its own.

    Raises:
        psycopg.errors.UndefinedObject: there is no such tablespace.
    """
    chunks = connection.execute(
        """
        select format('%%I.%%I', chunk_schema, chunk_name) as chunk, key.indexrelid::regclass::text
        from timescaledb_information.chunks
        join pg_index key on key.indrelid = format('%%I.%%I', chunk_schema, chunk_name)::regclass and key.indisprimary
        where hypertable_schema = current_schema() and hypertable_name = 'reading' and range_end <= %s
          and chunk_tablespace is distinct from %s
        order by range_start
        """,
        (before, tablespace),
    ).fetchall()
    for chunk, key in chunks:
        connection.execute(
            "select move_chunk(%s::text::regclass, %s::name, %s::name, reorder_index => %s::text::regclass)",
            (chunk, tablespace, tablespace, key),
        )
    return len(chunks)
