"""Assets as collections of features: one for each kind that a lifeline has."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.asset import Asset
from services.core.store.network import asset_from_row

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class FeatureCollection:
    """The assets of one kind; ``box`` is west, south, east, north in degrees (WGS 84)."""

    lifeline: str
    kind: str
    box: Box


# A box of PostgreSQL has its north-east corner first.
_COLLECTIONS = """
select lifeline, kind, min((extent[1])[0]), min((extent[1])[1]), max((extent[0])[0]), max((extent[0])[1])
from asset where (%(lifeline)s::text is null or (lifeline = %(lifeline)s and kind = %(kind)s))
group by 1, 2 order by 1, 2
"""
_WITHIN = """
lifeline = %(lifeline)s and kind = %(kind)s and (%(west)s::float8 is null
    or extent && box(point(%(west)s, %(south)s), point(%(east)s, %(north)s)))
"""


async def collections(
    connection: AsyncConnection, lifeline: str | None = None, kind: str | None = None
) -> list[FeatureCollection]:
    """Every collection, or the one of a lifeline and a kind."""
    cursor = await connection.execute(_COLLECTIONS.encode(), {"lifeline": lifeline, "kind": kind})
    return [FeatureCollection(row[0], row[1], row[2:6]) async for row in cursor]


async def page(
    connection: AsyncConnection,
    collection: FeatureCollection,
    box: Box | None,
    *,
    after: str,
    limit: int,
) -> tuple[Sequence[Asset], int]:
    """Assets of a collection behind an identifier, in its order, and how many there are on all pages together."""
    asked = {
        "lifeline": collection.lifeline,
        "kind": collection.kind,
        "after": after,
        "limit": limit,
        **dict(zip(("west", "south", "east", "north"), box or (None,) * 4, strict=True)),
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"select * from asset where {_WITHIN} and id > %(after)s order by id limit %(limit)s".encode(), asked
        )
        found = [asset_from_row(row) for row in await cursor.fetchall()]
        await cursor.execute(f"select count(*) as matched from asset where {_WITHIN}".encode(), asked)
        row = await cursor.fetchone()
    return found, 0 if row is None else int(row["matched"])
