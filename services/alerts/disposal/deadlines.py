"""The clock of a work order's step: reminds before it is due, tells others when it is overdue and long overdue."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection

from services.core import jobs
from services.core.order_deadline import TOLD, Deadline, DeadlineStage, deadline_of
from services.core.store import audit, events, incidents, work_orders
from services.core.work_order import WorkOrder

NEWS = {
    DeadlineStage.SOON: "work-order.due-soon",
    DeadlineStage.OVERDUE: "work-order.overdue",
    DeadlineStage.LONG_OVERDUE: "work-order.long-overdue",
}


async def look(connection: AsyncConnection, identifier: UUID, clock: int, now: datetime) -> list[DeadlineStage]:
    """Look at an order's clock in the caller's transaction; returns what was told now.

    Comes when the step was taken or its deadline set anew: nothing happens any more, for a job of the new clock is
    under way. Looking twice tells nobody twice, because each stage is kept once. What a stopped service missed is told
    when it looks again: only the furthest stage that is reached, for a reminder after the deadline helps nobody.
    """
    order = await work_orders.find(connection, identifier, lock=True)
    if order is None or order.clock != clock or await _was_exercise(connection, order):
        return []
    deadline = deadline_of(order)
    if deadline is None or deadline.due_at is None:
        return []
    told = await _told(connection, order)
    new = [stage for stage in deadline.reached(now) if stage not in told]
    for stage in new:
        await _keep(connection, order, deadline, stage, now)
    if new:
        await _tell(connection, order, deadline, new[-1])
    following = deadline.next_after(now)
    if following is not None:
        await jobs.defer(
            connection,
            jobs.DEADLINE,
            queue=jobs.REVIEWS,
            schedule_at=following,
            order=str(order.id),
            clock=clock,
        )
    return new[-1:]


async def _was_exercise(connection: AsyncConnection, order: WorkOrder) -> bool:
    """Whether it belongs to an exercise that has ended: nobody is reminded of what was left undone then."""
    if not order.is_exercise or order.incident is None:
        return False
    exercise = await incidents.find(connection, order.incident)
    return exercise is not None and exercise.closed_at is not None


async def _told(connection: AsyncConnection, order: WorkOrder) -> set[DeadlineStage]:
    cursor = await connection.execute(
        "select stage from work_order_notice where work_order = %s and clock = %s", (order.id, order.clock)
    )
    return {DeadlineStage(row[0]) for row in await cursor.fetchall()}


async def _keep(
    connection: AsyncConnection, order: WorkOrder, deadline: Deadline, stage: DeadlineStage, now: datetime
) -> None:
    await connection.execute(
        "insert into work_order_notice (work_order, clock, stage, step, due_at, at) values (%s, %s, %s, %s, %s, %s)",
        (order.id, order.clock, stage, deadline.step, deadline.due_at, now),
    )


async def _tell(connection: AsyncConnection, order: WorkOrder, deadline: Deadline, stage: DeadlineStage) -> None:
    roles = [role.value for role in TOLD[stage]]
    if stage is not DeadlineStage.SOON:
        order = replace(order, escalated=order.escalated + 1, version=order.version + 1)
        await work_orders.save(connection, order)
    await audit.record(
        connection,
        actor=audit.SYSTEM,
        action=NEWS[stage],
        subject_kind=work_orders.EVENT,
        subject=order.id,
        after={
            "step": deadline.step,
            "due_at": None if deadline.due_at is None else deadline.due_at.isoformat(),
            "told": roles,
            "is_default": deadline.is_default,
        },
    )
    await events.announce(connection, work_orders.EVENT, str(order.id))
    await jobs.defer(
        connection,
        jobs.ANNOUNCE,
        type=NEWS[stage],
        subject_kind=work_orders.EVENT,
        subject=str(order.id),
        roles=roles,
        occasion=f"clock {order.clock}",
    )
