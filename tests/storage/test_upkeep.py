"""What the ingest process does beside taking readings in."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
from pydantic import SecretStr

from services.core.settings import Settings
from services.core.store.pool import open_pool
from services.ingest import upkeep
from services.ingest.outage import Outage
from tests.fixtures.timescale import Store
from tests.storage.summaries import NOW, TODAY, assert_summaries_are_right, rows, write


@asynccontextmanager
async def running_upkeep(store: Store, **given: timedelta) -> AsyncIterator[None]:
    settings = Settings(
        database_url=SecretStr(store.url),
        storage_refresh_every=timedelta(seconds=1),
        **given,  # type: ignore[arg-type]
    )
    database = Outage("the database", (psycopg.OperationalError,), random.Random(1))  # noqa: S311 - it spreads waits
    async with open_pool(store.url, 2) as pool:
        task = asyncio.create_task(upkeep.keep_up(pool, database, settings))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _until(store: Store, question: str, answer: object) -> None:
    async with store.connection() as session:
        for _ in range(300):
            cursor = await session.execute(question)
            line = await cursor.fetchone()
            await session.rollback()
            if line == (answer,):
                return
            await asyncio.sleep(0.1)
    raise AssertionError(f"{question} gave {line}, not {answer}")


async def test_summaries_follow_and_old_readings_go(rollup_store: Store) -> None:
    old = TODAY - timedelta(days=30)
    await write(rollup_store, rows([1, 2], old, old + timedelta(days=3), timedelta(hours=1)))
    await write(rollup_store, rows([1, 2], NOW - timedelta(hours=1), NOW, timedelta(minutes=1)))
    # Two processes on one database, as in a city.
    async with (
        running_upkeep(rollup_store, storage_keep_raw=timedelta(days=10)),
        running_upkeep(rollup_store, storage_keep_raw=timedelta(days=10)),
    ):
        await _until(rollup_store, "select sum(count + bad)::int from rollup_1m", 2 * 72 + 2 * 60)
        await _until(rollup_store, "select count(*)::int from reading", 2 * 60)
        await write(rollup_store, rows([3], NOW - timedelta(hours=1), NOW, timedelta(minutes=1)))
        await _until(rollup_store, "select count(*)::int from rollup_1m where sensor_key = 3", 60)
    with rollup_store.connect() as connection:
        assert connection.execute(
            "select sum(count + bad)::int from reading_1d where bucket < %s", (TODAY - timedelta(days=20),)
        ).fetchone() == (144,)


async def test_jobs_of_the_server_are_given_the_settings(community_store: Store) -> None:
    question = """
        select config->>'drop_after' from timescaledb_information.jobs
        where hypertable_name = 'reading' and proc_name = 'policy_retention'
    """
    async with running_upkeep(community_store, storage_keep_raw=timedelta(days=40)):
        await _until(community_store, question, "40 days")
    await assert_summaries_are_right(community_store)
