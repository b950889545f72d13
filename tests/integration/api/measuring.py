"""Readings for the API to answer questions about."""

from datetime import UTC, datetime, timedelta

from services.core.reading import Quality, QualityReason
from services.core.sensor import Sensor
from services.core.store import latest, readings, retention, rollup
from services.core.store.readings import ReadingRow
from tests.integration.api.harness import MOMENT, connected

GOOD, SUSPECT, BAD = Quality.GOOD, Quality.SUSPECT, Quality.BAD


def at(seconds: float) -> datetime:
    """A moment of the tests' hour."""
    return MOMENT + timedelta(seconds=seconds)


async def measure(
    url: str, sensor: Sensor, *measured: tuple[float, float, Quality], received_at: datetime | None = None
) -> None:
    """Store values at seconds after the moment, one in a transaction; current values and summaries follow."""
    async with connected(url) as connection:
        for seconds, value, quality in measured:
            reason = None if quality is GOOD else QualityReason.DEVICE
            row = ReadingRow(
                sensor.key, sensor.zone, at(seconds), value, quality, reason, received_at or datetime.now(UTC)
            )
            await readings.write_readings(connection, [row])
            await connection.commit()
        while await latest.follow(connection):
            await connection.commit()
        has_rollups = await retention.has_rollups(connection)
        await connection.commit()
        if has_rollups:
            await rollup.catch_up(connection)
