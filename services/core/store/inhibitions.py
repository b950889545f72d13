"""Rules by which one alert explains another, as rows: declared by the lifelines, switched by people."""

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row

from services.core.inhibition import Inhibition, Reach
from services.core.lifeline import Lifeline
from services.core.severity import Severity
from services.core.text import Text


def _inhibition(row: Mapping[str, Any]) -> Inhibition:
    return Inhibition(
        id=row["id"],
        lifeline=Lifeline(row["lifeline"]),
        causes=frozenset(row["causes"]),
        effects=frozenset(row["effects"]),
        reach=Reach(row["reach"]),
        mutes_to=Severity(row["mutes_to"]),
        reason=Text(row["reason_en"], row["reason_zh"]),
        effect_lifelines=frozenset(Lifeline(name) for name in row["effect_lifelines"]),
        within_m=row["within_m"],
    )


def save_inhibitions(connection: Connection, inhibitions: Iterable[Inhibition]) -> int:
    """Write the rules; one that is there already is brought up to date and stays switched as it is."""
    rows = [
        (
            rule.id,
            rule.lifeline,
            sorted(rule.causes),
            sorted(rule.effects),
            rule.reach,
            int(rule.mutes_to),
            rule.reason.en,
            rule.reason.zh,
            sorted(rule.effect_lifelines),
            rule.within_m,
        )
        for rule in inhibitions
    ]
    connection.cursor().executemany(
        """
        insert into inhibition (id, lifeline, causes, effects, reach, mutes_to, reason_en, reason_zh, effect_lifelines,
            within_m)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (id) do update set lifeline = excluded.lifeline, causes = excluded.causes,
            effects = excluded.effects, reach = excluded.reach, mutes_to = excluded.mutes_to,
            reason_en = excluded.reason_en, reason_zh = excluded.reason_zh,
            effect_lifelines = excluded.effect_lifelines, within_m = excluded.within_m
        """,
        rows,
    )
    return len(rows)


async def load_inhibitions(connection: AsyncConnection, lifeline: Lifeline | None = None) -> list[Inhibition]:
    """The rules that are switched on, all of them or those whose causes are a lifeline's."""
    return await _enabled(connection, "%(lifeline)s::text is null or lifeline = %(lifeline)s", lifeline)


async def explaining(connection: AsyncConnection, lifeline: Lifeline) -> list[Inhibition]:
    """The rules that are switched on and may explain something in a lifeline, wherever their causes are."""
    return await _enabled(connection, "lifeline = %(lifeline)s or %(lifeline)s = any(effect_lifelines)", lifeline)


async def _enabled(connection: AsyncConnection, where: str, lifeline: Lifeline | None) -> list[Inhibition]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"select * from inhibition where enabled and ({where}) order by id", {"lifeline": lifeline}
        )
        return [_inhibition(row) for row in await cursor.fetchall()]


async def list_inhibitions(connection: AsyncConnection) -> list[tuple[Inhibition, bool]]:
    """Every rule and whether it is switched on."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from inhibition order by id")
        return [(_inhibition(row), row["enabled"]) for row in await cursor.fetchall()]


async def switch(connection: AsyncConnection, rule: str, *, enabled: bool) -> bool:
    """Switch a rule on or off; false where there is none."""
    cursor = await connection.execute("update inhibition set enabled = %s where id = %s", (enabled, rule))
    return cursor.rowcount == 1
