"""`lifeline rejections`: what could not become readings, straight from the database."""

import asyncio
import base64
import getpass
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import psycopg
import typer
from psycopg import AsyncConnection

from services.cli.terminal import printable, table, utc
from services.core.rejection import RejectionReason
from services.core.settings import ConfigurationError, load_settings
from services.core.store import rejected
from services.core.store.audit import SYSTEM
from services.core.store.rejected import HeldRejection, KeptPayload, RejectionSelection

rejections = typer.Typer(help="Payloads that could not become readings.", no_args_is_help=True)
T = TypeVar("T")

_MAX_PAYLOAD_SHOWN = 2_000
_Identifier = Annotated[int, typer.Argument(min=0, max=2**63 - 1, help="number of the rejection, as `list` shows it")]
_Reason = Annotated[RejectionReason | None, typer.Option(help="only this kind of trouble")]
_Sensor = Annotated[str | None, typer.Option(help="only what was meant for this sensor")]
_Sender = Annotated[str | None, typer.Option(help="only what this gateway or sensor sent")]
_Topic = Annotated[str | None, typer.Option(help="only topics that begin like this")]
_Since = Annotated[datetime | None, typer.Option(help="only what came at this moment or later, UTC")]
_AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


def _fail(message: str) -> typer.Exit:
    typer.echo(f"lifeline: {message}", err=True)
    return typer.Exit(1)


def _asked(question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """The answer of the database; what was changed is committed."""

    async def ask(database_url: str) -> T:
        async with await AsyncConnection.connect(database_url) as connection:
            return await question(connection)

    try:
        database_url = load_settings().database_url
        if database_url is not None:
            return asyncio.run(ask(database_url.get_secret_value()))
    except ConfigurationError as error:
        raise _fail(str(error)) from None
    except psycopg.OperationalError as error:
        raise _fail(f"the database cannot be reached: {str(error).strip().splitlines()[0]}") from None
    raise _fail("LIFELINE_DATABASE_URL is not set")


def _selection(
    reason: RejectionReason | None, sensor: str | None, sender: str | None, topic: str | None, since: datetime | None
) -> RejectionSelection:
    zoned = None if since is None else since.replace(tzinfo=since.tzinfo or UTC)
    return RejectionSelection(reason, sensor, sender, topic, zoned)


def _actor() -> str:
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):  # a container may run under a number without a name
        return SYSTEM


def _as_json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=True, indent=2, default=lambda value: value.isoformat())


def _fields(held: HeldRejection) -> dict[str, Any]:
    fields = asdict(held)
    del fields["sample"]
    return fields


@rejections.command(name="list")
def list_(
    reason: _Reason = None,
    sensor: _Sensor = None,
    sender: _Sender = None,
    topic: _Topic = None,
    since: _Since = None,
    limit: Annotated[int, typer.Option(min=1, max=20_000, help="the first so many")] = 50,
    as_json: _AsJson = False,
) -> None:
    """One line for each kind of trouble of one sender, what came last first."""
    selection = _selection(reason, sensor, sender, topic, since)
    found = _asked(lambda connection: rejected.list_rejections(connection, selection, before=None, limit=limit))
    if as_json:
        typer.echo(_as_json([_fields(held) for held in found]))
        return
    rows = [
        (
            str(held.id),
            str(held.count),
            str(held.kept),
            utc(held.last_seen),
            held.reason.value,
            printable(held.sensor or "-"),
            printable(held.topic),
            printable(held.detail),
        )
        for held in found
    ]
    head = ("ID", "COUNT", "KEPT", "LAST SEEN", "REASON", "SENSOR", "TOPIC", "DETAIL")
    typer.echo(table(head, rows) if rows else "no rejections")


@rejections.command()
def show(identifier: _Identifier, as_json: _AsJson = False) -> None:
    """One rejection with the payloads that it keeps, newest first."""

    async def look(connection: AsyncConnection) -> tuple[HeldRejection | None, list[KeptPayload]]:
        return await rejected.find(connection, identifier), await rejected.payloads_of(connection, identifier)

    held, payloads = _asked(look)
    if held is None:
        raise _fail(f"there is no rejection {identifier}")
    if as_json:
        typer.echo(_as_json({**_fields(held), "payloads": [_described(payload, held.topic) for payload in payloads]}))
        return
    for name, value in _fields(held).items():
        shown = utc(value) if isinstance(value, datetime) else printable("-" if value is None else str(value))
        typer.echo(f"{name.replace('_', ' ')}: {shown}")
    for payload in payloads:
        obstacle = payload.obstacle(held.topic)
        cannot = "" if obstacle is None else f", cannot be read again: {obstacle.value}"
        encoding = printable(payload.encoding) or "no content type"
        typer.echo(f"\n{utc(payload.received_at)}, {len(payload.payload)} bytes, {encoding}{cannot}")
        typer.echo(printable(payload.payload[:_MAX_PAYLOAD_SHOWN].decode("utf-8", "backslashreplace")))
        if len(payload.payload) > _MAX_PAYLOAD_SHOWN:
            typer.echo("… the whole is in --json")


def _described(payload: KeptPayload, topic: str) -> dict[str, Any]:
    obstacle = payload.obstacle(topic)
    return {
        "received_at": payload.received_at,
        "payload_base64": base64.b64encode(payload.payload).decode(),
        "encoding": payload.encoding,
        "is_cut": payload.is_cut,
        "obstacle": None if obstacle is None else obstacle.value,
    }


@rejections.command()
def reprocess(
    identifier: Annotated[
        int | None, typer.Argument(min=0, max=2**63 - 1, help="number of one; default: those of the options")
    ] = None,
    reason: _Reason = None,
    sensor: _Sensor = None,
    sender: _Sender = None,
    topic: _Topic = None,
    since: _Since = None,
    every: Annotated[bool, typer.Option("--all", help="all of them")] = False,
    as_json: _AsJson = False,
) -> None:
    """Have what was refused read again by a running `lifeline ingest`; what is fit by now becomes readings."""
    selection = _selection(reason, sensor, sender, topic, since)
    chosen = [identifier is not None, bool(selection.wanted()), every]
    if sum(chosen) != 1:
        raise _fail("say which: the number of one, or options, or --all")
    if identifier is None:
        requested = _asked(lambda connection: rejected.request_all(connection, selection, by=_actor()))
    else:
        found = _asked(lambda connection: rejected.request_one(connection, identifier, by=_actor()))
        if found is None:
            raise _fail(f"there is no rejection {identifier}")
        requested = found
    if as_json:
        typer.echo(_as_json(asdict(requested)))
    else:
        typer.echo(f"{requested.rejections} rejections with {requested.payloads} payloads will be read again")


@rejections.command()
def dismiss(identifier: _Identifier) -> None:
    """Forget a rejection and what it keeps."""
    if not _asked(lambda connection: rejected.dismiss(connection, identifier, by=_actor())):
        raise _fail(f"there is no rejection {identifier}")
    typer.echo(f"rejection {identifier} is dismissed")
