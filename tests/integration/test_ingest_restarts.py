"""The real servers are killed or restarted under ingest while 100,000 readings are on their way."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
import pytest

from services.core.store.migrations import migrate
from services.demo.broker import EmbeddedBroker
from services.demo.mosquitto import find_mosquitto
from services.demo.postgres import EmbeddedPostgres
from services.demo.supervisor import ChildProcess, RunningChild, Supervisor
from tests.fixtures.processes import reachable_directory
from tests.integration.ingest_harness import ingest_process, publish, register_sensors, settings_for, tables_of, until
from tests.integration.test_ingest_faults import SENSORS, assert_exactly, publications

READINGS = 100_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.mosquitto,
    pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed"),
]


@dataclass
class Servers:
    """A database and a broker of the test's own, watched as the demo watches them."""

    database: EmbeddedPostgres
    broker: EmbeddedBroker
    database_process: RunningChild
    broker_process: RunningChild


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    with reachable_directory("restarts") as directory:
        async with Supervisor(directory, lambda _line: None) as supervisor:
            database = EmbeddedPostgres(directory, wanted_port=0)
            broker = EmbeddedBroker(directory, 0, "mosquitto")
            await asyncio.to_thread(database.prepare)
            await asyncio.to_thread(broker.prepare)
            database_process = await supervisor.start(
                ChildProcess("database", database.command(), database.wait_ready, user=database.user)
            )
            broker_process = await supervisor.start(ChildProcess("broker", broker.command(), broker.wait_ready))
            await asyncio.to_thread(migrate, database.url())
            await asyncio.to_thread(register_sensors, database.url(), SENSORS)
            yield Servers(database, broker, database_process, broker_process)


def _stored(url: str) -> int:
    """How much is stored now; nothing while the database does not answer."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            row = connection.execute("select count(*) from reading").fetchone()
    except psycopg.OperationalError:
        return 0
    return int(row[0]) if row else 0


def _holds(url: str, readings: int) -> bool:
    return _stored(url) >= readings


async def _again(process: RunningChild, before: int | None) -> None:
    await until(lambda: process.pid not in {None, before}, within_s=30)


async def test_a_killed_database_costs_no_reading_and_doubles_none(tmp_path: Path) -> None:
    async with servers() as running:
        url = running.database.url()
        async with ingest_process(settings_for(running.broker, url), tmp_path / "log"):
            publishing = asyncio.create_task(publish(running.broker.url, publications(READINGS, singles=10_000)))
            for part in (15_000, 50_000):
                await until(partial(_holds, url, part), within_s=60)
                before = running.database_process.pid
                assert before is not None
                os.kill(before, signal.SIGKILL)
                await _again(running.database_process, before)
            await publishing
            await until(partial(_holds, url, READINGS), within_s=90)
        with tables_of(url) as tables:
            assert_exactly(tables, READINGS)


async def test_a_broker_restarted_in_order_costs_no_reading_and_doubles_none(tmp_path: Path) -> None:
    async with servers() as running:
        url = running.database.url()
        settings = settings_for(running.broker, url, ingest_shared_subscription=False)
        async with ingest_process(settings, tmp_path / "log") as ingest:
            half = list(publications(READINGS, singles=10_000))
            middle = len(half) // 2
            await publish(running.broker.url, half[:middle])
            before = running.broker_process.pid
            assert before is not None
            os.kill(before, signal.SIGTERM)
            await _again(running.broker_process, before)
            await running.broker.wait_ready()
            await publish(running.broker.url, half[middle:])
            await until(partial(_holds, url, READINGS), within_s=90)
            assert ingest.said("the broker is back") == 1
        with tables_of(url) as tables:
            assert_exactly(tables, READINGS)
