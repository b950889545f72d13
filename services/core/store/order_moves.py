"""The steps that people take with a work order, and the one that the sensors take."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core.alert import Alert
from services.core.move import ChangedMeanwhileError
from services.core.sensor_standing import SensorStanding
from services.core.severity import Severity
from services.core.store import audit, field_feedbacks, incidents, warnings, work_orders
from services.core.store.sensor_standings import sensor_standing
from services.core.warning import WarningMove
from services.core.work_order import Act, NotInEarnestError, WorkOrder, WorkOrderMove

_ASKS_SENSORS = frozenset({WorkOrderMove.VERIFY, WorkOrderMove.CLOSE})


@dataclass(frozen=True, slots=True)
class OrderStep:
    """One step that was taken, with the moment at which it was due."""

    id: int
    work_order: UUID
    at: datetime
    actor: str
    move: str
    before: str | None
    after: str
    round: int
    organisation: str | None
    due_at: datetime | None
    note: str | None


async def move(
    connection: AsyncConnection,
    order: WorkOrder,
    step: WorkOrderMove,
    act: Act,
    *,
    version: int | None = None,
) -> WorkOrder:
    """Take one step with an order. Verifying asks the sensors; closing the first of an incident lifts the warning.

    Raises:
        ChangedMeanwhileError: the caller speaks of another version of the order, or somebody else was faster.
        NotInEarnestError: joint work of the same incident is not over. And all that ``taken`` raises.
    """
    if version is not None and version != order.version:
        raise ChangedMeanwhileError(f"work order {order.id} has changed: it is at version {order.version} now")
    if step in _ASKS_SENSORS:
        known = SensorStanding.of_exercise(act.now)
        if order.alert is not None:
            known = await sensor_standing(connection, order.alert, act.now)
        act = replace(act, sensors=known)
    changed = await work_orders.keep(connection, order, step, act)
    if step is WorkOrderMove.CLOSE:
        await _joint_work_is_over(connection, order)
    if step is WorkOrderMove.HAND_BACK:
        await field_feedbacks.add_words(connection, changed, act)
    if changed.incident is not None and step in {WorkOrderMove.CLOSE, WorkOrderMove.REOPEN}:
        await incidents.follow_orders(connection, changed.incident, actor=act.actor, now=act.now)
    if step is WorkOrderMove.CLOSE and not order.is_joint:
        await _lift_warning(connection, order, actor=act.actor, now=act.now)
    return changed


async def reopen_if_watched(connection: AsyncConnection, alert: Alert, now: datetime) -> WorkOrder | None:
    """Reopen the order that said it was over when the same trouble stands there again within the watch period.

    The order goes on under the alert that stands now; its incident holds both.
    """
    if alert.cleared_at is not None or alert.severity is Severity.NORMAL or alert.suppression is not None:
        return None
    order = await work_orders.find_watched(connection, alert)
    if order is None or order.normal_since is None or alert.kind in order.rule.passing_kinds:
        return None
    if order.cannot_tell is not None and order.alert == alert.id:
        return None
    if not order.normal_since < alert.last_at or alert.started_at - order.normal_since > order.rule.watch:
        return None
    if order.alert != alert.id and await work_orders.find_open(connection, alert.id) is not None:
        return None
    note = f"values rose again within the watch period: alert {alert.id} at severity {int(alert.severity)}"
    if order.incident is not None:
        await incidents.add_alert(connection, order.incident, alert.id, now)
    return await move(
        connection, replace(order, alert=alert.id), WorkOrderMove.REOPEN, Act(audit.SYSTEM, now, note=note)
    )


async def steps_of(connection: AsyncConnection, orders: Sequence[UUID]) -> list[OrderStep]:
    """Every step of some orders, oldest first."""
    async with connection.cursor(row_factory=class_row(OrderStep)) as cursor:
        await cursor.execute(
            "select id, work_order, at, actor, move, before, after, round, organisation, due_at, note "
            "from work_order_step where work_order = any(%s) order by at, id",
            (list(orders),),
        )
        return await cursor.fetchall()


async def _joint_work_is_over(connection: AsyncConnection, order: WorkOrder) -> None:
    if order.is_joint or order.incident is None:
        return
    running = [each for each in await work_orders.of_incident(connection, order.incident) if each.closed_at is None]
    if running:
        names = ", ".join(each.organisation or str(each.id) for each in running)
        raise NotInEarnestError(f"joint work is not over: the order of {names} is still running")


async def _lift_warning(connection: AsyncConnection, order: WorkOrder, *, actor: str, now: datetime) -> None:
    warning = None if order.alert is None else await warnings.find_open(connection, order.alert)
    if warning is not None:
        await warnings.move(connection, warning, WarningMove.LIFT, actor=actor, now=now)
