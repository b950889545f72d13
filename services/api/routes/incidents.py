"""Incidents: what several alerts, orders and organisations have in common."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status
from psycopg import AsyncConnection

from services.api import cursor as cursors
from services.api import problems, schemas, views
from services.api.disposal_answers import (
    CostAnswer,
    CostRequest,
    IncidentAnswer,
    IncidentDetailAnswer,
    JointOrderRequest,
    LessonsRequest,
)
from services.api.security import Connection, Operator, Reader
from services.core.incident import Incident
from services.core.move import ChangedMeanwhileError
from services.core.severity import Severity
from services.core.store import alerts, incidents, organisations, work_orders
from services.core.text import Text

router = APIRouter(tags=["incidents"])


@router.get("/incidents", summary="Incidents, newest first")
async def list_incidents(
    connection: Connection,
    _: Reader,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> schemas.Page[IncidentAnswer]:
    """Those that are worked on, those that are over, or both; exercises are marked."""
    before = cursors.decode(cursor)
    found = await incidents.list_incidents(connection, is_open=is_open, before=before, limit=limit + 1)
    items = [IncidentAnswer.model_validate(each) for each in found[:limit]]
    following = cursors.encode(items[-1].opened_at, items[-1].id) if len(found) > limit else None
    return schemas.Page(items=items, next=following)


async def find_incident(connection: AsyncConnection, incident: UUID, *, lock: bool = False) -> Incident:
    """The incident, or the answer that there is none."""
    known = await incidents.find(connection, incident, lock=lock)
    if known is None:
        raise problems.not_found("incident", incident)
    return known


async def _detail(connection: AsyncConnection, incident: UUID) -> IncidentDetailAnswer:
    known = await find_incident(connection, incident)
    return IncidentDetailAnswer.model_validate(
        asdict(known)
        | {
            "alerts": await incidents.alerts_of(connection, incident),
            "orders": await views.answer_work_orders(connection, await work_orders.of_incident(connection, incident)),
            "costs": [asdict(cost) for cost in await incidents.costs_of(connection, incident)],
        }
    )


@router.get("/incidents/{incident}", summary="One incident", responses=problems.documented(404))
async def get_incident(incident: UUID, connection: Connection, _: Reader) -> IncidentDetailAnswer:
    """With its alerts, orders and costs."""
    return await _detail(connection, incident)


@router.post(
    "/incidents/{incident}/orders",
    summary="Let another organisation work on it",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(404, 409),
)
async def add_joint_order(
    incident: UUID, request: JointOrderRequest, connection: Connection, caller: Operator
) -> schemas.WorkOrderAnswer:
    """An order beside the first one, which closes when all of them have."""
    known = await find_incident(connection, incident, lock=True)
    first = next(iter(await work_orders.of_incident(connection, incident)), None)
    if first is None:
        raise problems.not_possible("incident", "it has no order yet that this one could stand beside")
    if first.closed_at is not None:
        raise problems.over("incident", known.id)
    if request.organisation not in await organisations.load_organisations(connection):
        raise problems.not_valid("body.organisation", f"there is no organisation {request.organisation}")
    errand = work_orders.Errand(
        severity=Severity(request.severity) if request.severity else first.severity,
        organisation=request.organisation,
        title=Text(request.title.en, request.title.zh),
        warning=first.warning,
        is_joint=True,
    )
    now = datetime.now(UTC)
    alert = None if first.alert is None else await alerts.find(connection, first.alert, lock=True)
    if alert is None:
        order = await work_orders.begin_exercise(connection, known, first.zone, errand, actor=caller.actor, now=now)
    else:
        order = await work_orders.begin(connection, alert, errand, actor=caller.actor, now=now)
    return (await views.answer_work_orders(connection, [order]))[0]


@router.post(
    "/incidents/{incident}/costs",
    summary="Write down what something cost",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(404, 409),
)
async def add_cost(incident: UUID, request: CostRequest, connection: Connection, caller: Operator) -> CostAnswer:
    """Costs are never changed; one that was wrong is taken back by one below zero."""
    known = await find_incident(connection, incident, lock=True)
    cost = await incidents.add_cost(
        connection,
        known.id,
        label=request.label,
        amount=request.amount,
        currency=request.currency,
        actor=caller.actor,
        now=datetime.now(UTC),
    )
    return CostAnswer.model_validate(cost)


@router.put(
    "/incidents/{incident}/lessons", summary="Say what is to be learnt", responses=problems.documented(404, 409)
)
async def put_lessons(
    incident: UUID, request: LessonsRequest, connection: Connection, caller: Operator
) -> IncidentDetailAnswer:
    """Replaces what was said before, which stays in the audit trail."""
    known = await find_incident(connection, incident, lock=True)
    if request.version is not None and request.version != known.version:
        raise ChangedMeanwhileError(f"incident {incident} has changed: it is at version {known.version} now")
    await incidents.write_lessons(connection, known, request.text, actor=caller.actor)
    return await _detail(connection, incident)
