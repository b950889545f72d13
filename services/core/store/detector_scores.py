"""What people judged of alerts, counted by detector, kind and place."""

from datetime import datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core.alert import Alert
from services.core.detector_score import DetectorScore
from services.core.lifeline import Lifeline

USUAL_WINDOW = timedelta(days=365)
"""Alerts that were raised longer ago say little of a detector that has been taught since; a default."""

_SCORES = """
    with judged as (
        select lifeline, detector, kind, {place} as place, verdict, root_cause from alert {sensors}
        where created_at >= %(since)s and created_at < %(until)s and verdict in ('true-alarm', 'false-alarm')
          and (%(lifeline)s::text is null or lifeline = %(lifeline)s)
    ), caused as (
        select lifeline, detector, kind, place, root_cause, count(*) as times from judged
        where root_cause is not null group by 1, 2, 3, 4, 5
    )
    select lifeline, detector, kind, place, count(*) filter (where verdict = 'true-alarm') as true_alarms,
        count(*) filter (where verdict = 'false-alarm') as false_alarms,
        coalesce((select jsonb_object_agg(root_cause, times) from caused
            where (caused.lifeline, caused.detector, caused.kind, caused.place)
                = (judged.lifeline, judged.detector, judged.kind, judged.place)), '{{}}') as causes
    from judged group by 1, 2, 3, 4 order by false_alarms desc, lifeline, detector, kind, place limit %(most)s
"""
_BY_ZONE = _SCORES.format(place="zone", sensors="")
_BY_SENSOR = _SCORES.format(place="sensor", sensors="cross join lateral unnest(sensors) as sensor")


async def scores(
    connection: AsyncConnection,
    since: datetime,
    until: datetime,
    *,
    lifeline: Lifeline | None = None,
    by_sensor: bool = False,
    most: int = 500,
) -> list[DetectorScore]:
    """The scores of alerts that were raised within a span, the most false alarms first.

    By sensor an alert counts for each of the sensors that spoke in it.
    """
    async with connection.cursor(row_factory=class_row(DetectorScore)) as cursor:
        query = _BY_SENSOR if by_sensor else _BY_ZONE
        await cursor.execute(query.encode(), {"since": since, "until": until, "lifeline": lifeline, "most": most})
        return await cursor.fetchall()


async def score_of(connection: AsyncConnection, alert: Alert) -> DetectorScore:
    """How the alerts like one turned out: same lifeline, detector, kind and zone, raised in the window before it.

    Its own verdict does not count.
    """
    cursor = await connection.execute(
        """
        select root_cause, count(*) filter (where verdict = 'true-alarm'),
            count(*) filter (where verdict = 'false-alarm')
        from alert
        where created_at >= %(since)s and created_at < %(until)s and verdict in ('true-alarm', 'false-alarm')
          and lifeline = %(lifeline)s and detector = %(detector)s and kind = %(kind)s and zone = %(zone)s
          and id <> %(alert)s
        group by root_cause
        """,
        {
            "since": alert.created_at - USUAL_WINDOW,
            "until": alert.created_at,
            "lifeline": alert.lifeline,
            "detector": alert.detector,
            "kind": alert.kind,
            "zone": alert.zone,
            "alert": alert.id,
        },
    )
    rows = await cursor.fetchall()
    return DetectorScore(
        alert.lifeline,
        alert.detector,
        alert.kind,
        alert.zone,
        true_alarms=sum(row[1] for row in rows),
        false_alarms=sum(row[2] for row in rows),
        causes={row[0]: row[1] + row[2] for row in rows if row[0] is not None},
    )
