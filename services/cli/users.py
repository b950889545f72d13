"""`lifeline users`: who may log in, also when nobody can log in yet."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import psycopg
import typer

from services.core.limits import Limits
from services.core.role import Role
from services.core.settings import ConfigurationError, load_settings

users = typer.Typer(help="Users, who log in with a browser.", no_args_is_help=True)
_Name = Annotated[str, typer.Argument(help="as in an address, in small letters")]
_Limit = Annotated[list[str] | None, typer.Option(help="confines them to it; may be given several times")]
_Actor = Annotated[str, typer.Option(help="who does it, as the audit trail shows it")]


@users.callback()
def _users() -> None:
    """Users; the database holds argon2id hashes of their passwords alone."""


@users.command(name="list")
def list_() -> None:
    """Everybody who may log in, one a line: name, state, roles, limits."""
    from services.core.store import users as stored  # noqa: PLC0415 - only this command needs the store

    async def show(connection: psycopg.AsyncConnection) -> None:
        for user in await stored.load_users(connection):
            limits = [f"{part}={','.join(names)}" for part, names in user.limits.names().items() if names is not None]
            state = "enabled" if user.disabled_at is None else "disabled"
            typer.echo("\t".join([user.name, state, ",".join(sorted(user.roles)), *limits]))

    _run(show)


@users.command()
def add(
    name: _Name,
    role: Annotated[list[Role], typer.Option(help="what they are; may be given several times")],
    actor: _Actor,
    label: Annotated[str, typer.Option(help="the person's name as it is shown; default: the user's name")] = "",
    organisation: _Limit = None,
    lifeline: _Limit = None,
    zone: _Limit = None,
) -> None:
    """Add a user and print a password: this once, nobody can read it again."""
    from services.core.password import hash_password, new_password  # noqa: PLC0415 - only this command hashes
    from services.core.store import users as stored  # noqa: PLC0415

    password = new_password()

    async def save(connection: psycopg.AsyncConnection) -> None:
        if not stored.is_name(name):
            raise LookupError(f"{name!r} is no name for a user: small letters, digits and ._@+-")
        if await stored.find_user(connection, name) is not None:
            raise LookupError(f"there is a user {name!r} already")
        limits = Limits.of(organisation or None, lifeline or None, zone or None)
        hashed = hash_password(password)
        await stored.add_user(
            connection, name, label or name, set(role), limits=limits, password_hash=hashed, actor=actor
        )

    _run(save)
    typer.echo(password)


@users.command()
def password(name: _Name, actor: _Actor) -> None:
    """Give a user a new password and print it; every session of theirs ends."""
    from services.core.password import hash_password, new_password  # noqa: PLC0415 - only this command hashes
    from services.core.store import users as stored  # noqa: PLC0415

    made = new_password()

    async def save(connection: psycopg.AsyncConnection) -> None:
        known = await stored.find_user(connection, name, lock=True)
        if known is None:
            raise LookupError(f"there is no user {name!r}")
        await stored.set_password(connection, known, hash_password(made), actor=actor)

    _run(save)
    typer.echo(made)


@users.command()
def roles(
    name: _Name,
    role: Annotated[list[Role], typer.Option(help="what they are from now on; may be given several times")],
    actor: _Actor,
    organisation: _Limit = None,
    lifeline: _Limit = None,
    zone: _Limit = None,
) -> None:
    """Set a user's roles and limits; limits that are not given are lifted."""
    from services.core.store import users as stored  # noqa: PLC0415 - only this command needs the store

    async def save(connection: psycopg.AsyncConnection) -> None:
        known = await stored.find_user(connection, name, lock=True)
        if known is None:
            raise LookupError(f"there is no user {name!r}")
        limits = Limits.of(organisation or None, lifeline or None, zone or None)
        await stored.change_user(connection, known, label=known.label, roles=set(role), limits=limits, actor=actor)

    _run(save)


@users.command()
def disable(name: _Name, actor: _Actor) -> None:
    """Lock a user out at once."""
    _switch(name, actor, enabled=False)


@users.command()
def enable(name: _Name, actor: _Actor) -> None:
    """Let a user in again."""
    _switch(name, actor, enabled=True)


def _switch(name: str, actor: str, *, enabled: bool) -> None:
    from services.core.store import users as stored  # noqa: PLC0415 - only this command needs the store

    async def save(connection: psycopg.AsyncConnection) -> None:
        known = await stored.find_user(connection, name, lock=True)
        if known is None:
            raise LookupError(f"there is no user {name!r}")
        await stored.switch_user(connection, known, enabled=enabled, actor=actor)

    _run(save)


def _run(work: Callable[[psycopg.AsyncConnection], Awaitable[None]]) -> None:
    """Do something in one transaction, or say in one line why it cannot be done."""

    async def connected(database_url: str) -> None:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await work(connection)

    try:
        asyncio.run(connected(_database_url()))
    except (ConfigurationError, LookupError, ValueError, psycopg.Error) as error:
        typer.echo(f"lifeline: {str(error.args[0]).strip().splitlines()[0]}", err=True)
        raise typer.Exit(1) from None


def _database_url() -> str:
    database_url = load_settings().database_url
    if database_url is None:
        raise ConfigurationError("LIFELINE_DATABASE_URL is not set")
    return database_url.get_secret_value()
