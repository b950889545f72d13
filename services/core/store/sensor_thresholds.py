"""The limits of one sensor: where they come from, and those that the centre sets by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core.store import audit, register, thresholds
from services.core.threshold import Threshold
from services.core.threshold_trial import TrialReading


@dataclass(frozen=True, slots=True)
class ByHand:
    """Limits that somebody set, with why."""

    thresholds: tuple[Threshold, ...]
    reason: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SensorThresholds:
    """The limits of a sensor by where they come from: by hand, else of the city folder, else of its quantity."""

    by_hand: ByHand | None
    of_folder: tuple[Threshold, ...] | None
    of_quantity: tuple[Threshold, ...]

    @property
    def in_force(self) -> tuple[Threshold, ...]:
        """The limits that count."""
        return self.without_hand if self.by_hand is None else self.by_hand.thresholds

    @property
    def without_hand(self) -> tuple[Threshold, ...]:
        """Those that count where nobody sets any by hand."""
        return self.of_quantity if self.of_folder is None else self.of_folder


async def find(connection: AsyncConnection, sensor: str) -> SensorThresholds | None:
    """The limits of a sensor; ``None`` for one that is not registered."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select hand_thresholds, hand_reason, hand_author, hand_at, sensor.thresholds as of_folder,
                quantity.thresholds as of_quantity
            from sensor
            join quantity on quantity.lifeline = sensor.lifeline and quantity.name = sensor.quantity
            where sensor.id = %s
            """,
            (sensor,),
        )
        row = await cursor.fetchone()
    if row is None:
        return None
    return SensorThresholds(
        by_hand=_by_hand(row),
        of_folder=None if row["of_folder"] is None else thresholds.from_json(row["of_folder"]),
        of_quantity=thresholds.from_json(row["of_quantity"]),
    )


def _by_hand(row: Mapping[str, Any]) -> ByHand | None:
    if row["hand_thresholds"] is None:
        return None
    limits = thresholds.from_json(row["hand_thresholds"])
    return ByHand(limits, row["hand_reason"], row["hand_author"], row["hand_at"])


async def change(connection: AsyncConnection, sensor: str, to: ByHand | None, *, actor: str, reason: str) -> None:
    """Set the limits of a sensor by hand, or with ``None`` take those back; the services that judge are told.

    They stay when the city folder is imported again, and the versions of the sensor say which ones counted when.
    """
    before = await find(connection, sensor)
    await connection.execute(
        """
        update sensor set hand_thresholds = %(thresholds)s, hand_reason = %(reason)s, hand_author = %(author)s,
            hand_at = %(at)s
        where id = %(sensor)s
        """,
        {
            "sensor": sensor,
            "thresholds": None if to is None else Jsonb(thresholds.to_json(to.thresholds)),
            "reason": None if to is None else to.reason,
            "author": None if to is None else to.author,
            "at": None if to is None else to.at,
        },
    )
    after = await find(connection, sensor)
    await audit.record(
        connection,
        actor=actor,
        action="sensor.thresholds",
        subject_kind="sensor",
        subject=sensor,
        before=_told(before),
        after={**_told(after), "reason": reason},
    )
    await connection.execute("select pg_notify(%s, '')", (register.CHANNEL,))


def _told(found: SensorThresholds | None) -> dict[str, Any]:
    return {} if found is None else {"thresholds": thresholds.to_json(found.in_force)}


async def readings_of(
    connection: AsyncConnection, sensor_key: int, start: datetime, end: datetime, limit: int
) -> Sequence[TrialReading]:
    """The readings of a sensor from ``start`` to before ``end`` in order of time, at most ``limit`` of them."""
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(
            """
            select extract(epoch from time)::double precision, case when quality < 2 then value end
            from reading where sensor_key = %s and time >= %s and time < %s order by time limit %s
            """,
            (sensor_key, start, end, limit),
        )
        return [TrialReading(*row) for row in await cursor.fetchall()]


async def newest_reading(connection: AsyncConnection, sensor_key: int) -> datetime | None:
    """Just behind a sensor's newest reading; ``None`` for one that has none."""
    cursor = await connection.execute(
        "select time + interval '1 microsecond' from latest where sensor_key = %s", (sensor_key,)
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]
