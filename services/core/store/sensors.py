"""Registered sensors, with the defaults of their quantity filled in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from services.core.store import thresholds
from services.core.text import Text

_SELECT = f"""
select sensor.key, sensor.id, sensor.lifeline, sensor.quantity, sensor.unit, sensor.asset, sensor.zone,
       sensor.longitude, sensor.latitude, sensor.interval_s, sensor.gateway,
       coalesce(sensor.plausible_low, quantity.plausible_low) as plausible_low,
       coalesce(sensor.plausible_high, quantity.plausible_high) as plausible_high,
       {thresholds.EFFECTIVE} as thresholds, quantity.label_en, quantity.label_zh
from sensor
join quantity on quantity.lifeline = sensor.lifeline and quantity.name = sensor.quantity
"""


def _sensor(row: Mapping[str, Any]) -> Sensor:
    return Sensor(
        id=row["id"],
        key=row["key"],
        lifeline=Lifeline(row["lifeline"]),
        quantity=row["quantity"],
        unit=row["unit"],
        asset=row["asset"],
        zone=row["zone"],
        longitude=row["longitude"],
        latitude=row["latitude"],
        interval=timedelta(seconds=row["interval_s"]),
        gateway=row["gateway"],
        plausible=(row["plausible_low"], row["plausible_high"]),
        thresholds=thresholds.from_json(row["thresholds"]),
    )


async def load_sensors(connection: AsyncConnection) -> list[Sensor]:
    """Every sensor of the city, ordered by key."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SELECT + " order by sensor.key")
        return [_sensor(row) for row in await cursor.fetchall()]


async def sensors_as_of(connection: AsyncConnection, zones: Sequence[str], moment: datetime) -> list[Sensor]:
    """The sensors of some zones as the register and the catalogue described them at a moment, ordered by key."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            with sensor as (
                select (jsonb_populate_record(null::sensor, v.row)).* from (
                    select distinct on (sensor) sensor, row from sensor_version
                    where valid_from <= %(moment)s order by sensor, version desc) v
                where v.row ->> 'zone' = any(%(zones)s)
            ), quantity as (
                select (jsonb_populate_record(null::quantity, v.row)).* from (
                    select distinct on (lifeline, name) row from quantity_version
                    where valid_from <= %(moment)s order by lifeline, name, version desc) v
            )
            """
            + _SELECT
            + " order by sensor.key",
            {"moment": moment, "zones": list(zones)},
        )
        return [_sensor(row) for row in await cursor.fetchall()]


async def find_sensor(connection: AsyncConnection, sensor: str) -> tuple[Sensor, Text] | None:
    """One sensor by its identifier, with the words for its quantity."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SELECT + " where sensor.id = %s", (sensor,))
        row = await cursor.fetchone()
    return None if row is None else (_sensor(row), Text(row["label_en"], row["label_zh"]))


async def places_and_units(
    connection: AsyncConnection, names: Sequence[str]
) -> dict[str, tuple[tuple[float, float], str]]:
    """Longitude, latitude and unit of some sensors."""
    cursor = await connection.execute(
        "select id, longitude, latitude, unit from sensor where id = any(%s)", (list(names),)
    )
    return {row[0]: ((row[1], row[2]), row[3]) async for row in cursor}


async def list_sensors(
    connection: AsyncConnection,
    *,
    lifeline: Lifeline | None,
    zone: str | None,
    asset: str | None,
    after: str | None,
    limit: int,
) -> list[tuple[Sensor, Text]]:
    """Sensors that match, by identifier, each with the words for its quantity."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _SELECT
            + """
            where (%(lifeline)s::text is null or sensor.lifeline = %(lifeline)s)
              and (%(zone)s::text is null or sensor.zone = %(zone)s)
              and (%(asset)s::text is null or sensor.asset = %(asset)s)
              and (%(after)s::text is null or sensor.id > %(after)s)
            order by sensor.id limit %(limit)s
            """,
            {"lifeline": lifeline, "zone": zone, "asset": asset, "after": after, "limit": limit},
        )
        return [(_sensor(row), Text(row["label_en"], row["label_zh"])) for row in await cursor.fetchall()]
