"""Work orders: what is under way, the next step, and the steps that lead aside or back."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status
from psycopg import AsyncConnection

from services.api import cursor as cursors
from services.api import problems, schemas, views
from services.api.disposal_answers import AssignPersonRequest, DraftRequest, OrderMoveRequest, TransferRequest
from services.api.security import Connection, Handler, Operator, Reader
from services.core.severity import Severity
from services.core.store import alert_kinds, alerts, duty_shifts, network, order_moves, organisations, work_orders
from services.core.store.order_marks import assign
from services.core.text import Text
from services.core.work_order import Act, WorkOrder, WorkOrderMove

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


@router.post(
    "/work-orders",
    summary="Write an order by hand",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(409),
)
async def write_order(request: DraftRequest, connection: Connection, caller: Operator) -> schemas.WorkOrderAnswer:
    """A draft, or sent out at once; the owner of the asset gets it unless somebody else is named."""
    alert = await alerts.find(connection, request.alert, lock=True)
    if alert is None:
        raise problems.not_valid("body.alert", f"there is no alert {request.alert}")
    organisation = request.organisation
    if organisation is None:
        organisation = await organisations.responsible_organisation(connection, alert.asset, alert.lifeline)
    elif organisation not in await organisations.load_organisations(connection):
        raise problems.not_valid("body.organisation", f"there is no organisation {organisation}")
    severity = Severity(request.severity) if request.severity else max(alert.severity, Severity.MINOR)
    assets = await network.find_assets(connection, [alert.asset])
    kinds = await alert_kinds.load_alert_kinds(connection)
    name = assets[alert.asset].name if alert.asset in assets else Text(alert.asset, alert.asset)
    kind = kinds.get((alert.lifeline, alert.kind))
    title = name if kind is None else kind.headline(severity, name)
    errand = work_orders.Errand(severity, organisation, title, is_draft=request.is_draft)
    order = await work_orders.begin(connection, alert, errand, actor=caller.actor, now=datetime.now(UTC))
    return (await views.answer_work_orders(connection, [order]))[0]


@router.get("/work-orders/{order}", summary="One work order", responses=problems.documented(404))
async def get_work_order(order: UUID, connection: Connection, _: Reader) -> schemas.WorkOrderAnswer:
    """An order with its clocks, its deadline and the steps that are possible now."""
    known = await work_orders.find(connection, order)
    if known is None:
        raise problems.not_found("work order", order)
    return (await views.answer_work_orders(connection, [known]))[0]


async def _locked(connection: AsyncConnection, order: UUID) -> WorkOrder:
    known = await work_orders.find(connection, order)
    if known is None:
        raise problems.not_found("work order", order)
    # The alert first, then what came of it: everybody who locks several of them does so in this order.
    if known.alert is not None:
        await alerts.find(connection, known.alert, lock=True)
    return await work_orders.find(connection, order, lock=True) or known


async def _move(
    connection: AsyncConnection, order: UUID, step: WorkOrderMove, act: Act, version: int | None
) -> schemas.WorkOrderAnswer:
    known = await _locked(connection, order)
    moved = await order_moves.move(connection, known, step, act, version=version)
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
    act = Act(caller.actor, datetime.now(UTC), note=request.text)
    return await _move(connection, order, WorkOrderMove.HAND_BACK, act, request.version)


@router.post(
    "/work-orders/{order}/transfer",
    summary="Give an order to another organisation",
    responses=problems.documented(404, 409),
)
async def transfer(
    order: UUID, request: TransferRequest, connection: Connection, caller: Operator
) -> schemas.WorkOrderAnswer:
    """It is sent out anew, to the other one, whose clocks begin now."""
    if request.organisation not in await organisations.load_organisations(connection):
        raise problems.not_valid("body.organisation", f"there is no organisation {request.organisation}")
    act = Act(caller.actor, datetime.now(UTC), note=request.note, organisation=request.organisation)
    return await _move(connection, order, WorkOrderMove.TRANSFER, act, request.version)


@router.post(
    "/work-orders/{order}/assign",
    summary="Give an order to one person of its organisation",
    responses=problems.documented(404, 409),
)
async def assign_person(
    order: UUID, request: AssignPersonRequest, connection: Connection, caller: Handler
) -> schemas.WorkOrderAnswer:
    """Who goes there; null takes the name off again."""
    known = await _locked(connection, order)
    people = [] if known.organisation is None else await duty_shifts.people_of(connection, known.organisation)
    if request.person is not None and request.person not in {person.id for person in people}:
        raise problems.not_valid("body.person", f"{request.person} is nobody of {known.organisation}")
    changed = await assign(connection, known, request.person, actor=caller.actor, version=request.version)
    return (await views.answer_work_orders(connection, [changed]))[0]


@router.post(
    "/work-orders/{order}/{move}", summary="Take the next step with an order", responses=problems.documented(404, 409)
)
async def move_work_order(
    order: UUID,
    move: WorkOrderMove,
    connection: Connection,
    caller: Handler,
    request: OrderMoveRequest | None = None,
) -> schemas.WorkOrderAnswer:
    """`receive`, `arrive`, `control`, `verify` (the sensors must agree) and `close` (lifts the warning) lead on.

    `verify` and `close` are for somebody who did not do the work. `reject`, `hold` and `reopen` need a `note`; `send`
    sends a draft, or a rejected order once more; `resume` ends a hold.
    """
    asked = request or OrderMoveRequest()
    act = Act(caller.actor, datetime.now(UTC), note=asked.note, cannot_tell=asked.cannot_tell)
    return await _move(connection, order, move, act, asked.version)
