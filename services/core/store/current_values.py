"""The current value of each sensor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core.reading import QualityReason
from services.core.store.sensor_selection import SensorSelection


@dataclass(frozen=True, slots=True)
class Latest:
    """A sensor's newest value by measurement time, in the sensor's declared unit."""

    sensor: str
    time: datetime
    value: float
    quality: int
    reason: str | None
    received_at: datetime


# The words in the order of their codes, which begin with 1; code 0 lies outside the array, which makes it null.
_WORDS = ", ".join(f"'{reason}'" for reason in sorted(QualityReason, key=lambda reason: reason.code))
_REASON_WORD = f"(array[{_WORDS}])[held.reason]"

COLUMNS = f"sensor.id as sensor, held.time, held.value, held.quality, {_REASON_WORD} as reason, held.received_at"
"""The fields of ``Latest`` over table ``sensor`` and a row ``held`` of ``latest`` or ``reading``."""


def _utc(column: str) -> str:
    return f"""'"' || replace(({column} at time zone 'UTC')::text, ' ', 'T') || 'Z"'"""


# Put together by hand: PostgreSQL's own functions for JSON take half as long again.
_OBJECT = f"""
'{{"sensor":' || to_json(sensor.id) || ',"time":' || {_utc("held.time")} || ',"value":' || held.value
    || ',"quality":' || held.quality || ',"reason":' || coalesce('"' || {_REASON_WORD} || '"', 'null')
    || ',"received_at":' || {_utc("held.received_at")} || '}}'
"""

_LATEST = "from sensor join latest held on held.sensor_key = sensor.key"


async def json_list(connection: AsyncConnection, source: str, parameters: Mapping[str, Any]) -> str:
    """The values of a ``from`` clause over ``sensor`` and ``held`` as a JSON list, in no particular order.

    The database writes the text: for the 85,000 sensors of a city that takes a fifth of the time in which Python makes
    the objects and writes them, and this process serves others meanwhile. Sorting them would take half as long again.
    """
    statement = f"select string_agg({_OBJECT}, ',') {source}"
    cursor = await connection.execute(statement.encode(), parameters)
    row = await cursor.fetchone()
    return "[]" if row is None or row[0] is None else f"[{row[0]}]"


async def latest_of(connection: AsyncConnection, sensors: Sequence[str]) -> list[Latest]:
    """The current value of some sensors; one that never reported is absent."""
    async with connection.cursor(row_factory=class_row(Latest)) as cursor:
        await cursor.execute(f"select {COLUMNS} {_LATEST} where sensor.id = any(%s)".encode(), (list(sensors),))
        return await cursor.fetchall()


async def all_latest(connection: AsyncConnection, selection: SensorSelection) -> str:
    """The current value of every sensor of a selection in one call, as a JSON list of ``Latest``."""
    return await json_list(connection, f"{_LATEST} where {selection.condition()}", selection.parameters())


async def newest_time(connection: AsyncConnection) -> tuple[datetime | None, datetime | None]:
    """The newest measurement time of the city and the moment the newest reading came in."""
    cursor = await connection.execute("select max(time), max(received_at) from latest")
    row = await cursor.fetchone()
    return (None, None) if row is None else (row[0], row[1])


async def newest_revision(connection: AsyncConnection) -> int:
    """The revision of the current value that was moved last."""
    cursor = await connection.execute("select coalesce(max(revision), 0) from latest")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def moved_after(connection: AsyncConnection, revision: int, limit: int = 5000) -> tuple[list[Latest], int]:
    """Current values that moved after a revision, in that order, and the revision of the last of them."""
    cursor = await connection.execute(
        f"select {COLUMNS}, held.revision {_LATEST} where held.revision > %s order by held.revision limit %s".encode(),
        (revision, limit),
    )
    rows = await cursor.fetchall()
    return [Latest(*row[:-1]) for row in rows], rows[-1][-1] if rows else revision
