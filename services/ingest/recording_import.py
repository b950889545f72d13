"""History from a recording into the live system, on the same way as live readings: stored once, then judged."""

from collections.abc import Callable
from datetime import datetime

from services.core.reading import Quality, QualityReason
from services.core.recording import RecordedReading, Recording, RecordingError, readings_of
from services.core.store import latest
from services.core.store.pool import Pool
from services.core.store.readings import ReadingRow, SensorRow, WriteResult, load_sensor_rows, write_readings

_READINGS_AT_ONCE = 5000


async def import_recording(
    pool: Pool, recording: Recording, *, received_at: datetime, progress: Callable[[int, int], None]
) -> WriteResult:
    """Store a recording's readings in order of time; readings that are there already are left alone.

    ``progress`` is called with how many readings are done and how many there are.

    Raises:
        RecordingError: the recording is broken, or names a sensor that is not registered; nothing is stored then.
    """
    async with pool.connection() as connection:
        sensors = await load_sensor_rows(connection)
    for name in recording.sensors:
        if name not in sensors:
            raise RecordingError(f"sensors.csv: sensor {name} is not registered in the database")
    readings = sorted(readings_of(recording), key=lambda reading: reading.time)
    stored = duplicates = 0
    for begin in range(0, len(readings), _READINGS_AT_ONCE):
        part = readings[begin : begin + _READINGS_AT_ONCE]
        async with pool.connection() as connection:
            result = await write_readings(
                connection, [_row(reading, sensors[reading.sensor], received_at) for reading in part]
            )
        stored += result.stored
        duplicates += result.duplicates
        progress(begin + len(part), len(readings))
    async with pool.connection() as connection:
        while await latest.follow(connection):
            await connection.commit()
    return WriteResult(stored, duplicates)


def _row(reading: RecordedReading, sensor: SensorRow, received_at: datetime) -> ReadingRow:
    quality, reason = reading.quality, None
    if not sensor.plausible_low <= reading.value <= sensor.plausible_high:
        quality, reason = Quality.BAD, QualityReason.OUT_OF_RANGE
    return ReadingRow(sensor.key, sensor.zone, reading.time, reading.value, quality, reason, received_at)
