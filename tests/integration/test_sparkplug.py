"""A Sparkplug edge node of another make publishes through Mosquitto, and what it measures is stored."""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import gmqtt
import paho.mqtt.client
import psycopg
import pysparkplug
import pytest

from services.core.broker_address import BrokerAddress
from services.core.settings import Settings
from services.demo.broker import EmbeddedBroker
from services.ingest.sparkplug import host, ownership
from tests.integration.ingest_harness import (
    Tables,
    connected,
    forget_session,
    ingest_process,
    ingesting,
    now_ms,
    register_sensors,
    settings_for,
    tables_of,
    until,
)

pytestmark = [
    pytest.mark.mosquitto,
    pytest.mark.filterwarnings("ignore:Callback API version 1 is deprecated:DeprecationWarning"),
]

TAKEOVER_WITHIN_S = 10.0
PRESSURE, LEVEL = 1, 2
FLOAT, DOUBLE = pysparkplug.DataType.FLOAT, pysparkplug.DataType.DOUBLE


@pytest.fixture(autouse=True)
def _paho_as_of_version_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client of pysparkplug 0.6.1 calls a method that paho 2 has no longer, and that did nothing before."""
    monkeypatch.setattr(paho.mqtt.client.Client, "message_retry_set", lambda _client, **_options: None, raising=False)


@pytest.fixture
def city(monkeypatch: pytest.MonkeyPatch) -> str:
    """A city of the test's own, in its processes too, so that its host is alone under its name."""
    name = f"city-{uuid.uuid4().hex[:12]}"
    monkeypatch.setenv("LIFELINE_CITY", name)
    return name


@pytest.fixture
def tables(database_url: str, city: str) -> Iterator[Tables]:
    """Three sensors: the pressure and the load of a station, and the level of its device."""
    register_sensors(database_url, 3)
    with psycopg.connect(database_url) as connection:
        for number, metric in enumerate(["pressure", "pump/level", "load"]):
            address = f"sparkplug:{city}/station/{metric}"
            connection.execute("update sensor set address = %s where id = %s", (address, f"s{number}"))
    with tables_of(database_url) as found:
        yield found


def sparkplug_settings(broker: EmbeddedBroker, database_url: str, city: str) -> Settings:
    return settings_for(broker, database_url, city=city, sparkplug=True)


class Station:
    """An edge node with one device, made of pysparkplug's client and messages; it answers when asked for a birth."""

    def __init__(self, broker: EmbeddedBroker, group: str) -> None:
        self._address = BrokerAddress.parse(broker.url)
        self._group = group
        self._sequence = 0
        self._birth_number = self._metric("bdSeq", None, pysparkplug.DataType.INT64, 0)
        self.asked = 0
        self.answers = True
        self.client = pysparkplug.Client(
            client_id=f"station-{group}", username=self._address.user, password=self._address.password
        )

    def _metric(self, name: str | None, alias: int | None, kind: Any, value: float) -> pysparkplug.Metric:
        return pysparkplug.Metric(timestamp=now_ms(), name=name, datatype=kind, value=value, alias=alias)

    def _topic(self, kind: str, device: str | None = None) -> pysparkplug.Topic:
        message_type = pysparkplug.MessageType[kind]
        return pysparkplug.Topic(
            message_type=message_type, group_id=self._group, edge_node_id="station", device_id=device
        )

    def _publish(self, kind: str, payload: Any, device: str | None = None, *, with_types: bool) -> None:
        message = pysparkplug.Message(
            topic=self._topic(kind, device), payload=payload, qos=pysparkplug.QoS.AT_MOST_ONCE, retain=False
        )
        self.client.publish(message, include_dtypes=with_types)

    def _next(self) -> int:
        number, self._sequence = self._sequence, (self._sequence + 1) % 256
        return number

    @contextmanager
    def connected(self) -> Iterator["Station"]:
        """Connected and born for the length of a block; it leaves without a word."""
        will = pysparkplug.NDeath(timestamp=now_ms(), bd_seq_metric=self._birth_number)
        self.client.set_will(
            pysparkplug.Message(
                topic=self._topic("NDEATH"), payload=will, qos=pysparkplug.QoS.AT_LEAST_ONCE, retain=False
            )
        )
        self.client.subscribe(self._topic("NCMD"), pysparkplug.QoS.AT_LEAST_ONCE, self._on_command)
        self.client.connect(self._address.host, port=self._address.port, callback=lambda _client: self.be_born())
        try:
            yield self
        finally:
            self.client.disconnect()

    def _on_command(self, _client: Any, message: pysparkplug.Message) -> None:
        if isinstance(message.payload, pysparkplug.NCmd) and any(
            metric.name == "Node Control/Rebirth" and metric.value is True for metric in message.payload.metrics
        ):
            self.asked += 1
            if self.answers:
                self.be_born()

    def be_born(self) -> None:
        """Publish the births of the station and its pump, with current values."""
        self._sequence = 0
        control = self._metric("Node Control/Rebirth", None, pysparkplug.DataType.BOOLEAN, value=False)
        own = (self._birth_number, control, self._metric("pressure", PRESSURE, FLOAT, 1.0))
        self._publish("NBIRTH", pysparkplug.NBirth(now_ms(), self._next(), own), with_types=True)
        level = (self._metric("level", LEVEL, DOUBLE, 2.0),)
        self._publish("DBIRTH", pysparkplug.DBirth(now_ms(), self._next(), level), "pump", with_types=True)

    def measure(self, pressure: float) -> None:
        """Publish a pressure by its alias."""
        metric = self._metric(None, PRESSURE, FLOAT, pressure)
        self._publish("NDATA", pysparkplug.NData(now_ms(), self._next(), (metric,)), with_types=False)

    def measure_level(self, level: float) -> None:
        """Publish the device's level by its alias."""
        metric = self._metric(None, LEVEL, DOUBLE, level)
        self._publish("DDATA", pysparkplug.DData(now_ms(), self._next(), (metric,)), "pump", with_types=False)

    def lose_a_message(self) -> None:
        """Count a message that never arrives."""
        self._next()


@asynccontextmanager
async def overheard(broker: EmbeddedBroker, topic: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Every JSON payload on a topic, as another client of the broker hears it."""
    heard: list[dict[str, Any]] = []
    client = gmqtt.Client(f"overheard-{uuid.uuid4().hex}")

    def hear(_client: Any, _topic: str, payload: bytes, _qos: int, _properties: Any) -> int:
        heard.append(json.loads(payload))
        return 0

    client.on_message = hear
    async with connected(broker.url, client):
        client.subscribe(topic, qos=1)
        yield heard


@asynccontextmanager
async def hosting(broker: EmbeddedBroker, database_url: str, city: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Ingest, from the moment in which its host hears edge nodes; gives what the host has said of itself."""
    async with (
        overheard(broker, f"spBv1.0/STATE/lifeline-{city}") as states,
        ingesting(sparkplug_settings(broker, database_url, city)),
    ):
        await until(lambda: bool(states))
        yield states


def values(tables: Tables, sensor: str) -> list[float]:
    query = "select value from reading join sensor on key = sensor_key where id = %s order by time"
    return [value for (value,) in tables.ask(query, sensor)]


def holds(tables: Tables, sensor: str, value: float) -> bool:
    return value in values(tables, sensor)


async def test_what_an_edge_node_and_its_device_measure_is_stored(
    mosquitto_broker: EmbeddedBroker, database_url: str, city: str, tables: Tables
) -> None:
    station = Station(mosquitto_broker, city)
    async with hosting(mosquitto_broker, database_url, city):
        with station.connected():
            await until(lambda: holds(tables, "s0", 1.0) and holds(tables, "s1", 2.0))
            for number in range(300):  # more than the sequence has numbers
                station.measure(10.0 + number)
                await asyncio.sleep(0.002)  # two readings of one millisecond are one row
            station.measure_level(2.5)
            await until(lambda: holds(tables, "s1", 2.5))
            assert len(values(tables, "s0")) >= 301
        assert station.asked == 0, "nothing was lost, so nothing was to be asked for"
        assert tables.count("rejection") == 0


async def test_a_lost_message_is_noticed_and_the_node_is_born_again(
    mosquitto_broker: EmbeddedBroker, database_url: str, city: str, tables: Tables
) -> None:
    station = Station(mosquitto_broker, city)
    async with hosting(mosquitto_broker, database_url, city):
        with station.connected():
            await until(lambda: holds(tables, "s1", 2.0))
            station.lose_a_message()
            station.measure(7.0)
            await until(lambda: station.asked == 1)
            await until(lambda: values(tables, "s0").count(1.0) == 2)
            station.measure(8.0)
            await until(lambda: holds(tables, "s0", 8.0))
            assert station.asked == 1, "after the birth there is nothing to ask"
            assert holds(tables, "s0", 7.0), "the value behind the gap was understood and is lost"


async def test_a_node_that_was_born_before_the_host_came_is_asked(
    mosquitto_broker: EmbeddedBroker, database_url: str, city: str, tables: Tables
) -> None:
    station = Station(mosquitto_broker, city)
    with station.connected():
        await asyncio.sleep(0.5)
        async with hosting(mosquitto_broker, database_url, city):
            station.measure(5.0)
            await until(lambda: station.asked == 1 and holds(tables, "s0", 1.0))
            station.measure(6.0)
            await until(lambda: holds(tables, "s0", 6.0))


async def test_a_node_that_never_answers_is_not_pestered(
    mosquitto_broker: EmbeddedBroker, database_url: str, city: str, tables: Tables
) -> None:
    station = Station(mosquitto_broker, city)
    station.answers = False
    async with hosting(mosquitto_broker, database_url, city):
        with station.connected():
            await until(lambda: holds(tables, "s0", 1.0))
            for number in range(20):
                station.lose_a_message()
                station.measure(20.0 + number)
            await until(lambda: holds(tables, "s0", 39.0))
            assert station.asked == 1


async def test_the_librarys_own_edge_node_is_understood(
    mosquitto_broker: EmbeddedBroker, database_url: str, city: str, tables: Tables
) -> None:
    address = BrokerAddress.parse(mosquitto_broker.url)

    def metric(name: str, value: Any, kind: Any = FLOAT) -> pysparkplug.Metric:
        return pysparkplug.Metric(timestamp=now_ms(), name=name, datatype=kind, value=value)

    node = pysparkplug.EdgeNode(
        group_id=city,
        edge_node_id="station",
        metrics=(metric("load", 0.5), metric("firmware", "7.1", pysparkplug.DataType.STRING), metric("other", 3.0)),
        client=pysparkplug.Client(username=address.user, password=address.password),
    )
    node.register(pysparkplug.Device("pump", (metric("level", 2.0, DOUBLE),)))
    async with hosting(mosquitto_broker, database_url, city):
        node.connect(address.host, port=address.port)
        try:
            await until(lambda: holds(tables, "s2", 0.5) and holds(tables, "s1", 2.0))
            node.update((metric("load", 0.75), metric("other", 4.0)))
            node.update_device("pump", (metric("level", 2.25, DOUBLE),))
            await until(lambda: holds(tables, "s2", 0.75) and holds(tables, "s1", 2.25))
            node.deregister("pump")
            node.update((metric("load", 0.8),))
            await until(lambda: any(abs(value - 0.8) < 1e-6 for value in values(tables, "s2")))
        finally:
            node.disconnect()
    [(reason, sensor, count)] = tables.ask("select reason, sensor, count from rejection")
    assert (reason, sensor, count) == ("unknown-sensor", f"sparkplug:{city}/station/other", 1)


async def test_edge_nodes_are_told_that_the_host_is_there_whatever_others_say(
    mosquitto_broker: EmbeddedBroker, database_url: str, city: str, tables: Tables
) -> None:
    async with hosting(mosquitto_broker, database_url, city) as states:
        assert states[-1]["online"] is True
        assert abs(states[-1]["timestamp"] - now_ms()) < 30_000
        false_word = gmqtt.Client(f"false-{uuid.uuid4().hex}")
        async with connected(mosquitto_broker.url, false_word):
            false_word.publish(f"spBv1.0/STATE/lifeline-{city}", {"online": False, "timestamp": 1}, qos=1)
        await until(lambda: [state["online"] for state in states] == [True, False, True])
        assert states[-1]["timestamp"] == states[0]["timestamp"]


async def test_edge_nodes_are_told_that_the_host_leaves(
    mosquitto_broker: EmbeddedBroker, database_url: str, city: str, tables: Tables
) -> None:
    async with overheard(mosquitto_broker, f"spBv1.0/STATE/lifeline-{city}") as states:
        async with ingesting(sparkplug_settings(mosquitto_broker, database_url, city)):
            await until(lambda: bool(states))
        await until(lambda: len(states) == 2)
    assert [state["online"] for state in states] == [True, False]
    assert states[1]["timestamp"] > states[0]["timestamp"]


async def test_the_host_leaves_while_the_database_cannot_follow_and_loses_nothing_it_took(
    mosquitto_broker: EmbeddedBroker, database_url: str, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "MOST_WAITING", 50)
    city = os.environ["LIFELINE_CITY"]
    station = Station(mosquitto_broker, city)
    async with hosting(mosquitto_broker, database_url, city) as states:
        with station.connected():
            await until(lambda: holds(tables, "s0", 1.0))
            tables.do("begin")
            tables.do("lock table reading in access exclusive mode")
            for number in range(60):
                station.measure(100.0 + number)
                await asyncio.sleep(0.002)
            await until(lambda: states[-1]["online"] is False)
            tables.do("commit")
            await until(lambda: states[-1]["online"] is True)
            await until(lambda: len(values(tables, "s0")) > 50)
            station.measure(500.0)
            await until(lambda: station.asked == 1)
            station.measure(600.0)
            await until(lambda: holds(tables, "s0", 600.0))


async def test_a_lost_database_connection_is_no_affair_of_the_edge_nodes(
    mosquitto_broker: EmbeddedBroker, database_url: str, city: str, tables: Tables
) -> None:
    owner = "select pid from pg_locks where locktype = 'advisory' and granted and classid = %s"
    station = Station(mosquitto_broker, city)
    async with hosting(mosquitto_broker, database_url, city) as states:
        with station.connected():
            await until(lambda: holds(tables, "s0", 1.0))
            [(before,)] = tables.ask(owner, ownership.LOCK[0])
            tables.ask("select pg_terminate_backend(%s)", before)
            await until(lambda: tables.ask(owner, ownership.LOCK[0]) not in ([], [(before,)]))
            station.measure(9.0)
            await until(lambda: holds(tables, "s0", 9.0))
        assert station.asked == 0
        assert [state["online"] for state in states] == [True]


@pytest.mark.slow
async def test_another_process_takes_over_when_the_host_dies(
    mosquitto_broker: EmbeddedBroker, database_url: str, city: str, tables: Tables, tmp_path: Path
) -> None:
    said = "this process is the Sparkplug host"
    station = Station(mosquitto_broker, city)
    first_settings, second_settings = (sparkplug_settings(mosquitto_broker, database_url, city) for _ in range(2))
    async with (
        overheard(mosquitto_broker, f"spBv1.0/STATE/lifeline-{city}") as states,
        ingest_process(first_settings, tmp_path / "first") as first,
        ingest_process(second_settings, tmp_path / "second") as second,
    ):
        await until(lambda: first.said(said) + second.said(said) == 1)
        owner, other = (first, second) if first.said(said) else (second, first)
        with station.connected():
            await until(lambda: holds(tables, "s0", 1.0))
            owner.kill()
            took_s = await until(lambda: other.said(said) == 1)
            station.measure(5.0)
            await until(lambda: station.asked >= 1)
            station.measure(6.0)
            await until(partial(holds, tables, "s0", 6.0))
        assert took_s < TAKEOVER_WITHIN_S
        assert [online for online, _ in groupby(state["online"] for state in states)] == [True, False, True]
        assert states[-1]["timestamp"] > states[0]["timestamp"]
        await forget_session(mosquitto_broker.url, owner.settings.ingest_instance)
