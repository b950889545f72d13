"""The job queue's own tables (Procrastinate), brought up to the installed version of the library.

The library ships a full schema and a numbered file for each later change. The numbered files already contained in
the full schema are recorded when it is applied, so that a newer library adds exactly what is missing.
"""

from importlib.resources import files

import psycopg
from psycopg import sql

_SQL = files("procrastinate.sql")


def _shipped() -> list[str]:
    names = (entry.name for entry in (_SQL / "migrations").iterdir() if entry.name.endswith(".sql"))
    return sorted(names)


def apply(connection: psycopg.Connection) -> list[str]:
    """Create or update the job tables; returns what was done in words."""
    connection.execute("create table if not exists job_schema (name text primary key)")
    known = {row[0] for row in connection.execute("select name from job_schema")}
    shipped = _shipped()
    missing = [name for name in shipped if name not in known]
    if not missing:
        return []
    with connection.transaction():
        if known:
            for name in missing:
                connection.execute(sql.SQL((_SQL / "migrations" / name).read_text()))
        else:
            connection.execute(sql.SQL((_SQL / "schema.sql").read_text()))
        connection.cursor().executemany("insert into job_schema values (%s)", [(name,) for name in missing])
    return [f"job tables to {shipped[-1].split('_')[0]}"]
