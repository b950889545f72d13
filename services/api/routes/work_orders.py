"""Work orders: what is under way, and the next step."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from psycopg import AsyncConnection

from services.api import cursor as cursors
from services.api import problems, schemas, views
from services.api.security import Connection, Handler, Reader
from services.core.store import alerts, work_orders
from services.core.work_order import WorkOrder, WorkOrderMove

router = APIRouter(tags=["work orders"])


@router.get("/work-orders", summary="Work orders, newest first")
async def list_work_orders(
    connection: Connection,
    _: Reader,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    alert: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> schemas.Page[schemas.WorkOrderAnswer]:
    """Orders under way, closed ones, or both."""
    before = cursors.decode(cursor)
    found = await work_orders.list_work_orders(connection, is_open=is_open, alert=alert, before=before, limit=limit + 1)
    items = await views.answer_work_orders(connection, found[:limit])
    following = cursors.encode(items[-1].created_at, items[-1].id) if len(found) > limit else None
    return schemas.Page(items=items, next=following)


@router.get("/work-orders/{order}", summary="One work order", responses=problems.documented(404))
async def get_work_order(order: UUID, connection: Connection, _: Reader) -> schemas.WorkOrderAnswer:
    """An order with its clocks and the steps that are possible now."""
    known = await work_orders.find(connection, order)
    if known is None:
        raise problems.not_found("work order", order)
    return (await views.answer_work_orders(connection, [known]))[0]


async def _move(
    connection: AsyncConnection, order: UUID, step: WorkOrderMove, actor: str, text: str | None
) -> schemas.WorkOrderAnswer:
    known = await work_orders.find(connection, order)
    if known is None:
        raise problems.not_found("work order", order)
    # The alert first, then what came of it: everybody who locks several of them does so in this order.
    await alerts.find(connection, known.alert, lock=True)
    known = await work_orders.find(connection, order, lock=True) or known
    moved: WorkOrder = await work_orders.move(connection, known, step, actor=actor, now=datetime.now(UTC), text=text)
    return (await views.answer_work_orders(connection, [moved]))[0]


@router.post(
    "/work-orders/{order}/hand-back",
    summary="Hand an order back with feedback",
    responses=problems.documented(404, 409),
)
async def hand_back(
    order: UUID, request: schemas.FeedbackRequest, connection: Connection, caller: Handler
) -> schemas.WorkOrderAnswer:
    """The crew is done and says what it found and did."""
    return await _move(connection, order, WorkOrderMove.HAND_BACK, caller.actor, request.text)


@router.post(
    "/work-orders/{order}/{move}", summary="Take the next step with an order", responses=problems.documented(404, 409)
)
async def move_work_order(
    order: UUID,
    move: WorkOrderMove,
    connection: Connection,
    caller: Handler,
    request: schemas.MoveRequest | None = None,
) -> schemas.WorkOrderAnswer:
    """`receive`, `arrive`, `control`, `verify` (the sensors must agree) and `close` (lifts the warning)."""
    return await _move(connection, order, move, caller.actor, None if request is None else request.note)
