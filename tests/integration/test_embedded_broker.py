"""The embedded brokers keep what ingest has not acknowledged, and let nobody in without the password."""

import asyncio
import socket
import sys
import uuid
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt
import pytest

from services.demo.broker import EmbeddedBroker
from services.demo.directory import DemoError
from services.demo.mosquitto import find_mosquitto
from services.demo.supervisor import ChildProcess, Supervisor
from tests.fixtures.processes import reachable_directory

# Receives as ingest does, in a process that can be killed: prints "ready", then each payload.
SUBSCRIBER = """
import asyncio, logging, sys
from urllib.parse import urlsplit
import gmqtt
from gmqtt.mqtt.constants import MQTTv50
url, name, topic, answer = sys.argv[1:]
async def received(client, topic, payload, qos, properties):
    print(payload.decode(), flush=True)
    if answer == "never":
        await asyncio.sleep(600)
    return 0
async def main():
    address = urlsplit(url)
    client = gmqtt.Client(name, clean_session=False, optimistic_acknowledgement=False,
                          session_expiry_interval=600, receive_maximum=2000)
    client.set_auth_credentials(address.username, address.password)
    client.on_message = received
    client.on_subscribe = lambda *_: print("ready", flush=True)
    await client.connect(address.hostname, address.port, version=MQTTv50)
    client.subscribe(topic, qos=1)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@asynccontextmanager
async def subscriber(broker: EmbeddedBroker, name: str, topic: str, answer: str = "ok") -> AsyncIterator[Process]:
    """A subscriber process, killed at the end."""
    command = [sys.executable, "-c", SUBSCRIBER, broker.url, name, topic, answer]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        yield process
    finally:
        process.kill()
        await process.communicate()


async def lines(process: Process, count: int) -> list[str]:
    """The next lines that this process prints; fewer when no more come for five seconds."""
    assert process.stdout is not None
    found: list[str] = []
    while len(found) < count:
        try:
            line = await asyncio.wait_for(process.stdout.readline(), 5 if found else 15)
        except TimeoutError:
            break
        found.append(line.decode().strip())
    return found


def client(broker: EmbeddedBroker, **changes: str | None) -> aiomqtt.Client:
    address = urlsplit(broker.url)
    return aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username=changes.get("username", address.username),
        password=changes.get("password", address.password),
        protocol=aiomqtt.ProtocolVersion.V5,
        timeout=1,
    )


async def publish(broker: EmbeddedBroker, topic: str, payloads: list[str]) -> None:
    async with client(broker) as publisher:
        for payload in payloads:
            await publisher.publish(topic, payload, qos=1)


async def redelivered(broker: EmbeddedBroker, prefix: str) -> None:
    name = uuid.uuid4().hex
    topic, numbers = f"{prefix}{name}", [str(number) for number in range(150)]
    async with subscriber(broker, name, topic, "never") as first:
        assert await lines(first, 1) == ["ready"]
        await publish(broker, name, numbers[:50])
        assert await lines(first, 50) == numbers[:50]
    await publish(broker, name, numbers[50:])
    async with subscriber(broker, name, topic) as second:
        assert sorted(await lines(second, 151)) == sorted([*numbers, "ready"])


async def test_a_killed_subscriber_gets_what_it_did_not_acknowledge_and_what_came_meanwhile(
    any_broker: EmbeddedBroker,
) -> None:
    await redelivered(any_broker, "")


@pytest.mark.mosquitto
async def test_so_does_the_only_member_of_a_shared_subscription(mosquitto_broker: EmbeddedBroker) -> None:
    assert mosquitto_broker.shares_subscriptions
    await redelivered(mosquitto_broker, "$share/lifeline/")


async def test_a_message_of_256_kib_arrives(any_broker: EmbeddedBroker) -> None:
    name = uuid.uuid4().hex
    async with client(any_broker) as receiver:
        await receiver.subscribe(name, qos=1)
        await publish(any_broker, name, ["x" * 262_144])
        message = await asyncio.wait_for(anext(aiter(receiver.messages)), 5)
    assert isinstance(message.payload, bytes)
    assert len(message.payload) == 262_144


@pytest.mark.parametrize("changes", [{"username": None, "password": None}, {"password": "guess"}])
async def test_nobody_enters_without_the_password(any_broker: EmbeddedBroker, changes: dict[str, str | None]) -> None:
    with pytest.raises(aiomqtt.MqttError):
        await client(any_broker, **changes).__aenter__()


@pytest.mark.parametrize("choice", ["mosquitto", "iotcore"])
def test_a_taken_port_is_left_to_its_owner(tmp_path: Path, choice: str) -> None:
    if choice == "mosquitto" and find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    with socket.create_server(("127.0.0.1", 0)) as owner:
        taken = owner.getsockname()[1]
        broker = EmbeddedBroker(tmp_path, wanted_port=taken, choice=choice)
        broker.prepare()
        assert broker.port > taken


@asynccontextmanager
async def supervised(directory: Path, choice: str, said: list[str]) -> AsyncIterator[EmbeddedBroker]:
    """A broker of its own, stopped in order at the end."""
    broker = EmbeddedBroker(directory, wanted_port=0, choice=choice)
    broker.prepare()
    async with Supervisor(directory, said.append) as supervisor:
        await supervisor.start(ChildProcess("broker", broker.command(), broker.wait_ready))
        yield broker


@pytest.mark.mosquitto
@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
async def test_mosquitto_keeps_a_session_and_its_queue_over_an_orderly_restart() -> None:
    with reachable_directory("restart") as directory:
        async with supervised(directory, "mosquitto", []) as broker:
            async with subscriber(broker, "keeper", "kept") as member:
                assert await lines(member, 1) == ["ready"]
            await publish(broker, "kept", ["1", "2"])
        async with supervised(directory, "mosquitto", []) as broker:
            await publish(broker, "kept", ["3"])
            async with subscriber(broker, "keeper", "kept") as member:
                assert sorted(await lines(member, 4)) == ["1", "2", "3", "ready"]


async def test_an_iotcore_broker_that_broke_inside_is_started_again() -> None:
    said: list[str] = []
    with reachable_directory("broken") as directory:
        async with supervised(directory, "iotcore", said) as broker:
            assert not broker.shares_subscriptions
            async with subscriber(broker, "only", "$share/group/broken", "never") as member:
                assert await lines(member, 1) == ["ready"]
                await publish(broker, "broken", ["1"])
                assert await lines(member, 1) == ["1"]
            async with asyncio.timeout(10):
                while "broker is back" not in said:  # noqa: ASYNC110 - the list sends no events
                    await asyncio.sleep(0.02)
    assert said[0] == "broker stopped (exit code 70), restarting in 0.2 s"


def test_a_wanted_broker_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.demo.mosquitto.find_mosquitto", lambda: None)
    with pytest.raises(DemoError, match="apt install mosquitto"):
        EmbeddedBroker(tmp_path, choice="mosquitto").prepare()
    automatic = EmbeddedBroker(tmp_path, wanted_port=0)
    automatic.prepare()
    assert automatic.kind == "iotcore"
