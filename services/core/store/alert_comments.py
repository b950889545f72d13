"""What people write to an alert."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core.store import audit, events


@dataclass(frozen=True, slots=True)
class AlertComment:
    """One remark."""

    id: UUID
    alert: UUID
    at: datetime
    author: str
    text: str


async def add(connection: AsyncConnection, alert: UUID, *, author: str, text: str, now: datetime) -> AlertComment:
    """Keep a remark, with its audit line and its event."""
    comment = AlertComment(uuid4(), alert, now, author, text)
    await connection.execute(
        "insert into alert_comment (id, alert, at, author, text) values (%s, %s, %s, %s, %s)",
        (comment.id, alert, now, author, text),
    )
    await audit.record(
        connection, actor=author, action="alert.comment", subject_kind="alert", subject=alert, after={"note": text}
    )
    await events.announce(connection, "alert", str(alert))
    return comment


async def of_alert(connection: AsyncConnection, alert: UUID) -> list[AlertComment]:
    """The remarks on an alert, oldest first."""
    async with connection.cursor(row_factory=class_row(AlertComment)) as cursor:
        await cursor.execute("select * from alert_comment where alert = %s order by at, id", (alert,))
        return await cursor.fetchall()
