"""Readings and alerts row by row, however many: what is exported never lies in memory as a whole."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from services.core.lifeline import Lifeline
from services.core.store import current_values
from services.core.store.sensor_selection import SensorSelection

Row = tuple[Any, ...]
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of an export and the types of their values; every value may be missing."""

    name: str
    columns: Mapping[str, type]


READINGS = Table(
    "readings",
    {
        "sensor": str,
        "lifeline": str,
        "quantity": str,
        "unit": str,
        "time": datetime,
        "value": float,
        "quality": int,
        "reason": str,
        "received_at": datetime,
    },
)
ALERTS = Table(
    "alerts",
    {
        "id": str,
        "state": str,
        "lifeline": str,
        "kind": str,
        "zone": str,
        "asset": str,
        "sensors": str,
        "severity": int,
        "highest_severity": int,
        "sensor_fault": bool,
        "started_at": datetime,
        "detected_at": datetime,
        "cleared_at": datetime,
        "peak_value": float,
        "peak_at": datetime,
        "explanation_en": str,
        "explanation_zh": str,
        "acknowledged_by": str,
        "acknowledged_at": datetime,
        "verdict": str,
        "verdict_reason": str,
    },
)
_READINGS = f"""
select sensor, lifeline, quantity, unit, time, value, quality, reason, received_at from (
    select sensor.lifeline, sensor.quantity, sensor.unit, held.sensor_key, {current_values.COLUMNS}
    from sensor join reading held on held.sensor_key = sensor.key
    where {{condition}} and held.time >= %(start)s and held.time < %(end)s) found
order by sensor_key, time
"""
_ALERTS = """
select id::text, state, lifeline, kind, zone, asset, array_to_string(sensors, ' '), severity, highest_severity,
    sensor_fault, started_at, detected_at, cleared_at, peak_value, peak_at, explanation_en, explanation_zh,
    acknowledged_by, acknowledged_at, verdict, verdict_reason
from alert
where started_at >= %(start)s and started_at < %(end)s and (%(lifeline)s::text is null or lifeline = %(lifeline)s)
order by started_at, id
"""


def readings(
    connection: AsyncConnection, selection: SensorSelection, start: datetime, end: datetime
) -> AsyncIterator[Sequence[Row]]:
    """The readings of a selection of sensors between two moments, sensor by sensor in order of time."""
    statement = _READINGS.format(condition=selection.condition())
    return _batches(connection, statement, selection.parameters() | {"start": start, "end": end})


def alerts(
    connection: AsyncConnection, lifeline: Lifeline | None, start: datetime, end: datetime
) -> AsyncIterator[Sequence[Row]]:
    """The alerts that began between two moments, in that order."""
    return _batches(connection, _ALERTS, {"lifeline": lifeline, "start": start, "end": end})


async def _batches(
    connection: AsyncConnection, statement: str, parameters: Mapping[str, Any]
) -> AsyncIterator[Sequence[Row]]:
    async with connection.cursor(name="export") as cursor:
        await cursor.execute(statement.encode(), parameters)
        while rows := await cursor.fetchmany(_BATCH):
            yield rows
