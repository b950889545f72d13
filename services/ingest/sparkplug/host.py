"""The Sparkplug host: one process of the city hears every edge node, and hands on what they measure."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry

from services.core.broker_address import BrokerAddress
from services.core.settings import Settings
from services.ingest.message import Decoded, Message
from services.ingest.outage import LONGEST_WAIT_S, Outage
from services.ingest.sparkplug.counts import Counts
from services.ingest.sparkplug.edge_nodes import EdgeNodes, Limits, rebirth_request
from services.ingest.sparkplug.ownership import Ownership
from services.ingest.sparkplug.session import HostConnection, HostName
from services.ingest.subscriber import BROKER_AWAY
from services.ingest.writer import DATABASE_AWAY

DRAIN_WITHIN_S = 2.0
"""Time for the last commits after a request to stop. What misses it is lost: Sparkplug data are of QoS 0."""
MOST_WAITING = 200_000
"""Readings and rejections that may wait for the database. With more the host leaves, so that edge nodes that can keep
their data do."""


class Taker(Protocol):
    """Where decoded messages go; ``services.ingest.intake.Intake`` is one."""

    async def take_decoded(self, message: Message, decoded: Decoded) -> None:
        """Take it in; done when it is committed."""
        ...


async def host(
    settings: Settings,
    intake: Taker,
    database_url: str,
    broker_address: BrokerAddress,
    stop: asyncio.Event,
    *,
    is_registered: Callable[[str], bool],
    registry: CollectorRegistry,
) -> None:
    """Be the Sparkplug host of the city until ``stop``, or stand by while another process is."""
    rng = random.Random()  # noqa: S311 - it spreads waits and keeps no secret
    database = Outage("the database of the Sparkplug host", DATABASE_AWAY, rng)
    broker = Outage("the broker of the Sparkplug host", BROKER_AWAY, rng)
    name = HostName(settings.sparkplug_host_id or f"lifeline-{settings.city}", f"lifeline-sparkplug-{settings.city}")
    limits = Limits(settings.sparkplug_edge_nodes, settings.sparkplug_metrics_each, settings.sparkplug_metrics)
    counts = Counts(registry)
    ownership = Ownership(database_url, database)
    nodes = EdgeNodes(limits, is_registered, counts)
    logging.getLogger("gmqtt").setLevel(logging.CRITICAL)  # it would report every attempt of an outage
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(ownership.keep())
        member = SparkplugHost(
            name,
            address=broker_address,
            broker=broker,
            ownership=ownership,
            nodes=nodes,
            intake=intake,
            counts=counts,
        )
        await member.run(stop)
        keeping.cancel()


class SparkplugHost:
    """Hears the edge nodes while it is this process's turn."""

    def __init__(
        self,
        name: HostName,
        *,
        address: BrokerAddress,
        broker: Outage,
        ownership: Ownership,
        nodes: EdgeNodes,
        intake: Taker,
        counts: Counts,
    ) -> None:
        self._name = name
        self._address = address
        self._broker = broker
        self._ownership = ownership
        self._nodes = nodes
        self._intake = intake
        self._counts = counts
        self._connection: HostConnection | None = None
        self._waiting = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._overloaded = asyncio.Event()
        self._log = structlog.get_logger()

    async def run(self, stop: asyncio.Event) -> None:
        """Take part until told to stop; what was taken is committed then, if that is soon."""
        pauses = self._broker.waits()
        while not stop.is_set():
            await _first(stop, self._ownership.held)
            if stop.is_set():
                break
            started_at = time.monotonic()
            try:
                await self._serve(stop)
            except BROKER_AWAY as error:
                self._broker.began(error)
            if self._overloaded.is_set():
                await self._rest(stop)
            if time.monotonic() - started_at > 2 * LONGEST_WAIT_S:
                pauses = self._broker.waits()  # not sooner: two hosts of one name would fight at full speed
            await _first(stop, within_s=next(pauses))
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_WITHIN_S):
                await self._idle.wait()

    async def _serve(self, stop: asyncio.Event) -> None:
        """One connection, from its beginning to its end."""
        self._nodes.forget()
        connection = self._connection = HostConnection(self._name, self._receive, self._counts.retained.inc, _now)
        try:
            await connection.open(self._address)
            self._broker.ended()
            self._counts.is_host.set(1)
            self._log.info("this process is the Sparkplug host", host_id=self._name.host_id)
            await _first(stop, connection.lost, self._ownership.taken, self._overloaded)
            if connection.lost.is_set() and not stop.is_set():
                raise ConnectionError("the connection was closed, or another process took over the session")
        finally:
            self._counts.is_host.set(0)
            await connection.close()

    async def _receive(self, topic: str, payload: bytes) -> None:
        """Take a message; what comes before the first wait is done in the order of delivery."""
        message = Message(topic, payload, _now())
        taken = self._nodes.take(message, time.monotonic())
        if taken.rebirth is not None and self._connection is not None:
            timestamp_ms = int(message.received_at.timestamp() * 1000)
            self._connection.publish(taken.rebirth.command_topic, rebirth_request(timestamp_ms))
        weight = len(taken.decoded.sensors) + len(taken.decoded.rejections)
        if weight == 0:
            return
        self._waiting += weight
        self._idle.clear()
        if self._waiting > MOST_WAITING:
            self._overloaded.set()
        try:
            await self._intake.take_decoded(message, taken.decoded)
        finally:
            self._waiting -= weight
            if self._waiting == 0:
                self._idle.set()

    async def _rest(self, stop: asyncio.Event) -> None:
        self._counts.absences.inc()
        self._log.warning("the Sparkplug host has left until the database has caught up", waiting=self._waiting)
        await _first(stop, self._idle)
        self._overloaded.clear()


def _now() -> datetime:
    return datetime.now(UTC)


async def _first(*events: asyncio.Event, within_s: float | None = None) -> None:
    """Wait until one of the events is set, or for so long."""
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
