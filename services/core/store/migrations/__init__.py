"""Schema migrations: forward only, under one advisory lock, safe to start from several processes at once."""

from pathlib import Path

import psycopg

from services.core.store import job_schema, limited_views, storage_level

_LOCK = 0x11FE_11FE
"""Key of the advisory lock; any constant that nobody else in the database uses."""


class DatabaseNotReadyError(Exception):
    """The database is reachable but its schema is not the one this version of the service needs."""


def head() -> str:
    """The newest schema revision this version of the service knows: the number its last version file begins with."""
    versions = Path(__file__).with_name("versions")
    return max(path.name.split("_")[0] for path in versions.glob("[0-9]*_*.py"))


def _revision(connection: psycopg.Connection) -> str | None:
    row = connection.execute("select to_regclass('alembic_version')").fetchone()
    if row is None or row[0] is None:
        return None
    version = connection.execute("select version_num from alembic_version").fetchone()
    return None if version is None else str(version[0])


def migrate(database_url: str) -> list[str]:
    """Bring the database to this version's schema and say, in words, what was done.

    Raises:
        psycopg.OperationalError: the database cannot be reached.
        DatabaseNotReadyError: the role may not make the schema that the views need; with one line that says what to do.
    """
    with psycopg.connect(database_url, autocommit=True) as lock:
        lock.execute("select pg_advisory_lock(%s)", (_LOCK,))
        before = _revision(lock)
        if before != head():
            limited_views.drop(lock)
            _upgrade(database_url)
        if before != head() or not limited_views.are_complete(lock):
            _refresh_views(lock)
        steps = [] if before == head() else [f"schema {before or 'empty'} → {_revision(lock)}"]
        steps += job_schema.apply(lock)
        steps += storage_level.apply(lock)
    return steps


def _refresh_views(connection: psycopg.Connection) -> None:
    try:
        limited_views.refresh(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        schema, role = limited_views.SCHEMA, connection.info.user
        raise DatabaseNotReadyError(
            f"{str(error).strip().splitlines()[0]}: have an administrator run"
            f" `create schema {schema} authorization {role}`, then migrate again"
        ) from None


def _upgrade(database_url: str) -> None:
    # Loaded here alone: every service checks the schema when it starts, and none of them needs the runner for that.
    import sqlalchemy  # noqa: PLC0415
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database_url), poolclass=sqlalchemy.NullPool
    )
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


def require_migrated(database_url: str) -> None:
    """Refuse to start on a database that was not migrated.

    Raises:
        DatabaseNotReadyError: with one line that says what to run.
    """
    with psycopg.connect(database_url, autocommit=True) as connection:
        found, wanted = _revision(connection), head()
    if found != wanted:
        raise DatabaseNotReadyError(
            f"the database schema is {found or 'empty'} but this version needs {wanted}: run `lifeline migrate`"
        )
