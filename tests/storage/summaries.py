"""What the summaries should be, worked out from the readings one by one, and how they are brought up to date."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import AsyncConnection

from services.core.reading import Quality
from services.core.store import continuous_aggregates, rollup
from services.core.store.readings import ReadingRow, write_readings
from services.core.store.storage_policy import StoragePolicy
from services.core.store.summary import SUMMARIES, Summary
from tests.fixtures.timescale import Store

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
TODAY = NOW.replace(hour=0, minute=0)

TOTAL = 2

Row = tuple[Any, ...]


def row(sensor: int, time: datetime, value: float, quality: Quality = Quality.GOOD) -> ReadingRow:
    """A reading that came when it was measured."""
    return ReadingRow(sensor, "zone", time, value, quality, None, time)


def rows(sensors: Iterable[int], start: datetime, end: datetime, every: timedelta) -> list[ReadingRow]:
    """Readings with all qualities among them; some minutes, hours and days hold nothing but bad ones."""
    made = []
    for sensor in sensors:
        for number in range(int((end - start) / every)):
            quality = Quality.BAD if number % 11 == sensor % 11 else Quality(number % 7 == 0)
            made.append(row(sensor, start + number * every, 100 * sensor + number % 37 + 0.25, quality))
    return made


async def write(store: Store, readings: Sequence[ReadingRow]) -> None:
    """Store readings as ingest does, in transactions of some thousands."""
    async with store.connection() as connection:
        for first in range(0, len(readings), 5000):
            async with connection.transaction():
                await write_readings(connection, readings[first : first + 5000], copy=store.can_copy)


async def bring_up_to_date(store: Store, policy: StoragePolicy | None = None) -> None:
    """Let the summaries take in what was written."""
    if store.has_rollups:
        async with store.connection() as connection:
            await rollup.catch_up(connection)
    else:
        with store.connect() as connection:
            continuous_aggregates.refresh(connection, policy or StoragePolicy())


async def stored(connection: AsyncConnection) -> list[Row]:
    cursor = await connection.execute("select sensor_key, time, value, quality from reading order by 1, 2")
    return await cursor.fetchall()


async def assert_summaries_are_right(store: Store, readings: Sequence[Row] | None = None) -> None:
    """Compare every bucket of every summary with what the readings give one by one."""
    async with store.connection() as connection:
        readings = readings if readings is not None else await stored(connection)
        for summary in SUMMARIES:
            cursor = await connection.execute(
                "select sensor_key, bucket, minimum, maximum, total, count, suspect, bad, last_value, last_time "
                f"from {summary.view} order by 1, 2"
            )
            found = {(line[0], line[1]): line[2:] for line in await cursor.fetchall()}
            wanted = expected(summary, readings)
            assert found.keys() == wanted.keys(), f"{summary.view} has other buckets than the readings"
            for key, line in wanted.items():
                # A total depends on the order of adding in its last digits.
                total = pytest.approx(line[TOTAL])
                assert found[key] == (*line[:TOTAL], total, *line[TOTAL + 1 :]), f"{summary.view} is wrong at {key}"


def expected(summary: Summary, readings: Sequence[Row]) -> dict[tuple[int, datetime], Row]:
    """The buckets of a summary by the definition."""
    groups: dict[tuple[int, datetime], list[Row]] = {}
    for reading in readings:
        sensor, time = reading[0], reading[1]
        groups.setdefault((sensor, time - (time - EPOCH) % summary.width), []).append(reading)
    return {key: _bucket(group) for key, group in groups.items()}


def _bucket(group: Sequence[Row]) -> Row:
    used = sorted((line[1], line[2]) for line in group if line[3] != Quality.BAD)
    values = [float(value) for _, value in used]
    suspect = sum(line[3] == Quality.SUSPECT for line in group)
    bad = len(group) - len(used)
    if not used:
        return (None, None, None, 0, 0, bad, None, None)
    time, last = used[-1]
    return (min(values), max(values), sum(values), len(used), suspect, bad, last, time)
