"""Who could take an order now: duty, load, depots and the places that people last told."""

from datetime import datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.assignment import Forces
from services.core.organisation import Person
from services.core.store import field_feedbacks, organisations
from services.core.text import Text

_STILL_THERE = timedelta(hours=2)
"""So long a crew is taken to be near the place from which it last wrote."""


async def load_forces(connection: AsyncConnection, now: datetime) -> Forces:
    """Everybody as of now."""
    cursor = await connection.execute(
        "select organisation, count(*) from work_order "
        "where closed_at is null and organisation is not null and alert is not null group by 1"
    )
    running = {row[0]: row[1] async for row in cursor}
    places: dict[str, list[tuple[float, float]]] = {}
    cursor = await connection.execute("select organisation, longitude, latitude from depot order by id")
    async for organisation, longitude, latitude in cursor:
        places.setdefault(organisation, []).append((longitude, latitude))
    for organisation, place in (await field_feedbacks.last_positions(connection, now - _STILL_THERE)).items():
        places.setdefault(organisation, []).append(place)
    return Forces(await organisations.load_organisations(connection), await _on_duty(connection, now), running, places)


async def _on_duty(connection: AsyncConnection, now: datetime) -> list[Person]:
    """Who is on duty, a substitute instead of the absent."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select distinct person.* from duty_shift join person on person.id = duty_shift.person
            where starts_at <= %(now)s and ends_at > %(now)s and not exists (
                select from duty_shift as standing_in
                where standing_in.organisation = duty_shift.organisation and standing_in.role = duty_shift.role
                    and standing_in.substitutes = duty_shift.person
                    and standing_in.starts_at <= %(now)s and standing_in.ends_at > %(now)s)
            order by person.id
            """,
            {"now": now},
        )
        return [
            Person(row["id"], row["organisation"], row["name"], Text(row["post_en"], row["post_zh"]), row["phone"])
            for row in await cursor.fetchall()
        ]
