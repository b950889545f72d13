"""The ingest process: what it is made of and in which order it starts and stops."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from services.core.settings import ConfigurationError, Settings
from services.core.store.pool import Pool, open_pool
from services.core.store.rejections import prune_rejections
from services.ingest.batch import Batcher
from services.ingest.intake import Intake
from services.ingest.metrics import Metrics
from services.ingest.outage import LONGEST_WAIT_S, Outage
from services.ingest.register import Register
from services.ingest.subscriber import BROKER_AWAY, BrokerAddress, Session, Subscriber
from services.ingest.validate import ClockLimits
from services.ingest.writer import DATABASE_AWAY, Writer

DRAIN_WITHIN_S = 2.0
"""Time for the last commits after a request to stop; what misses it is delivered again at the next start."""
CLOSE_WITHIN_S = 1.0
"""Time for the connections of the pool to end; one that is just being tried again would take longer."""
PRUNE_EVERY = timedelta(hours=1)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Store what arrives over MQTT until ``stop`` is set.

    A database that was not migrated yet counts as away.

    Raises:
        ConfigurationError: an address is missing or malformed.
    """
    if settings.database_url is None or settings.mqtt_url is None:
        raise ConfigurationError("ingest needs LIFELINE_DATABASE_URL and LIFELINE_MQTT_URL")
    database_url = settings.database_url.get_secret_value()
    address = BrokerAddress.parse(settings.mqtt_url.get_secret_value())
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # it would report every attempt of an outage
    rng = random.Random()  # noqa: S311 - it spreads waits and keeps no secret
    database, broker = Outage("the database", DATABASE_AWAY, rng), Outage("the broker", BROKER_AWAY, rng)
    in_flight = settings.ingest_in_flight
    metrics = Metrics()
    pool = open_pool(database_url, settings.database_pool_size, reconnect=timedelta(seconds=LONGEST_WAIT_S))
    register = Register(database_url, pool, database)
    # Half the window: the next batch fills while the one before is committed.
    batcher = Batcher(settings.ingest_batch_readings, max(1, in_flight // 2), settings.ingest_batch_delay)
    limits = ClockLimits(settings.clock_tolerance, settings.oldest_reading)
    intake = Intake(batcher, register, limits, metrics, unconfirmed=in_flight, now=lambda: datetime.now(UTC))
    writer = Writer(pool, database, register, metrics)
    session = Session(settings.ingest_instance, in_flight, settings.ingest_shared_subscription)
    subscriber = Subscriber(address, session, intake.accept, broker)

    with metrics.served(settings.ingest_metrics_port):
        async with _opened(pool):
            if await _before(stop, register.load()):
                receiving = subscriber.run(stop, DRAIN_WITHIN_S, batcher.discard)
                pruning = _prune(pool, database, settings.rejection_retention)
                await _beside(receiving, writer.run(batcher), register.watch(), pruning)
    structlog.get_logger().info("ingest has stopped", instance=settings.ingest_instance)


@asynccontextmanager
async def _opened(pool: Pool) -> AsyncIterator[None]:
    await pool.open()
    try:
        yield
    finally:
        await pool.close(CLOSE_WITHIN_S)


async def _beside(main: Coroutine[Any, Any, None], *endless: Coroutine[Any, Any, None]) -> None:
    """Run everything until the main part has ended; a part that fails ends all."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part) for part in endless]
        await main
        for task in tasks:
            task.cancel()


async def _before(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether the work was done before the request to stop, which ends it."""
    task, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not task.done():
        task.cancel()
        return False
    task.result()
    return True


async def _prune(pool: Pool, database: Outage, retention: timedelta) -> None:
    async def attempt() -> None:
        async with pool.connection(timeout=LONGEST_WAIT_S) as connection:
            await prune_rejections(connection, datetime.now(UTC) - retention)

    while True:
        await database.keep_trying(attempt)
        await asyncio.sleep(PRUNE_EVERY.total_seconds())
