"""The worst value of an alert, however long it lasts."""

import random
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from services.core.alert import Alert
from services.core.sensor import Sensor
from services.core.store import alert_peaks, readings, retention, rollup
from services.core.store.readings import ReadingRow
from tests.integration.api.harness import MOMENT, alert_at, connected
from tests.integration.api.measuring import BAD, GOOD

STEP = timedelta(minutes=10)
Measured = list[tuple[datetime, float, bool]]


@pytest.fixture
async def measured(city_url: str, sensor: Sensor) -> Measured:
    """Five days of a sensor; the highest and the lowest values of all are bad ones."""
    chance = random.Random(7)  # noqa: S311 - a drawing, not a secret
    drawn = [(MOMENT + STEP * number, chance.uniform(-50, 50), chance.random() > 0.05) for number in range(720)]
    values = [(time, value if good else 9 * value, good) for time, value, good in drawn]
    rows = [
        ReadingRow(sensor.key, sensor.zone, time, value, GOOD if good else BAD, None, time)
        for time, value, good in values
    ]
    async with connected(city_url) as connection:
        await readings.write_readings(connection, rows)
        await connection.commit()
        has_rollups = await retention.has_rollups(connection)
        await connection.commit()
        if has_rollups:
            await rollup.catch_up(connection)
    return values


def _alert(sensor: Sensor, start: datetime, stop: datetime | None, *, is_below: bool) -> Alert:
    threshold = 10.0 if is_below else -10.0
    return alert_at(
        sensor.asset, sensors=(sensor.id,), started_at=start, cleared_at=stop, peak_value=0.0, threshold=threshold
    )


async def test_it_is_the_worst_good_value_between_beginning_and_end(
    city_url: str, sensor: Sensor, measured: Measured
) -> None:
    chance = random.Random(11)  # noqa: S311 - a drawing, not a secret
    expected: dict[UUID, tuple[float, datetime]] = {}
    asked = []
    for _ in range(60):
        start = MOMENT + timedelta(seconds=chance.randrange(0, 4 * 86_400))
        lasts = timedelta(seconds=chance.choice([900, 4000, 20_000, 200_000]))
        stop, is_below = chance.choice([start + lasts, None]), chance.random() < 0.5
        alert = _alert(sensor, start, stop, is_below=is_below)
        within = [
            (value, time) for time, value, good in measured if good and start <= time <= (stop or measured[-1][0])
        ]
        expected[alert.id] = min(within) if is_below else max(within)
        asked.append(alert)
    async with connected(city_url) as connection:
        assert await alert_peaks.peaks_of(connection, asked) == expected


async def test_an_alert_of_several_sensors_and_one_without_readings_have_none(city_url: str, sensor: Sensor) -> None:
    several = alert_at(sensor.asset, sensors=(sensor.id, "another"))
    silent = _alert(sensor, MOMENT - timedelta(days=9), MOMENT - timedelta(days=8), is_below=False)
    async with connected(city_url) as connection:
        assert await alert_peaks.peaks_of(connection, [several, silent]) == {}
