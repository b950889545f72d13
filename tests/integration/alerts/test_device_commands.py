"""Devices are asked to report faster while the water moves: decided from readings, sent over a real broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from psycopg import AsyncConnection

from services.alerts.devices.commander import MOST_ATTEMPTS, Commander, run_commander
from services.core import wire
from services.core.broker_address import BrokerAddress
from services.core.device_command import DeviceCommand
from services.core.store import device_commands
from services.core.store.pool import open_pool
from services.demo.broker import EmbeddedBroker
from tests.integration.alerts.alert_harness import ask, at, prepare, store, until
from tests.integration.alerts.test_alert_feed import follow_to_the_end, following
from tests.integration.alerts.tiny_city import SENSORS

CITY = "commands"
_ROAD = "L-1,drainage,road_depth,cm,MH-1,117.000,31.020,300,\n"
_BEHIND_GATEWAY = "L-2,drainage,road_depth,cm,MH-1,117.000,31.020,300,gateway-7\n"
_FAST_ALREADY = "L-3,drainage,road_depth,cm,MH-1,117.000,31.020,60,\n"
_STATES = "select sensor, device, interval_s, state, attempts, answer from device_command order by asked_at, interval_s"


@pytest.fixture
def road_url(database_url: str, tmp_path: Path) -> str:
    prepare(database_url, tmp_path / "city", (*SENSORS, _ROAD, _BEHIND_GATEWAY, _FAST_ALREADY))
    return database_url


async def _rising(url: str, sensor: str = "L-1") -> None:
    await store(url, [(sensor, at(0), 0.2), (sensor, at(5), 0.4), (sensor, at(10), 3.1)])
    async with following(url) as follower:
        await follow_to_the_end(follower)


def _address(broker: EmbeddedBroker) -> BrokerAddress:
    return BrokerAddress.parse(broker.url)


@asynccontextmanager
async def _commanding(url: str, broker: EmbeddedBroker, answer_within: timedelta) -> AsyncIterator[None]:
    async with open_pool(url, 2) as pool:
        task = asyncio.create_task(run_commander(Commander(pool, _address(broker), CITY, answer_within=answer_within)))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@dataclass
class _Device:
    """A device that keeps what it is asked and answers as it is told to."""

    name: str
    broker: EmbeddedBroker
    answers: Any = None
    asked: list[wire.WireCommand] = field(default_factory=list)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["_Device"]:
        address = _address(self.broker)
        async with aiomqtt.Client(
            address.host, address.port, username=address.user, password=address.password
        ) as client:
            await client.subscribe(wire.device_command_topic(CITY, self.name), qos=1)
            task = asyncio.create_task(self._obey(client))
            try:
                yield self
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _obey(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            command = wire.decode_command(message.payload)
            self.asked.append(command)
            for payload in self.answers(command) if self.answers else ():
                await client.publish(wire.device_answer_topic(CITY, self.name), payload, qos=1)


def _done(command: wire.WireCommand) -> list[bytes]:
    return [wire.encode_answer(wire.WireAnswer(id=command.id, done=True))]


async def test_water_that_moves_asks_for_a_reading_a_minute_and_raises_nothing(road_url: str) -> None:
    await _rising(road_url)
    (row,) = ask(road_url, _STATES)
    assert (row["sensor"], row["device"], row["interval_s"], row["state"]) == ("L-1", "L-1", 60, "waiting")
    assert ask(road_url, "select kind from alert where kind = 'fast-reporting'") == []
    assert [row["kind"] for row in ask(road_url, "select kind from finding where kind = 'fast-reporting'")]


async def test_judging_the_same_again_asks_nothing_new(road_url: str) -> None:
    await _rising(road_url)
    before = ask(road_url, "select * from device_command")
    (row,) = ask(road_url, "select id, time from finding where kind = 'fast-reporting'")
    command = DeviceCommand(before[0]["id"], "L-1", "L-1", timedelta(minutes=1))
    async with await AsyncConnection.connect(road_url) as connection:
        await device_commands.ask(connection, command, finding=str(row["id"]), event_time=row["time"])
    assert ask(road_url, "select * from device_command") == before


async def test_water_at_rest_asks_for_the_registered_interval(road_url: str) -> None:
    await _rising(road_url)
    await store(road_url, [("L-1", at(10 + minute), 3.1) for minute in range(1, 45)])
    async with following(road_url) as follower:
        await follow_to_the_end(follower)
    rows = ask(road_url, _STATES)
    assert [(row["interval_s"], row["state"]) for row in rows] == [(60, "superseded"), (300, "waiting")]


async def test_a_sensor_of_a_gateway_is_asked_through_it_and_one_that_is_fast_is_not(road_url: str) -> None:
    await _rising(road_url, "L-2")
    await store(road_url, [("L-3", at(0), 0.2), ("L-3", at(1), 9.0)])
    async with following(road_url) as follower:
        await follow_to_the_end(follower)
    assert [(row["sensor"], row["device"]) for row in ask(road_url, _STATES)] == [("L-2", "gateway-7")]


async def test_the_device_is_told_and_its_answer_is_kept(road_url: str, mosquitto_broker: EmbeddedBroker) -> None:
    await _rising(road_url)
    async with (
        _Device("L-1", mosquitto_broker, _done).listening() as device,
        _commanding(road_url, mosquitto_broker, timedelta(seconds=30)),
    ):
        await until(lambda: ask(road_url, _STATES)[0]["state"] == "done")
    assert [(each.sensor, each.interval_s) for each in device.asked] == [("L-1", 60)]


async def test_a_refusal_is_kept_with_its_reason(road_url: str, mosquitto_broker: EmbeddedBroker) -> None:
    def refuse(command: wire.WireCommand) -> list[bytes]:
        return [wire.encode_answer(wire.WireAnswer(id=command.id, done=False, reason="battery below 20 %"))]

    await _rising(road_url)
    async with (
        _Device("L-1", mosquitto_broker, refuse).listening(),
        _commanding(road_url, mosquitto_broker, timedelta(seconds=30)),
    ):
        await until(lambda: ask(road_url, _STATES)[0]["state"] == "refused")
    assert ask(road_url, _STATES)[0]["answer"] == "battery below 20 %"


async def test_a_device_that_is_silent_is_asked_so_often_and_no_more(
    road_url: str, mosquitto_broker: EmbeddedBroker
) -> None:
    await _rising(road_url)
    async with (
        _Device("L-1", mosquitto_broker).listening() as device,
        _commanding(road_url, mosquitto_broker, timedelta(milliseconds=50)),
    ):
        await until(lambda: ask(road_url, _STATES)[0]["state"] == "given-up")
    assert len(device.asked) == MOST_ATTEMPTS
    assert len({each.id for each in device.asked}) == 1, "the same wish went out under several identifiers"


async def test_an_answer_that_came_while_nobody_listened_is_asked_for_again(
    road_url: str, mosquitto_broker: EmbeddedBroker
) -> None:
    await _rising(road_url)
    async with _Device("L-1", mosquitto_broker).listening() as device:
        async with _commanding(road_url, mosquitto_broker, timedelta(seconds=30)):
            await until(lambda: len(device.asked) == 1)
        device.answers = _done
        async with _commanding(road_url, mosquitto_broker, timedelta(milliseconds=200)):
            await until(lambda: ask(road_url, _STATES)[0]["state"] == "done")


async def test_rubbish_and_answers_of_others_change_nothing(road_url: str, mosquitto_broker: EmbeddedBroker) -> None:
    def rubbish(command: wire.WireCommand) -> list[bytes]:
        unasked = wire.encode_answer(wire.WireAnswer(id="00000000-0000-0000-0000-000000000000", done=True))
        return [b"", b"\xff\x00", b"{}", b'{"id":"x","done":true}', unasked, *_done(command)]

    await _rising(road_url)
    async with (
        _Device("L-1", mosquitto_broker, rubbish).listening(),
        _commanding(road_url, mosquitto_broker, timedelta(seconds=30)),
    ):
        await until(lambda: ask(road_url, _STATES)[0]["state"] == "done")
    assert len(ask(road_url, "select from device_command")) == 1
