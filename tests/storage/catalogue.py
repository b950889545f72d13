"""What a database consists of, by PostgreSQL's own catalogue; places that dropped columns have left are not counted."""

import psycopg

_COLUMNS = """
select table_name, column_name, row_number() over (partition by table_name order by ordinal_position), data_type,
    udt_name, column_default, is_nullable, is_identity
from information_schema.columns where table_schema = 'public' order by 1, 3
"""
_INDEXES = "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' order by 1, 2"
_CONSTRAINTS = """
select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
where connamespace = 'public'::regnamespace order by 1, 2
"""
_VIEWS = "select viewname, definition from pg_views where schemaname = 'public' order by 1"
_STORAGE = """
select attrelid::regclass::text, attname, attstorage::text from pg_attribute
where attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r')
  and attnum > 0 and not attisdropped order by 1, 2
"""


def catalogue(connection: psycopg.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Columns, indexes, constraints, views and the form of storage, by kind."""
    parts = {
        "columns": _COLUMNS,
        "indexes": _INDEXES,
        "constraints": _CONSTRAINTS,
        "views": _VIEWS,
        "storage": _STORAGE,
    }
    return {name: connection.execute(statement).fetchall() for name, statement in parts.items()}
