"""What is not kept goes, what is summarised of it stays, and compressed chunks take less."""

from datetime import UTC, datetime, timedelta

import pytest
from psycopg import AsyncConnection

from services.core.store import continuous_aggregates, retention, storage_level
from services.core.store.storage_policy import StoragePolicy
from services.core.store.storage_size import storage_status
from services.core.store.summary import SUMMARIES
from tests.fixtures.timescale import Server, Store
from tests.storage.summaries import (
    NOW,
    TODAY,
    Row,
    assert_summaries_are_right,
    bring_up_to_date,
    row,
    rows,
    stored,
    write,
)

DAY = timedelta(days=1)
START = TODAY - 20 * DAY
POLICY = StoragePolicy(keep_raw=10 * DAY)


async def _drop_old(store: Store, policy: StoragePolicy) -> None:
    if store.has_rollups:
        async with store.connection() as connection:
            await retention.enforce(connection, policy, datetime.now(UTC))
        return
    with store.connect() as connection:
        storage_level.apply_policy(connection, policy)
        jobs = connection.execute(
            "select job_id from timescaledb_information.jobs where proc_name = 'policy_retention'"
        )
        for (job,) in jobs.fetchall():
            connection.execute("call run_job(%s)", (job,))


async def _filled(store: Store) -> list[Row]:
    """Readings of twenty days and of today, summarised."""
    await write(store, rows([1, 2], START, START + 19 * DAY, timedelta(minutes=50)))
    await write(store, rows([1, 2], NOW - timedelta(hours=1), NOW, timedelta(minutes=1)))
    await bring_up_to_date(store)
    async with store.connection() as connection:
        return await stored(connection)


async def test_old_readings_go_and_their_summaries_stay(store: Store) -> None:
    before = await _filled(store)
    await _drop_old(store, POLICY)
    async with store.connection() as connection:
        left = await stored(connection)
    boundary = TODAY - 10 * DAY
    assert [line for line in left if line[1] >= boundary] == [line for line in before if line[1] >= boundary]
    assert [line for line in left if line[1] < boundary - DAY] == []
    await assert_summaries_are_right(store, before)
    # A reading that comes too late for what was dropped must not take the place of what was summarised.
    await write(store, [row(1, START + timedelta(minutes=1), -999.0), row(1, NOW, 1.0)])
    await bring_up_to_date(store, POLICY)
    await assert_summaries_are_right(store, [*before, (1, NOW, 1.0, 0)])
    # From now on all is kept; what is gone stays gone, and its summaries stay.
    await _drop_old(store, StoragePolicy())
    await bring_up_to_date(store)
    await assert_summaries_are_right(store, [*before, (1, NOW, 1.0, 0)])


async def test_summaries_have_ages_of_their_own(store: Store) -> None:
    await _filled(store)
    policy = StoragePolicy(keep_raw=4 * DAY, keep_1m=8 * DAY, keep_1h=12 * DAY)
    await _drop_old(store, policy)
    with store.connect() as connection:
        oldest = {
            name: connection.execute(f"select min({column}) from {name}").fetchone()[0]  # type: ignore[index]
            for name, column in [("reading", "time"), *((summary.view, "bucket") for summary in SUMMARIES)]
        }
    # Chunks go as a whole: a day for readings and minutes, up to thirty for hours, so some may stay longer.
    assert TODAY - 5 * DAY <= oldest["reading"] < TODAY - 2 * DAY
    assert TODAY - 9 * DAY <= oldest["reading_1m"] < TODAY - 6 * DAY
    assert oldest["reading_1h"] <= TODAY - 11 * DAY
    assert oldest["reading_1d"] == START


async def test_nothing_goes_before_it_is_summarised(rollup_store: Store) -> None:
    await write(rollup_store, rows([1], START, START + 15 * DAY, timedelta(hours=1)))
    async with rollup_store.connection() as connection:
        before = await stored(connection)
        assert await retention.enforce(connection, POLICY, datetime.now(UTC)) == {}
        with pytest.raises(retention.TooYoungError):
            await retention.drop_readings(connection, START + 5 * DAY)
        assert await stored(connection) == before


async def test_readings_are_dropped_by_hand(store: Store) -> None:
    before = await _filled(store)
    if store.has_rollups:
        async with store.connection() as session:
            assert await retention.drop_readings(session, START + 3 * DAY) > 0
    else:
        with store.connect() as connection:
            assert continuous_aggregates.drop_readings(connection, StoragePolicy(), START + 3 * DAY) == 3
    async with store.connection() as session:
        left = await stored(session)
    assert left == [line for line in before if line[1] >= START + 3 * DAY]
    await assert_summaries_are_right(store, before)
    await bring_up_to_date(store)
    await assert_summaries_are_right(store, before)


async def test_old_beliefs_go_with_the_readings(rollup_store: Store) -> None:
    await write(rollup_store, [row(1, START, 1.0), row(1, TODAY, 1.0)])
    await write(rollup_store, [row(1, START, 2.0), row(1, TODAY, 2.0)])
    async with rollup_store.connection() as connection:
        assert await _superseded(connection) == 2
        assert await retention.forget_superseded(connection, TODAY - 10 * DAY) == 1
        assert await _superseded(connection) == 1


async def _superseded(connection: AsyncConnection) -> int:
    cursor = await connection.execute("select count(*) from superseded_reading")
    line = await cursor.fetchone()
    return int(line[0]) if line else 0


async def test_compressed_chunks_take_less(community_store: Store) -> None:
    await write(community_store, rows([1, 2, 3, 4], START, START + 2 * DAY, timedelta(seconds=90)))
    await bring_up_to_date(community_store)
    async with community_store.connection() as connection:
        before = await stored(connection)
    with community_store.connect() as connection:
        count = continuous_aggregates.compress(connection, DAY)
        assert count >= 4, "two days of readings and of minutes"
        assert continuous_aggregates.compress(connection, DAY) == 0
        reading = next(table for table in storage_status(connection).tables if table.name == "reading")
    assert reading.compressed_chunks == reading.chunks == 2
    assert reading.compression_ratio is not None
    assert reading.compression_ratio > 2
    async with community_store.connection() as connection:
        assert await stored(connection) == before
    await assert_summaries_are_right(community_store)


async def test_deleting_finds_readings_by_their_time(plain_server: Server) -> None:
    """Retention must not read the whole table once for each stretch that it deletes."""
    with plain_server.database(migrated=True) as url:
        store = Store(plain_server.level, url)
        await write(store, rows(range(1, 60), START, START + DAY, timedelta(minutes=4)))
        with store.connect() as connection:
            connection.execute("vacuum analyze reading")
            plan = connection.execute(
                "explain delete from reading where time >= %s and time < %s",
                (START, START + timedelta(minutes=1)),
                prepare=False,
            ).fetchall()
    assert not any("Seq Scan" in line for (line,) in plan), plan
