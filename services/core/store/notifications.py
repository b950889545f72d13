"""Notifications and their delivery attempts as rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from services.core import jobs
from services.core.notification import Delivery, Notification, NotificationState


def _notification(row: Mapping[str, Any]) -> Notification:
    return Notification(
        id=row["id"],
        receiver=row["receiver"],
        type=row["type"],
        subject_kind=row["subject_kind"],
        subject=row["subject"],
        body=row["body"],
        state=NotificationState(row["state"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        delivered_at=row["delivered_at"],
        lane=row["lane"],
        retried_at=row["retried_at"],
        attempts_before=row["attempts_before"],
    )


async def enqueue(connection: AsyncConnection, notification: Notification) -> None:
    """Keep a message and the job that sends it, in the caller's transaction.

    Messages of one lane go out one after the other, in the order they were written.
    """
    cursor = await connection.execute(
        """
        insert into notification (id, receiver, type, subject_kind, subject, body, state, created_at, lane)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (id) do nothing
        """,
        (
            notification.id,
            notification.receiver,
            notification.type,
            notification.subject_kind,
            notification.subject,
            notification.body,
            notification.state,
            notification.created_at,
            notification.lane,
        ),
    )
    if cursor.rowcount == 1:
        await _send(connection, notification)


async def _send(connection: AsyncConnection, notification: Notification) -> None:
    lane = notification.lane or f"{notification.receiver}/{notification.subject}"
    await jobs.defer(connection, jobs.DELIVER, lock=lane, notification=str(notification.id))


async def send_again(connection: AsyncConnection, notification: Notification) -> None:
    """Send a message that was delivered or given up once more, under its own identifier and with all its time."""
    await connection.execute(
        """
        update notification set state = 'pending', delivered_at = null, retried_at = now(), attempts_before = attempts
        where id = %s
        """,
        (notification.id,),
    )
    await _send(connection, notification)


async def give_up(connection: AsyncConnection, notification: UUID) -> None:
    """Try no more."""
    await connection.execute(
        "update notification set state = 'failed' where id = %s and state = 'pending'", (notification,)
    )


async def find(connection: AsyncConnection, notification: UUID, *, lock: bool = False) -> Notification | None:
    """One notification; with ``lock`` nobody else changes it until the transaction ends."""
    locking = " for update" if lock else ""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"select * from notification where id = %s{locking}", (notification,))
        row = await cursor.fetchone()
    return None if row is None else _notification(row)


async def record_attempt(connection: AsyncConnection, delivery: Delivery, state: NotificationState) -> None:
    """Write down one attempt and where the notification stands after it.

    What was delivered stays so, even if a second attempt, made because the first was not yet written down, fails.
    """
    await connection.execute(
        """
        insert into delivery (notification, attempt, started_at, duration_ms, status, response, error, request)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (notification, attempt) do nothing
        """,
        (
            delivery.notification,
            delivery.attempt,
            delivery.started_at,
            delivery.duration_ms,
            delivery.status,
            delivery.response,
            delivery.error,
            None if delivery.request is None else Jsonb(delivery.request),
        ),
    )
    await connection.execute(
        """
        update notification set state = %s, attempts = greatest(attempts, %s),
            delivered_at = case when %s = 'delivered' then now() end
        where id = %s and state <> 'delivered'
        """,
        (state, delivery.attempt, state, delivery.notification),
    )


async def list_notifications(
    connection: AsyncConnection,
    *,
    subject: UUID | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
    state: NotificationState | None = None,
    receiver: str | None = None,
) -> list[Notification]:
    """Notifications, newest first, behind a cursor of creation time and identifier."""
    moment, identifier = before or (None, None)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select * from notification
            where (%(subject)s::uuid is null or subject = %(subject)s)
              and (%(state)s::text is null or state = %(state)s)
              and (%(receiver)s::text is null or receiver = %(receiver)s)
              and (%(moment)s::timestamptz is null or (created_at, id) < (%(moment)s, %(identifier)s))
            order by created_at desc, id desc limit %(limit)s
            """,
            {
                "subject": subject,
                "state": state,
                "receiver": receiver,
                "moment": moment,
                "identifier": identifier,
                "limit": limit,
            },
        )
        return [_notification(row) for row in await cursor.fetchall()]


async def deliveries_of(connection: AsyncConnection, notifications: Sequence[UUID]) -> list[Delivery]:
    """The attempts of some notifications, in order."""
    async with connection.cursor(row_factory=class_row(Delivery)) as cursor:
        await cursor.execute(
            """
            select notification, attempt, started_at, duration_ms, status, response, error, request
            from delivery where notification = any(%s) order by notification, attempt
            """,
            (list(notifications),),
        )
        return await cursor.fetchall()
