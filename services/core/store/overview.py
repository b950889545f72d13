"""The city at a glance."""

from dataclasses import dataclass

from psycopg import AsyncConnection

from services.core.lifeline import Lifeline


@dataclass(frozen=True, slots=True)
class LifelineOverview:
    """How much of a lifeline there is and how it is doing."""

    lifeline: Lifeline
    assets: int
    sensors: int
    open_alerts: int
    worst_severity: int


async def lifelines(connection: AsyncConnection) -> list[LifelineOverview]:
    """One entry for each lifeline that has assets."""
    cursor = await connection.execute(
        """
        select a.lifeline, a.assets, coalesce(s.sensors, 0), coalesce(o.open_alerts, 0), coalesce(o.worst, 0)
        from (select lifeline, count(*) as assets from asset group by 1) a
        left join (select lifeline, count(*) as sensors from sensor group by 1) s using (lifeline)
        left join (select lifeline, count(*) as open_alerts, max(severity) as worst
                   from alert where cleared_at is null group by 1) o using (lifeline)
        order by a.lifeline
        """
    )
    return [LifelineOverview(Lifeline(row[0]), *row[1:]) async for row in cursor]
