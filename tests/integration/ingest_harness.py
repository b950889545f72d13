"""What the ingest tests and the benchmark share: sensors, a publisher, and the process under test."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import gmqtt
import httpx
import psycopg
from pydantic import SecretStr

from services.core import wire
from services.core.broker_address import BrokerAddress
from services.core.settings import Settings
from services.demo.broker import EmbeddedBroker
from services.ingest.service import run

ZONES = 4
WINDOW = 500
Publication = tuple[str, bytes]


def register_sensors(database_url: str, count: int) -> None:
    """Sensors ``s0`` … in four zones; they measure kPa, plausibly between 0 and 1000."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "insert into zone select 'zone-' || i, 'gas', 'Zone', '片区' from generate_series(0, %s) i", (ZONES - 1,)
        )
        connection.execute(
            """insert into asset (id, lifeline, kind, zone, name_en, name_zh, geometry, extent)
            select 'asset-' || i, 'gas', 'pipe', 'zone-' || i, 'Pipe', '管', '{}', '((0,0),(0,0))'
            from generate_series(0, %s) i""",
            (ZONES - 1,),
        )
        connection.execute(
            """insert into quantity (lifeline, name, unit, label_en, label_zh, plausible_low, plausible_high)
            values ('gas', 'test-pressure', 'kPa', 'Pressure', '压力', 0, 1000)"""
        )
        connection.execute(
            """insert into sensor (id, lifeline, quantity, unit, asset, zone, longitude, latitude, interval_s, gateway)
            select 's' || i, 'gas', 'test-pressure', 'kPa', 'asset-' || i %% %s, 'zone-' || i %% %s, 0, 0, 60, 'gateway'
            from generate_series(0, %s) i""",
            (ZONES, ZONES, count - 1),
        )


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def single(sensor: str, time_ms: object, value: object, **more: object) -> Publication:
    """One reading on its sensor's topic."""
    payload = json.dumps({"time": time_ms, "value": value, **more})
    return wire.sensor_readings_topic("test", sensor), payload.encode()


def batch(entries: Iterable[tuple[str, int, float]]) -> Publication:
    """Readings on a gateway's topic."""
    content = [{"sensor": sensor, "time": time_ms, "value": value} for sensor, time_ms, value in entries]
    return wire.gateway_readings_topic("test", "gateway"), json.dumps(content).encode()


@asynccontextmanager
async def connected(url: str, client: gmqtt.Client) -> AsyncIterator[gmqtt.Client]:
    """A test's own MQTT client, for the length of a block."""
    address = BrokerAddress.parse(url)
    client.set_config({"reconnect_retries": -2})
    if address.user is not None:
        client.set_auth_credentials(address.user, address.password)
    await client.connect(address.host, address.port)
    try:
        yield client
    finally:
        await client.disconnect()


async def publish(url: str, publications: Iterable[Publication], qos: int = 1) -> None:
    """Publish everything; returns when the broker has acknowledged it."""
    async with connected(url, gmqtt.Client(f"publisher-{uuid.uuid4().hex}")) as client:
        for number, (topic, payload) in enumerate(publications, 1):
            client.publish(topic, payload, qos=qos)
            if number % WINDOW == 0:
                await client._persistent_storage.wait_empty()
        await client._persistent_storage.wait_empty()


async def forget_session(url: str, instance: str) -> None:
    """Drop what the broker keeps for an ingest instance, so that it takes no share of later tests."""
    async with connected(url, gmqtt.Client(instance, clean_session=True)):
        pass


def settings_for(broker: EmbeddedBroker, database_url: str, **changes: Any) -> Settings:
    """Settings of an ingest process with a session of its own."""
    chosen = {
        "database_url": SecretStr(database_url),
        "mqtt_url": SecretStr(broker.url),
        "ingest_instance": f"ingest-{uuid.uuid4().hex}",
        "ingest_shared_subscription": broker.kind == "mosquitto",
        **changes,
    }
    return Settings(**chosen)


@asynccontextmanager
async def ingesting(settings: Settings) -> AsyncIterator[None]:
    """The service inside the test's own process, stopped in order at the end."""
    assert settings.mqtt_url is not None
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings, stop))
    try:
        await asyncio.sleep(0.5)
        yield
    finally:
        stop.set()
        await task
        await forget_session(settings.mqtt_url.get_secret_value(), settings.ingest_instance)


@dataclass
class IngestProcess:
    """The service as a real process, which a test may kill."""

    settings: Settings
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)

    async def start(self) -> Self:
        """Start it and wait until it receives."""
        # Where compiled modules may not be written beside their sources, each start would compile them all again.
        compiled = {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir(), "lifeline-pycache"))}
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            **compiled,
            "LIFELINE_INGEST_INSTANCE": self.settings.ingest_instance,
            "LIFELINE_INGEST_METRICS_PORT": str(self.settings.ingest_metrics_port),
            "LIFELINE_INGEST_SHARED_SUBSCRIPTION": str(self.settings.ingest_shared_subscription),
        }
        for name in ("database_url", "mqtt_url"):
            environment[f"LIFELINE_{name.upper()}"] = getattr(self.settings, name).get_secret_value()
        before = self.said("ingest is receiving")
        self.process = self._launch(environment)
        await until(lambda: self.said("ingest is receiving") > before)
        return self

    def _launch(self, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "services.ingest"]
        with self.log.open("ab") as output:
            return subprocess.Popen(command, env=environment, stdout=output, stderr=output)

    def said(self, words: str) -> int:
        """How often the words occur in the log."""
        return len(re.findall(words, self.log.read_text())) if self.log.exists() else 0

    def metric(self, name: str) -> float:
        """The value of one of its counters, as Prometheus reads it."""
        answer = httpx.get(f"http://127.0.0.1:{self.settings.ingest_metrics_port}/metrics").text
        return float(re.findall(rf"^{name} (\S+)$", answer, re.MULTILINE)[0])

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> tuple[int, float]:
        """Ask it to stop; returns its exit code and the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10), time.monotonic() - started


@asynccontextmanager
async def ingest_process(settings: Settings, log: Path) -> AsyncIterator[IngestProcess]:
    """A started process, which is gone at the end, its session too."""
    process = IngestProcess(settings, log)
    assert settings.mqtt_url is not None
    try:
        yield await process.start()
    finally:
        process.kill()
        await forget_session(settings.mqtt_url.get_secret_value(), settings.ingest_instance)


async def until(condition: Callable[[], bool | Awaitable[bool]], within_s: float = 30.0) -> float:
    """Wait for the condition; returns the seconds it took.

    Raises TimeoutError when it does not come true.
    """
    started = time.monotonic()
    while True:
        result = condition()
        if result if isinstance(result, bool) else await result:
            return time.monotonic() - started
        if time.monotonic() - started > within_s:
            raise TimeoutError(f"{within_s:g} s were not enough")
        await asyncio.sleep(0.02)


@contextmanager
def tables_of(database_url: str) -> Iterator["Tables"]:
    """The tables of a database, for the length of a block."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield Tables(connection)


class Tables:
    """Questions to the database about what was stored."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query.encode(), values).fetchall()

    def do(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def count(self, table: str) -> int:
        return int(self.ask(f"select count(*) from {table}")[0][0])

    def fed(self) -> list[tuple[int, datetime]]:
        """Every sensor and time in the feed, repetitions included."""
        return self.ask("select unnest(sensor_keys), unnest(times) from feed where not corrects")

    def rejected(self) -> int:
        """How many payloads were set aside."""
        return int(self.ask("select coalesce(sum(count), 0) from rejection")[0][0])

    async def hold(self, readings: int, rejections: int = 0, within_s: float = 30.0) -> float:
        """Wait until so much is stored; returns the seconds it took."""
        fed = "select coalesce(sum(cardinality(times)), 0) from feed where not corrects"
        return await until(lambda: self.ask(fed)[0][0] >= readings and self.rejected() >= rejections, within_s)

    async def hold_current(self, sensors: int, within_s: float = 5.0) -> float:
        """Wait until so many sensors have a current value; returns the seconds it took."""
        return await until(lambda: self.count("latest") >= sensors, within_s)


def now_ms() -> int:
    return milliseconds(datetime.now(UTC))
