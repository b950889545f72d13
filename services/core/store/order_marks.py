"""Marks on an order that do not move it: who goes there, that others were told, that the regulator presses for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core import jobs
from services.core.move import ChangedMeanwhileError
from services.core.store import audit, events, work_orders
from services.core.work_order import WorkOrder

ESCALATED, SUPERVISED = "work-order.escalated", "work-order.supervised"
_ABOVE = ("regulator", "emergency")


@dataclass(frozen=True, slots=True)
class Supervision:
    """What the regulator asked for (督办), and what was answered."""

    id: UUID
    work_order: UUID
    author: str
    at: datetime
    text: str
    due_at: datetime
    answer: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None


async def assign(
    connection: AsyncConnection, order: WorkOrder, person: str | None, *, actor: str, version: int | None = None
) -> WorkOrder:
    """Say who of the organisation goes there.

    Raises:
        ChangedMeanwhileError: the caller speaks of another version of the order.
    """
    return await _marked(
        connection,
        order,
        {"person": person},
        "assign",
        {"person": person},
        actor=actor,
        version=version,
    )


async def escalate(connection: AsyncConnection, order: WorkOrder, note: str, *, actor: str) -> WorkOrder:
    """A person tells those above that it does not go on as it should."""
    level = order.escalated + 1
    changed = await _marked(
        connection, order, {"escalated": level}, "escalate", {"level": level, "note": note}, actor=actor
    )
    await _tell(connection, order, ESCALATED, _ABOVE, f"level {level}")
    return changed


async def supervise(
    connection: AsyncConnection, order: WorkOrder, text: str, due_at: datetime, *, actor: str, now: datetime
) -> Supervision:
    """The regulator presses for an order; its organisation is told, and has to answer."""
    asked = Supervision(uuid4(), order.id, actor, now, text, due_at)
    await connection.execute(
        "insert into supervision (id, work_order, author, at, text, due_at) values (%s, %s, %s, %s, %s, %s)",
        (asked.id, order.id, actor, now, text, due_at),
    )
    await _recorded(connection, order, "supervise", {"text": text, "due_at": due_at.isoformat()}, actor)
    await _tell(connection, order, SUPERVISED, None, str(asked.id))
    return asked


async def find_supervision(connection: AsyncConnection, supervision: UUID) -> Supervision | None:
    """One of them, locked for the transaction."""
    async with connection.cursor(row_factory=class_row(Supervision)) as cursor:
        await cursor.execute("select * from supervision where id = %s for update", (supervision,))
        return await cursor.fetchone()


async def supervisions_of(connection: AsyncConnection, orders: Sequence[UUID]) -> list[Supervision]:
    """What the regulator asked for, oldest first."""
    async with connection.cursor(row_factory=class_row(Supervision)) as cursor:
        await cursor.execute("select * from supervision where work_order = any(%s) order by at, id", (list(orders),))
        return await cursor.fetchall()


async def answer_supervision(
    connection: AsyncConnection, asked: Supervision, text: str, *, actor: str, now: datetime
) -> Supervision:
    """The owner answers; the first answer counts.

    Raises:
        ChangedMeanwhileError: it is answered already.
    """
    if asked.answered_at is not None:
        raise ChangedMeanwhileError(f"it was answered by {asked.answered_by}")
    await connection.execute(
        "update supervision set answer = %s, answered_by = %s, answered_at = %s where id = %s",
        (text, actor, now, asked.id),
    )
    await audit.record(
        connection,
        actor=actor,
        action="work-order.answer-supervision",
        subject_kind=work_orders.EVENT,
        subject=asked.work_order,
        after={"supervision": str(asked.id), "answer": text},
    )
    await events.announce(connection, work_orders.EVENT, str(asked.work_order))
    return replace(asked, answer=text, answered_by=actor, answered_at=now)


async def _marked(
    connection: AsyncConnection,
    order: WorkOrder,
    changes: Mapping[str, Any],
    action: str,
    after: Mapping[str, Any],
    *,
    actor: str,
    version: int | None = None,
) -> WorkOrder:
    if version is not None and version != order.version:
        raise ChangedMeanwhileError(f"work order {order.id} has changed: it is at version {order.version} now")
    changed = replace(order, **changes, version=order.version + 1)
    await work_orders.save(connection, changed)
    await _recorded(connection, order, action, after, actor)
    return changed


async def _recorded(
    connection: AsyncConnection, order: WorkOrder, action: str, after: Mapping[str, Any], actor: str
) -> None:
    await audit.record(
        connection,
        actor=actor,
        action=f"work-order.{action}",
        subject_kind=work_orders.EVENT,
        subject=order.id,
        after=after,
    )
    await events.announce(connection, work_orders.EVENT, str(order.id))


async def _tell(
    connection: AsyncConnection, order: WorkOrder, news: str, roles: Sequence[str] | None, occasion: str
) -> None:
    told: dict[str, Any] = {} if roles is None else {"roles": list(roles)}
    await jobs.defer(
        connection,
        jobs.ANNOUNCE,
        type=news,
        subject_kind=work_orders.EVENT,
        subject=str(order.id),
        occasion=occasion,
        **told,
    )
