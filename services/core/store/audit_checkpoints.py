"""Signed statements about the audit trail, and old lines that leave for an archive."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import Connection
from psycopg.types.json import Jsonb

from services.core.audit_chain import (
    GENESIS,
    Checkpoint,
    CheckpointError,
    CheckpointKind,
    content_hash,
    link_hash,
    sign,
)
from services.core.store.audit import SYSTEM
from services.core.store.audit_verification import CONTENT, load_checkpoints

_LOCK = 0x11FE_A0D1
"""Advisory lock of whoever signs: of two services that sign every hour, one does."""


class NothingToArchiveError(Exception):
    """No line is old enough."""


@dataclass(frozen=True, slots=True)
class Archived:
    """What an archive holds: the lines behind ``base`` up to its checkpoint."""

    base: int
    checkpoint: Checkpoint
    lines: int


def take_checkpoint(
    connection: Connection, key: Ed25519PrivateKey, now: datetime, *, if_moved: bool = False, actor: str = SYSTEM
) -> Checkpoint | None:
    """Sign where the chain ends, in a transaction of its own; the trail says so as well.

    ``None`` where the chain is empty, or, ``if_moved``, where nothing was written since the last checkpoint.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        row = connection.execute("select position, hash from audit_head").fetchone()
        if row is None or row[0] == 0:
            return None
        position, digest = row
        last = connection.execute("select max(position) from audit_checkpoint").fetchone()
        # The line about the last checkpoint is no news.
        if if_moved and last is not None and last[0] is not None and position <= last[0] + 1:
            return None
        return _keep(connection, sign(key, CheckpointKind.PERIODIC, position, bytes(digest), now), actor)


def _keep(connection: Connection, checkpoint: Checkpoint, actor: str) -> Checkpoint:
    cursor = connection.execute(
        """
        insert into audit_checkpoint (kind, position, hash, at, public_key, signature) values (%s, %s, %s, %s, %s, %s)
        on conflict do nothing
        """,
        (
            checkpoint.kind,
            checkpoint.position,
            checkpoint.hash,
            checkpoint.at,
            checkpoint.public_key,
            checkpoint.signature,
        ),
    )
    if cursor.rowcount:
        after = {"kind": checkpoint.kind, "position": checkpoint.position, "hash": checkpoint.hash.hex()}
        connection.execute(
            """
            insert into audit (actor, action, subject_kind, subject, after)
            values (%s, 'audit.checkpoint', 'audit', %s, %s)
            """,
            (actor, str(checkpoint.position), Jsonb(after)),
        )
    return checkpoint


def archive(
    connection: Connection, key: Ed25519PrivateKey, path: Path, *, before: datetime, now: datetime, actor: str
) -> Archived:
    """Move the lines from before a moment into a new file, behind a signed checkpoint at which the rest begins.

    The file is complete before a line goes; what goes is exactly what the file holds. One transaction, which needs the
    owner of the tables: it switches the triggers off while it deletes, and nobody can write the trail meanwhile.

    Raises:
        NothingToArchiveError: no line is older.
        CheckpointError: the lines do not fit the chain; nothing was moved.
        FileExistsError: there is such a file.
        psycopg.errors.InsufficientPrivilege: the tables belong to another role.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        kept = [each for each in load_checkpoints(connection) if each.kind is CheckpointKind.ARCHIVE]
        start = max(kept, key=lambda each: each.position, default=None)
        base, digest = (0, GENESIS) if start is None else (start.position, start.hash)
        row = connection.execute(
            """
            select coalesce(min(l.position) - 1, (select position from audit_head))
            from audit a join audit_link l on l.entry = a.id where a.at >= %s
            """,
            (before,),
        ).fetchone()
        until = base if row is None else row[0]
        if until <= base:
            raise NothingToArchiveError(f"no line is from before {before.isoformat()}")
        with path.open("xb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
            lines = 0
            for position, content, kept_hash in _contents(connection, base, until):
                digest = link_hash(digest, position, content_hash(content))
                if digest != kept_hash:
                    raise CheckpointError(f"position {position} does not fit the chain: verify before archiving")
                packed.write(json.dumps({"position": position, "content": content}, ensure_ascii=False).encode())
                packed.write(b"\n")
                lines += 1
            checkpoint = sign(key, CheckpointKind.ARCHIVE, until, digest, now)
            packed.write(json.dumps({"base": base, "checkpoint": checkpoint.as_json()}).encode() + b"\n")
        _keep(connection, checkpoint, actor)
        # A table with a line that still waits for its link cannot be altered.
        connection.execute("set constraints audit_sealed immediate")
        for table in ("audit", "audit_link"):
            connection.execute(f"alter table {table} disable trigger {table}_append_only")
        connection.execute("delete from audit a using audit_link l where l.entry = a.id and l.position <= %s", (until,))
        connection.execute("delete from audit_link where position <= %s", (until,))
        for table in ("audit", "audit_link"):
            connection.execute(f"alter table {table} enable trigger {table}_append_only")
    return Archived(base, checkpoint, lines)


def _contents(connection: Connection, base: int, until: int) -> Iterator[tuple[int, str, bytes]]:
    statement = f"""
        select l.position, {CONTENT}, l.hash from audit_link l join audit a on a.id = l.entry
        where l.position > %s and l.position <= %s order by l.position
    """
    with connection.cursor(name="audit_archive", binary=True) as cursor:
        cursor.execute(statement.encode(), (base, until))
        for position, content, digest in cursor:
            yield position, content, bytes(digest)


def verify_archive(path: Path, before: Checkpoint | None = None) -> Archived:
    """Look at every line of an archive; ``before`` is the checkpoint of the archive that it follows, if it does.

    Raises:
        CheckpointError: a line was changed, removed, inserted or moved, or the signature does not fit.
        OSError: the file cannot be read.
    """
    last, digest = (0, GENESIS) if before is None else (before.position, before.hash)
    base, lines, end = last, 0, None
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for text in file:
                found = json.loads(text)
                if end is not None:
                    raise CheckpointError("something follows the checkpoint")
                if "checkpoint" in found:
                    end = Checkpoint.from_json(found["checkpoint"])
                    continue
                if found["position"] != last + 1:
                    raise CheckpointError(f"position {found['position']} follows {last}")
                last, lines = found["position"], lines + 1
                digest = link_hash(digest, last, content_hash(found["content"]))
    except (EOFError, KeyError, TypeError, ValueError, gzip.BadGzipFile) as error:
        raise CheckpointError(f"not an archive: {error}") from None
    if end is None or end.position != last:
        raise CheckpointError(f"the archive ends at position {last} and not with its checkpoint")
    if end.hash != digest:
        raise CheckpointError("the lines are not those that were signed")
    return Archived(base, end, lines)
