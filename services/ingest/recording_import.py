"""History from a recording into the live system, on the same way as live readings: stored once, then judged."""

from collections.abc import Callable, Mapping
from datetime import datetime

import numpy as np

from services.core.reading import Quality, QualityReason
from services.core.recorded_readings import RecordedReadings, epoch_us
from services.core.recording import Recording, RecordingError
from services.core.store import latest
from services.core.store.pool import Pool
from services.core.store.readings import ReadingColumns, SensorRow, WriteResult, load_sensor_rows, write_readings
from services.core.units import Conversion, conversion

_READINGS_AT_ONCE = 5000


async def import_recording(
    pool: Pool,
    recording: Recording,
    readings: RecordedReadings,
    *,
    received_at: datetime,
    progress: Callable[[int, int], None],
) -> WriteResult:
    """Store the readings of a recording in order of time; readings that are there already are left alone.

    Values are stored in the unit of the register. ``progress`` is called with how many readings are done and how many
    there are.

    Raises:
        RecordingError: it names a sensor that is not registered, or has values in a unit that cannot be brought into
            the registered one; nothing is stored then.
    """
    async with pool.connection() as connection:
        sensors = await load_sensor_rows(connection)
    for name in recording.sensors:
        if name not in sensors:
            raise RecordingError(f"sensors.csv: sensor {name} is not registered in the database")
    columns = _columns(recording, readings.in_order(), sensors, received_at)
    stored = duplicates = 0
    for begin in range(0, len(columns), _READINGS_AT_ONCE):
        part = columns.take(slice(begin, begin + _READINGS_AT_ONCE))
        async with pool.connection() as connection:
            result = await write_readings(connection, part)
        stored += result.stored
        duplicates += result.duplicates
        progress(begin + len(part), len(columns))
    async with pool.connection() as connection:
        while await latest.follow(connection):
            await connection.commit()
    return WriteResult(stored, duplicates)


def _columns(
    recording: Recording, readings: RecordedReadings, sensors: Mapping[str, SensorRow], received_at: datetime
) -> ReadingColumns:
    """The readings as the tables hold them; implausible ones are marked bad."""
    rows = [sensors[name] for name in readings.sensors]
    into = [_conversion(recording, name, sensors[name]) for name in readings.sensors]
    zone_names = sorted({row.zone for row in rows})
    where = readings.positions
    values = (
        readings.values * np.array([each.scale for each in into])[where]
        + np.array([each.offset for each in into])[where]
    )
    implausible = (values < np.array([row.plausible_low for row in rows])[where]) | (
        values > np.array([row.plausible_high for row in rows])[where]
    )
    return ReadingColumns(
        sensor_keys=np.array([row.key for row in rows], np.int32)[where],
        zones=np.array([zone_names.index(row.zone) for row in rows], np.int32)[where],
        zone_names=zone_names,
        times_us=readings.times_us,
        values=values,
        qualities=np.where(implausible, int(Quality.BAD), readings.qualities).astype(np.int16),
        reasons=np.where(implausible, QualityReason.OUT_OF_RANGE.code, 0).astype(np.int16),
        received_us=np.full(len(values), epoch_us(received_at), np.int64),
    )


def _conversion(recording: Recording, name: str, row: SensorRow) -> Conversion:
    unit = recording.sensors[name].unit
    found = conversion(unit, row.unit)
    if found is None:
        raise RecordingError(
            f"sensors.csv, sensor {name}: registered in {row.unit}, which {unit!r} does not convert to"
        )
    return found
