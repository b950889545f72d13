"""Work orders as rows, and the one way each step is taken."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core import jobs
from services.core.alert import Alert, AlertState
from services.core.lifeline import Lifeline
from services.core.move import ChangedMeanwhileError, next_state
from services.core.severity import Severity
from services.core.store import alerts, audit, events, warnings
from services.core.text import Text
from services.core.warning import WarningMove
from services.core.work_order import MOVES, SensorsDisagreeError, WorkOrder, WorkOrderMove, WorkOrderState

EVENT = "work-order"

_CLOCKS: Mapping[WorkOrderMove, str] = {
    WorkOrderMove.RECEIVE: "received_at",
    WorkOrderMove.ARRIVE: "on_site_at",
    WorkOrderMove.CONTROL: "under_control_at",
    WorkOrderMove.HAND_BACK: "handled_at",
    WorkOrderMove.VERIFY: "verified_at",
    WorkOrderMove.CLOSE: "closed_at",
}


def work_order_from_row(row: Mapping[str, Any]) -> WorkOrder:
    """The record of one row of table ``work_order``."""
    return WorkOrder(
        id=row["id"],
        alert=row["alert"],
        warning=row["warning"],
        state=WorkOrderState(row["state"]),
        lifeline=Lifeline(row["lifeline"]),
        zone=row["zone"],
        asset=row["asset"],
        severity=Severity(row["severity"]),
        organisation=row["organisation"],
        title=Text(row["title_en"], row["title_zh"]),
        feedback=row["feedback"],
        feedback_by=row["feedback_by"],
        verification=row["verification"],
        created_at=row["created_at"],
        dispatched_at=row["dispatched_at"],
        received_at=row["received_at"],
        on_site_at=row["on_site_at"],
        under_control_at=row["under_control_at"],
        handled_at=row["handled_at"],
        verified_at=row["verified_at"],
        closed_at=row["closed_at"],
        version=row["version"],
    )


async def _one(connection: AsyncConnection, where: str, parameters: Sequence[Any]) -> WorkOrder | None:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"select * from work_order where {where}", parameters)
        row = await cursor.fetchone()
    return None if row is None else work_order_from_row(row)


async def find(connection: AsyncConnection, order: UUID, *, lock: bool = False) -> WorkOrder | None:
    """One work order; with ``lock`` nobody else changes it until the transaction ends."""
    return await _one(connection, "id = %s" + (" for update" if lock else ""), (order,))


async def find_open(connection: AsyncConnection, alert: UUID) -> WorkOrder | None:
    """The running order for an alert, locked for the transaction."""
    return await _one(connection, "alert = %s and closed_at is null for update", (alert,))


async def find_newest(connection: AsyncConnection, alert: UUID) -> WorkOrder | None:
    """The order that was sent out last for an alert, closed or not."""
    return await _one(connection, "alert = %s order by created_at desc limit 1", (alert,))


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

    Raises:
        psycopg.errors.UniqueViolation: an order for this alert is running already.
    """
    order = uuid4()
    await connection.execute(
        """
        insert into work_order (id, alert, warning, state, lifeline, zone, asset, severity, organisation, title_en,
            title_zh, created_at, dispatched_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            order,
            alert.id,
            warning,
            WorkOrderState.DISPATCHED,
            alert.lifeline,
            alert.zone,
            alert.asset,
            int(severity),
            organisation,
            title.en,
            title.zh,
            now,
            now,
        ),
    )
    await audit.record(
        connection,
        actor=actor,
        action="work-order.dispatch",
        subject_kind="work-order",
        subject=order,
        after={"state": WorkOrderState.DISPATCHED, "alert": str(alert.id), "organisation": organisation},
    )
    await events.announce(connection, EVENT, str(order))
    await jobs.defer(connection, jobs.ANNOUNCE, type="work-order.dispatched", subject_kind=EVENT, subject=str(order))
    return order


async def raise_severity(
    connection: AsyncConnection, order: WorkOrder, severity: Severity, title: Text, *, actor: str
) -> WorkOrder:
    """Grade a running order up with its warning; the step it stands at does not change."""
    changed = replace(order, severity=severity, title=title, version=order.version + 1)
    cursor = await connection.execute(
        """
        update work_order set severity = %s, title_en = %s, title_zh = %s, version = %s where id = %s and version = %s
        """,
        (int(severity), title.en, title.zh, changed.version, order.id, order.version),
    )
    if cursor.rowcount != 1:
        raise ChangedMeanwhileError(f"work order {order.id} was changed by somebody else")
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
    return changed


async def _verification(connection: AsyncConnection, order: WorkOrder) -> str:
    alert = await alerts.find(connection, order.alert)
    if alert is None or alert.state is not AlertState.CLEARED or alert.cleared_at is None:
        state = "gone" if alert is None else f"still {alert.state} at severity {int(alert.severity)}"
        raise SensorsDisagreeError(
            f"the sensors do not confirm it: the alert is {state}; "
            "verify when they have been normal for their hold time"
        )
    return f"sensors {', '.join(alert.sensors)} normal since {alert.cleared_at.isoformat()}"


async def move(
    connection: AsyncConnection,
    order: WorkOrder,
    step: WorkOrderMove,
    *,
    actor: str,
    now: datetime,
    text: str | None = None,
) -> WorkOrder:
    """Take one step with an order. Verifying asks the sensors; closing lifts the warning.

    Raises:
        MoveNotAllowedError: the order does not stand where this step starts.
        SensorsDisagreeError: the alert behind the order is not over.
        ChangedMeanwhileError: somebody else was faster.
    """
    state = next_state("work order", MOVES, order.state, step)
    clock: dict[str, Any] = {_CLOCKS[step]: now}
    changed = replace(order, state=state, version=order.version + 1, **clock)
    if step is WorkOrderMove.HAND_BACK:
        changed = replace(changed, feedback=text, feedback_by=actor)
    if step is WorkOrderMove.VERIFY:
        changed = replace(changed, verification=await _verification(connection, order))
    await _store(connection, changed, step)
    await audit.record(
        connection,
        actor=actor,
        action=f"work-order.{step}",
        subject_kind="work-order",
        subject=order.id,
        before={"state": order.state},
        after={"state": state, "note": text, "verification": changed.verification},
    )
    await events.announce(connection, EVENT, str(order.id))
    if step is WorkOrderMove.CLOSE:
        await _lift_warning(connection, order, actor=actor, now=now)
    return changed


async def _store(connection: AsyncConnection, order: WorkOrder, step: WorkOrderMove) -> None:
    clock = _CLOCKS[step]
    cursor = await connection.execute(
        f"""
        update work_order set state = %s, {clock} = %s, feedback = %s, feedback_by = %s, verification = %s,
            version = %s
        where id = %s and version = %s
        """,
        (
            order.state,
            getattr(order, clock),
            order.feedback,
            order.feedback_by,
            order.verification,
            order.version,
            order.id,
            order.version - 1,
        ),
    )
    if cursor.rowcount != 1:
        raise ChangedMeanwhileError(f"work order {order.id} was changed by somebody else")


async def _lift_warning(connection: AsyncConnection, order: WorkOrder, *, actor: str, now: datetime) -> None:
    warning = await warnings.find_open(connection, order.alert)
    if warning is not None:
        await warnings.move(connection, warning, WarningMove.LIFT, actor=actor, now=now)


async def list_work_orders(
    connection: AsyncConnection,
    *,
    is_open: bool | None,
    alert: UUID | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[WorkOrder]:
    """Orders, newest first, behind a cursor of creation time and identifier."""
    moment, identifier = before or (None, None)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select * from work_order
            where (%(is_open)s::boolean is null or (closed_at is null) = %(is_open)s)
              and (%(alert)s::uuid is null or alert = %(alert)s)
              and (%(moment)s::timestamptz is null or (created_at, id) < (%(moment)s, %(identifier)s))
            order by created_at desc, id desc limit %(limit)s
            """,
            {"is_open": is_open, "alert": alert, "moment": moment, "identifier": identifier, "limit": limit},
        )
        return [work_order_from_row(row) for row in await cursor.fetchall()]


async def newest_of_alerts(connection: AsyncConnection, alerts: Sequence[UUID]) -> dict[UUID, UUID]:
    """For each alert that has one, its newest work order."""
    cursor = await connection.execute(
        "select distinct on (alert) alert, id from work_order where alert = any(%s) order by alert, created_at desc",
        (list(alerts),),
    )
    return {row[0]: row[1] async for row in cursor}
