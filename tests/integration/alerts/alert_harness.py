"""What the tests of the alert process share: the process, the receiver's process, readings, and questions."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.city_folder import read_city_folder
from services.core.organisation import Receiver
from services.core.reading import Quality
from services.core.store import latest
from services.core.store.organisations import save_receiver
from services.core.store.readings import ReadingRow, load_sensor_rows, write_readings
from services.demo.child import launch_command
from services.demo.ports import free_port
from services.demo.preparation import import_city, migrate_with_catalogue
from tests.integration.alerts.tiny_city import SENSORS, write_tiny_city

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"a secret that only the receiver knows").decode()
Sample = tuple[str, datetime, float]


def at(minutes: float) -> datetime:
    """A moment of event time."""
    return START + timedelta(minutes=minutes)


def prepare(database_url: str, folder: Path, sensors: tuple[str, ...] = SENSORS) -> None:
    """Schema, catalogue and the tiny city."""
    migrate_with_catalogue(database_url)
    import_city(database_url, read_city_folder(write_tiny_city(folder, sensors)))


async def tell(database_url: str, *receivers: Receiver) -> None:
    """Register receivers."""
    async with await AsyncConnection.connect(database_url) as connection:
        for receiver in receivers:
            await save_receiver(connection, receiver)


async def store(database_url: str, samples: Sequence[Sample]) -> None:
    """Write readings in one transaction, as the ingest process does."""
    async with await AsyncConnection.connect(database_url) as connection:
        await store_on(connection, samples)
        await connection.commit()
        await latest.follow(connection)


async def store_on(connection: AsyncConnection, samples: Sequence[Sample]) -> None:
    """Write readings in the caller's transaction."""
    known = await load_sensor_rows(connection)
    now = datetime.now(UTC)
    rows = [
        ReadingRow(known[sensor].key, known[sensor].zone, moment, value, Quality.GOOD, None, now)
        for sensor, moment, value in samples
    ]
    await write_readings(connection, rows)


def ask(database_url: str, query: str, *values: object) -> list[dict[str, Any]]:
    """Rows of the database as dictionaries."""
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        return connection.execute(query.encode(), values).fetchall()


def said_by_the_loop(database_url: str) -> dict[str, list[dict[str, Any]]]:
    """All findings and alerts, without what wall time decides."""
    findings = ask(database_url, "select * from finding order by id")
    alerts = ask(database_url, "select * from alert order by id")
    for row in findings:
        del row["stored_at"]
    for row in alerts:
        del row["created_at"]
    return {"findings": findings, "alerts": alerts}


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
        await asyncio.sleep(0.05)


@dataclass
class AlertProcess:
    """``python -m services.alerts`` as a real process, which a test may kill; ``settings`` are its environment."""

    database_url: str
    folder: Path
    name: str = "alerts"
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self.folder / f"{self.name}.log"

    def launch(self) -> None:
        """Start it and go on."""
        environment = {
            **os.environ,
            "LIFELINE_DATABASE_URL": self.database_url,
            "LIFELINE_LOG_FORMAT": "json",
            "LIFELINE_WEBHOOK_PRIVATE_TARGETS": "true",
            **{f"LIFELINE_{name.upper()}": value for name, value in self.settings.items()},
        }
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                launch_command([sys.executable, "-m", "services.alerts"]),
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def start(self, event: str = "following the feed") -> Self:
        """Start it and wait until it says ``event``."""
        before = self.count(event)
        self.launch()
        await until(lambda: self.count(event) > before or self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.log.read_text()
        return self

    def lines(self) -> list[dict[str, Any]]:
        """What it has said, line by line; a line that is no JSON is given as its text."""
        if not self.log.exists():
            return []
        found = []
        for line in self.log.read_text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"event": line})
        return found

    def count(self, event: str) -> int:
        """How many lines begin with these words."""
        return sum(str(line.get("event", "")).startswith(event) for line in self.lines())

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """Ask it to stop; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextmanager
def alert_process(database_url: str, folder: Path, name: str = "alerts", **settings: str) -> Iterator[AlertProcess]:
    """A process to be started, which is gone at the end."""
    process = AlertProcess(database_url, folder, name, settings)
    try:
        yield process
    finally:
        with suppress(AttributeError):
            process.kill()


@dataclass
class ReceiverProcess:
    """``python -m services.demo.receiver`` as a real process."""

    folder: Path
    name: str = "receiver"
    fail_first: int = 0
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def receiver(self, organisation: str, minimum_severity: int = 1) -> Receiver:
        """A receiver of an organisation at this process; each has a path of its own."""
        url = f"{self.url}/{organisation}"
        return Receiver(f"{organisation}-{self.name}", organisation, url, SECRET, minimum_severity)

    def launch(self) -> None:
        """Start it and go on."""
        secret = self.folder / f"{self.name}.secret"
        secret.write_text(SECRET, encoding="utf-8")
        options = ["--port", str(self.port), "--secret-file", str(secret), "--fail-first", str(self.fail_first)]
        options += ["--log", str(self.folder / f"{self.name}.jsonl")]
        with (self.folder / f"{self.name}.log").open("ab") as output:
            self.process = subprocess.Popen(
                launch_command([sys.executable, "-m", "services.demo.receiver", *options]),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def start(self) -> Self:
        """Start it and wait until it answers."""
        self.launch()
        await until(self._answers)
        return self

    async def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{self.url}/deliveries")).status_code == httpx.codes.OK
        return False

    async def behave(self, mode: str) -> None:
        """From now on answer in this way."""
        async with httpx.AsyncClient() as client:
            await client.post(f"{self.url}/behaviour", json={"mode": mode})

    def attempts(self) -> list[dict[str, Any]]:
        """What has come in."""
        log = self.folder / f"{self.name}.jsonl"
        if not log.exists():
            return []
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.endswith("}")]

    def kill(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


@contextmanager
def receiver_process(folder: Path, name: str = "receiver", fail_first: int = 0) -> Iterator[ReceiverProcess]:
    """A receiver to be started, which is gone at the end."""
    process = ReceiverProcess(folder, name, fail_first)
    try:
        yield process
    finally:
        with suppress(AttributeError):
            process.kill()
