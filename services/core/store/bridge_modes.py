"""Modes of bridges as rows, when each was seen, and the series that detection reads of them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from services.core.bridge_mode import KnownMode, ModeSighting
from services.core.reading import Quality
from services.core.store.readings import ReadingRow, write_readings

QUANTITY = "tracked_mode_"
"""With the number of the mode behind it: the quantity of the sensor that takes up the mode's frequency."""


async def known(connection: AsyncConnection, zone: str) -> list[KnownMode]:
    """What is known of a bridge's modes, candidates among them, by number."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select number, frequency_hz, sensors, shape, sightings, missed, is_confirmed, first_seen_at, last_seen_at
            from bridge_mode where zone = %s order by number
            """,
            (zone,),
        )
        return [_mode(row) for row in await cursor.fetchall()]


def _mode(row: dict[str, Any]) -> KnownMode:
    shape = dict(zip(row.pop("sensors"), row.pop("shape"), strict=True))
    return KnownMode(**row, shape=shape)


async def save(
    connection: AsyncConnection, zone: str, modes: Sequence[KnownMode], sightings: Sequence[ModeSighting]
) -> None:
    """Take over what is known after a window; the same sighting again changes nothing."""
    await connection.execute("delete from bridge_mode where zone = %s and not is_confirmed", (zone,))
    for mode in modes:
        await connection.execute(
            """
            insert into bridge_mode (
                zone, number, sensors, shape, frequency_hz, sightings, missed, is_confirmed, first_seen_at, last_seen_at
            ) values (
                %(zone)s, %(number)s, %(sensors)s, %(shape)s, %(frequency_hz)s, %(sightings)s, %(missed)s,
                %(is_confirmed)s, %(first_seen_at)s, %(last_seen_at)s
            )
            on conflict (zone, number) do update set
                sensors = excluded.sensors, shape = excluded.shape, frequency_hz = excluded.frequency_hz,
                sightings = excluded.sightings, missed = excluded.missed, last_seen_at = excluded.last_seen_at
            """,
            {
                "zone": zone,
                "number": mode.number,
                "sensors": list(mode.shape),
                "shape": list(mode.shape.values()),
                "frequency_hz": mode.frequency_hz,
                "sightings": mode.sightings,
                "missed": mode.missed,
                "is_confirmed": mode.is_confirmed,
                "first_seen_at": mode.first_seen_at,
                "last_seen_at": mode.last_seen_at,
            },
        )
    for seen in sightings:
        await connection.execute(
            """
            insert into mode_sighting (zone, number, seen_at, frequency_hz, likeness, event)
            values (%s, %s, %s, %s, %s, %s) on conflict do nothing
            """,
            (zone, seen.number, seen.seen_at, seen.frequency_hz, seen.likeness, seen.event),
        )


async def store_readings(
    connection: AsyncConnection, zone: str, sightings: Sequence[ModeSighting], now: datetime
) -> int:
    """Let detection read the frequencies as those of sensors; returns of how many modes.

    A mode has a series where the register holds a sensor of the quantity ``tracked_mode_`` and its number in the zone.
    """
    cursor = await connection.execute(
        "select quantity, key from sensor where zone = %s and starts_with(quantity, %s)", (zone, QUANTITY)
    )
    keys: dict[str, int] = dict(await cursor.fetchall())
    rows = [
        ReadingRow(key, zone, seen.seen_at, seen.frequency_hz, Quality.GOOD, None, now)
        for seen in sightings
        if (key := keys.get(f"{QUANTITY}{seen.number}")) is not None
    ]
    if rows:
        await write_readings(connection, rows, copy=False)
    return len(rows)


async def sightings(connection: AsyncConnection, zone: str, limit: int) -> dict[int, list[ModeSighting]]:
    """The last sightings of each mode, oldest first, by the number of the mode."""
    async with connection.cursor(row_factory=class_row(ModeSighting)) as cursor:
        await cursor.execute(
            """
            select seen.number, seen.seen_at, seen.frequency_hz, seen.likeness, seen.event
            from bridge_mode mode
            cross join lateral (
                select * from mode_sighting
                where zone = mode.zone and number = mode.number order by seen_at desc limit %(limit)s
            ) seen
            where mode.zone = %(zone)s order by seen.number, seen.seen_at
            """,
            {"zone": zone, "limit": limit},
        )
        found: dict[int, list[ModeSighting]] = defaultdict(list)
        for seen in await cursor.fetchall():
            found[seen.number].append(seen)
    return dict(found)
