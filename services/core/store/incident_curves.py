"""What the sensors of an incident measured around it, thinned for a drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection

from services.core.text import Text

_POINTS = 240
"""A drawing as wide as a sheet of paper shows no more."""
_SENSORS = 6


@dataclass(frozen=True, slots=True)
class Curve:
    """One sensor's least and largest value in each of equal parts of the time; parts without readings are absent."""

    sensor: str
    label: Text
    unit: str
    times: Sequence[datetime]
    lows: Sequence[float]
    highs: Sequence[float]


async def curves_of(
    connection: AsyncConnection, sensors: Sequence[str], since: datetime, until: datetime
) -> list[Curve]:
    """The curves of the first six of some sensors; those that measured nothing meanwhile are left out."""
    width = max((until - since) / _POINTS, (until - since) / 1_000_000)
    cursor = await connection.execute(
        """
        with wanted as (
            select sensor.key, sensor.id, sensor.unit, quantity.label_en, quantity.label_zh
            from sensor
            join quantity on quantity.lifeline = sensor.lifeline and quantity.name = sensor.quantity
            where sensor.id = any(%(sensors)s) order by array_position(%(sensors)s, sensor.id) limit %(most)s
        ), parts as (
            select wanted.key, date_bin(%(width)s, time, %(since)s) as part, min(value) as low, max(value) as high
            from reading join wanted on wanted.key = reading.sensor_key
            where time >= %(since)s and time < %(until)s and quality < 2
            group by 1, 2
        )
        select id, label_en, label_zh, unit, array_agg(part order by part), array_agg(low order by part),
            array_agg(high order by part)
        from wanted join parts using (key) group by 1, 2, 3, 4 order by array_position(%(sensors)s, id)
        """,
        {"sensors": list(sensors), "since": since, "until": until, "width": width, "most": _SENSORS},
    )
    return [Curve(row[0], Text(row[1], row[2]), row[3], *row[4:]) for row in await cursor.fetchall()]
