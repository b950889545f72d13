"""A gateway that buffers loses nothing: not when its broker is killed, not when it is killed itself."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import gmqtt
import msgspec
import pytest

from services.core import wire
from services.core.broker_address import BrokerAddress
from services.demo.broker import EmbeddedBroker
from simulators.load.connection import Login
from simulators.load.gateway import BufferingGateway
from simulators.load.journal import FileJournal, MemoryJournal
from tests.fixtures.processes import reachable_directory
from tests.integration.ingest_harness import (
    connected,
    ingest_process,
    register_sensors,
    settings_for,
    tables_of,
    until,
)

pytestmark = pytest.mark.mosquitto

CITY, NAME, SENSORS, BATCH = "test", "gateway", 100, 50
START_MS = int(os.environ.get("LIFELINE_TEST_START_MS", (int(time.time()) - 7200) * 1000))
"""Another process of the same test begins where the test says."""
Entries = list[wire.WireGatewayReading]


def login(url: str) -> Login:
    address = BrokerAddress.parse(url)
    return Login(address.host, address.port, address.user, address.password)


def entries(number: int) -> Entries:
    """The readings of the batch of this number; no two batches have one in common."""
    first = (number - 1) * BATCH
    return [
        wire.WireGatewayReading(sensor=f"s{i % SENSORS}", time=START_MS + i // SENSORS, value=float(i % 900))
        for i in range(first, first + BATCH)
    ]


def make_gateway(url: str, journal: MemoryJournal, **options: Any) -> BufferingGateway:
    rng = random.Random(1)  # noqa: S311 - it spreads waits
    return BufferingGateway(CITY, NAME, login(url), journal, rng, **options)


@asynccontextmanager
async def running(gateway: BufferingGateway) -> AsyncIterator[BufferingGateway]:
    task = asyncio.create_task(gateway.run())
    try:
        yield gateway
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Service:
    """The other side of the contract, in the hands of the test: it hears batches, and says what is stored."""

    def __init__(self, client: gmqtt.Client) -> None:
        self.heard: Counter[int] = Counter()
        self.buffer = ""
        self._client = client
        client.on_message = self._on_message

    def _on_message(self, _client: Any, _topic: str, payload: bytes, _qos: int, _properties: Any) -> int:
        numbered = msgspec.json.decode(payload, type=wire.WireNumbered)
        self.heard[numbered.seq] += 1
        self.buffer = numbered.buffer
        return 0

    def say(self, stored: int, gaps: list[tuple[int, int]], buffer: str | None = None) -> None:
        told = wire.WireAcknowledgement(stored=stored, gaps=gaps, buffer=self.buffer if buffer is None else buffer)
        topic = wire.gateway_acknowledgement_topic(CITY, NAME)
        self._client.publish(topic, wire.encode_acknowledgement(told), qos=1, retain=True)


@asynccontextmanager
async def service(url: str) -> AsyncIterator[Service]:
    async with connected(url, gmqtt.Client("the-service")) as client:
        heard = Service(client)
        client.subscribe(gmqtt.Subscription(wire.gateway_readings_topic(CITY, NAME), qos=1))
        await asyncio.sleep(0.2)
        yield heard
        client.publish(wire.gateway_acknowledgement_topic(CITY, NAME), b"", qos=1, retain=True)


async def test_no_more_than_the_window_is_on_its_way(mosquitto_broker: EmbeddedBroker) -> None:
    gateway = make_gateway(mosquitto_broker.url, MemoryJournal(), window=5, replay_after_s=60)
    async with service(mosquitto_broker.url) as told, running(gateway):
        for number in range(1, 21):
            await gateway.put(entries(number))
        await until(lambda: len(told.heard) == 5)
        await asyncio.sleep(0.7)
        assert sorted(told.heard) == [1, 2, 3, 4, 5]
        told.say(3, [])
        await until(lambda: len(told.heard) == 8)
        assert gateway.stored == 3


async def test_a_gap_is_sent_again_and_what_is_stored_is_not(mosquitto_broker: EmbeddedBroker) -> None:
    gateway = make_gateway(mosquitto_broker.url, MemoryJournal(), window=10, replay_after_s=60)
    async with service(mosquitto_broker.url) as told, running(gateway):
        for number in range(1, 11):
            await gateway.put(entries(number))
        await until(lambda: len(told.heard) == 10)
        await asyncio.sleep(1.1)
        told.say(2, [(3, 4), (7, 7)])
        await until(lambda: told.heard[3] == told.heard[4] == told.heard[7] == 2)
        await asyncio.sleep(0.7)
        assert {number for number, times in told.heard.items() if times > 1} == {3, 4, 7}
        assert gateway.stored == 4  # 1, 2, 5, 6; nothing is known behind the last gap
        told.say(10, [])
        await asyncio.wait_for(gateway.drained(), 5)


async def test_what_nothing_is_heard_of_is_sent_again_ever_more_rarely(mosquitto_broker: EmbeddedBroker) -> None:
    gateway = make_gateway(mosquitto_broker.url, MemoryJournal(), replay_after_s=0.5)
    async with service(mosquitto_broker.url) as told, running(gateway):
        await gateway.put(entries(1))
        await until(lambda: told.heard[1] >= 3)
        await asyncio.sleep(1)
        assert told.heard[1] <= 4


async def test_another_buffers_acknowledgement_and_nonsense_are_not_believed(mosquitto_broker: EmbeddedBroker) -> None:
    gateway = make_gateway(mosquitto_broker.url, MemoryJournal(), replay_after_s=60)
    async with service(mosquitto_broker.url) as told, running(gateway):
        await gateway.put(entries(1))
        await until(lambda: told.heard[1] == 1)
        told.say(1, [], buffer="an older one")
        told._client.publish(wire.gateway_acknowledgement_topic(CITY, NAME), b"{nonsense", qos=1)
        await asyncio.sleep(0.5)
        assert gateway.stored == 0
        told.say(1, [])
        await asyncio.wait_for(gateway.drained(), 5)


async def test_a_full_buffer_makes_the_gateway_wait(mosquitto_broker: EmbeddedBroker) -> None:
    gateway = make_gateway(mosquitto_broker.url, MemoryJournal(), capacity=3, replay_after_s=60)
    async with service(mosquitto_broker.url) as told, running(gateway):
        for number in range(1, 4):
            await gateway.put(entries(number))
        fourth = asyncio.create_task(gateway.put(entries(4)))
        await until(lambda: len(told.heard) == 3)
        assert not fourth.done()
        told.say(1, [])
        assert await asyncio.wait_for(fourth, 5) == 4


class KillableBroker:
    """A broker of the test's own."""

    def __init__(self, directory: Path) -> None:
        self.broker = EmbeddedBroker(directory, 0, "mosquitto")
        self.broker.prepare()
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self._process = await asyncio.to_thread(subprocess.Popen, self.broker.command(), stderr=subprocess.DEVNULL)
        await self.broker.wait_ready()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def own_broker() -> Iterator[KillableBroker]:
    with reachable_directory("gateway") as directory:
        broker = KillableBroker(directory)
        try:
            yield broker
        finally:
            broker.kill()


def assert_exactly(database_url: str, batches: int) -> None:
    with tables_of(database_url) as tables:
        assert tables.count("reading") == batches * BATCH
        fed = tables.fed()
        assert len(fed) == len(set(fed)) == batches * BATCH
        assert tables.ask("select stored::text from gateway_sequence") == [(f"{{[1,{batches + 1})}}",)]


async def test_a_killed_broker_costs_the_gateway_nothing(database_url: str, tmp_path: Path) -> None:
    register_sensors(database_url, SENSORS)
    batches = 300
    with own_broker() as own:
        await own.start()
        gateway = make_gateway(own.broker.url, MemoryJournal(), window=20, capacity=40)
        async with ingest_process(settings_for(own.broker, database_url), tmp_path / "log"), running(gateway):

            async def put_all() -> None:
                for number in range(1, batches + 1):
                    assert await gateway.put(entries(number)) == number

            putting = asyncio.create_task(put_all())
            for part in (30, 120, 200):
                await until(lambda part=part: gateway.stored >= part)  # type: ignore[misc]
                own.kill()
                await asyncio.sleep(0.3)
                await own.start()
            await putting
            await asyncio.wait_for(gateway.drained(), 60)
    assert gateway.outages >= 3
    assert_exactly(database_url, batches)


async def test_a_killed_gateway_goes_on_where_it_was(
    database_url: str, mosquitto_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    register_sensors(database_url, SENSORS)
    journal, batches = tmp_path / "journal", 300
    command = [sys.executable, "-m", "tests.integration.simulators.test_buffering_gateway", str(journal), str(batches)]
    environment = {
        **os.environ,
        "LIFELINE_MQTT_URL": mosquitto_broker.url,
        "LIFELINE_TEST_START_MS": str(START_MS),
    }
    async with ingest_process(settings_for(mosquitto_broker, database_url), tmp_path / "log"):
        with tables_of(database_url) as tables:
            for part in (30, 120, 200):
                process = await asyncio.create_subprocess_exec(*command, env=environment)
                await until(lambda part=part: tables.count("reading") >= part * BATCH)  # type: ignore[misc]
                process.send_signal(signal.SIGKILL)
                await process.wait()
        process = await asyncio.create_subprocess_exec(*command, env=environment)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    assert_exactly(database_url, batches)


async def _be_a_gateway(journal: FileJournal, batches: int) -> None:
    """Put every batch that the journal has not seen yet, and wait until all are stored."""
    async with running(make_gateway(os.environ["LIFELINE_MQTT_URL"], journal, window=20, capacity=40)) as gateway:
        while journal.next_number <= batches:
            await gateway.put(entries(journal.next_number))
        await gateway.drained()


if __name__ == "__main__":
    asyncio.run(_be_a_gateway(FileJournal(Path(sys.argv[1])), int(sys.argv[2])))
