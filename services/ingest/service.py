"""The ingest process: what it is made of and in which order it starts and stops."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from services.core import wire
from services.core.broker_address import BrokerAddress
from services.core.metrics_endpoint import served
from services.core.settings import ConfigurationError, Settings
from services.core.store.gateway_sequences import BatchNumber, GatewayProgress
from services.core.store.pool import Pool, open_pool
from services.ingest import upkeep
from services.ingest.batch import Batcher
from services.ingest.check import ClockLimits
from services.ingest.current_values import catch_up, follow_current_values
from services.ingest.intake import Intake
from services.ingest.membership import Membership
from services.ingest.metrics import Metrics
from services.ingest.outage import LONGEST_WAIT_S, Outage
from services.ingest.pruning import prune_rejections
from services.ingest.register import Register
from services.ingest.reprocess import Reprocess
from services.ingest.sparkplug.host import host as sparkplug_host
from services.ingest.subscriber import BROKER_AWAY, Session, Subscriber
from services.ingest.writer import DATABASE_AWAY, Writer

DRAIN_WITHIN_S = 2.0
"""Time for the last commits after a request to stop; what misses it is delivered again at the next start."""
CLOSE_WITHIN_S = 1.0
"""Time for the connections of the pool to end; one that is just being tried again would take longer."""


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Store what arrives over MQTT until ``stop`` is set.

    A database that was not migrated yet counts as away.

    Raises:
        ConfigurationError: an address is missing or malformed.
    """
    if settings.database_url is None:
        raise ConfigurationError("ingest needs LIFELINE_DATABASE_URL")
    database_url = settings.database_url.get_secret_value()
    address = BrokerAddress.from_settings(settings)
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # it would report every attempt of an outage
    rng = random.Random()  # noqa: S311 - it spreads waits and keeps no secret
    database, broker = Outage("the database", DATABASE_AWAY, rng), Outage("the broker", BROKER_AWAY, rng)
    in_flight = settings.ingest_in_flight
    metrics = Metrics()
    pool = open_pool(database_url, settings.database_pool_size, reconnect=timedelta(seconds=LONGEST_WAIT_S))
    register = Register(database_url, pool, database)
    # Half the window: the next batch fills while the one before is committed.
    batcher = Batcher(settings.ingest_batch_readings, max(1, in_flight // 2), settings.ingest_batch_delay)
    intake = Intake(batcher, register, metrics, unconfirmed=in_flight)
    session = Session(settings.ingest_instance, in_flight, settings.ingest_shared_subscription)
    membership = Membership(pool, database, settings.ingest_instance)
    subscriber = Subscriber(
        address, session, intake.accept, broker, may_leave=membership.leave, now=lambda: datetime.now(UTC)
    )
    limits = ClockLimits(
        settings.clock_tolerance, settings.oldest_reading, settings.clock_trusted_ahead, settings.late_after
    )
    reprocess = Reprocess(
        database_url, database, register, limits, readings_at_once=settings.ingest_batch_readings, metrics=metrics
    )
    other_protocols = _sparkplug(settings, address, stop, intake=intake, register=register, metrics=metrics)
    writer = Writer(pool, database, register, limits, metrics=metrics, tell=lambda *told: _tell(subscriber, *told))

    with served(metrics.registry, settings.ingest_metrics_host, settings.ingest_metrics_port):
        async with _opened(pool):
            if await _before(stop, register.load()):
                await _beside(
                    asyncio.gather(subscriber.run(stop, DRAIN_WITHIN_S, intake.discard), *other_protocols),
                    writer.run(batcher),
                    register.watch(),
                    membership.keep(),
                    follow_current_values(pool, database),
                    upkeep.keep_up(pool, database, settings),
                    reprocess.run(),
                    prune_rejections(pool, database, settings.rejection_retention, settings.rejections_kept),
                )
                await catch_up(pool, database)
    structlog.get_logger().info("ingest has stopped", instance=settings.ingest_instance)


def _sparkplug(
    settings: Settings,
    address: BrokerAddress,
    stop: asyncio.Event,
    *,
    intake: Intake,
    register: Register,
    metrics: Metrics,
) -> list[Coroutine[Any, Any, None]]:
    if not settings.sparkplug or settings.database_url is None:
        return []
    return [
        sparkplug_host(
            settings,
            intake,
            settings.database_url.get_secret_value(),
            address,
            stop,
            is_registered=lambda name: name in register.sensors.keys,
            registry=metrics.registry,
        )
    ]


def _tell(subscriber: Subscriber, number: BatchNumber, progress: GatewayProgress) -> None:
    acknowledgement = wire.WireAcknowledgement(stored=progress.stored, gaps=progress.gaps, buffer=progress.buffer)
    topic = wire.gateway_acknowledgement_topic(number.city, number.gateway)
    subscriber.publish(topic, wire.encode_acknowledgement(acknowledgement))


@asynccontextmanager
async def _opened(pool: Pool) -> AsyncIterator[None]:
    await pool.open()
    try:
        yield
    finally:
        await pool.close(CLOSE_WITHIN_S)


async def _beside(main: Awaitable[Any], *endless: Coroutine[Any, Any, None]) -> None:
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
