"""What is kept to be looked at: deliveries, the audit trail."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.api import cursor as cursors
from services.api import schemas
from services.api.security import Auditor, Connection, Reader
from services.core.notification import NotificationState
from services.core.store import audit, notifications

router = APIRouter(tags=["records"])
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/notifications", summary="Messages to receivers and their deliveries")
async def list_notifications(
    connection: Connection,
    _: Reader,
    subject: Annotated[UUID | None, Query(description="a warning or a work order")] = None,
    state: Annotated[NotificationState | None, Query(description="`failed`: given up")] = None,
    receiver: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> schemas.Page[schemas.NotificationAnswer]:
    """Newest first, each with every attempt."""
    before = cursors.decode(cursor)
    found = await notifications.list_notifications(
        connection, subject=subject, before=before, limit=limit + 1, state=state, receiver=receiver
    )
    page = found[:limit]
    attempts = await notifications.deliveries_of(connection, [notification.id for notification in page])
    items = [
        schemas.NotificationAnswer.model_validate(
            {name: getattr(notification, name, None) for name in schemas.NotificationAnswer.model_fields}
            | {"deliveries": [attempt for attempt in attempts if attempt.notification == notification.id]}
        )
        for notification in page
    ]
    following = cursors.encode(items[-1].created_at, items[-1].id) if len(found) > limit else None
    return schemas.Page(items=items, next=following)


@router.get("/audit", summary="The append-only trail")
async def list_audit(
    connection: Connection,
    _: Auditor,
    limit: Limit = 100,
    cursor: Annotated[int | None, Query(description="the `next` of the page before")] = None,
) -> schemas.Page[schemas.AuditAnswer]:
    """Newest first: who did what to what, with the state before and after."""
    found = await audit.entries_before(connection, cursor, limit + 1)
    items = [schemas.AuditAnswer.model_validate(entry) for entry in found[:limit]]
    return schemas.Page(items=items, next=str(items[-1].id) if len(found) > limit else None)
