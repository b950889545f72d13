"""`lifeline evidence`: one file with everything behind an alert, and the same detection run again from it."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import psycopg
import typer

from services.core.evidence_bundle import Bundle, EvidenceError, pack, unpack
from services.core.settings import ConfigurationError, Settings, load_settings

evidence = typer.Typer(
    help="Everything behind an alert in one file, to be judged again elsewhere.", no_args_is_help=True
)
_DIFFERS = 2
"""Exit status of a replay that came out otherwise."""


def _fail(message: str) -> typer.Exit:
    typer.echo(f"lifeline: {message}", err=True)
    return typer.Exit(1)


@evidence.command()
def export(
    alert: Annotated[UUID, typer.Argument(help="identifier of the alert")],
    out: Annotated[Path, typer.Option(help="the file to write")],
    actor: Annotated[str, typer.Option(help="who takes it, as the audit trail shows it")],
) -> None:
    """Write the evidence behind an alert into one file; the audit trail says who took it."""
    from services.core.store.evidence import TooMuchEvidenceError, UnknownAlertError  # noqa: PLC0415
    from services.core.store.migrations import DatabaseNotReadyError, require_migrated  # noqa: PLC0415

    try:
        settings = load_settings()
    except ConfigurationError as error:
        raise _fail(str(error)) from None
    if settings.database_url is None:
        raise _fail("LIFELINE_DATABASE_URL is not set")
    try:
        url = settings.database_url.get_secret_value()
        require_migrated(url)
        bundle = asyncio.run(_gathered(url, settings, alert, actor))
        content = pack(bundle)
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except (DatabaseNotReadyError, UnknownAlertError, TooMuchEvidenceError) as error:
        raise _fail(str(error.args[0])) from None
    except OSError as error:
        raise _fail(f"{out}: {error.strerror}") from None
    except psycopg.Error as error:
        raise _fail(str(error).strip().splitlines()[0]) from None
    typer.echo(
        f"{out}: {len(bundle.parts['findings'])} findings, {len(bundle.readings)} readings, "
        f"from {bundle.facts['starts_from']}, {len(content)} bytes"
    )


async def _gathered(url: str, settings: Settings, alert: UUID, actor: str) -> Bundle:
    from services.core.store.evidence import gather  # noqa: PLC0415 - only this command needs the store

    async with await psycopg.AsyncConnection.connect(url) as connection:
        now = datetime.now(UTC)
        return await gather(connection, alert, now=now, allowed_lateness=settings.allowed_lateness, actor=actor)


@evidence.command()
def replay(file: Annotated[Path, typer.Argument(help="a file that `export` wrote")]) -> None:
    """Run the detection again and say "same result", or what differs and end with 2; needs no database."""
    from services.alerts.evidence_replay import replay as run  # noqa: PLC0415 - loads every detector

    try:
        bundle = unpack(file.read_bytes())
        result = run(bundle)
    except OSError as error:
        raise _fail(f"{file}: {error.strerror}") from None
    except EvidenceError as error:
        raise _fail(f"{file} is refused: {error}") from None
    if result.other_code:
        told = ", ".join(f"{name} {then} then and {now} here" for name, (then, now) in result.other_code.items())
        typer.echo(f"other code: {told}")
    typer.echo(f"alert {bundle.facts['alert']}: {result.readings} readings from {bundle.facts['starts_from']}")
    if bundle.facts["note"]:
        typer.echo(bundle.facts["note"])
    if result.told:
        typer.echo(f"{result.told} findings were reported by people or other systems; there is nothing to run again")
    for difference in result.differences:
        typer.echo(f"{difference.finding}: {difference.text}")
    typer.echo(f"{result.same} of {result.findings} findings came out the same")
    if not result.is_same:
        raise typer.Exit(_DIFFERS)
    typer.echo("same result")
