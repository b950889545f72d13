"""Open alerts of other lifelines that concern a trace, or whose traces an alert concerns; whether it has rained."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.alert import Alert
from services.core.store.alerts import alert_from_row


async def suspecting(
    connection: AsyncConnection, alert: Alert, assets: Collection[str]
) -> list[tuple[str, UUID, float]]:
    """Which of the assets open alerts of other lifelines suspect: asset, alert, and by which share, the most last.

    An alert suspects its own asset wholly where its trace names no candidates.
    """
    cursor = await connection.execute(
        """
        select suspected.asset, alert.id, suspected.share
        from alert cross join lateral (
            select each ->> 'asset', (each ->> 'probability')::float8
            from jsonb_array_elements(alert.trace -> 'candidates') as each
            union all
            select alert.asset, 1.0 where coalesce(jsonb_array_length(alert.trace -> 'candidates'), 0) = 0
        ) as suspected (asset, share)
        where alert.cleared_at is null and not alert.sensor_fault and alert.lifeline <> %s
          and alert.verdict is distinct from 'false-alarm' and suspected.asset = any(%s)
        order by suspected.share, alert.id
        """,
        (alert.lifeline, sorted(assets)),
    )
    return [(row[0], row[1], row[2]) async for row in cursor]


async def blaming(connection: AsyncConnection, alert: Alert, assets: Collection[str]) -> list[Alert]:
    """Open alerts of other lifelines whose trace holds one of the assets for a possible cause; locked, in order."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select * from alert
            where cleared_at is null and lifeline <> %s and exists (
                select from jsonb_array_elements(trace -> 'across' -> 'causes') as each where each ->> 'asset' = any(%s)
            ) order by id for update
            """,
            (alert.lifeline, sorted(assets)),
        )
        return [alert_from_row(row) for row in await cursor.fetchall()]


async def has_rained(
    connection: AsyncConnection, gauges: Collection[int], since: datetime, until: datetime
) -> bool | None:
    """Whether some of the gauges, by their keys, saw rain; ``None`` where none of them reported."""
    cursor = await connection.execute(
        "select bool_or(value > 0) from reading where sensor_key = any(%s) and time between %s and %s and quality < 2",
        (sorted(gauges), since, until),
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]
