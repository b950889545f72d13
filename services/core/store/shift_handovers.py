"""Hand-overs between shifts as rows, and what is open when one is offered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from services.core.move import ChangedMeanwhileError, MoveNotAllowedError
from services.core.order_deadline import deadline_of
from services.core.shift_change import Handover, HandoverState
from services.core.store import audit, events
from services.core.store.work_orders import RUNNING, work_order_from_row
from services.core.work_order import SamePersonError, WorkOrder

EVENT = "shift-handover"
_NAMED = 50
"""How many of each kind are named; the rest are counted."""
_COLUMNS = (
    "id, organisation, role, outgoing, incoming, open, note, offered_by, offered_at, confirmed_by, confirmed_at, "
    "withdrawn_at"
)
_OPEN: Mapping[str, str] = {
    "alerts": """
        select id::text, lifeline, kind, zone, asset, severity, state, assignee, explanation_en, explanation_zh
        from alert where cleared_at is null and suppression is null and lifeline = any(%(lifelines)s)
        order by severity desc, detected_at, id
        """,
    "drafts": """
        select id::text, lifeline, zone, asset, severity, headline_en, headline_zh from warning
        where state = 'draft' and lifeline = any(%(lifelines)s) order by severity desc, created_at, id
        """,
    "warnings": """
        select id::text, lifeline, zone, asset, severity, state, headline_en, headline_zh from warning
        where lifted_at is null and state <> 'draft' and lifeline = any(%(lifelines)s)
        order by severity desc, created_at, id
        """,
    "silences": """
        select id::text, kind, coalesce(asset, zone, sensor, lifeline, alert_kind) as about, reason,
            to_char(ends_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as ends_at
        from silence where ended_at is null and (ends_at > %(now)s or recurrence is not null)
            and (lifeline is null or lifeline = any(%(lifelines)s))
        order by ends_at, id
        """,
    "orders": f"""
        select * from work_order
        where {RUNNING} and (lifeline = any(%(lifelines)s) or organisation = %(organisation)s)
        order by severity desc, created_at, id
        """,
}


async def standing(connection: AsyncConnection, organisation: str, now: datetime) -> dict[str, Any]:
    """What is open in the lifelines of an organisation: of each kind how many, and the worst by name."""
    cursor = await connection.execute("select lifelines from organisation where id = %s", (organisation,))
    row = await cursor.fetchone()
    found: dict[str, Any] = {}
    async with connection.cursor(row_factory=dict_row) as named:
        for kind, query in _OPEN.items():
            await named.execute(
                f"select count(*) over () as total, listed.* from ({query}) as listed limit {_NAMED}".encode(),
                {"lifelines": [] if row is None else row[0], "organisation": organisation, "now": now},
            )
            rows = await named.fetchall()
            found[kind] = {
                "count": rows[0]["total"] if rows else 0,
                "named": [_order_line(work_order_from_row(each)) if kind == "orders" else _line(each) for each in rows],
            }
    return found


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "total"}


def _order_line(order: WorkOrder) -> dict[str, Any]:
    """How an order stands, and when its next step is due: what who takes over has to see to first."""
    deadline = deadline_of(order)
    return {
        "id": str(order.id),
        "lifeline": order.lifeline,
        "zone": order.zone,
        "asset": order.asset,
        "severity": int(order.severity),
        "state": order.state,
        "version": order.version,
        "person": order.person,
        "due_at": None if deadline is None or deadline.due_at is None else deadline.due_at.isoformat(),
        "title_en": order.title.en,
        "title_zh": order.title.zh,
    }


async def offer(connection: AsyncConnection, handover: Handover) -> None:
    """Keep an offer, with its audit line and its event.

    Raises:
        psycopg.errors.UniqueViolation: another one waits for the same post.
    """
    await connection.execute(
        f"insert into shift_handover ({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, null, null, null)",
        (
            handover.id,
            handover.organisation,
            handover.role,
            handover.outgoing,
            handover.incoming,
            Jsonb(dict(handover.open)),
            handover.note,
            handover.offered_by,
            handover.offered_at,
        ),
    )
    await _follow(connection, handover, actor=handover.offered_by, action="offer")


async def confirm(connection: AsyncConnection, handover: Handover, *, actor: str, now: datetime) -> None:
    """Say that who comes has read it and takes over.

    Raises:
        SamePersonError: where no people are named, nobody takes over from themselves.
        MoveNotAllowedError: it was confirmed or withdrawn.
        ChangedMeanwhileError: somebody was faster.
    """
    _must_wait(handover, "confirm")
    if handover.incoming is None and actor == handover.offered_by:
        raise SamePersonError("nobody takes over from themselves: somebody of the next shift has to")
    await _decide(connection, handover, "confirmed_by = %(actor)s, confirmed_at = %(now)s", actor, now)
    await _follow(connection, handover, actor=actor, action="confirm")


async def withdraw(connection: AsyncConnection, handover: Handover, *, actor: str, now: datetime) -> None:
    """Take an offer back, for a new one with what is open by then.

    Raises:
        MoveNotAllowedError: it was confirmed or withdrawn.
        ChangedMeanwhileError: somebody was faster.
    """
    _must_wait(handover, "withdraw")
    await _decide(connection, handover, "withdrawn_at = %(now)s", actor, now)
    await _follow(connection, handover, actor=actor, action="withdraw")


def _must_wait(handover: Handover, move: str) -> None:
    if handover.state is not HandoverState.WAITING:
        raise MoveNotAllowedError("hand-over", move, handover.state, ())


async def _decide(connection: AsyncConnection, handover: Handover, change: str, actor: str, now: datetime) -> None:
    cursor = await connection.execute(
        f"update shift_handover set {change} where id = %(id)s and confirmed_at is null and withdrawn_at is null",
        {"id": handover.id, "actor": actor, "now": now},
    )
    if cursor.rowcount != 1:
        raise ChangedMeanwhileError(f"hand-over {handover.id} was decided by somebody else")


async def find(connection: AsyncConnection, handover: UUID, *, lock: bool = False) -> Handover | None:
    """One hand-over; with ``lock`` nobody else changes it until the transaction ends."""
    locking = " for update" if lock else ""
    async with connection.cursor(row_factory=class_row(Handover)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from shift_handover where id = %s{locking}", (handover,))
        return await cursor.fetchone()


async def between(
    connection: AsyncConnection, since: datetime, until: datetime, organisation: str | None = None
) -> list[Handover]:
    """What was offered within a span, the newest first."""
    async with connection.cursor(row_factory=class_row(Handover)) as cursor:
        await cursor.execute(
            f"""
            select {_COLUMNS} from shift_handover
            where offered_at >= %(since)s and offered_at < %(until)s
              and (%(organisation)s::text is null or organisation = %(organisation)s)
            order by offered_at desc, id desc limit 1000
            """,
            {"since": since, "until": until, "organisation": organisation},
        )
        return await cursor.fetchall()


async def _follow(connection: AsyncConnection, handover: Handover, *, actor: str, action: str) -> None:
    await audit.record(
        connection,
        actor=actor,
        action=f"shift-handover.{action}",
        subject_kind=EVENT,
        subject=handover.id,
        after={
            "organisation": handover.organisation,
            "role": handover.role,
            "outgoing": handover.outgoing,
            "incoming": handover.incoming,
            "open": {kind: listed["count"] for kind, listed in handover.open.items()},
        },
    )
    await events.announce(connection, EVENT, str(handover.id))
