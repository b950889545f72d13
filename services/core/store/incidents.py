"""Incidents as rows, with their alerts, costs and lessons."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from services.core.alert import Alert
from services.core.incident import Incident, IncidentCost
from services.core.lifeline import Lifeline
from services.core.store import audit, events
from services.core.text import Text

EVENT = "incident"


def _incident(row: Mapping[str, Any]) -> Incident:
    return Incident(
        id=row["id"],
        lifeline=Lifeline(row["lifeline"]),
        asset=row["asset"],
        title=Text(row["title_en"], row["title_zh"]),
        is_exercise=row["is_exercise"],
        opened_at=row["opened_at"],
        opened_by=row["opened_by"],
        closed_at=row["closed_at"],
        lessons=row["lessons"],
        lessons_by=row["lessons_by"],
        version=row["version"],
    )


async def find(connection: AsyncConnection, incident: UUID, *, lock: bool = False) -> Incident | None:
    """One incident; with ``lock`` nobody else changes it until the transaction ends."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "select * from incident where id = %s" + (" for update" if lock else ""),
            (incident,),
        )
        row = await cursor.fetchone()
    return None if row is None else _incident(row)


async def of_alert(connection: AsyncConnection, alert: UUID) -> UUID | None:
    """The incident that an alert belongs to."""
    cursor = await connection.execute("select incident from incident_alert where alert = %s", (alert,))
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def alerts_of(connection: AsyncConnection, incident: UUID) -> list[UUID]:
    """The alerts of an incident, in the order in which they came to it."""
    cursor = await connection.execute(
        "select alert from incident_alert where incident = %s order by since, alert", (incident,)
    )
    return [row[0] for row in await cursor.fetchall()]


async def ensure_for_alert(
    connection: AsyncConnection, alert: Alert, title: Text, *, actor: str, now: datetime
) -> UUID:
    """The incident of an alert; a new one where it has none."""
    known = await of_alert(connection, alert.id)
    if known is not None:
        return known
    incident = await begin(connection, alert.lifeline, alert.asset, title, is_exercise=False, actor=actor, now=now)
    await add_alert(connection, incident, alert.id, now)
    return incident


async def begin(
    connection: AsyncConnection,
    lifeline: Lifeline,
    asset: str,
    title: Text,
    *,
    is_exercise: bool,
    actor: str,
    now: datetime,
) -> UUID:
    """Open an incident, in earnest or as an exercise."""
    incident = uuid4()
    await connection.execute(
        """
        insert into incident (id, lifeline, asset, title_en, title_zh, is_exercise, opened_at, opened_by)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (incident, lifeline, asset, title.en, title.zh, is_exercise, now, actor),
    )
    await audit.record(
        connection,
        actor=actor,
        action="incident.open",
        subject_kind="incident",
        subject=incident,
        after={"asset": asset, "is_exercise": is_exercise},
    )
    await events.announce(connection, EVENT, str(incident))
    return incident


async def add_alert(connection: AsyncConnection, incident: UUID, alert: UUID, now: datetime) -> None:
    """Say that an alert is part of an incident; one that belongs to another one stays there."""
    await connection.execute(
        "insert into incident_alert (alert, incident, since) values (%s, %s, %s) on conflict (alert) do nothing",
        (alert, incident, now),
    )


async def follow_orders(connection: AsyncConnection, incident: UUID, *, actor: str, now: datetime) -> None:
    """Close the incident when none of its orders runs any more; open it again when one does.

    An exercise goes on as long as one of its plans runs.
    """
    cursor = await connection.execute(
        """
        with standing as (
            select bool_or(closed_at is null) or exists (
                select from plan_activation where incident = %(incident)s and is_exercise and ended_at is null
            ) as runs from work_order where incident = %(incident)s
        )
        update incident set closed_at = case when standing.runs then null else %(now)s end, version = version + 1
        from standing
        where incident.id = %(incident)s and standing.runs = (incident.closed_at is not null)
        returning incident.closed_at
        """,
        {"incident": incident, "now": now},
    )
    row = await cursor.fetchone()
    if row is None:
        return
    await audit.record(
        connection,
        actor=actor,
        action="incident.reopen" if row[0] is None else "incident.close",
        subject_kind="incident",
        subject=incident,
    )
    await events.announce(connection, EVENT, str(incident))


async def list_incidents(
    connection: AsyncConnection, *, is_open: bool | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[Incident]:
    """Incidents, newest first, behind a cursor of opening time and identifier."""
    moment, identifier = before or (None, None)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select * from incident
            where (%(is_open)s::boolean is null or (closed_at is null) = %(is_open)s)
              and (%(moment)s::timestamptz is null or (opened_at, id) < (%(moment)s, %(identifier)s))
            order by opened_at desc, id desc limit %(limit)s
            """,
            {"is_open": is_open, "moment": moment, "identifier": identifier, "limit": limit},
        )
        return [_incident(row) for row in await cursor.fetchall()]


async def add_cost(
    connection: AsyncConnection,
    incident: UUID,
    *,
    label: str,
    amount: Decimal,
    currency: str,
    actor: str,
    now: datetime,
) -> IncidentCost:
    """Write down what something cost; a cost that was wrong is taken back by one below zero."""
    cost = IncidentCost(uuid4(), label, amount, currency, actor, now)
    await connection.execute(
        "insert into incident_cost (id, incident, label, amount, currency, author, at) "
        "values (%s, %s, %s, %s, %s, %s, %s)",
        (cost.id, incident, label, amount, currency, actor, now),
    )
    await audit.record(
        connection,
        actor=actor,
        action="incident.cost",
        subject_kind="incident",
        subject=incident,
        after={"label": label, "amount": str(amount), "currency": currency},
    )
    return cost


async def costs_of(connection: AsyncConnection, incident: UUID) -> list[IncidentCost]:
    """The costs of an incident, oldest first."""
    async with connection.cursor(row_factory=class_row(IncidentCost)) as cursor:
        await cursor.execute(
            "select id, label, amount, currency, author, at from incident_cost where incident = %s order by at, id",
            (incident,),
        )
        return await cursor.fetchall()


async def write_lessons(connection: AsyncConnection, incident: Incident, lessons: str, *, actor: str) -> None:
    """Say what is to be learnt; the text before it stays in the audit trail."""
    await connection.execute(
        "update incident set lessons = %s, lessons_by = %s, version = version + 1 where id = %s",
        (lessons, actor, incident.id),
    )
    await audit.record(
        connection,
        actor=actor,
        action="incident.lessons",
        subject_kind="incident",
        subject=incident.id,
        before={"lessons": incident.lessons},
        after={"lessons": lessons},
    )
    await events.announce(connection, EVENT, str(incident.id))
