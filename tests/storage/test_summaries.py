"""Minutes, hours and days equal what the readings give, whatever came in and when, on every level."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from services.core.reading import Quality
from services.core.store import continuous_aggregates, rollup
from services.core.store.summary import SUMMARIES
from tests.fixtures.timescale import Store
from tests.storage.summaries import NOW, TODAY, assert_summaries_are_right, bring_up_to_date, row, rows, write

OLD = TODAY - timedelta(days=6)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_summaries_equal_the_readings(store: Store) -> None:
    await write(store, rows([1, 2, 3], OLD, OLD + 2 * DAY, timedelta(minutes=7)))
    await write(store, rows([1, 4], NOW - 3 * HOUR, NOW, timedelta(seconds=20)))
    await bring_up_to_date(store)
    await assert_summaries_are_right(store)


async def test_bucket_of_bad_readings_has_no_values(store: Store) -> None:
    await write(store, [row(1, OLD, 5.0, Quality.BAD), row(1, OLD + DAY, 5.0)])
    await bring_up_to_date(store)
    with store.connect() as connection:
        for summary in SUMMARIES:
            line = connection.execute(
                f"select minimum, maximum, total, count, suspect, bad, last_value, last_time from {summary.view} "
                "where sensor_key = 1 and bucket = %s",
                (OLD,),
            ).fetchone()
            assert line == (None, None, None, 0, 0, 1, None, None)


async def test_newest_readings_are_seen_at_once(store: Store) -> None:
    await write(store, rows([1], NOW - 30 * HOUR, NOW - timedelta(minutes=20), timedelta(minutes=9)))
    await bring_up_to_date(store)
    # Nobody summarises what comes now.
    await write(store, rows([1, 2], NOW - timedelta(minutes=3), NOW + timedelta(minutes=1), timedelta(seconds=15)))
    await assert_summaries_are_right(store)


async def test_late_readings_and_corrections_change_what_was_summarised(store: Store) -> None:
    first = rows([1, 2], OLD, OLD + DAY, timedelta(minutes=5))
    await write(store, first)
    await write(store, rows([1, 2], NOW - 2 * HOUR, NOW, timedelta(minutes=5)))
    await bring_up_to_date(store)
    if not store.has_rollups:
        with store.connect() as connection:
            assert continuous_aggregates.compress(connection, timedelta(days=2)) > 0
    corrections = [reading._replace(value=-50.0) for reading in first[10:40:3]]
    late = rows([1, 3], OLD + timedelta(seconds=90), OLD + DAY, timedelta(minutes=5))
    await write(store, corrections + late)
    await write(store, [row(1, NOW - timedelta(seconds=1), 1.0), row(2, OLD - 40 * DAY, 7.0)])
    await bring_up_to_date(store)
    await assert_summaries_are_right(store)
    with store.connect() as connection:
        assert connection.execute("select min(minimum) from reading_1d").fetchone() == (-50.0,)


async def test_hours_and_days_close_in_the_order_of_time(rollup_store: Store) -> None:
    """Step by step through two days, as a service that runs does; between any two steps all is right."""
    start = OLD
    for _ in range(8):
        await write(rollup_store, rows([1, 2, 3], start, start + 7 * HOUR, timedelta(minutes=11)))
        await bring_up_to_date(rollup_store)
        await assert_summaries_are_right(rollup_store)
        start += 7 * HOUR


async def test_cut_off_rollup_is_done_again(rollup_store: Store) -> None:
    """The connection is killed within a step and within the closing of hours."""
    await write(rollup_store, rows([1, 2], OLD, OLD + DAY, timedelta(minutes=5)))
    await bring_up_to_date(rollup_store)
    for table, day in (("rollup_1m", 1), ("rollup_1h", 2), ("rollup_1d", 3)):
        await write(rollup_store, rows([1, 2], OLD + day * DAY, OLD + (day + 1) * DAY, timedelta(minutes=5)))
        with rollup_store.connect() as connection:
            _fail_at(connection, table)
        async with rollup_store.connection() as connection:
            with pytest.raises(psycopg.OperationalError):
                await rollup.catch_up(connection)
        with rollup_store.connect() as connection:
            connection.execute(f"drop trigger killed on {table}")
        await assert_summaries_of_old_days(rollup_store)
        await bring_up_to_date(rollup_store)
        await assert_summaries_are_right(rollup_store)


async def assert_summaries_of_old_days(store: Store) -> None:
    """What was right before the cut is right after it."""
    with store.connect() as connection:
        for summary in SUMMARIES:
            line = connection.execute(
                f"select sum(count + bad) from {summary.view} where bucket < %s", (OLD + DAY,)
            ).fetchone()
            assert line == (2 * 288,), f"{summary.view} lost what it had"


def _fail_at(connection: psycopg.Connection, table: str) -> None:
    """The server ends the session that writes the tenth row."""
    connection.execute("drop sequence if exists written; create sequence written")
    connection.execute(
        """
        create or replace function kill_at_tenth() returns trigger language plpgsql as $$
        begin
            if nextval('written') = 2 then perform pg_terminate_backend(pg_backend_pid()); end if;
            return new;
        end $$
        """
    )
    connection.execute(f"create trigger killed before insert on {table} for each row execute function kill_at_tenth()")


async def test_two_processes_roll_up_side_by_side(rollup_store: Store) -> None:
    await write(rollup_store, rows([1, 2, 3], OLD, OLD + 3 * DAY, timedelta(minutes=3)))

    async def catch_up(wait: bool) -> rollup.RolledUp | None:
        async with rollup_store.connection() as connection:
            return await rollup.catch_up(connection, wait=wait)

    results = await asyncio.gather(catch_up(wait=True), catch_up(wait=False), catch_up(wait=True))
    assert sum(result.readings for result in results if result) == 3 * 3 * 480
    await assert_summaries_are_right(rollup_store)


async def test_query_of_a_summary_is_led_by_the_index(store: Store) -> None:
    """With the planner told to avoid them, sequential scans are left only where no index could lead."""
    await write(store, rows(range(1, 40), OLD, OLD + DAY, timedelta(minutes=10)))
    await write(store, rows(range(1, 40), NOW - HOUR, NOW, timedelta(minutes=1)))
    await bring_up_to_date(store)
    with store.connect() as connection:
        connection.execute("analyze")
        connection.execute("set enable_seqscan = off")
        for summary in SUMMARIES:
            plan = connection.execute(
                f"explain select * from {summary.view} where sensor_key = 7 and bucket >= %s and bucket < %s",
                (OLD, OLD + DAY),
                prepare=False,
            ).fetchall()
            lines = [line.strip() for (line,) in plan]
            scans = [line for line in lines if "Seq Scan" in line and "rollup_progress" not in line]
            assert scans == [], f"{summary.view} is read from end to end"
            conditions = [line for line in lines if line.startswith("Index Cond") and "summary" not in line]
            assert conditions, f"no index leads to {summary.view}"
            assert [line for line in conditions if "sensor_key = 7" not in line] == []
