"""Forecasts as rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core.forecast import Forecast
from services.core.lifeline import Lifeline


async def save(connection: AsyncConnection, forecasts: Sequence[Forecast]) -> None:
    """Keep what is expected; the same issue again changes nothing. Sensors that have gone meanwhile are left out."""
    if not forecasts:
        return
    columns: Mapping[str, list[Any]] = {
        "sensors": [each.sensor for each in forecasts],
        "issued": [each.issued_at for each in forecasts],
        "targets": [each.target_time for each in forecasts],
        "values": [each.value for each in forecasts],
        "lows": [each.low for each in forecasts],
        "highs": [each.high for each in forecasts],
        "detectors": [each.detector for each in forecasts],
        "versions": [each.detector_version for each in forecasts],
        "models": [each.model for each in forecasts],
    }
    await connection.execute(
        """
        insert into forecast (sensor_key, issued_at, target_time, value, low, high, detector, detector_version, model)
        select sensor.key, issued_at, target_time, value, low, high, detector, detector_version, model
        from unnest(%(sensors)s::text[], %(issued)s::timestamptz[], %(targets)s::timestamptz[], %(values)s::float8[],
            %(lows)s::float8[], %(highs)s::float8[], %(detectors)s::text[], %(versions)s::text[], %(models)s::text[])
            as given (sensor, issued_at, target_time, value, low, high, detector, detector_version, model)
        join sensor on sensor.id = given.sensor
        on conflict do nothing
        """,
        columns,
    )


_COLUMNS = """
    sensor.id as sensor, held.issued_at, held.target_time, held.value, held.low, held.high, held.detector,
    held.detector_version, held.model
"""


async def current(
    connection: AsyncConnection, *, lifeline: Lifeline | None = None, zone: str | None = None, sensor: str | None = None
) -> list[Forecast]:
    """What is expected now, by sensor and target: the last issue of each sensor, where it is not out of date.

    An issue is out of date ten minutes of event time before the sensor's current value.
    """
    return await _select(
        connection,
        """
        join latest on latest.sensor_key = sensor.key
        join lateral (
            select max(issued_at) as issued_at from forecast
            where sensor_key = sensor.key and issued_at > latest.time - interval '10 minutes'
        ) last on true
        join forecast held on held.sensor_key = sensor.key and held.issued_at = last.issued_at
        where (%(lifeline)s::text is null or sensor.lifeline = %(lifeline)s)
          and (%(zone)s::text is null or sensor.zone = %(zone)s)
          and (%(sensor)s::text is null or sensor.id = %(sensor)s)
        """,
        {"lifeline": lifeline, "zone": zone, "sensor": sensor},
    )


async def of_sensor(connection: AsyncConnection, sensor: str, start: datetime, end: datetime) -> list[Forecast]:
    """Everything that was expected of a sensor in issues from ``start`` up to before ``end``."""
    return await _select(
        connection,
        """
        join forecast held on held.sensor_key = sensor.key
        where sensor.id = %(sensor)s and held.issued_at >= %(start)s and held.issued_at < %(end)s
        """,
        {"sensor": sensor, "start": start, "end": end},
    )


async def forget(connection: AsyncConnection, keep: timedelta) -> int:
    """Drop what was expected longer ago than ``keep``; returns how many rows went.

    Ago by the city's newest reading, so that a past that is played again has its forecasts too.
    """
    cursor = await connection.execute(
        "delete from forecast where issued_at < (select max(time) from latest) - %s", (keep,)
    )
    return cursor.rowcount


async def _select(connection: AsyncConnection, source: str, parameters: Mapping[str, Any]) -> list[Forecast]:
    async with connection.cursor(row_factory=class_row(Forecast)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from sensor {source} order by sensor.id, held.issued_at, held.target_time".encode(),
            parameters,
        )
        return await cursor.fetchall()
