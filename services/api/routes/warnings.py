"""Warnings: what was published, who received it, when it was lifted."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.api import cursor as cursors
from services.api import problems, schemas, views
from services.api.security import Connection, Operator, Reader
from services.core.store import warnings
from services.core.warning import WarningMove

router = APIRouter(tags=["warnings"])


@router.get("/warnings", summary="Warnings, newest first")
async def list_warnings(
    connection: Connection,
    _: Reader,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    alert: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> schemas.Page[schemas.WarningAnswer]:
    """Warnings in force, lifted ones, or both."""
    before = cursors.decode(cursor)
    found = await warnings.list_warnings(connection, is_open=is_open, alert=alert, before=before, limit=limit + 1)
    items = [views.warning_answer(warning) for warning in found[:limit]]
    following = cursors.encode(items[-1].created_at, items[-1].id) if len(found) > limit else None
    return schemas.Page(items=items, next=following)


@router.get("/warnings/{warning}", summary="One warning", responses=problems.documented(404))
async def get_warning(warning: UUID, connection: Connection, _: Reader) -> schemas.WarningAnswer:
    """A warning with the moves that are possible now."""
    known = await warnings.find(connection, warning)
    if known is None:
        raise problems.not_found("warning", warning)
    return views.warning_answer(known)


@router.post("/warnings/{warning}/{move}", summary="Receive or lift a warning", responses=problems.documented(404, 409))
async def move_warning(
    warning: UUID,
    move: WarningMove,
    connection: Connection,
    caller: Operator,
) -> schemas.WarningAnswer:
    """`receive`: a named recipient has it. `lift`: it no longer holds."""
    known = await warnings.find(connection, warning, lock=True)
    if known is None:
        raise problems.not_found("warning", warning)
    moved = await warnings.move(connection, known, move, actor=caller.actor, now=datetime.now(UTC))
    return views.warning_answer(moved)
