"""Alerts: the list, one page that answers everything, and what a person may do."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status
from psycopg import AsyncConnection

from services.api import cursor as cursors
from services.api import problems, schemas, views
from services.api.moment import Moment
from services.api.security import Connection, Operator, Reader
from services.core.alert import Alert, AlertMove
from services.core.lifeline import Lifeline
from services.core.move import next_state
from services.core.severity import Severity
from services.core.store import (
    alert_comments,
    alert_kinds,
    alerts,
    audit,
    findings,
    network,
    new_normals,
    organisations,
    warnings,
    work_orders,
)
from services.core.text import Text

router = APIRouter(tags=["alerts"])


async def _known(connection: AsyncConnection, alert: UUID, *, lock: bool = False) -> Alert:
    found = await alerts.find(connection, alert, lock=lock)
    if found is None:
        raise problems.not_found("alert", alert)
    return found


@router.get("/alerts", summary="Alerts, newest first")
async def list_alerts(
    connection: Connection,
    _: Reader,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    lifeline: Lifeline | None = None,
    severity: Annotated[int, Query(ge=0, le=4, description="highest severity from")] = 0,
    sensor_fault: Annotated[bool | None, Query(description="only faults of devices, or none of them")] = None,
    zone: str | None = None,
    asset: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> schemas.Page[schemas.AlertAnswer]:
    """Episodes that match."""
    wanted = alerts.AlertFilter(
        is_open=is_open,
        lifeline=lifeline,
        severity_from=severity,
        sensor_fault=sensor_fault,
        zone=zone,
        asset=asset,
    )
    found = await alerts.list_alerts(connection, wanted, before=cursors.decode(cursor), limit=limit + 1)
    items = await views.answer_alerts(connection, found[:limit])
    following = cursors.encode(items[-1].detected_at, items[-1].id) if len(found) > limit else None
    return schemas.Page(items=items, next=following)


async def _detail(
    connection: AsyncConnection, alert: Alert, known_at: datetime | None = None
) -> schemas.AlertDetailAnswer:
    words = await views.words_for(connection, [alert])
    traced = await network.find_assets(connection, views.assets_of_trace(alert.trace))
    subjects = [alert.id, *filter(None, (words.warnings.get(alert.id), words.orders.get(alert.id)))]
    return schemas.AlertDetailAnswer.model_validate(
        views.alert_fields(alert, words)
        | {
            "trace": views.trace_answer(alert.trace, traced),
            "findings": [
                views.finding_answer(found) for found in await findings.of_alert(connection, alert.id, known_at)
            ],
            "timeline": [
                schemas.TimelineEntry.model_validate(entry)
                for entry in await audit.entries_of(connection, subjects)
                if known_at is None or entry.at <= known_at
            ],
        }
    )


@router.get("/alerts/{alert}", summary="Everything about one alert", responses=problems.documented(404))
async def get_alert(
    alert: UUID,
    connection: Connection,
    _: Reader,
    known_at: Annotated[
        Moment | None, Query(description="the alert, its trace, findings and timeline as they were then")
    ] = None,
) -> schemas.AlertDetailAnswer:
    """What, where, how sure, why, and what next."""
    if known_at is None:
        return await _detail(connection, await _known(connection, alert))
    found = await alerts.find_as_of(connection, alert, known_at)
    if found is None:
        raise problems.not_found("alert", alert)
    return await _detail(connection, found, known_at)


@router.post("/alerts/{alert}/acknowledge", summary="Take an alert on", responses=problems.documented(404, 409))
async def acknowledge_alert(
    alert: UUID, connection: Connection, caller: Operator, request: schemas.MoveRequest | None = None
) -> schemas.AlertDetailAnswer:
    """Say that somebody looks after it; the acknowledgement ends with the episode."""
    known = await _known(connection, alert, lock=True)
    state = next_state("alert", views.PERSON_MOVES, known.state, AlertMove.ACKNOWLEDGE)
    changed = replace(known, state=state, acknowledged_by=caller.actor, acknowledged_at=datetime.now(UTC))
    saved = await alerts.save(connection, changed, before=known, actor=caller.actor, action="acknowledge")
    if request is not None and request.note:
        await audit.record(
            connection,
            actor=caller.actor,
            action="alert.note",
            subject_kind="alert",
            subject=alert,
            after={"note": request.note},
        )
    return await _detail(connection, saved)


@router.post("/alerts/{alert}/verdict", summary="Judge an alert", responses=problems.documented(404))
async def judge_alert(
    alert: UUID, request: schemas.VerdictRequest, connection: Connection, caller: Operator
) -> schemas.AlertDetailAnswer:
    """Say whether it was true, false or a test, and why; the last verdict counts, all are in the trail."""
    known = await _known(connection, alert, lock=True)
    changed = replace(known, verdict=request.verdict, verdict_reason=request.reason, root_cause=request.root_cause)
    saved = await alerts.save(connection, changed, before=known, actor=caller.actor, action="verdict")
    return await _detail(connection, saved)


@router.post("/alerts/{alert}/assign", summary="Say who looks after an alert", responses=problems.documented(404, 409))
async def assign_alert(
    alert: UUID, request: schemas.AssignRequest, connection: Connection, caller: Operator
) -> schemas.AlertDetailAnswer:
    """A name or a post; a running episode only."""
    known = await _known(connection, alert, lock=True)
    if known.cleared_at is not None:
        raise problems.over("alert", alert)
    changed = replace(known, assignee=request.assignee)
    saved = await alerts.save(connection, changed, before=known, actor=caller.actor, action="assign")
    return await _detail(connection, saved)


@router.get("/alerts/{alert}/comments", summary="Remarks on an alert", responses=problems.documented(404))
async def list_comments(alert: UUID, connection: Connection, _: Reader) -> list[schemas.CommentAnswer]:
    """Oldest first."""
    await _known(connection, alert)
    found = await alert_comments.of_alert(connection, alert)
    return [schemas.CommentAnswer.model_validate(comment) for comment in found]


@router.post(
    "/alerts/{alert}/comments",
    summary="Remark on an alert",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(404, 409),
)
async def add_comment(
    alert: UUID, request: schemas.CommentRequest, connection: Connection, caller: Operator
) -> schemas.CommentAnswer:
    """It is in the alert's trail as well, and cannot be taken back."""
    await _known(connection, alert)
    now = datetime.now(UTC)
    comment = await alert_comments.add(connection, alert, author=caller.actor, text=request.text, now=now)
    return schemas.CommentAnswer.model_validate(comment)


@router.post(
    "/alerts/{alert}/new-normal",
    summary="Take what an alert shows as the new normal",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems.documented(404, 409),
)
async def take_as_normal(
    alert: UUID, request: schemas.NewNormalRequest, connection: Connection, caller: Operator
) -> schemas.AlertDetailAnswer:
    """Say that nothing is wrong and that the rules behind the alert shall learn afresh from now on.

    Detection takes it up within seconds; the trail then says of each rule that it did (`alert.new-normal-taken`) or
    cannot (`alert.new-normal-refused`), because it goes by fixed limits or is a search for several troubles at once.
    """
    known = await _known(connection, alert, lock=True)
    if known.cleared_at is not None:
        raise problems.over("alert", alert)
    await new_normals.ask(connection, known, actor=caller.actor, reason=request.reason)
    return await _detail(connection, known)


@router.post(
    "/alerts/{alert}/warning",
    summary="Publish a warning",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(404, 409),
)
async def publish_warning(
    alert: UUID, request: schemas.PublishRequest, connection: Connection, caller: Operator
) -> schemas.WarningAnswer:
    """A person publishes a warning and dispatches the work order, where no rule has done so."""
    known = await _known(connection, alert, lock=True)
    kinds = await alert_kinds.load_alert_kinds(connection)
    kind = kinds[known.lifeline, known.kind]
    assets = await network.find_assets(connection, [known.asset])
    name = assets[known.asset].name if known.asset in assets else Text(known.asset, known.asset)
    severity = Severity(request.severity)
    headline = kind.headline(severity, name)
    instruction = kind.instruction if request.instruction is None else Text(*(request.instruction,) * 2)
    now = datetime.now(UTC)
    organisation = await organisations.responsible_organisation(connection, known.asset, known.lifeline)
    publication = warnings.Publication(
        severity=severity,
        headline=headline,
        instruction=instruction,
        organisation=organisation,
        actor=caller.actor,
        policy=f"published by {caller.actor}",
        area=request.area,
        valid_until=request.valid_until,
    )
    warning = await warnings.publish(connection, known, publication, now=now)
    if await work_orders.find_open(connection, alert) is None:
        await work_orders.dispatch(
            connection,
            known,
            warning=warning.id,
            severity=severity,
            organisation=organisation,
            title=headline,
            actor=caller.actor,
            now=now,
        )
    return views.warning_answer(warning)
