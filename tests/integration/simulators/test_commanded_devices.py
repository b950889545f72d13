"""The simulated devices obey over a real broker: they answer, and then report faster."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiomqtt
import pytest

from services.core import wire
from services.core.broker_address import BrokerAddress
from services.demo.broker import EmbeddedBroker
from simulators.city import City
from simulators.outbox import Broker
from simulators.progress import Journal, Progress
from simulators.publisher import Play, messages, publish_city
from simulators.scenario import load_scenario
from simulators.story_clock import StoryClock
from tests.integration.alerts.alert_harness import until

_MINUTE = timedelta(minutes=1)
_SPEED = 60.0
"""A story minute is a second."""
pytestmark = pytest.mark.mosquitto


@asynccontextmanager
async def _playing(city: City, origin: datetime, broker: EmbeddedBroker, journal: Journal) -> AsyncIterator[None]:
    address = BrokerAddress.parse(broker.url)
    play = Play(city, load_scenario("normal-day"), origin, 1)
    story = StoryClock(origin, _SPEED, lambda: datetime.now(UTC))
    reached = Broker(address.host, address.port, address.user, address.password)
    task = asyncio.create_task(publish_city(play, story, reached, journal))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _measured(payload: bytes, sensor: str) -> list[datetime]:
    return [datetime.fromisoformat(row["time"]) for row in json.loads(payload) if row["sensor"] == sensor]


async def test_a_simulated_device_answers_and_reports_as_it_is_asked(
    city: City, origin: datetime, mosquitto_broker: EmbeddedBroker
) -> None:
    sensor = next(s for s in city.sensors if s.quantity == "manhole_level")
    address = BrokerAddress.parse(mosquitto_broker.url)
    journal = Journal(None, Progress(city=city.id, scenario="d", seed=1, origin=origin, published=origin), time.time)
    answers: dict[str, wire.WireAnswer] = {}
    minutes: list[datetime] = []

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            if message.topic.value.endswith("/ack"):
                answer = wire.decode_answer(message.payload)
                answers[answer.id] = answer
            else:
                minutes.extend(_measured(message.payload, sensor.id))

    async with aiomqtt.Client(address.host, address.port, username=address.user, password=address.password) as client:
        await client.subscribe(wire.device_answer_topic(city.id, "+"), qos=1)
        await client.subscribe(wire.gateway_readings_topic(city.id, sensor.gateway), qos=1)
        listening = asyncio.create_task(listen(client))
        async with _playing(city, origin, mosquitto_broker, journal):
            await until(lambda: bool(minutes), 60)
            for ident, interval_s in (("faster", 60), ("too-fast", 7)):
                command = wire.WireCommand(id=ident, sensor=sensor.id, interval_s=interval_s)
                topic = wire.device_command_topic(city.id, sensor.gateway)
                await client.publish(topic, wire.encode_command(command), qos=1)
            await until(lambda: len(answers) == 2 and len(minutes) >= 5, 60)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    assert answers["faster"].done
    assert not answers["too-fast"].done
    assert answers["too-fast"].reason is not None
    paces = {later - earlier for earlier, later in zip(minutes[-3:], minutes[-2:], strict=False)}
    assert paces == {_MINUTE}, "the device said yes and did not do it"
    (asked,) = journal.progress.asked
    assert (asked.sensor, asked.interval_s) == (sensor.id, 60)
    replayed = Progress(city=city.id, scenario="d", seed=1, origin=origin, published=origin, asked=(asked,))
    topic = wire.gateway_readings_topic(city.id, sensor.gateway)
    again = [
        time
        for message in messages(Play(city, load_scenario("normal-day"), origin, 1, minutes[-1]), replayed)
        if message.topic == topic
        for time in _measured(message.payload, sensor.id)
    ]
    assert again == minutes, "a restart would measure at other instants"
