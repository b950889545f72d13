"""The library of cases: what people have judged or closed, kept to be found again."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.alert import Verdict
from services.core.case import (
    NEAR,
    NEAR_M,
    SAME_ASSET,
    SAME_ASSET_KIND,
    SAME_KIND,
    WORDS,
    Case,
    SimilarCase,
    Sought,
    most_alike,
    rarity_of,
    words_of,
)
from services.core.failure_prior import BREAKS, BreakHistory
from services.core.geometry import METRES_PER_DEGREE, centre
from services.core.lifeline import Lifeline
from services.core.root_cause import RootCause
from services.core.severity import Severity
from services.core.text import Text

_LOOKED_AT = 400
"""How many cases of each sort (same asset, same kind, rare words) are weighed."""
_SPARE = 5
"""So many more than asked for come from the database: what a rounding decides there is decided anew here."""
_RAREST = 4
"""Cases are looked up by so many of the rarest words asked for; all words are weighed then."""


def case_from_row(row: Mapping[str, Any]) -> Case:
    """The record of one row of table ``case_record``."""
    return Case(
        alert=row["alert"],
        lifeline=Lifeline(row["lifeline"]),
        kind=row["kind"],
        zone=row["zone"],
        asset=row["asset"],
        asset_kind=row["asset_kind"],
        asset_name=Text(row["asset_name_en"], row["asset_name_zh"]),
        place=None if row["longitude"] is None else (row["longitude"], row["latitude"]),
        severity=Severity(row["severity"]),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
        root_cause=None if row["root_cause"] is None else RootCause(row["root_cause"]),
        explanation=Text(row["explanation_en"], row["explanation_zh"]),
        told=row["told"],
        words=frozenset(row["words"]),
    )


async def keep(connection: AsyncConnection, alert: UUID) -> None:
    """Remember what is known of an alert, or what is known more than last time, in the caller's transaction."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select alert.id as alert, alert.lifeline, alert.kind, alert.zone, alert.asset,
                coalesce(asset.kind, '') as asset_kind, coalesce(asset.name_en, alert.asset) as asset_name_en,
                coalesce(asset.name_zh, alert.asset) as asset_name_zh, asset.geometry,
                alert.highest_severity as severity, alert.started_at, alert.cleared_at as ended_at, alert.verdict,
                alert.root_cause, alert.explanation_en, alert.explanation_zh,
                concat_ws(E'\n', alert.verdict_reason,
                    (select string_agg(text, E'\n' order by at) from alert_comment
                     where alert_comment.alert = alert.id),
                    (select string_agg(concat_ws(E'\n', feedback, verification), E'\n' order by created_at)
                     from work_order where work_order.alert = alert.id)
                ) as told
            from alert left join asset on asset.id = alert.asset
            where alert.id = %s
            """,
            (alert,),
        )
        row = await cursor.fetchone()
        if row is None:
            return
        geometry = row.pop("geometry")
        longitude, latitude = (None, None) if geometry is None else centre(geometry)
        told = (row["explanation_en"], row["explanation_zh"], row["asset_name_en"], row["asset_name_zh"], row["told"])
        values = row | {"longitude": longitude, "latitude": latitude, "words": sorted(words_of(*told))}
        names = ", ".join(values)
        places = ", ".join(f"%({name})s" for name in values)
        changes = ", ".join(f"{name} = excluded.{name}" for name in values if name != "alert")
        await cursor.execute(
            f"insert into case_record ({names}) values ({places}) on conflict (alert) do update set {changes}", values
        )


async def similar(
    connection: AsyncConnection, sought: Sought, limit: int, without: UUID | None = None
) -> list[SimilarCase]:
    """The cases that are most like what is sought, best first.

    Weighed exactly are the newest of the same asset, the newest of the same kind and those that hold the rarest of the
    words; a case that is none of these is not found. The database picks the best of them by the same worths, so that
    hundreds of long cases are not read to show five.
    """
    rarity = rarity_of(sought.words, await _shares(connection))
    rarest = sorted(rarity, key=lambda word: (-rarity[word], word))[:_RAREST]
    longitude, latitude = sought.place or (None, None)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _SIMILAR,
            {
                "asset": sought.asset,
                "asset_kind": sought.asset_kind,
                "kind": sought.kind,
                "lifeline": sought.lifeline,
                "longitude": longitude,
                "latitude": latitude,
                "words": list(rarity),
                "worths": list(rarity.values()),
                "rarest": rarest,
                "looked_at": _LOOKED_AT,
                "without": without,
                "most": limit + _SPARE,
            },
        )
        cases = [case_from_row(row) for row in await cursor.fetchall()]
    return most_alike(sought, cases, rarity, limit)


_SIMILAR = f"""
    with found as (
        (select alert from case_record
         where %(asset)s::text is not null and asset = %(asset)s order by started_at desc limit %(looked_at)s)
        union
        (select alert from case_record
         where %(kind)s::text is not null and kind = %(kind)s
           and (%(lifeline)s::text is null or lifeline = %(lifeline)s)
         order by started_at desc limit %(looked_at)s)
        union
        (select alert from case_record where words && %(rarest)s::text[] limit %(looked_at)s)
    ), worth as materialized (
        select word, worth from unnest(%(words)s::text[], %(worths)s::float8[]) as sought (word, worth)
    ), alike as (
        select alert, started_at,
            {SAME_KIND} * coalesce((kind = %(kind)s::text)::int, 0)
            + {SAME_ASSET} * coalesce((asset = %(asset)s::text)::int, 0)
            + {SAME_ASSET_KIND} * coalesce((asset_kind = %(asset_kind)s::text)::int, 0)
            + {NEAR} * coalesce(exp(greatest(-700, -{METRES_PER_DEGREE} / {NEAR_M} * sqrt(
                power((longitude - %(longitude)s::float8) * cos(radians((latitude + %(latitude)s::float8) / 2)), 2)
                + power(latitude - %(latitude)s::float8, 2)))), 0)
            + {WORDS} * coalesce(
                (select sum(worth) from unnest(words) as held (word) join worth using (word))
                / nullif((select sum(worth) from worth), 0), 0) as worth
        from found join case_record using (alert)
        where alert is distinct from %(without)s and (%(lifeline)s::text is null or lifeline = %(lifeline)s)
        order by worth desc, started_at desc, alert limit %(most)s
    )
    select case_record.* from alike join case_record using (alert)
"""


async def _shares(connection: AsyncConnection) -> dict[str, float]:
    """Which share of the cases holds each common word, from the database's own statistics; empty before the first."""
    cursor = await connection.execute(
        """
        select word, share from pg_stats,
            unnest(most_common_elems::text::text[], most_common_elem_freqs) as common (word, share)
        where schemaname = current_schema() and tablename = 'case_record' and attname = 'words' and word is not null
        """
    )
    return {row[0]: row[1] async for row in cursor}


async def find(connection: AsyncConnection, alert: UUID) -> Case | None:
    """The case of an alert, if it was kept."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from case_record where alert = %s", (alert,))
        row = await cursor.fetchone()
    return None if row is None else case_from_row(row)


async def histories(
    connection: AsyncConnection, lifeline: Lifeline | None = None, *, without: UUID | None = None
) -> dict[str, BreakHistory]:
    """What people confirmed of each asset that broke or was struck: alarms judged true, with a cause that says so.

    ``without`` names an alert that does not count: it shall not confirm itself.
    """
    cursor = await connection.execute(
        """
        select asset, count(*) filter (where root_cause = any(%(breaks)s)),
            count(*) filter (where root_cause = %(works)s)
        from case_record
        where verdict = 'true-alarm' and root_cause is not null
          and (%(lifeline)s::text is null or lifeline = %(lifeline)s) and alert is distinct from %(without)s
        group by asset
        """,
        {"breaks": sorted(BREAKS), "works": RootCause.THIRD_PARTY_WORKS, "lifeline": lifeline, "without": without},
    )
    return {row[0]: BreakHistory(row[1], row[2]) async for row in cursor if row[1] or row[2]}


async def breaks_in(connection: AsyncConnection, lifeline: Lifeline, *, without: UUID | None = None) -> dict[str, int]:
    """How often each asset of a lifeline broke, as far as it ever did; an alert of ``without`` does not count."""
    found = await histories(connection, lifeline, without=without)
    return {asset: history.breaks for asset, history in found.items() if history.breaks}
