"""Writing readings: the history and the feed. The current values follow the feed (``latest.py``)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection, errors

from services.core.reading import Quality, QualityReason
from services.core.store import binary, feed


class ReadingRow(NamedTuple):
    """A reading as the tables hold it: under the key and the zone of its sensor.

    ``time`` and ``received_at`` carry a zone; ``value`` is finite and in the sensor's declared unit.
    """

    sensor_key: int
    zone: str
    time: datetime
    value: float
    quality: Quality
    reason: QualityReason | None
    received_at: datetime


class SensorRow(NamedTuple):
    """What a reading is checked and stored by.

    ``key`` is the number under which the sensor's readings are stored, ``unit`` the declared unit of all of them,
    ``device_unit`` what the device sends where that is another, ``address`` what another protocol calls the sensor.
    """

    key: int
    zone: str
    unit: str
    plausible_low: float
    plausible_high: float
    gateway: str | None = None
    device_unit: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ReadingColumns:
    """Many readings as arrays of one length.

    ``zones`` numbers the names in ``zone_names``; times are epoch microseconds; ``reasons`` are the codes of
    ``QualityReason``.
    """

    sensor_keys: NDArray[np.int32]
    zones: NDArray[np.int32]
    zone_names: Sequence[str]
    times_us: NDArray[np.int64]
    values: NDArray[np.float64]
    qualities: NDArray[np.int16]
    reasons: NDArray[np.int16]
    received_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sensor_keys)

    def take(self, rows: NDArray[np.intp] | slice) -> "ReadingColumns":
        """The readings of some positions."""
        return ReadingColumns(
            self.sensor_keys[rows],
            self.zones[rows],
            self.zone_names,
            self.times_us[rows],
            self.values[rows],
            self.qualities[rows],
            self.reasons[rows],
            self.received_us[rows],
        )

    def in_order_of_keys(self) -> "ReadingColumns":
        """The same readings by sensor and time.

        In this order COPY touches each page of the index once, and all writers lock in the same order.
        """
        return self.take(np.lexsort((self.times_us, self.sensor_keys)))

    @property
    def has_repeats(self) -> bool:
        """Whether readings in the order of keys hold a sensor's moment twice."""
        same_sensor = self.sensor_keys[1:] == self.sensor_keys[:-1]
        return bool(np.any(same_sensor & (self.times_us[1:] == self.times_us[:-1])))

    @classmethod
    def of_rows(cls, rows: Sequence[ReadingRow]) -> "ReadingColumns":
        """The same readings as arrays."""
        names = sorted({row.zone for row in rows})
        numbers = {name: number for number, name in enumerate(names)}
        return cls(
            np.array([row.sensor_key for row in rows], np.int32),
            np.array([numbers[row.zone] for row in rows], np.int32),
            names,
            np.array([epoch_us(row.time) for row in rows], np.int64),
            np.array([row.value for row in rows], np.float64),
            np.array([int(row.quality) for row in rows], np.int16),
            np.array([row.reason.code if row.reason else 0 for row in rows], np.int16),
            np.array([epoch_us(row.received_at) for row in rows], np.int64),
        )


def epoch_us(moment: datetime) -> int:
    """Microseconds since 1970."""
    return round(moment.timestamp() * 1_000_000)


@dataclass(frozen=True, slots=True)
class WriteResult:
    """How many rows were new, were there already or twice in the same call, and gave a known moment a new value."""

    stored: int
    duplicates: int
    changed: int = 0


_SENSOR_ROWS = """
select s.id, s.key, s.zone, s.unit, coalesce(s.plausible_low, q.plausible_low),
       coalesce(s.plausible_high, q.plausible_high), s.gateway, s.device_unit, s.address
from sensor s
join quantity q on q.lifeline = s.lifeline and q.name = s.quantity
"""

_COPY_READINGS = "copy reading (sensor_key, time, value, quality, reason, received_at) from stdin (format binary)"
_COPY_FEED = 'copy feed (zone, sensor_keys, times, "values", qualities, reasons, corrects) from stdin (format binary)'
_NOTIFY = f"select pg_notify('{feed.CHANNEL}', '')"

_INCOMING = """
    select sensor_key, zone, timestamptz 'epoch' + time_us * interval '1 microsecond' as time, value, quality, reason,
        timestamptz 'epoch' + received_us * interval '1 microsecond' as received_at, position
    from unnest(
        %b::integer[], %b::text[], %b::bigint[], %b::double precision[], %b::smallint[], %b::smallint[], %b::bigint[]
    ) with ordinality as given (sensor_key, zone, time_us, value, quality, reason, received_us, position)
"""

# Rows are locked in the order of their keys, so that several writers wait for each other but never in a circle.
_MERGE_NEW = f"""
with incoming as ({_INCOMING}), stored as (
    insert into reading (sensor_key, time, value, quality, reason, received_at)
    select sensor_key, time, value, quality, reason, received_at
    from incoming order by sensor_key, time, position
    on conflict (sensor_key, time) do nothing
    returning sensor_key, time, value, quality, reason
), place as (
    select distinct on (sensor_key) sensor_key, zone from incoming order by sensor_key, position
), fed as (
    insert into feed (zone, sensor_keys, times, "values", qualities, reasons)
    select zone, array_agg(sensor_key), array_agg(time), array_agg(value), array_agg(quality), array_agg(reason)
    from (select * from stored join place using (sensor_key) order by zone, sensor_key, time) ordered
    group by zone
)
select count(*) from stored
"""

# A value that was believed before and was replaced is a late copy of an old message, not another change of mind.
_MERGE_CHANGED = f"""
with incoming as ({_INCOMING}), changed as (
    select distinct on (i.sensor_key, i.time) i.sensor_key, i.zone, i.time, i.value,
        greatest(i.quality, {Quality.SUSPECT.value})::smallint as quality,
        case when i.quality = {Quality.BAD.value} then i.reason else {QualityReason.CHANGED.code} end::smallint
            as reason,
        i.received_at, r.value as old_value, r.quality as old_quality, r.reason as old_reason,
        r.received_at as old_received_at
    from incoming i join reading r on r.sensor_key = i.sensor_key and r.time = i.time
    where r.value <> i.value and i.received_at >= r.received_at and not exists (
        select from superseded_reading s
        where s.sensor_key = i.sensor_key and s.time = i.time and s.value = i.value)
    order by i.sensor_key, i.time, i.position desc
), kept as (
    insert into superseded_reading (sensor_key, time, value, received_at, superseded_at, quality, reason)
    select sensor_key, time, old_value, old_received_at, received_at, old_quality, old_reason from changed
), replaced as (
    update reading r
    set value = c.value, quality = c.quality, reason = c.reason, received_at = c.received_at
    from changed c where r.sensor_key = c.sensor_key and r.time = c.time
), fed as (
    insert into feed (zone, sensor_keys, times, "values", qualities, reasons, corrects)
    select zone, array_agg(sensor_key), array_agg(time), array_agg(value), array_agg(quality), array_agg(reason), true
    from (select * from changed order by zone, sensor_key, time) ordered
    group by zone
)
select count(*) from changed
"""


async def load_sensor_rows(connection: AsyncConnection) -> dict[str, SensorRow]:
    """The rows of every registered sensor by its identifier; a tenth of the cost of the whole sensors."""
    cursor = await connection.execute(_SENSOR_ROWS)
    return {row[0]: SensorRow(*row[1:]) for row in await cursor.fetchall()}


async def write_readings(
    connection: AsyncConnection, rows: Sequence[ReadingRow] | ReadingColumns, *, copy: bool = True
) -> WriteResult:
    """Store the readings whose sensor and time are new, inside the caller's transaction.

    A binary COPY, and only where that meets a reading that is stored already a merge, which is several times slower;
    ``copy=False`` merges at once. Where a stored moment gets another value, the new one stands, marked as changed, and
    the old one is kept beside it. Each zone gets one feed entry with what was new in this call, and another for what
    was changed; the feed's readers are woken at commit. Call it once per transaction: two calls could lock each other
    out.

    Raises:
        psycopg.DataError: the database refuses a value.
        psycopg.OperationalError: the connection is gone.
    """
    columns = rows if isinstance(rows, ReadingColumns) else ReadingColumns.of_rows(rows)
    if len(columns) == 0:
        return WriteResult(0, 0)
    ordered = columns.in_order_of_keys()
    if copy and not ordered.has_repeats:
        try:
            async with connection.transaction():
                return await copy_readings(connection, ordered)
        except errors.UniqueViolation:
            pass
    return await merge_readings(connection, ordered)


async def copy_readings(connection: AsyncConnection, columns: ReadingColumns) -> WriteResult:
    """Store readings in the order of their keys by binary COPY, inside the caller's transaction.

    Raises:
        psycopg.errors.UniqueViolation: one of them is stored already, and the transaction is spoilt.
    """
    times_us = columns.times_us - binary.POSTGRES_EPOCH_US
    readings = binary.rows_of_numbers(
        [
            ("i4", columns.sensor_keys),
            ("i8", times_us),
            ("f8", columns.values),
            ("i2", columns.qualities),
            ("i2", columns.reasons),
            ("i8", columns.received_us - binary.POSTGRES_EPOCH_US),
        ]
    )
    entries = binary.rows_of_fields([_feed_entry(part, zone) for zone, part in _by_zone(columns)])
    cursor = connection.cursor()
    for statement, content in ((_COPY_READINGS, readings), (_COPY_FEED, entries)):
        async with cursor.copy(statement) as copy:
            await copy.write(content)
    await connection.execute(_NOTIFY)
    return WriteResult(len(columns), 0)


def _by_zone(columns: ReadingColumns) -> Iterator[tuple[str, ReadingColumns]]:
    for zone in np.unique(columns.zones):
        yield columns.zone_names[zone], columns.take(np.flatnonzero(columns.zones == zone))


def _feed_entry(part: ReadingColumns, zone: str) -> list[bytes]:
    return [
        zone.encode(),
        binary.array("i4", part.sensor_keys),
        binary.array("timestamp", part.times_us - binary.POSTGRES_EPOCH_US),
        binary.array("f8", part.values),
        binary.array("i2", part.qualities),
        binary.array("i2", part.reasons),
        b"\x00",
    ]


async def merge_readings(connection: AsyncConnection, columns: ReadingColumns) -> WriteResult:
    """Store what is new of readings in the order of their keys, and what changes a stored one, as ``write_readings``.

    Several times slower than COPY.
    """
    given = (
        columns.sensor_keys.tolist(),
        [columns.zone_names[zone] for zone in columns.zones],
        columns.times_us.tolist(),
        columns.values.tolist(),
        columns.qualities.tolist(),
        columns.reasons.tolist(),
        columns.received_us.tolist(),
    )
    stored = await _count(connection, _MERGE_NEW, given)
    changed = 0 if stored == len(columns) else await _count(connection, _MERGE_CHANGED, given)
    if stored or changed:
        await connection.execute(_NOTIFY)
    return WriteResult(stored, len(columns) - stored - changed, changed)


async def _count(connection: AsyncConnection, statement: str, given: Sequence[object]) -> int:
    cursor = await connection.execute(statement.encode(), given)
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


def moment(time_us: int) -> datetime:
    """The moment of epoch microseconds."""
    return datetime.fromtimestamp(0, UTC) + timedelta.resolution * time_us
