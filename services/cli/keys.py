"""`lifeline keys`: who may use the API."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import psycopg
import typer

from services.core.limits import Limits
from services.core.permission import Permission
from services.core.settings import ConfigurationError, load_settings

_Limit = Annotated[list[str] | None, typer.Option(help="confines it; may be given several times")]
keys = typer.Typer(help="Keys of the API.", no_args_is_help=True)


@keys.callback()
def _keys() -> None:
    """Keys of the API; the database holds their hashes alone."""


@keys.command()
def issue(
    name: Annotated[str, typer.Argument(help="names the key; an older key of this name ends")],
    actor: Annotated[str, typer.Option(help="person or system that acts with it, as the audit trail shows it")],
    permission: Annotated[list[Permission], typer.Option(help="what it may do; may be given several times")],
    days: Annotated[int | None, typer.Option(help="ends after so many days; default: never", min=1)] = None,
    organisation: _Limit = None,
    lifeline: _Limit = None,
    zone: _Limit = None,
) -> None:
    """Make a key and print it: this once, nobody can read it again."""
    from services.core.store import api_keys  # noqa: PLC0415 - only this command needs the store

    async def save(database_url: str, key: str) -> None:
        ends = None if days is None else datetime.now(UTC) + timedelta(days=days)
        limits = Limits.of(organisation or None, lifeline or None, zone or None)
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await api_keys.save_key(connection, name, key, actor, permission, limits=limits, expires_at=ends)

    key = api_keys.new_key()
    try:
        asyncio.run(save(_database_url(), key))
    except (ConfigurationError, ValueError, psycopg.Error) as error:
        typer.echo(f"lifeline: {str(error).strip().splitlines()[0]}", err=True)
        raise typer.Exit(1) from None
    typer.echo(key)


@keys.command()
def rotate(
    name: Annotated[str, typer.Argument(help="the key that is replaced")],
    actor: Annotated[str, typer.Option(help="who replaces it, as the audit trail shows it")],
    overlap: Annotated[int, typer.Option(help="hours in which the old key works as well", min=0, max=720)] = 24,
) -> None:
    """Make a new key under the same name, with the same rights and limits, and print it."""
    from services.core.store import api_keys  # noqa: PLC0415 - only this command needs the store

    async def replace(database_url: str, key: str) -> None:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await api_keys.rotate_key(connection, name, key, overlap=timedelta(hours=overlap), actor=actor)

    key = api_keys.new_key()
    try:
        asyncio.run(replace(_database_url(), key))
    except (ConfigurationError, LookupError, psycopg.Error) as error:
        typer.echo(f"lifeline: {str(error.args[0]).strip().splitlines()[0]}", err=True)
        raise typer.Exit(1) from None
    typer.echo(key)


@keys.command()
def revoke(
    name: Annotated[str, typer.Argument(help="the key that ends")],
    actor: Annotated[str, typer.Option(help="who ends it, as the audit trail shows it")],
) -> None:
    """End a key: it opens nothing from now on."""
    from services.core.store import api_keys  # noqa: PLC0415 - only this command needs the store

    async def end(database_url: str) -> bool:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            return await api_keys.revoke_key(connection, name, actor=actor)

    try:
        ended = asyncio.run(end(_database_url()))
    except (ConfigurationError, LookupError, psycopg.Error) as error:
        typer.echo(f"lifeline: {str(error.args[0]).strip().splitlines()[0]}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{name} has ended" if ended else f"{name} had ended already")


def _database_url() -> str:
    database_url = load_settings().database_url
    if database_url is None:
        raise ConfigurationError("LIFELINE_DATABASE_URL is not set")
    return database_url.get_secret_value()
