"""Assets, links and zones: what is watched and how it is connected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.asset import Asset, Link, LinkKind
from services.core.lifeline import Lifeline
from services.core.text import Text


@dataclass(frozen=True, slots=True)
class Zone:
    """A district, a catchment or a bridge; the unit of partitioning and of duty."""

    id: str
    lifeline: Lifeline
    name: Text
    geometry: Mapping[str, Any] | None


def asset_from_row(row: Mapping[str, Any]) -> Asset:
    """The record of one row of table ``asset``."""
    return Asset(
        id=row["id"],
        lifeline=Lifeline(row["lifeline"]),
        kind=row["kind"],
        zone=row["zone"],
        name=Text(row["name_en"], row["name_zh"]),
        geometry=row["geometry"],
        organisation=row["organisation"],
        properties=row["properties"],
    )


async def find_assets(connection: AsyncConnection, assets: Sequence[str]) -> dict[str, Asset]:
    """Some assets by identifier; unknown ones are absent."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from asset where id = any(%s)", (list(assets),))
        return {row["id"]: asset_from_row(row) for row in await cursor.fetchall()}


Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

_MATCHING = """
    from asset
    where (%(lifeline)s::text is null or lifeline = %(lifeline)s)
      and (%(zone)s::text is null or zone = %(zone)s)
      and (%(kind)s::text is null or kind = %(kind)s)
      and (%(west)s::float8 is null
           or extent && box(point(%(west)s, %(south)s), point(%(east)s, %(north)s)))
"""


def _wanted(lifeline: Lifeline | None, zone: str | None, kind: str | None, box: Box | None) -> dict[str, Any]:
    sides = dict(zip(("west", "south", "east", "north"), box or (None,) * 4, strict=True))
    return {"lifeline": lifeline, "zone": zone, "kind": kind, **sides}


async def load_assets(
    connection: AsyncConnection,
    *,
    lifeline: Lifeline | None = None,
    zone: str | None = None,
    kind: str | None = None,
    box: Box | None = None,
) -> list[Asset]:
    """Assets that match, by identifier."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"select * {_MATCHING} order by id".encode(), _wanted(lifeline, zone, kind, box))
        return [asset_from_row(row) for row in await cursor.fetchall()]


async def asset_features(
    connection: AsyncConnection,
    *,
    lifeline: Lifeline | None = None,
    zone: str | None = None,
    kind: str | None = None,
    box: Box | None = None,
) -> str:
    """The assets that ``load_assets`` finds, as a JSON list of GeoJSON features; the database writes the text."""
    cursor = await connection.execute(
        f"""
        select string_agg(json_build_object(
            'type', 'Feature',
            'id', id,
            'geometry', geometry,
            'properties', json_build_object(
                'id', id,
                'lifeline', lifeline,
                'kind', kind,
                'zone', zone,
                'name', json_build_object('en', name_en, 'zh', name_zh),
                'organisation', organisation,
                'facts', properties
            )
        )::text, ',' order by id) {_MATCHING}
        """.encode(),
        _wanted(lifeline, zone, kind, box),
    )
    row = await cursor.fetchone()
    return "[]" if row is None or row[0] is None else f"[{row[0]}]"


async def load_links(connection: AsyncConnection, lifeline: Lifeline | None = None) -> list[Link]:
    """Links whose source belongs to a lifeline, or all of them."""
    cursor = await connection.execute(
        """
        select link.source, link.target, link.kind, link.length_m
        from link join asset on asset.id = link.source
        where %(lifeline)s::text is null or asset.lifeline = %(lifeline)s
        order by link.source, link.target
        """,
        {"lifeline": lifeline},
    )
    return [Link(row[0], row[1], LinkKind(row[2]), row[3]) async for row in cursor]


async def load_zones(connection: AsyncConnection) -> list[Zone]:
    """Every zone."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from zone order by id")
        return [
            Zone(row["id"], Lifeline(row["lifeline"]), Text(row["name_en"], row["name_zh"]), row["geometry"])
            for row in await cursor.fetchall()
        ]


async def load_background(connection: AsyncConnection) -> list[dict[str, Any]]:
    """GeoJSON features of what the map shows behind the assets; empty where the register has none."""
    cursor = await connection.execute("select features from map_background")
    row = await cursor.fetchone()
    return [] if row is None else list(row[0])
