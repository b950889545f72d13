"""Messages one by one: what was sent, what came back, sending it again; and how well messages arrive in all."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from psycopg import AsyncConnection

from services.api import problems
from services.api.receiver_answers import (
    AcknowledgementAnswer,
    DeliveryFiguresAnswer,
    NotificationDetailAnswer,
)
from services.api.schemas import DeliveryAnswer
from services.api.security import Connection, Operator, Reader
from services.core.move import MoveNotAllowedError
from services.core.notification import Notification, NotificationState
from services.core.store import acknowledgements, audit, delivery_figures, notifications

router = APIRouter(tags=["deliveries"])


@router.get("/notifications/{notification}", summary="One message", responses=problems.documented(404))
async def get_notification(notification: UUID, connection: Connection, _: Reader) -> NotificationDetailAnswer:
    """A message as it was sent, with each attempt: the request without secrets, the answer, how long it took."""
    known = await notifications.find(connection, notification)
    if known is None:
        raise problems.not_found("notification", notification)
    return await _answer(connection, known)


@router.post(
    "/notifications/{notification}/redeliver",
    summary="Send a message again",
    status_code=202,
    responses=problems.documented(404, 409),
)
async def redeliver(notification: UUID, connection: Connection, caller: Operator) -> NotificationDetailAnswer:
    """Under the same identifier, so that a receiver that has it already can tell; it gets its whole time once more."""
    known = await notifications.find(connection, notification, lock=True)
    if known is None:
        raise problems.not_found("notification", notification)
    if known.state is NotificationState.PENDING:
        raise MoveNotAllowedError("notification", "redeliver", known.state, ())
    await notifications.send_again(connection, known)
    await audit.record(
        connection,
        actor=caller.actor,
        action="notification.redeliver",
        subject_kind="notification",
        subject=known.id,
        before={"state": known.state, "attempts": known.attempts},
        after={"state": NotificationState.PENDING},
    )
    return await _answer(connection, await notifications.find(connection, notification) or known)


@router.get("/delivery-figures", summary="How well messages arrive")
async def list_delivery_figures(
    connection: Connection,
    _: Operator,
    hours: Annotated[int, Query(ge=1, le=24 * 366, description="messages written in so many hours")] = 24,
) -> list[DeliveryFiguresAnswer]:
    """For each receiver: messages, how many arrived, how long it took."""
    since = datetime.now(UTC) - timedelta(hours=hours)
    return [
        DeliveryFiguresAnswer(
            receiver=each.receiver,
            messages=each.messages,
            delivered=each.delivered,
            failed=each.failed,
            pending=each.pending,
            success=each.delivered / settled if (settled := each.delivered + each.failed) else None,
            attempts=each.attempts,
            median_ms=each.median_ms,
            p95_ms=each.p95_ms,
            median_delay_s=each.median_delay_s,
        )
        for each in await delivery_figures.figures_since(connection, since)
    ]


async def _answer(connection: AsyncConnection, notification: Notification) -> NotificationDetailAnswer:
    attempts = await notifications.deliveries_of(connection, [notification.id])
    answers = await acknowledgements.of_notifications(connection, [notification.id])
    return NotificationDetailAnswer(
        id=notification.id,
        receiver=notification.receiver,
        type=notification.type,
        subject_kind=notification.subject_kind,
        subject=notification.subject,
        state=notification.state,
        attempts=notification.attempts,
        created_at=notification.created_at,
        delivered_at=notification.delivered_at,
        deliveries=[DeliveryAnswer.model_validate(attempt) for attempt in attempts],
        body=notification.body,
        acknowledgements=[AcknowledgementAnswer.model_validate(answer) for answer in answers],
    )
