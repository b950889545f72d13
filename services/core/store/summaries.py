"""What a receiver was told lately, and the news that wait for its next summary."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core import jobs
from services.core.notification import Notification


async def put_by(
    connection: AsyncConnection, identifier: UUID, receiver: str, news: Mapping[str, Any], now: datetime
) -> bool:
    """Keep news for later; false when they are kept already."""
    cursor = await connection.execute(
        "insert into put_by (id, receiver, news, at) values (%s, %s, %s, %s) on conflict (id) do nothing",
        (identifier, receiver, Jsonb(dict(news)), now),
    )
    return cursor.rowcount == 1


async def ask_for_summary(connection: AsyncConnection, receiver: str, when: datetime) -> None:
    """See to it that the receiver gets a summary; one that is due by then already is enough."""
    cursor = await connection.execute(
        """
        insert into summary_due (receiver, due_at) values (%s, %s)
        on conflict (receiver) do update set due_at = excluded.due_at where summary_due.due_at > excluded.due_at
        """,
        (receiver, when),
    )
    if cursor.rowcount == 1:
        await jobs.defer(connection, jobs.SUMMARISE, schedule_at=when, receiver=receiver)


async def postpone(connection: AsyncConnection, receiver: str, when: datetime) -> None:
    """Put a summary off; nothing that waits is told before."""
    await connection.execute("delete from summary_due where receiver = %s", (receiver,))
    await ask_for_summary(connection, receiver, when)


async def worst_waiting(connection: AsyncConnection, receiver: str) -> int | None:
    """The worst severity among what waits for a receiver; ``None`` where nothing does."""
    cursor = await connection.execute(
        "select max((news->'data'->>'severity')::integer) from put_by where receiver = %s and told_at is null",
        (receiver,),
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def last_summary(connection: AsyncConnection, receiver: str) -> datetime | None:
    """When the receiver last got a summary."""
    cursor = await connection.execute("select max(told_at) from put_by where receiver = %s", (receiver,))
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def take(connection: AsyncConnection, receiver: str, now: datetime) -> list[dict[str, Any]]:
    """Everything that waits for a receiver, oldest first; from now on it counts as told."""
    await connection.execute("delete from summary_due where receiver = %s", (receiver,))
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            with taken as (
                update put_by set told_at = %s where receiver = %s and told_at is null returning id, news, at)
            select * from taken order by at, id
            """,
            (now, receiver),
        )
        return await cursor.fetchall()


async def note_told(
    connection: AsyncConnection, notification: Notification, lifeline: str, kind: str, severity: int
) -> None:
    """Remember about what kind of trouble a message was."""
    await connection.execute(
        """
        insert into told (notification, receiver, lifeline, kind, severity, at)
        values (%s, %s, %s, %s, %s, %s) on conflict (notification) do nothing
        """,
        (notification.id, notification.receiver, lifeline, kind, severity, notification.created_at),
    )


async def told_since(
    connection: AsyncConnection, receiver: str, since: datetime
) -> list[tuple[str, str, int, datetime]]:
    """Lifeline, kind, severity and time of what a receiver was told one by one after a moment."""
    cursor = await connection.execute(
        "select lifeline, kind, severity, at from told where receiver = %s and at > %s order by at", (receiver, since)
    )
    return [(row[0], row[1], row[2], row[3]) async for row in cursor]
