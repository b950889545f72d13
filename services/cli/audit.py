"""`lifeline audit`: whether the trail is what was written, and statements about it to be kept elsewhere."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from services.core.audit_chain import Checkpoint, CheckpointError
from services.core.audit_key import known_key, signing_key
from services.core.settings import ConfigurationError, Settings, load_settings

audit = typer.Typer(help="The trail of who did what: verify it, sign it, archive it.", no_args_is_help=True)
_CHANGED = 2
"""Exit status of a verification that found something."""


def _fail(message: str) -> typer.Exit:
    typer.echo(f"lifeline: {message}", err=True)
    return typer.Exit(1)


def _settings() -> tuple[Settings, str]:
    from services.core.store.migrations import DatabaseNotReadyError, require_migrated  # noqa: PLC0415

    try:
        settings = load_settings()
    except ConfigurationError as error:
        raise _fail(str(error)) from None
    if settings.database_url is None:
        raise _fail("LIFELINE_DATABASE_URL is not set")
    url = settings.database_url.get_secret_value()
    try:
        require_migrated(url)
    except DatabaseNotReadyError as error:
        raise _fail(str(error)) from None
    except psycopg.OperationalError as error:
        raise _fail(f"the database cannot be reached: {str(error).strip().splitlines()[0]}") from None
    return settings, url


def _read_checkpoint(path: Path) -> Checkpoint:
    try:
        return Checkpoint.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise _fail(f"{path}: {error.strerror}") from None
    except (CheckpointError, ValueError) as error:
        raise _fail(f"{path}: {error}") from None


@audit.command()
def verify(
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="a checkpoint that was kept elsewhere; may be given several times")
    ] = None,
    archive: Annotated[
        list[Path] | None, typer.Option(help="verify these archives as well, the oldest first; several times")
    ] = None,
) -> None:
    """Look at every line: names what was altered, removed, inserted, moved or cut off, and ends with 2 then."""
    from services.core.store.audit_checkpoints import verify_archive  # noqa: PLC0415 - needs the store
    from services.core.store.audit_verification import verify as look  # noqa: PLC0415

    outside = [_read_checkpoint(path) for path in checkpoint or ()]
    settings, url = _settings()
    before: Checkpoint | None = None
    for path in archive or ():
        try:
            held = verify_archive(path, before)
        except OSError as error:
            raise _fail(f"{path}: {error.strerror}") from None
        except CheckpointError as error:
            typer.echo(f"{path}: {error}", err=True)
            raise typer.Exit(_CHANGED) from None
        before = held.checkpoint
        outside.append(before)
        typer.echo(f"{path}: {held.lines} lines, positions {held.base + 1} to {before.position}, as they were signed")
    try:
        key = known_key(settings.data_dir)
        with psycopg.connect(url, autocommit=True) as connection:
            verdict = look(connection, trusted_key=key, outside=outside, progress=_progress)
    except (OSError, ValueError, psycopg.Error) as error:
        raise _fail(str(error).strip().splitlines()[0]) from None
    for fault in verdict.faults:
        typer.echo(f"{fault.change}: {fault.text}")
    if verdict.more_faults:
        typer.echo(f"and {verdict.more_faults} more")
    if key is None:
        typer.echo("this machine has no key of its own: checkpoints in the database count whoever signed them")
    if verdict.position > verdict.base:
        typer.echo(
            f"{verdict.lines} lines, positions {verdict.base + 1} to {verdict.position}; "
            f"signed up to {verdict.sealed_until}"
        )
    else:
        typer.echo("the trail is empty")
    if not verdict.is_whole:
        raise typer.Exit(_CHANGED)
    typer.echo("nothing was changed")


def _progress(lines: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{lines} lines", nl=False, err=True)


@audit.command()
def checkpoint(
    out: Annotated[
        Path, typer.Option(help="file for the signed checkpoint: keep it where the database's owner cannot")
    ],
    actor: Annotated[str, typer.Option(help="who takes it, as the audit trail shows it")] = "system",
) -> None:
    """Sign where the chain ends now, and write that into a file."""
    from services.core.store.audit_checkpoints import take_checkpoint  # noqa: PLC0415 - needs the store

    settings, url = _settings()
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            taken = take_checkpoint(connection, signing_key(settings.data_dir), datetime.now(UTC), actor=actor)
        if taken is None:
            raise _fail("the trail is empty")
        out.write_text(json.dumps(taken.as_json(), indent=2) + "\n", encoding="utf-8")
    except (OSError, ValueError, psycopg.Error) as error:
        raise _fail(str(error).strip().splitlines()[0]) from None
    typer.echo(f"position {taken.position}, {taken.hash.hex()}")


@audit.command()
def archive(
    out: Annotated[Path, typer.Option(help="new file for the lines that leave the database")],
    actor: Annotated[str, typer.Option(help="who archives, as the audit trail shows it")],
) -> None:
    """Move the lines that are older than LIFELINE_AUDIT_KEEP into a signed file; needs the owner of the tables."""
    from services.core.store import audit_checkpoints  # noqa: PLC0415 - needs the store

    settings, url = _settings()
    now = datetime.now(UTC)
    try:
        key = signing_key(settings.data_dir)
        with psycopg.connect(url, autocommit=True) as connection:
            held = audit_checkpoints.archive(
                connection, key, out, before=now - settings.audit_keep, now=now, actor=actor
            )
    except FileExistsError:
        raise _fail(f"{out} exists") from None
    except (OSError, ValueError, psycopg.Error) as error:
        raise _fail(str(error).strip().splitlines()[0]) from None
    except (audit_checkpoints.NothingToArchiveError, CheckpointError) as error:
        raise _fail(str(error)) from None
    typer.echo(f"{held.lines} lines, positions {held.base + 1} to {held.checkpoint.position}, are in {out}")


@audit.command()
def restrict(
    role: Annotated[str, typer.Argument(help="an existing role that the services log in as and that owns nothing")],
) -> None:
    """Let a role use every table, and write the trail without being able to change it; run it as the tables' owner."""
    from services.core.store.audit_rights import restrict as grant  # noqa: PLC0415 - needs the store

    _, url = _settings()
    try:
        with psycopg.connect(url) as connection:
            grant(connection, role)
    except (LookupError, psycopg.Error) as error:
        raise _fail(str(error.args[0]).strip().splitlines()[0]) from None
    typer.echo(f"{role} may write the audit trail and cannot change it")
