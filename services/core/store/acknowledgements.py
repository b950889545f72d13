"""What sirens and signs answered to messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A device has done what the message said, or says why it has not."""

    notification: UUID
    device: str
    done: bool
    reason: str | None
    at: datetime


async def keep(connection: AsyncConnection, notification: UUID, device: str, *, done: bool, reason: str | None) -> None:
    """Keep an answer; a later one of the same device replaces it."""
    await connection.execute(
        """
        insert into acknowledgement (notification, device, done, reason) values (%s, %s, %s, %s)
        on conflict (notification, device) do update set done = excluded.done, reason = excluded.reason, at = now()
        """,
        (notification, device, done, reason),
    )


async def of_notifications(connection: AsyncConnection, notifications: Sequence[UUID]) -> list[Acknowledgement]:
    """The answers to some messages, in order of arrival."""
    async with connection.cursor(row_factory=class_row(Acknowledgement)) as cursor:
        await cursor.execute(
            """
            select notification, device, done, reason, at from acknowledgement
            where notification = any(%s) order by at, device
            """,
            (list(notifications),),
        )
        return await cursor.fetchall()
