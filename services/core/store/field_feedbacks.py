"""Field feedback as rows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core.field_feedback import FieldFeedback, Measurement
from services.core.store import audit, events
from services.core.work_order import Act, WorkOrder

_EVENT = "work-order"


def _feedback(row: Mapping[str, Any]) -> FieldFeedback:
    position = None if row["longitude"] is None else (row["longitude"], row["latitude"])
    return FieldFeedback(
        id=row["id"],
        work_order=row["work_order"],
        round=row["round"],
        author=row["author"],
        at=row["at"],
        received_at=row["received_at"],
        text=row["text"],
        measurements=[Measurement(**each) for each in row["measurements"]],
        position=position,
    )


async def add(connection: AsyncConnection, feedback: FieldFeedback) -> None:
    """Keep a message; the same one sent twice is kept once."""
    if not await _insert(connection, feedback):
        return
    await audit.record(
        connection,
        actor=feedback.author,
        action="work-order.feedback",
        subject_kind=_EVENT,
        subject=feedback.work_order,
        after={
            "feedback": str(feedback.id),
            "text": feedback.text,
            "measurements": [asdict(each) for each in feedback.measurements],
        },
    )
    await events.announce(connection, _EVENT, str(feedback.work_order))


async def add_words(connection: AsyncConnection, order: WorkOrder, act: Act) -> None:
    """Keep the words with which an order was handed back; the step itself has left its trace."""
    feedback = FieldFeedback(uuid4(), order.id, order.round, act.actor, act.now, act.now, act.note or "")
    await _insert(connection, feedback)


async def _insert(connection: AsyncConnection, feedback: FieldFeedback) -> bool:
    longitude, latitude = feedback.position or (None, None)
    cursor = await connection.execute(
        """
        insert into field_feedback
            (id, work_order, round, author, at, received_at, text, measurements, longitude, latitude)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (id) do nothing
        """,
        (
            feedback.id,
            feedback.work_order,
            feedback.round,
            feedback.author,
            feedback.at,
            feedback.received_at,
            feedback.text,
            Jsonb([asdict(each) for each in feedback.measurements]),
            longitude,
            latitude,
        ),
    )
    return cursor.rowcount == 1


async def find(connection: AsyncConnection, feedback: UUID) -> FieldFeedback | None:
    """One message."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from field_feedback where id = %s", (feedback,))
        row = await cursor.fetchone()
    return None if row is None else _feedback(row)


async def of_orders(connection: AsyncConnection, orders: Sequence[UUID]) -> list[FieldFeedback]:
    """What was said about some orders, oldest first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "select * from field_feedback where work_order = any(%s) order by at, received_at, id", (list(orders),)
        )
        return [_feedback(row) for row in await cursor.fetchall()]


async def last_positions(connection: AsyncConnection, since: datetime) -> dict[str, tuple[float, float]]:
    """Where each organisation's people last said that they were, since a moment."""
    cursor = await connection.execute(
        """
        select distinct on (work_order.organisation) work_order.organisation, longitude, latitude
        from field_feedback join work_order on work_order.id = field_feedback.work_order
        where longitude is not null and at >= %s and work_order.organisation is not null
        order by work_order.organisation, at desc
        """,
        (since,),
    )
    return {row[0]: (row[1], row[2]) async for row in cursor}
