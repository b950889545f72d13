"""Work orders as rows: found, sent out, and kept after each step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core import jobs
from services.core.alert import Alert
from services.core.disposal_rule import DisposalRule, default_rule
from services.core.incident import Incident
from services.core.lifeline import Lifeline
from services.core.move import ChangedMeanwhileError
from services.core.order_deadline import deadline_of
from services.core.response_plan import marked
from services.core.severity import Severity
from services.core.store import audit, cases, disposal_rules, events, incidents
from services.core.text import Text
from services.core.work_order import Act, WorkOrder, WorkOrderMove, WorkOrderState, taken

EVENT = "work-order"
DISPATCHED, REOPENED, REJECTED = "work-order.dispatched", "work-order.reopened", "work-order.rejected"
_NEWS = {
    WorkOrderMove.SEND: DISPATCHED,
    WorkOrderMove.TRANSFER: DISPATCHED,
    WorkOrderMove.REOPEN: REOPENED,
    WorkOrderMove.REJECT: REJECTED,
}
RUNNING = """work_order.closed_at is null and (work_order.alert is not null or exists (
    select from incident where incident.id = work_order.incident and incident.closed_at is null))"""
"""In SQL: whether an order is still to be done. One of an exercise is not when the exercise has ended."""
_FIXED = frozenset({"id", "created_at", "lifeline", "zone", "asset", "is_joint", "rule", "title"})
_CHANGING = tuple(field.name for field in fields(WorkOrder) if field.name not in _FIXED)


@dataclass(frozen=True, slots=True)
class Errand:
    """What an order is about: whose, how bad, in which words. A joint one stands beside the first of its incident."""

    severity: Severity
    organisation: str | None
    title: Text
    warning: UUID | None = None
    person: str | None = None
    is_joint: bool = False
    is_draft: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an order is, and the alert it is about; an exercise has none."""

    alert: UUID | None
    lifeline: Lifeline
    zone: str
    asset: str


def work_order_from_row(row: Mapping[str, Any]) -> WorkOrder:
    """The record of one row of table ``work_order``."""
    lifeline = Lifeline(row["lifeline"])
    named = {field.name: row[field.name] for field in fields(WorkOrder) if field.name != "title"}
    return WorkOrder(
        **named
        | {
            "state": WorkOrderState(row["state"]),
            "lifeline": lifeline,
            "severity": Severity(row["severity"]),
            "title": Text(row["title_en"], row["title_zh"]),
            "held_from": None if row["held_from"] is None else WorkOrderState(row["held_from"]),
            "rule": default_rule(lifeline) if row["rule"] is None else DisposalRule.model_validate(row["rule"]),
            "workers": tuple(row["workers"]),
        }
    )


async def _some(connection: AsyncConnection, where: str, parameters: Sequence[Any]) -> list[WorkOrder]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"select * from work_order where {where}", parameters)
        return [work_order_from_row(row) for row in await cursor.fetchall()]


async def _one(connection: AsyncConnection, where: str, parameters: Sequence[Any]) -> WorkOrder | None:
    return next(iter(await _some(connection, where, parameters)), None)


async def find(connection: AsyncConnection, order: UUID, *, lock: bool = False) -> WorkOrder | None:
    """One work order; with ``lock`` nobody else changes it until the transaction ends."""
    return await _one(connection, "id = %s" + (" for update" if lock else ""), (order,))


async def find_open(connection: AsyncConnection, alert: UUID) -> WorkOrder | None:
    """The running order for an alert, locked for the transaction; of joint work the first one."""
    return await _one(connection, "alert = %s and closed_at is null and not is_joint for update", (alert,))


async def find_newest(connection: AsyncConnection, alert: UUID) -> WorkOrder | None:
    """The order that was sent out last for an alert, closed or not."""
    newest = (await newest_of_alerts(connection, [alert])).get(alert)
    return None if newest is None else await find(connection, newest)


async def find_watched(connection: AsyncConnection, alert: Alert) -> WorkOrder | None:
    """The last verified or closed order for such trouble at such an asset, locked for the transaction."""
    return await _one(
        connection,
        """
        id = (
            select work_order.id from work_order join alert on alert.id = work_order.alert
            where work_order.asset = %s and alert.kind = %s and not is_joint
                and work_order.state in ('verified', 'closed')
            order by work_order.created_at desc limit 1)
        for update
        """,
        (alert.asset, alert.kind),
    )


async def of_incident(connection: AsyncConnection, incident: UUID) -> list[WorkOrder]:
    """The orders of an incident, the first one first."""
    return await _some(connection, "incident = %s order by is_joint, created_at, id", (incident,))


async def dispatch(
    connection: AsyncConnection,
    alert: Alert,
    *,
    warning: UUID | None,
    severity: Severity,
    organisation: str | None,
    title: Text,
    actor: str,
    now: datetime,
) -> UUID:
    """Send an order to the responsible organisation: the row, its audit line, its event and the job that tells it.

    Where an order for this alert runs already it is that one: it learns of the warning, is graded up, and is sent out
    if it was a draft.
    """
    running = await find_open(connection, alert.id)
    if running is not None:
        return await _adopt(connection, running, warning, severity, title, actor=actor, now=now)
    errand = Errand(severity=severity, organisation=organisation, title=title, warning=warning)
    return (await begin(connection, alert, errand, actor=actor, now=now)).id


async def begin(connection: AsyncConnection, alert: Alert, errand: Errand, *, actor: str, now: datetime) -> WorkOrder:
    """Write an order down, and send it out unless it is a draft.

    Raises:
        psycopg.errors.UniqueViolation: an order for this alert, or of this organisation in the incident, is running.
    """
    place = _Place(alert.id, alert.lifeline, alert.zone, alert.asset)
    incident = await incidents.ensure_for_alert(connection, alert, errand.title, actor=actor, now=now)
    return await _begin(connection, place, incident, errand, actor=actor, now=now)


async def begin_exercise(
    connection: AsyncConnection, incident: Incident, zone: str, errand: Errand, *, actor: str, now: datetime
) -> WorkOrder:
    """Write the order of an exercise down and send it out, marked as what it is; there is no alert behind it.

    Raises:
        psycopg.errors.UniqueViolation: an order of this organisation in the exercise is running.
    """
    marked_errand = replace(errand, title=marked(errand.title, is_exercise=True), warning=None)
    place = _Place(None, incident.lifeline, zone, incident.asset)
    return await _begin(connection, place, incident.id, marked_errand, actor=actor, now=now)


async def _begin(
    connection: AsyncConnection, place: _Place, incident: UUID, errand: Errand, *, actor: str, now: datetime
) -> WorkOrder:
    order = WorkOrder(
        id=uuid4(),
        alert=place.alert,
        warning=errand.warning,
        state=WorkOrderState.DRAFT if errand.is_draft else WorkOrderState.DISPATCHED,
        lifeline=place.lifeline,
        zone=place.zone,
        asset=place.asset,
        severity=errand.severity,
        organisation=errand.organisation,
        title=errand.title,
        feedback=None,
        feedback_by=None,
        verification=None,
        created_at=now,
        dispatched_at=None if errand.is_draft else now,
        received_at=None,
        on_site_at=None,
        under_control_at=None,
        handled_at=None,
        verified_at=None,
        closed_at=None,
        version=1,
        rule=(await disposal_rules.in_force(connection, place.lifeline)).rule,
        incident=incident,
        is_joint=errand.is_joint,
        person=errand.person,
        step_since=None if errand.is_draft else now,
    )
    await connection.execute(
        """
        insert into work_order (id, alert, warning, state, lifeline, zone, asset, severity, organisation, title_en,
            title_zh, created_at, dispatched_at, rule, incident, is_joint, person, step_since)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            order.id,
            order.alert,
            order.warning,
            order.state,
            order.lifeline,
            order.zone,
            order.asset,
            int(order.severity),
            order.organisation,
            order.title.en,
            order.title.zh,
            now,
            order.dispatched_at,
            Jsonb(order.rule.model_dump(mode="json")),
            order.incident,
            order.is_joint,
            order.person,
            order.step_since,
        ),
    )
    step = "draft" if errand.is_draft else "dispatch"
    await audit.record(
        connection,
        actor=actor,
        action=f"work-order.{step}",
        subject_kind="work-order",
        subject=order.id,
        after={"state": order.state, "organisation": order.organisation}
        | ({"is_exercise": True} if order.alert is None else {"alert": str(order.alert)}),
    )
    await _note_step(connection, None, order, step, Act(actor, now))
    await events.announce(connection, EVENT, str(order.id))
    await incidents.follow_orders(connection, incident, actor=actor, now=now)
    if not errand.is_draft:
        await jobs.defer(connection, jobs.ANNOUNCE, type=DISPATCHED, subject_kind=EVENT, subject=str(order.id))
        await _watch_deadline(connection, order)
    return order


async def _adopt(
    connection: AsyncConnection,
    order: WorkOrder,
    warning: UUID | None,
    severity: Severity,
    title: Text,
    *,
    actor: str,
    now: datetime,
) -> UUID:
    if order.state is WorkOrderState.DRAFT:
        order = await keep(connection, order, WorkOrderMove.SEND, Act(actor, now))
    if warning is not None:
        await connection.execute("update work_order set warning = %s where id = %s", (warning, order.id))
    if severity > order.severity:
        order = await raise_severity(connection, replace(order, warning=warning), severity, title, actor=actor)
    return order.id


async def raise_severity(
    connection: AsyncConnection, order: WorkOrder, severity: Severity, title: Text, *, actor: str
) -> WorkOrder:
    """Grade a running order up with its warning; the step it stands at does not change, its deadline does."""
    changed = replace(order, severity=severity, title=title, version=order.version + 1, clock=order.clock + 1)
    await save(connection, changed)
    await connection.execute(
        "update work_order set title_en = %s, title_zh = %s where id = %s", (title.en, title.zh, order.id)
    )
    await audit.record(
        connection,
        actor=actor,
        action="work-order.raise",
        subject_kind="work-order",
        subject=order.id,
        before={"state": order.state, "severity": int(order.severity)},
        after={"state": order.state, "severity": int(severity)},
    )
    await events.announce(connection, EVENT, str(order.id))
    await _watch_deadline(connection, changed)
    return changed


async def keep(connection: AsyncConnection, order: WorkOrder, move: WorkOrderMove, act: Act) -> WorkOrder:
    """Take a step and keep it, with its trace, its news and its next deadline, in the caller's transaction.

    Raises:
        ChangedMeanwhileError: somebody else was faster. And all that ``taken`` raises.
    """
    changed = taken(order, move, act)
    await save(connection, changed)
    await audit.record(
        connection,
        actor=act.actor,
        action=f"work-order.{move}",
        subject_kind="work-order",
        subject=order.id,
        before={"state": order.state},
        after={"state": changed.state, "note": act.note, "verification": changed.verification}
        | ({"organisation": changed.organisation} if changed.organisation != order.organisation else {}),
    )
    await _note_step(connection, order, changed, move, act)
    await events.announce(connection, EVENT, str(order.id))
    if move in _NEWS:
        await _tell(connection, changed, _NEWS[move])
    await _watch_deadline(connection, changed)
    if changed.state is WorkOrderState.CLOSED and changed.alert is not None:
        await cases.keep(connection, changed.alert)
    return changed


async def _tell(connection: AsyncConnection, order: WorkOrder, news: str) -> None:
    # A draft that is sent out is news for the first time; every later round is told anew.
    first: dict[str, Any] = {} if order.round == 1 and news == DISPATCHED else {"occasion": f"round {order.round}"}
    roles: dict[str, Any] = {"roles": ["centre"]} if news == REJECTED else {}
    await jobs.defer(connection, jobs.ANNOUNCE, type=news, subject_kind=EVENT, subject=str(order.id), **first, **roles)


async def save(connection: AsyncConnection, order: WorkOrder) -> None:
    """Write an order over the version before it.

    Raises:
        ChangedMeanwhileError: the row is at another version.
    """
    assignments = ", ".join(f"{name} = %({name})s" for name in _CHANGING)
    values = {name: getattr(order, name) for name in _CHANGING} | {
        "id": order.id,
        "severity": int(order.severity),
        "workers": list(order.workers),
        "known": order.version - 1,
    }
    cursor = await connection.execute(
        f"update work_order set {assignments} where id = %(id)s and version = %(known)s".encode(), values
    )
    if cursor.rowcount != 1:
        raise ChangedMeanwhileError(f"work order {order.id} was changed by somebody else")


async def _note_step(
    connection: AsyncConnection, before: WorkOrder | None, order: WorkOrder, move: str, act: Act
) -> None:
    due = None if before is None else deadline_of(before)
    await connection.execute(
        """
        insert into work_order_step (work_order, at, actor, move, before, after, round, organisation, due_at, note)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            order.id,
            act.now,
            act.actor,
            move,
            None if before is None else before.state,
            order.state,
            order.round,
            order.organisation,
            None if due is None else due.due_at,
            act.note,
        ),
    )


async def _watch_deadline(connection: AsyncConnection, order: WorkOrder) -> None:
    deadline = deadline_of(order)
    if deadline is not None and deadline.warns_at is not None:
        await jobs.defer(
            connection,
            jobs.DEADLINE,
            queue=jobs.REVIEWS,
            schedule_at=deadline.warns_at,
            order=str(order.id),
            clock=order.clock,
        )


async def list_work_orders(
    connection: AsyncConnection,
    *,
    is_open: bool | None,
    alert: UUID | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[WorkOrder]:
    """Orders, newest first, behind a cursor of creation time and identifier.

    Those of an alert are also the joint ones, and one that has come back under a later alert.
    """
    moment, identifier = before or (None, None)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"""
            select * from work_order
            where (%(is_open)s::boolean is null or ({RUNNING}) = %(is_open)s)
              and (%(alert)s::uuid is null or alert = %(alert)s
                or incident = (select incident from incident_alert where alert = %(alert)s))
              and (%(moment)s::timestamptz is null or (created_at, id) < (%(moment)s, %(identifier)s))
            order by created_at desc, id desc limit %(limit)s
            """.encode(),
            {"is_open": is_open, "alert": alert, "moment": moment, "identifier": identifier, "limit": limit},
        )
        return [work_order_from_row(row) for row in await cursor.fetchall()]


async def newest_of_alerts(connection: AsyncConnection, alerts: Sequence[UUID]) -> dict[UUID, UUID]:
    """For each alert that has one, its newest work order; joint orders are not meant."""
    cursor = await connection.execute(
        """
        select distinct on (about.alert) about.alert, work_order.id from work_order
        join lateral (
            select work_order.alert union
            select incident_alert.alert from incident_alert where incident_alert.incident = work_order.incident
        ) about on true
        where about.alert = any(%(alerts)s) and not is_joint
            and (work_order.alert = any(%(alerts)s) or work_order.incident in
                (select incident from incident_alert where alert = any(%(alerts)s)))
        order by about.alert, work_order.created_at desc
        """,
        {"alerts": list(alerts)},
    )
    return {row[0]: row[1] async for row in cursor}
