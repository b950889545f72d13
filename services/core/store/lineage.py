"""Where a value came from, and what ever depended on a sensor."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row


async def values_of(connection: AsyncConnection, sensor_key: int, moment: datetime) -> list[dict[str, Any]]:
    """Every value a sensor ever gave for a moment, as it came in; the last one is what is believed now."""
    return await _rows(
        connection,
        """
        select value, quality, reason, received_at, null::timestamptz as superseded_at
        from reading where sensor_key = %(key)s and time = %(time)s
        union all
        select value, quality, reason, received_at, superseded_at
        from superseded_reading where sensor_key = %(key)s and time = %(time)s
        order by received_at
        """,
        {"key": sensor_key, "time": moment},
    )


async def nearest_time(connection: AsyncConnection, sensor_key: int, moment: datetime) -> datetime | None:
    """The time of a sensor's last reading at a moment or before; ``None`` where there is none."""
    rows = await _rows(
        connection,
        "select time from reading where sensor_key = %(key)s and time <= %(time)s order by time desc limit 1",
        {"key": sensor_key, "time": moment},
    )
    return rows[0]["time"] if rows else None


async def version_at(connection: AsyncConnection, sensor: str, moment: datetime) -> dict[str, Any] | None:
    """What the register said of a sensor at a moment: version, since when, and its columns."""
    rows = await _rows(
        connection,
        """
        select version, valid_from, row from sensor_version
        where sensor = %(sensor)s and valid_from <= %(moment)s order by version desc limit 1
        """,
        {"sensor": sensor, "moment": moment},
    )
    return rows[0] if rows else None


async def progress_of(connection: AsyncConnection, gateway: str) -> list[dict[str, Any]]:
    """Which numbered batches of a gateway's buffers are stored."""
    return await _rows(
        connection,
        """
        select buffer, stored::text as stored, updated_at from gateway_sequence
        where gateway = %(gateway)s order by buffer
        """,
        {"gateway": gateway},
    )


async def dependants_of(
    connection: AsyncConnection, sensor: str, key: int, zone: str, limit: int
) -> dict[str, list[dict[str, Any]]]:
    """What ever depended on a sensor, by kind and newest first, ``limit`` of each."""
    asked = {"sensor": sensor, "sensors": [sensor], "key": key, "zone": zone, "limit": limit}
    statements = {
        "alerts": """
            select id, kind, asset, state, severity, detected_at, cleared_at from alert
            where sensors @> %(sensors)s order by detected_at desc limit %(limit)s
        """,
        "findings": """
            select id, alert, rule, detector, detector_version, state, time, stored_at from finding
            where sensors @> %(sensors)s order by time desc limit %(limit)s
        """,
        "models": """
            select rule, target, version, state, trained_from, trained_until, promoted_at from detector_model
            where target = %(sensor)s or (zone = %(zone)s and target like 'zone:%%')
            order by created_at desc limit %(limit)s
        """,
        "forecasts": """
            select detector, detector_version, model, count(*) as values, min(issued_at) as first,
                max(issued_at) as last
            from forecast where sensor_key = %(key)s group by 1, 2, 3 order by 6 desc limit %(limit)s
        """,
        "new_normals": """
            select n.alert, n.rule, n.target, n.actor, n.asked_at, n.outcome from new_normal n
            where n.target = %(sensor)s order by n.asked_at desc limit %(limit)s
        """,
        "commands": """
            select id, device, interval_s, finding, asked_at, state from device_command
            where sensor = %(sensor)s order by asked_at desc limit %(limit)s
        """,
    }
    return {name: await _rows(connection, statement, asked) for name, statement in statements.items()}


async def _rows(connection: AsyncConnection, statement: str, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement.encode(), asked)
        return await cursor.fetchall()
