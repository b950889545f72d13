"""The append-only audit trail: who did what to what, with the state before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

SYSTEM = "system"
"""The actor of everything that a rule decided."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail."""

    id: int
    at: datetime
    actor: str
    action: str
    subject_kind: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


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
    """Write one line in the caller's transaction, so that a change and its trace stand or fall together."""
    await connection.execute(
        "insert into audit (actor, action, subject_kind, subject, before, after) values (%s, %s, %s, %s, %s, %s)",
        (
            actor,
            action,
            subject_kind,
            str(subject),
            None if before is None else Jsonb(before),
            None if after is None else Jsonb(after),
        ),
    )


async def entries_of(connection: AsyncConnection, subjects: Sequence[UUID | str]) -> list[AuditEntry]:
    """Everything that happened to some subjects, oldest first."""
    async with connection.cursor(row_factory=class_row(AuditEntry)) as cursor:
        await cursor.execute(
            "select * from audit where subject = any(%s) order by id",
            ([str(subject) for subject in subjects],),
        )
        return await cursor.fetchall()


async def entries_before(connection: AsyncConnection, before_id: int | None, limit: int) -> list[AuditEntry]:
    """The trail from the newest line backwards."""
    async with connection.cursor(row_factory=class_row(AuditEntry)) as cursor:
        await cursor.execute(
            "select * from audit where id < coalesce(%s, 9223372036854775807) order by id desc limit %s",
            (before_id, limit),
        )
        return await cursor.fetchall()
