"""What is in force in a zone, for those who show or sound it."""

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.store.warnings import warning_from_row
from services.core.warning import PublicWarning

_MOST = 50
"""More than these nobody shows; the worst come first."""


async def in_force(connection: AsyncConnection, lifeline: str, zone: str) -> list[PublicWarning]:
    """The warnings in force in a zone, the worst first, then the newest."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select * from warning
            where lifeline = %s and zone = %s and state in ('published', 'received') and lifted_at is null
            order by severity desc, published_at desc, id limit %s
            """,
            (lifeline, zone, _MOST),
        )
        return [warning_from_row(row) for row in await cursor.fetchall()]
