"""Evaluations of bridges as rows, and the facts from which they are made."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from services.core.health_evaluation import BridgeFacts, HealthEvaluation, HealthGrade, StandingAlert
from services.core.lifeline import Lifeline
from services.core.sensor import TOLERATED_AT_LEAST_S, TOLERATED_INTERVALS
from services.core.severity import Severity
from services.core.store import thresholds
from services.core.text import Text

_LOOKED_BACK = timedelta(hours=12)

# The lowest limit of severity 3 or worse on the upper side: the sensor's own, or else its quantity's default.
_OVER_LIMIT = f"""
    from sensor
    join quantity on quantity.lifeline = sensor.lifeline and quantity.name = sensor.quantity
    cross join lateral (
        select min((graded->>'raise_at')::float8) as limit_t
        from jsonb_array_elements({thresholds.EFFECTIVE}) as graded
        where (graded->>'severity')::int >= 3 and graded->>'side' = 'above'
    ) posted
    join reading on reading.sensor_key = sensor.key and reading.value >= posted.limit_t and reading.quality < 2
    where sensor.lifeline = 'bridge' and sensor.quantity = 'vehicle_weight'
      and reading.time >= %(start)s and reading.time < %(end)s
"""


@dataclass(frozen=True, slots=True)
class OverloadedVehicle:
    """A vehicle over the limit, t, where and when it was weighed."""

    zone: str
    sensor: str
    asset: str
    time: datetime
    weight_t: float
    limit_t: float


async def facts(connection: AsyncConnection, now: datetime) -> list[BridgeFacts]:
    """What is known of every bridge at ``now``, by zone."""
    standing = await _standing(connection)
    parameters = {"start": now - _LOOKED_BACK, "end": now}
    cursor = await connection.execute(f"select sensor.zone, count(*) {_OVER_LIMIT} group by 1".encode(), parameters)
    overloads: dict[str, int] = dict(await cursor.fetchall())
    async with connection.cursor(row_factory=dict_row) as rows:
        await rows.execute(
            """
            select zone.id as zone, count(sensor.key) as sensors,
                count(*) filter (where latest.received_at > %(now)s
                    - greatest(make_interval(secs => sensor.interval_s * %(missed)s), %(least)s)) as heard
            from zone
            left join sensor on sensor.zone = zone.id
                and sensor.quantity not in ('vehicle_weight', 'collision_acceleration', 'acceleration')
                and not starts_with(sensor.quantity, 'tracked_mode_')
            left join latest on latest.sensor_key = sensor.key
            where zone.lifeline = %(lifeline)s
            group by 1 order by 1
            """,
            {
                "now": now,
                "missed": TOLERATED_INTERVALS,
                "least": timedelta(seconds=TOLERATED_AT_LEAST_S),
                "lifeline": Lifeline.BRIDGE,
            },
        )
        return [
            BridgeFacts(
                row["zone"], row["sensors"], row["heard"], standing.get(row["zone"], []), overloads.get(row["zone"], 0)
            )
            for row in await rows.fetchall()
        ]


async def _standing(connection: AsyncConnection) -> dict[str, list[StandingAlert]]:
    found: dict[str, list[StandingAlert]] = defaultdict(list)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select alert.id, alert.zone, alert.kind, alert.severity, alert.sensor_fault, alert.asset, alert.started_at,
                alert_kind.label_en, alert_kind.label_zh
            from alert join alert_kind using (lifeline, kind)
            where alert.lifeline = %s and alert.cleared_at is null and alert.severity > 0
            order by alert.started_at, alert.id
            """,
            (Lifeline.BRIDGE,),
        )
        for row in await cursor.fetchall():
            found[row["zone"]].append(
                StandingAlert(
                    alert=row["id"],
                    kind=row["kind"],
                    label=Text(row["label_en"], row["label_zh"]),
                    severity=Severity(row["severity"]),
                    sensor_fault=row["sensor_fault"],
                    asset=row["asset"],
                    started_at=row["started_at"],
                )
            )
    return found


async def save(connection: AsyncConnection, evaluation: HealthEvaluation) -> None:
    """Keep an evaluation; a second one of the same moment changes nothing."""
    await connection.execute(
        """
        insert into health_evaluation (
            zone, evaluated_at, grade, reasons_en, reasons_zh, alerts, sensors, heard, overloads, proposes_closure
        ) values (
            %(zone)s, %(evaluated_at)s, %(grade)s, %(reasons_en)s, %(reasons_zh)s, %(alerts)s, %(sensors)s, %(heard)s,
            %(overloads)s, %(proposes_closure)s
        )
        on conflict do nothing
        """,
        {
            "zone": evaluation.zone,
            "evaluated_at": evaluation.evaluated_at,
            "grade": int(evaluation.grade),
            "reasons_en": [reason.en for reason in evaluation.reasons],
            "reasons_zh": [reason.zh for reason in evaluation.reasons],
            "alerts": list(evaluation.alerts),
            "sensors": evaluation.sensors,
            "heard": evaluation.heard,
            "overloads": evaluation.overloads,
            "proposes_closure": evaluation.proposes_closure,
        },
    )


async def last_grades(connection: AsyncConnection) -> dict[str, HealthGrade]:
    """The grade that each bridge was given last, by zone."""
    cursor = await connection.execute(
        "select distinct on (zone) zone, grade from health_evaluation order by zone, evaluated_at desc"
    )
    return {zone: HealthGrade(grade) for zone, grade in await cursor.fetchall()}


async def newest(connection: AsyncConnection, zone: str, limit: int) -> list[HealthEvaluation]:
    """The last evaluations of a bridge, newest first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select zone, evaluated_at, grade, reasons_en, reasons_zh, alerts, sensors, heard, overloads,
                proposes_closure
            from health_evaluation where zone = %s order by evaluated_at desc limit %s
            """,
            (zone, limit),
        )
        return [_evaluation(row) for row in await cursor.fetchall()]


def _evaluation(row: dict[str, Any]) -> HealthEvaluation:
    reasons = zip(row["reasons_en"], row["reasons_zh"], strict=True)
    return HealthEvaluation(
        zone=row["zone"],
        evaluated_at=row["evaluated_at"],
        grade=HealthGrade(row["grade"]),
        reasons=tuple(Text(english, chinese) for english, chinese in reasons),
        alerts=tuple(row["alerts"]),
        sensors=row["sensors"],
        heard=row["heard"],
        overloads=row["overloads"],
        proposes_closure=row["proposes_closure"],
    )


async def is_bridge(connection: AsyncConnection, zone: str) -> bool:
    """Whether there is a zone of this name and it is a bridge."""
    cursor = await connection.execute("select from zone where id = %s and lifeline = %s", (zone, Lifeline.BRIDGE))
    return await cursor.fetchone() is not None


async def overloaded_vehicles(
    connection: AsyncConnection, zone: str, start: datetime, end: datetime, limit: int
) -> list[OverloadedVehicle]:
    """Vehicles over the limit on a bridge, newest first."""
    async with connection.cursor(row_factory=class_row(OverloadedVehicle)) as cursor:
        await cursor.execute(
            f"""
            select sensor.zone, sensor.id as sensor, sensor.asset, reading.time, reading.value as weight_t,
                posted.limit_t
            {_OVER_LIMIT} and sensor.zone = %(zone)s
            order by reading.time desc, sensor.id limit %(limit)s
            """.encode(),
            {"zone": zone, "start": start, "end": end, "limit": limit},
        )
        return await cursor.fetchall()
