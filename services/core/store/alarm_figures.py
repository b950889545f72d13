"""The numbers a centre lives by, counted from alerts, warnings, orders and verdicts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

FLOOD_FROM = 10
"""More alerts than this within ten minutes are a flood: more than an operator can take (practice of alarm management,
EEMUA 191 and ISA-18.2 as reported; both documents were not read)."""
STALE_AFTER = timedelta(hours=24)
CHATTERS_FROM = 3
_SLICE = timedelta(minutes=10)
_TOP = 10

_IN_SPAN = "created_at >= %(since)s and created_at < %(until)s"


@dataclass(frozen=True, slots=True)
class AlarmFigures:
    """Of one span of wall time. ``alerts`` is what the machine raised, ``told`` what was not kept quiet.

    ``in_flood`` is the share of ten-minute slices with more than ten told alerts, ``busiest`` the most in one.
    ``by_severity`` counts told alerts by their highest severity. ``clocks`` has for each step the median and the ninth
    decile in seconds and how many alerts have come so far.
    """

    alerts: int
    told: int
    warnings: int
    per_hour: float
    busiest: int
    in_flood: float
    by_severity: dict[int, int]
    suppressed: dict[str, int]
    top_sources: list[dict[str, Any]]
    chattering: int
    stale: int
    verdicts: list[dict[str, Any]]
    clocks: dict[str, dict[str, float]]
    sensor_verdicts: list[dict[str, Any]] = field(default_factory=list)


async def count(connection: AsyncConnection, since: datetime, until: datetime, now: datetime) -> AlarmFigures:
    """The figures of a span; ``now`` is what an alert has to have stood for a day at to be stale."""
    span = {"since": since, "until": until, "longest": now - STALE_AFTER, "slice": _SLICE}
    async with connection.cursor(row_factory=dict_row) as cursor:

        async def rows(query: str) -> list[dict[str, Any]]:
            await cursor.execute(query.encode(), span)
            return await cursor.fetchall()

        (totals,) = await rows(
            f"""
            select count(*) as alerts, count(*) filter (where suppression is null) as told,
                count(*) filter (where reopened >= {CHATTERS_FROM}) as chattering
            from alert where {_IN_SPAN}
            """
        )
        (published,) = await rows(
            "select count(*) from warning where published_at >= %(since)s and published_at < %(until)s"
        )
        (stale,) = await rows("select count(*) from alert where cleared_at is null and created_at < %(longest)s")
        slices = await rows(
            f"""
            select count(*) from alert where {_IN_SPAN} and suppression is null
            group by date_bin(%(slice)s, created_at, %(since)s)
            """
        )
        severities = await rows(
            f"select highest_severity, count(*) from alert where {_IN_SPAN} and suppression is null group by 1"
        )
        suppressed = await rows(
            f"""
            select suppression->>'kind' as kind, count(*) from alert
            where {_IN_SPAN} and suppression is not null group by 1 order by 1
            """
        )
        sources = await rows(
            f"""
            select lifeline, kind, asset, count(*) + sum(reopened) as times from alert
            where {_IN_SPAN} group by 1, 2, 3 order by times desc, asset, kind limit {_TOP}
            """
        )
        verdicts = await rows(
            f"""
            select detector, kind, count(*) filter (where verdict = 'false-alarm') as false_alarms,
                count(*) filter (where verdict = 'true-alarm') as true_alarms,
                count(*) filter (where verdict is null) as unjudged
            from alert where {_IN_SPAN} and verdict is distinct from 'test' and not sensor_fault
            group by 1, 2 order by false_alarms desc, detector, kind
            """
        )
        sensors = await rows(
            f"""
            select sensor, count(*) filter (where verdict = 'false-alarm') as false_alarms,
                count(*) filter (where verdict = 'true-alarm') as true_alarms,
                count(*) filter (where verdict is null) as unjudged
            from alert, unnest(sensors) as sensor
            where {_IN_SPAN} and verdict is distinct from 'test' and not sensor_fault
            group by 1 having count(*) filter (where verdict = 'false-alarm') > 0
            order by false_alarms desc, sensor limit {_TOP}
            """
        )
        clocks = await rows(_CLOCKS)
    whole = max(1, -(-(until - since) // _SLICE))
    counts = [row["count"] for row in slices]
    return AlarmFigures(
        alerts=totals["alerts"],
        told=totals["told"],
        warnings=published["count"],
        per_hour=totals["told"] / ((until - since) / timedelta(hours=1)),
        busiest=max(counts, default=0),
        in_flood=sum(found > FLOOD_FROM for found in counts) / whole,
        by_severity={row["highest_severity"]: row["count"] for row in severities},
        suppressed={row["kind"]: row["count"] for row in suppressed},
        top_sources=sources,
        chattering=totals["chattering"],
        stale=stale["count"],
        verdicts=verdicts,
        clocks={
            row["step"]: {"count": row["count"], "median_s": row["median_s"], "ninth_decile_s": row["ninth_decile_s"]}
            for row in clocks
        },
        sensor_verdicts=sensors,
    )


_CLOCKS = """
    with steps as (
        select alert.created_at as began, step.name, step.reached
        from alert
            left join lateral (
                select * from warning where warning.alert = alert.id order by created_at desc limit 1) as told on true
            left join lateral (
                select * from work_order where work_order.alert = alert.id order by created_at desc limit 1
            ) as sent on true
            cross join lateral (values
                ('acknowledged', alert.acknowledged_at), ('published', told.published_at),
                ('received', told.received_at), ('on_site', sent.on_site_at),
                ('under_control', sent.under_control_at), ('closed', sent.closed_at)
            ) as step (name, reached)
        where alert.created_at >= %(since)s and alert.created_at < %(until)s and step.reached is not null)
    select name as step, count(*),
        percentile_cont(0.5) within group (order by extract(epoch from reached - began)) as median_s,
        percentile_cont(0.9) within group (order by extract(epoch from reached - began)) as ninth_decile_s
    from steps group by name order by name
"""
