"""Messages of the Common Alerting Protocol as they went out. What has gone out never changes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

_COLUMNS = "identifier, warning, sender, sent, message_type, expires, headline_en, headline_zh, message"


@dataclass(frozen=True, slots=True)
class StoredCapMessage:
    """A message with what a list of messages says about it."""

    identifier: str
    warning: UUID
    sender: str
    sent: datetime
    message_type: str
    expires: datetime
    headline_en: str
    headline_zh: str
    message: str


async def add(connection: AsyncConnection, message: StoredCapMessage) -> None:
    """Keep a message; one of the same identifier has gone out already and stays as it was."""
    await connection.execute(
        f"insert into cap_message ({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        (
            message.identifier,
            message.warning,
            message.sender,
            message.sent,
            message.message_type,
            message.expires,
            message.headline_en,
            message.headline_zh,
            message.message,
        ),
    )


async def find(connection: AsyncConnection, identifier: str) -> StoredCapMessage | None:
    """One message."""
    async with connection.cursor(row_factory=class_row(StoredCapMessage)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from cap_message where identifier = %s", (identifier,))
        return await cursor.fetchone()


async def of_warning(connection: AsyncConnection, warning: UUID) -> list[StoredCapMessage]:
    """What has gone out about a warning, the earliest first."""
    async with connection.cursor(row_factory=class_row(StoredCapMessage)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from cap_message where warning = %s order by id", (warning,))
        return await cursor.fetchall()


async def newest(connection: AsyncConnection, since: datetime, limit: int) -> list[StoredCapMessage]:
    """What has gone out since a moment, newest first."""
    async with connection.cursor(row_factory=class_row(StoredCapMessage)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from cap_message where sent >= %s order by sent desc, id desc limit %s", (since, limit)
        )
        return await cursor.fetchall()
