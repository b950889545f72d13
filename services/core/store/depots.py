"""Depots and their stock as rows."""

from dataclasses import replace

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.depot import Depot, Material
from services.core.store import audit
from services.core.store.row_versions import version_of
from services.core.text import Text


async def save(connection: AsyncConnection, depot: Depot, *, actor: str) -> Depot:
    """Add or replace a depot with its stock; returns it with its version."""
    await connection.execute(
        """
        insert into depot (id, organisation, name_en, name_zh, longitude, latitude) values (%s, %s, %s, %s, %s, %s)
        on conflict (id) do update set organisation = excluded.organisation, name_en = excluded.name_en,
            name_zh = excluded.name_zh, longitude = excluded.longitude, latitude = excluded.latitude
        """,
        (depot.id, depot.organisation, depot.name.en, depot.name.zh, *depot.position),
    )
    await connection.execute("delete from material where depot = %s", (depot.id,))
    for each in depot.materials:
        await connection.execute(
            "insert into material (depot, id, name_en, name_zh, stock, unit, counted_at, counted_by) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s)",
            (depot.id, each.id, each.name.en, each.name.zh, each.stock, each.unit, each.counted_at, each.counted_by),
        )
    await audit.record(
        connection,
        actor=actor,
        action="depot.save",
        subject_kind="depot",
        subject=depot.id,
        after={"organisation": depot.organisation, "stock": {each.id: each.stock for each in depot.materials}},
    )
    return replace(depot, version=await version_of(connection, "depot", depot.id))


async def find(connection: AsyncConnection, depot: str) -> Depot | None:
    """One depot with its stock."""
    return next(iter(await load_depots(connection, depot)), None)


async def load_depots(connection: AsyncConnection, only: str | None = None) -> list[Depot]:
    """Every depot with its stock, or ``only`` one."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        wanted = {"only": only}
        await cursor.execute(
            "select * from material where depot = coalesce(%(only)s, depot) order by depot, id", wanted
        )
        stock: dict[str, list[Material]] = {}
        for row in await cursor.fetchall():
            material = Material(
                row["id"],
                Text(row["name_en"], row["name_zh"]),
                row["stock"],
                row["unit"],
                row["counted_at"],
                row["counted_by"],
            )
            stock.setdefault(row["depot"], []).append(material)
        await cursor.execute("select * from depot where id = coalesce(%(only)s, id) order by id", wanted)
        rows = await cursor.fetchall()
        return [
            Depot(
                row["id"],
                row["organisation"],
                Text(row["name_en"], row["name_zh"]),
                (row["longitude"], row["latitude"]),
                stock.get(row["id"], []),
                version=await version_of(connection, "depot", row["id"]),
            )
            for row in rows
        ]


async def stock_by_material(connection: AsyncConnection) -> dict[str, float]:
    """How much of each material there is in all depots together."""
    cursor = await connection.execute("select id, sum(stock) from material group by id")
    return {row[0]: row[1] async for row in cursor}
