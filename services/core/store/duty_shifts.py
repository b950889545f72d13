"""Duty shifts as rows."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from services.core.duty import Shift
from services.core.organisation import Person
from services.core.store import audit
from services.core.text import Text

_COLUMNS = "id, organisation, role, person, starts_at, ends_at, source, substitutes"


async def replace_rota(
    connection: AsyncConnection, organisation: str, shifts: Sequence[Shift], *, since: datetime, actor: str
) -> int:
    """Take a calendar over: what begins after ``since`` is replaced, except substitutions; returns the shifts."""
    await connection.execute(
        "delete from duty_shift where organisation = %s and starts_at >= %s and substitutes is null",
        (organisation, since),
    )
    for shift in shifts:
        await _add(connection, shift)
    await audit.record(
        connection,
        actor=actor,
        action="duty.replace",
        subject_kind="organisation",
        subject=organisation,
        after={"shifts": len(shifts), "since": since.isoformat()},
    )
    return len(shifts)


async def substitute(connection: AsyncConnection, shift: Shift, *, actor: str) -> None:
    """Let somebody stand in: from then on the substitute is on duty instead."""
    await _add(connection, shift)
    await audit.record(
        connection,
        actor=actor,
        action="duty.substitute",
        subject_kind="organisation",
        subject=shift.organisation,
        after={
            "person": shift.person,
            "for": shift.substitutes,
            "from": shift.starts_at.isoformat(),
            "to": shift.ends_at.isoformat(),
        },
    )


async def _add(connection: AsyncConnection, shift: Shift) -> None:
    await connection.execute(
        f"insert into duty_shift ({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (id) do update set "
        "starts_at = excluded.starts_at, ends_at = excluded.ends_at, source = excluded.source",
        (
            shift.id,
            shift.organisation,
            shift.role,
            shift.person,
            shift.starts_at,
            shift.ends_at,
            shift.source,
            shift.substitutes,
        ),
    )


async def between(
    connection: AsyncConnection, since: datetime, until: datetime, organisation: str | None = None
) -> list[Shift]:
    """The shifts that touch a span of time, in order."""
    async with connection.cursor(row_factory=class_row(Shift)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from duty_shift where starts_at < %(until)s and ends_at > %(since)s "
            "and (%(organisation)s::text is null or organisation = %(organisation)s) order by starts_at, role, id",
            {"since": since, "until": until, "organisation": organisation},
        )
        return await cursor.fetchall()


async def find(connection: AsyncConnection, shift: UUID) -> Shift | None:
    """One shift."""
    async with connection.cursor(row_factory=class_row(Shift)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from duty_shift where id = %s", (shift,))
        return await cursor.fetchone()


async def people_of(connection: AsyncConnection, organisation: str) -> list[Person]:
    """The people of an organisation."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from person where organisation = %s order by id", (organisation,))
        return [
            Person(row["id"], row["organisation"], row["name"], Text(row["post_en"], row["post_zh"]), row["phone"])
            for row in await cursor.fetchall()
        ]


async def on_duty_by_role(
    connection: AsyncConnection, organisation_roles: Iterable[str], now: datetime
) -> list[dict[str, Any]]:
    """Who is on duty now in organisations of some roles, with post and phone; a substitute instead of the absent."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select duty_shift.organisation, duty_shift.role, person.name, person.post_en, person.post_zh, person.phone
            from duty_shift join person on person.id = duty_shift.person
                join organisation on organisation.id = duty_shift.organisation
            where organisation.role = any(%(roles)s) and starts_at <= %(now)s and ends_at > %(now)s
                and not exists (
                    select from duty_shift as standing_in
                    where standing_in.organisation = duty_shift.organisation and standing_in.role = duty_shift.role
                        and standing_in.substitutes = duty_shift.person
                        and standing_in.starts_at <= %(now)s and standing_in.ends_at > %(now)s)
            order by duty_shift.organisation, duty_shift.role, person.name
            """,
            {"roles": list(organisation_roles), "now": now},
        )
        return await cursor.fetchall()
