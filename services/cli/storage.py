"""`lifeline storage`: what the readings take on disk, and what can be done about it by hand."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import psycopg
import typer

from services.core.settings import ConfigurationError, load_settings

if TYPE_CHECKING:
    from services.core.store.storage_policy import StoragePolicy
    from services.core.store.storage_size import StorageStatus, TableSize

storage = typer.Typer(help="What readings take on disk: look, refresh, compress, drop, move.", no_args_is_help=True)


def _fail(message: str) -> typer.Exit:
    typer.echo(f"lifeline: {message}", err=True)
    return typer.Exit(1)


@contextmanager
def _database() -> Iterator[tuple[psycopg.Connection, "StoragePolicy"]]:
    """A connection in autocommit mode and the policy in force; ends with one line when there is none."""
    from services.core.store.migrations import DatabaseNotReadyError, require_migrated  # noqa: PLC0415
    from services.core.store.storage_policy import StoragePolicy  # noqa: PLC0415 - other commands do without

    try:
        url = _url()
        require_migrated(url)
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection, StoragePolicy.of_settings(load_settings())
    except (ConfigurationError, DatabaseNotReadyError) as error:
        raise _fail(str(error)) from None
    except psycopg.OperationalError as error:
        raise _fail(f"the database cannot be reached: {str(error).strip().splitlines()[0]}") from None


@storage.command()
def status() -> None:
    """Show the level, what each table takes, how far summaries reach, and the settings in force."""
    from services.core.store.storage_size import storage_status  # noqa: PLC0415 - other commands do without

    with _database() as (connection, policy):
        typer.echo("\n".join(_described(storage_status(connection), policy)))


def _described(status: "StorageStatus", policy: "StoragePolicy") -> Iterator[str]:
    extension = f", TimescaleDB {status.timescaledb}" if status.timescaledb else ""
    yield f"level {status.level}: PostgreSQL {status.postgresql}{extension}"
    yield ""
    yield f"{'table':<20}{'size':>10}{'rows, about':>16}{'chunks':>8}{'compressed':>12}{'ratio':>7}  from … to"
    for table in status.tables:
        yield _line(table)
    yield ""
    for lag in status.lags:
        reach = f"written down until {lag.until:%Y-%m-%d %H:%M} UTC" if lag.until else "nothing written down yet"
        yield f"{lag.name}: {reach}" + (f", {_duration(lag.behind)} ago" if lag.behind is not None else "")
    if status.unread_feed_entries is not None:
        yield f"summaries have {status.unread_feed_entries} entries of the feed before them"
    yield from status.jobs
    yield ""
    if status.chunk_interval is not None:
        yield f"new chunks span {_duration(status.chunk_interval)}"
    yield f"compressed after {_duration(policy.compress_after, never='never')}, where the level can"
    ages = {"readings": policy.keep_raw, "minutes": policy.keep_1m, "hours": policy.keep_1h, "days": policy.keep_1d}
    yield "kept: " + ", ".join(f"{name} {_duration(age, never='for ever')}" for name, age in ages.items())


def _line(table: "TableSize") -> str:
    ratio = f"{table.compression_ratio:.1f}" if table.compression_ratio else ""
    chunks = (str(table.chunks), str(table.compressed_chunks)) if table.chunks else ("", "")
    stretch = f"  {table.oldest:%Y-%m-%d} … {table.newest:%Y-%m-%d}" if table.oldest and table.newest else ""
    size = f"{table.size_bytes / 2**20:,.1f} MB"
    return f"{table.name:<20}{size:>10}{table.rows:>16,}{chunks[0]:>8}{chunks[1]:>12}{ratio:>7}{stretch}"


def _duration(age: timedelta | None, never: str = "never") -> str:
    if age is None:
        return never
    days, seconds = age.days, age.seconds
    parts = ((days, "d"), (seconds // 3600, "h"), (seconds % 3600 // 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


@storage.command()
def refresh() -> None:
    """Bring minutes, hours and days up to date now."""
    from psycopg import AsyncConnection  # noqa: PLC0415 - other commands do without

    from services.core.store import continuous_aggregates, rollup, rollup_tables  # noqa: PLC0415

    async def catch_up(url: str) -> rollup.RolledUp | None:
        async with await AsyncConnection.connect(url) as session:
            return await rollup.catch_up(session)

    with _database() as (connection, policy):
        if rollup_tables.exist(connection):
            taken = asyncio.run(catch_up(_url()))
            typer.echo(f"{taken.readings if taken else 0} readings taken into the summaries")
        else:
            continuous_aggregates.refresh(connection, policy)
            typer.echo("the continuous aggregates are refreshed")


@storage.command()
def compress(
    older_than_days: Annotated[
        float | None, typer.Option(min=0, help="age in days; default: LIFELINE_STORAGE_COMPRESS_AFTER")
    ] = None,
) -> None:
    """Compress old chunks now (TimescaleDB Community)."""
    from services.core.store import continuous_aggregates  # noqa: PLC0415 - other commands do without

    with _database() as (connection, policy):
        _require_community(connection, "compresses nothing")
        age = policy.compress_after if older_than_days is None else timedelta(days=older_than_days)
        if age is None:
            raise _fail("LIFELINE_STORAGE_COMPRESS_AFTER says never; give --older-than-days")
        typer.echo(f"{continuous_aggregates.compress(connection, age)} chunks compressed")


@storage.command()
def drop(
    before: Annotated[datetime, typer.Option(help="readings older than this go, whole days or chunks of them (UTC)")],
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Drop old readings for good; their minutes, hours and days stay."""
    from psycopg import AsyncConnection  # noqa: PLC0415 - other commands do without

    from services.core.store import continuous_aggregates, retention, rollup_tables  # noqa: PLC0415

    moment = before.replace(tzinfo=before.tzinfo or UTC)
    if datetime.now(UTC) - moment < timedelta(days=3):
        raise _fail("readings of the last three days are not dropped")

    async def drop_readings(url: str) -> int:
        async with await AsyncConnection.connect(url) as session:
            return await retention.drop_readings(session, moment)

    with _database() as (connection, policy):
        if not yes:
            typer.confirm(f"Drop all readings from before {moment:%Y-%m-%d %H:%M} UTC?", abort=True)
        try:
            if rollup_tables.exist(connection):
                count = asyncio.run(drop_readings(_url()))
            else:
                count = continuous_aggregates.drop_readings(connection, policy, moment)
        except retention.TooYoungError as error:
            raise _fail(str(error)) from None
        typer.echo(f"{count} dropped (rows, or chunks where the level has chunks)")


@storage.command()
def move(
    tablespace: Annotated[str, typer.Argument(help="an existing tablespace, for example on cheaper disks")],
    before: Annotated[datetime, typer.Option(help="chunks that ended before this are moved (UTC)")],
) -> None:
    """Move old chunks of readings to another tablespace (TimescaleDB Community)."""
    from services.core.store import hypertables  # noqa: PLC0415 - other commands do without

    with _database() as (connection, _):
        _require_community(connection, "has no chunks that could be moved while readings come in")
        try:
            count = hypertables.move_chunks(connection, tablespace, before.replace(tzinfo=before.tzinfo or UTC))
        except psycopg.errors.UndefinedObject as error:
            raise _fail(str(error).strip().splitlines()[0]) from None
        typer.echo(f"{count} chunks moved to {tablespace}")


def _url() -> str:
    url = load_settings().database_url
    if url is None:
        raise ConfigurationError("LIFELINE_DATABASE_URL is not set")
    return url.get_secret_value()


def _require_community(connection: psycopg.Connection, otherwise: str) -> None:
    from services.core.store.storage_level import StorageLevel, detect  # noqa: PLC0415 - other commands do without

    level = detect(connection)
    if level is not StorageLevel.TIMESCALE_COMMUNITY:
        raise _fail(f"the level {level} {otherwise}; that takes TimescaleDB under its Community licence")
