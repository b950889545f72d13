"""Hand-overs as rows."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from services.core.hand_over import HandOver
from services.core.move import ChangedMeanwhileError
from services.core.order_deadline import deadline_of
from services.core.store import audit, events
from services.core.store.work_orders import RUNNING, work_order_from_row
from services.core.work_order import SamePersonError, WorkOrder

EVENT = "hand-over"


def _standing(order: WorkOrder) -> dict[str, Any]:
    deadline = deadline_of(order)
    due = None if deadline is None or deadline.due_at is None else deadline.due_at.isoformat()
    return {
        "order": str(order.id),
        "title": order.title.as_json(),
        "state": order.state,
        "severity": int(order.severity),
        "version": order.version,
        "person": order.person,
        "due_at": due,
    }


async def give(connection: AsyncConnection, organisation: str, note: str, *, actor: str, now: datetime) -> HandOver:
    """Write down how the running orders of an organisation stand."""
    running = f"select * from work_order where organisation = %s and {RUNNING} order by severity desc, created_at"
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(running.encode(), (organisation,))
        orders = [work_order_from_row(row) for row in await cursor.fetchall()]
    given = HandOver(uuid4(), organisation, actor, now, note, [_standing(order) for order in orders])
    await connection.execute(
        "insert into hand_over (id, organisation, given_by, given_at, note, standing) values (%s, %s, %s, %s, %s, %s)",
        (given.id, organisation, actor, now, note, Jsonb(list(given.standing))),
    )
    await _recorded(connection, given, "give", actor)
    return given


async def take(connection: AsyncConnection, given: HandOver, *, actor: str, now: datetime) -> HandOver:
    """Take over what was given.

    Raises:
        SamePersonError: nobody takes over from themselves.
        ChangedMeanwhileError: somebody has taken it over already.
    """
    if given.taken_by is not None:
        raise ChangedMeanwhileError(f"{given.taken_by} has taken it over")
    if actor == given.given_by:
        raise SamePersonError("nobody takes over from themselves: somebody of the next shift has to")
    await connection.execute(
        "update hand_over set taken_by = %s, taken_at = %s where id = %s",
        (actor, now, given.id),
    )
    taken = replace(given, taken_by=actor, taken_at=now)
    await _recorded(connection, taken, "take", actor)
    return taken


async def find(connection: AsyncConnection, hand_over: UUID) -> HandOver | None:
    """One of them, locked for the transaction."""
    async with connection.cursor(row_factory=class_row(HandOver)) as cursor:
        await cursor.execute("select * from hand_over where id = %s for update", (hand_over,))
        return await cursor.fetchone()


async def newest(connection: AsyncConnection, organisation: str | None, limit: int) -> list[HandOver]:
    """The newest first, of one organisation or of all."""
    async with connection.cursor(row_factory=class_row(HandOver)) as cursor:
        await cursor.execute(
            "select * from hand_over where (%(organisation)s::text is null or organisation = %(organisation)s) "
            "order by given_at desc, id limit %(limit)s",
            {"organisation": organisation, "limit": limit},
        )
        return await cursor.fetchall()


async def _recorded(connection: AsyncConnection, given: HandOver, action: str, actor: str) -> None:
    await audit.record(
        connection,
        actor=actor,
        action=f"hand-over.{action}",
        subject_kind=EVENT,
        subject=given.id,
        after={"organisation": given.organisation, "orders": len(given.standing)},
    )
    await events.announce(connection, EVENT, str(given.id))
