"""Organisations, their receivers, and who answers for an asset."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from services.core.lifeline import Lifeline
from services.core.organisation import Organisation, OrganisationRole, Receiver
from services.core.text import Text


def _organisation(row: Mapping[str, Any]) -> Organisation:
    return Organisation(
        id=row["id"],
        name=Text(row["name_en"], row["name_zh"]),
        role=OrganisationRole(row["role"]),
        lifelines=frozenset(Lifeline(name) for name in row["lifelines"]),
    )


async def load_organisations(connection: AsyncConnection) -> dict[str, Organisation]:
    """Every organisation by identifier."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from organisation order by id")
        return {row["id"]: _organisation(row) for row in await cursor.fetchall()}


async def load_receivers(connection: AsyncConnection) -> list[Receiver]:
    """Every enabled receiver."""
    async with connection.cursor(row_factory=class_row(Receiver)) as cursor:
        await cursor.execute(
            "select id, organisation, url, secret, minimum_severity from receiver where enabled order by id"
        )
        return await cursor.fetchall()


async def find_receiver(connection: AsyncConnection, receiver: str) -> Receiver | None:
    """One receiver, enabled or not."""
    async with connection.cursor(row_factory=class_row(Receiver)) as cursor:
        await cursor.execute(
            "select id, organisation, url, secret, minimum_severity from receiver where id = %s", (receiver,)
        )
        return await cursor.fetchone()


async def save_receiver(connection: AsyncConnection, receiver: Receiver) -> None:
    """Add or change a receiver."""
    await connection.execute(
        """
        insert into receiver (id, organisation, url, secret, minimum_severity) values (%s, %s, %s, %s, %s)
        on conflict (id) do update set organisation = excluded.organisation, url = excluded.url,
            secret = excluded.secret, minimum_severity = excluded.minimum_severity
        """,
        (receiver.id, receiver.organisation, receiver.url, receiver.secret, receiver.minimum_severity),
    )


async def responsible_organisation(connection: AsyncConnection, asset: str, lifeline: Lifeline) -> str | None:
    """The owner of an asset; for an asset without one (or a gateway) the owner of the lifeline."""
    cursor = await connection.execute(
        """
        select coalesce(
            (select organisation from asset where id = %s),
            (select id from organisation where role = 'owner' and %s = any(lifelines) order by id limit 1))
        """,
        (asset, lifeline),
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]
