"""Permits for works in the ground, in the register."""

from collections.abc import Iterable

from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row

from services.core.works_permit import WorksPermit


def save(connection: Connection, permits: Iterable[WorksPermit]) -> None:
    """Add permits; those that are registered already are brought up to date."""
    connection.cursor().executemany(
        """
        insert into works_permit (id, starts_at, ends_at, longitude, latitude, radius_m, what, contractor)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (id) do update set starts_at = excluded.starts_at, ends_at = excluded.ends_at,
            longitude = excluded.longitude, latitude = excluded.latitude, radius_m = excluded.radius_m,
            what = excluded.what, contractor = excluded.contractor
        """,
        [
            (
                permit.id,
                permit.start,
                permit.end,
                permit.longitude,
                permit.latitude,
                permit.radius_m,
                permit.what,
                permit.contractor,
            )
            for permit in permits
        ],
    )


async def load(connection: AsyncConnection) -> list[WorksPermit]:
    """Every permit, by identifier; those that are over stay for who looks back."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from works_permit order by id")
        return [
            WorksPermit(
                id=row["id"],
                start=row["starts_at"],
                end=row["ends_at"],
                longitude=row["longitude"],
                latitude=row["latitude"],
                radius_m=row["radius_m"],
                what=row["what"],
                contractor=row["contractor"],
            )
            for row in await cursor.fetchall()
        ]
