"""Windows of raw vibration as rows: kept until their modes are identified, and some weeks longer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.vibration_window import VibrationWindow

KEPT = timedelta(days=30)
"""How long raw vibration is kept, by the time it was received; what was identified in it stays."""


class StoredWindow(NamedTuple):
    """A window and its number."""

    number: int
    window: VibrationWindow


async def write(connection: AsyncConnection, windows: Sequence[VibrationWindow]) -> None:
    """Keep windows; one that a gateway sends again for the same moment and sensors changes nothing."""
    for window in windows:
        await connection.execute(
            """
            insert into vibration_window (
                zone, gateway, sensors, started_at, rate_hz, samples, event, received_at
            ) values (
                %(zone)s, %(gateway)s, %(sensors)s, %(started_at)s, %(rate_hz)s, %(samples)s, %(event)s, %(received_at)s
            )
            on conflict do nothing
            """,
            {
                "zone": window.zone,
                "gateway": window.gateway,
                "sensors": list(window.sensors),
                "started_at": window.started_at,
                "rate_hz": window.rate_hz,
                "samples": window.samples,
                "event": window.event,
                "received_at": window.received_at,
            },
        )


async def unidentified(connection: AsyncConnection, limit: int) -> list[StoredWindow]:
    """Windows in which nobody has looked for modes, oldest first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select number, zone, gateway, sensors, started_at, rate_hz, samples, event, received_at
            from vibration_window where identified_at is null order by started_at, number limit %s
            """,
            (limit,),
        )
        return [_window(row) for row in await cursor.fetchall()]


async def mark_identified(connection: AsyncConnection, number: int, now: datetime, modes: int) -> bool:
    """Say that so many modes were found; ``False`` where somebody else has said so before."""
    cursor = await connection.execute(
        """
        update vibration_window set identified_at = %s, modes_found = %s
        where number = %s and identified_at is null
        """,
        (now, modes, number),
    )
    return cursor.rowcount == 1


async def drop_old(connection: AsyncConnection, now: datetime) -> int:
    """Remove raw vibration that has been looked at and kept for long enough; returns how many windows."""
    cursor = await connection.execute(
        "delete from vibration_window where identified_at is not null and received_at < %s", (now - KEPT,)
    )
    return cursor.rowcount


def _window(row: dict[str, Any]) -> StoredWindow:
    number = row.pop("number")
    return StoredWindow(number, VibrationWindow(**{**row, "sensors": tuple(row["sensors"])}))
