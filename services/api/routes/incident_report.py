"""The report of an incident, printable."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from psycopg import AsyncConnection

from services.api import problems
from services.api.city_time import CityZone
from services.api.crew_page import Language
from services.api.incident_report import ReportFacts, incident_report
from services.api.routes.incidents import find_incident
from services.api.security import Connection, Reader
from services.core.alert import Alert
from services.core.incident import Incident
from services.core.store import (
    alert_kinds,
    alerts,
    attachments,
    audit,
    field_feedbacks,
    incident_curves,
    incidents,
    network,
    order_marks,
    order_moves,
    organisations,
    plan_activations,
    warnings,
    work_orders,
)
from services.core.work_order import WorkOrder

router = APIRouter(tags=["incidents"])
_BEFORE, _AFTER = timedelta(hours=1), timedelta(hours=1)
_LONGEST = timedelta(days=7)
_NOT_TOLD = frozenset({"alert.evolve"})
"""An alert evolves with every other reading; what matters of it is in its own table."""


@router.get(
    "/incidents/{incident}/report",
    summary="The report of an incident",
    response_class=HTMLResponse,
    responses=problems.documented(404),
)
async def get_report(
    incident: UUID,
    connection: Connection,
    _: Reader,
    zone: CityZone,
    lang: Annotated[Language, Query(description="the language of the report")] = "zh",
) -> HTMLResponse:
    """What happened when, a map, curves, decisions, times against deadlines, costs and lessons; print it to keep it."""
    known = await find_incident(connection, incident)
    page = incident_report(await _facts(connection, known, datetime.now(zone)), lang)
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


async def _facts(connection: AsyncConnection, incident: Incident, now: datetime) -> ReportFacts:
    found = [await alerts.find(connection, each) for each in await incidents.alerts_of(connection, incident.id)]
    about = [alert for alert in found if alert is not None]
    orders = await work_orders.of_incident(connection, incident.id)
    numbers = [order.id for order in orders]
    activations = await plan_activations.of_incident(connection, incident.id)
    trail = await audit.entries_of(connection, await _subjects(connection, incident, about, orders))
    sensors = list(dict.fromkeys(sensor for alert in about for sensor in alert.sensors))
    named = [incident.asset, *(c["asset"] for alert in about for c in (alert.trace or {}).get("candidates") or ())]
    named += [valve for alert in about for valve in (alert.trace or {}).get("isolation") or ()]
    return ReportFacts(
        incident=incident,
        alerts=about,
        kinds={(line, kind): each for (line, kind), each in (await alert_kinds.load_alert_kinds(connection)).items()},
        assets=await network.find_assets(connection, sorted(set(named))),
        orders=orders,
        steps=await order_moves.steps_of(connection, numbers),
        feedback=await field_feedbacks.of_orders(connection, numbers),
        attachments=await attachments.of_orders(connection, numbers),
        supervisions=await order_marks.supervisions_of(connection, numbers),
        activations=activations,
        trail=[line for line in trail if line.action not in _NOT_TOLD],
        costs=await incidents.costs_of(connection, incident.id),
        curves=await _curves(connection, sensors, about),
        organisations=await organisations.load_organisations(connection),
        now=now,
    )


async def _subjects(
    connection: AsyncConnection, incident: Incident, about: Sequence[Alert], orders: Sequence[WorkOrder]
) -> list[UUID]:
    found = [incident.id, *(alert.id for alert in about), *(order.id for order in orders)]
    for alert in about:
        listed = await warnings.list_warnings(connection, is_open=None, alert=alert.id, before=None, limit=20)
        found += [warning.id for warning in listed]
    return found + [each.id for each in await plan_activations.of_incident(connection, incident.id)]


async def _curves(
    connection: AsyncConnection, sensors: Sequence[str], about: Sequence[Alert]
) -> list[incident_curves.Curve]:
    if not about:
        return []
    since = min(alert.started_at for alert in about) - _BEFORE
    until = max(alert.cleared_at or alert.last_at for alert in about) + _AFTER
    return await incident_curves.curves_of(connection, sensors, max(since, until - _LONGEST), until)
