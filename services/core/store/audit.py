"""The append-only audit trail: who did what to what, with the state before and after."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

SYSTEM = "system"
"""The actor of everything that a rule decided."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an act came from: the network address of who asked for it, and the name of the key that was presented."""

    address: str | None
    key_name: str | None = None


_origin: ContextVar[Origin | None] = ContextVar("audit_origin", default=None)


def came_from(origin: Origin) -> None:
    """Say where whatever the current task writes from now on came from; a task that is started later inherits it."""
    _origin.set(origin)


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Say where what is written inside the block came from."""
    before = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(before)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail; ``address`` and ``key_name`` say where the act came from, where anybody knows."""

    id: int
    at: datetime
    actor: str
    action: str
    subject_kind: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    address: str | None = None
    key_name: str | None = None


_COLUMNS = "id, at, actor, action, subject_kind, subject, before, after, address, key_name"
_INSERT = """
    insert into audit (actor, action, subject_kind, subject, before, after, address, key_name)
    values (%s, %s, %s, %s, %s, %s, %s, %s)
"""


async def record(
    connection: AsyncConnection,
    *,
    actor: str,
    action: str,
    subject_kind: str,
    subject: UUID | str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one line in the caller's transaction, so that a change and its trace stand or fall together.

    Where the act came from is what ``came_from`` said last. The line gets its place in the chain when the transaction
    commits.
    """
    await connection.execute(_INSERT, _line(actor, action, (subject_kind, str(subject)), before, after))


def record_blocking(
    connection: Connection,
    *,
    actor: str,
    action: str,
    subject_kind: str,
    subject: UUID | str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """``record`` for what is done beside the loop."""
    connection.execute(_INSERT, _line(actor, action, (subject_kind, str(subject)), before, after))


def _line(
    actor: str,
    action: str,
    subject: tuple[str, str],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> tuple[Any, ...]:
    origin = _origin.get()
    return (
        actor,
        action,
        *subject,
        None if before is None else Jsonb(before),
        None if after is None else Jsonb(after),
        None if origin is None else origin.address,
        None if origin is None else origin.key_name,
    )


async def entries_of(connection: AsyncConnection, subjects: Sequence[UUID | str]) -> list[AuditEntry]:
    """Everything that happened to some subjects, oldest first."""
    async with connection.cursor(row_factory=class_row(AuditEntry)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from audit where subject = any(%s) order by id",
            ([str(subject) for subject in subjects],),
        )
        return await cursor.fetchall()


async def entries_before(connection: AsyncConnection, before_id: int | None, limit: int) -> list[AuditEntry]:
    """The trail from the newest line backwards."""
    async with connection.cursor(row_factory=class_row(AuditEntry)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from audit where id < coalesce(%s, 9223372036854775807) order by id desc limit %s",
            (before_id, limit),
        )
        return await cursor.fetchall()
