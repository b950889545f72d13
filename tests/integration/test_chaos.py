"""Ingest, broker and database are killed again and again while gateways send: nothing is lost, nothing is there twice.

``LIFELINE_CHAOS_READINGS`` says how many entries are sent: 300,000 unless it is set, 2,000,000 for a thorough run.
"""

import asyncio
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
import pytest

from services.cli.load_comparison import Before, compare
from services.core.broker_address import BrokerAddress
from services.core.city_folder import read_city_folder
from services.demo.broker import EmbeddedBroker
from services.demo.child import launch_command
from services.demo.mosquitto import find_mosquitto
from services.demo.postgres import EmbeddedPostgres
from services.demo.preparation import import_city, migrate_with_catalogue
from services.demo.system_user import SystemUser
from simulators.load.connection import Login
from simulators.load.fleet import Fleet
from simulators.load.folder import write_load_city
from simulators.load.form import Form
from simulators.load.plan import LoadPlan, Shares
from simulators.load.tally import Tally
from tests.fixtures.processes import reachable_directory
from tests.integration.ingest_harness import IngestProcess, Tables, settings_for, tables_of, until

ENTRIES = int(os.environ.get("LIFELINE_CHAOS_READINGS", "300000"))
KILLS_OF_EACH = 5
SEED = int(os.environ.get("LIFELINE_CHAOS_SEED", "1"))
SENSORS, GATEWAYS, BATCH, WINDOW = 1000, 8, 100, 25
BOUND_BYTES = 200 * 1024 * 1024
"""What a process of ingest may take: its libraries, the window of messages it asks for, and a few full batches."""
LONGEST_STALL_S = 20.0
"""The next kill comes after this time even when nothing was stored since the last one."""
LIMIT_S = 270 + ENTRIES / 2000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.mosquitto,
    pytest.mark.timeout(LIMIT_S + 60),
    pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed"),
]


@dataclass
class Server:
    """A database or a broker that can be killed and started again."""

    command: Sequence[str]
    ready: Callable[[], Coroutine[Any, Any, None]]
    log: Path
    user: SystemUser | None = None
    process: subprocess.Popen[bytes] = field(init=False)

    async def start(self) -> Self:
        numbers = (self.user.uid, self.user.gid) if self.user else None
        command = launch_command(self.command, death_signal=signal.SIGKILL, user=numbers)
        self._launch(command)
        ready = asyncio.create_task(self.ready())
        while not ready.done():
            if self.process.poll() is not None:
                # A database does not start while the last one's children still hold its memory.
                self._launch(command)
            await asyncio.wait([ready], timeout=0.2)
        await ready
        return self

    def _launch(self, command: Sequence[str]) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait()


@dataclass
class House:
    """Everything between the gateways and the tables, by name."""

    database_url: str
    broker_url: str
    victims: dict[str, Server | IngestProcess]
    largest_bytes: int = 0
    kills: Counter[str] = field(default_factory=Counter)

    async def watch_memory(self) -> None:
        """Note the largest size of an ingest process, for ever."""
        while True:
            for victim in self.victims.values():
                if isinstance(victim, IngestProcess):
                    with suppress(psutil.Error):
                        size = psutil.Process(victim.process.pid).memory_info().rss
                        self.largest_bytes = max(self.largest_bytes, size)
            await asyncio.sleep(0.1)


@asynccontextmanager
async def house(plan: LoadPlan) -> AsyncIterator[House]:
    with reachable_directory("chaos") as directory:
        database = EmbeddedPostgres(directory, wanted_port=0)
        broker = EmbeddedBroker(directory, 0, "mosquitto")
        await asyncio.to_thread(database.prepare)
        broker.prepare()
        victims: dict[str, Server | IngestProcess] = {}
        try:
            victims["database"] = Server(
                database.command(), database.wait_ready, directory / "database.log", database.user
            )
            victims["broker"] = Server(broker.command(), broker.wait_ready, directory / "broker.log")
            for name in ("ingest-1", "ingest-2"):
                settings = settings_for(broker, database.url(), ingest_instance=name)
                victims[name] = IngestProcess(settings, directory / f"{name}.log")
            for name, victim in victims.items():
                await victim.start()
                if name == "database":
                    await asyncio.to_thread(register, database.url(), plan, directory / "city")
            yield House(database.url(), broker.url, victims)
        except BaseException as error:
            for log in directory.glob("*.log"):
                error.add_note(f"the end of {log.name}:\n{log.read_text()[-3000:]}")
            raise
        finally:
            for victim in reversed(victims.values()):
                with suppress(AttributeError):  # it was never started
                    victim.kill()


def register(database_url: str, plan: LoadPlan, folder: Path) -> None:
    migrate_with_catalogue(database_url)
    write_load_city(folder, plan)
    import_city(database_url, read_city_folder(folder))


async def kill_at_random(house: House, progress: Callable[[], float], rng: random.Random) -> None:
    """Kill each victim several times, at moments spread over the work, and start it again at once.

    Nobody waits until it is back before the next is killed, so that outages overlap.
    """
    order = [name for name in house.victims for _ in range(KILLS_OF_EACH)]
    rng.shuffle(order)
    moments = sorted(rng.uniform(0.02, 0.95) for _ in order)
    starting: dict[str, asyncio.Task[Any]] = {}
    for name, moment in zip(order, moments, strict=True):
        with suppress(TimeoutError):
            await until(lambda moment=moment: progress() >= moment, within_s=LONGEST_STALL_S)  # type: ignore[misc]
        await asyncio.sleep(rng.uniform(0, 0.3))
        if name in starting:
            await starting[name]
        house.victims[name].kill()
        house.kills[name] += 1
        starting[name] = asyncio.create_task(house.victims[name].start())
    await asyncio.gather(*starting.values())


def now_ms() -> int:
    return int(datetime.now(UTC).timestamp()) * 1000


async def test_whatever_is_killed_every_reading_is_there_once() -> None:
    rounds = ENTRIES // SENSORS + 1
    plan = LoadPlan(
        city="chaos",
        start_ms=now_ms() - rounds * 100,
        sensors=SENSORS,
        gateways=GATEWAYS,
        batch=BATCH,
        step_ms=100,
        forms=(Form.parse("json-array-numbered"), Form.parse("msgpack-columns-zstd-numbered")),
        shares=Shares(duplicates=0.05, garbage=0.01),
        seed=SEED,
    )
    batches = ENTRIES // (BATCH * GATEWAYS)
    tally, rng = Tally(plan), random.Random(SEED)  # noqa: S311 - it chooses victims
    async with house(plan) as running:
        address = BrokerAddress.parse(running.broker_url)
        login = Login(address.host, address.port, address.user, address.password)
        fleet = Fleet(login, tally, rng, window=WINDOW)
        memory = asyncio.create_task(running.watch_memory())
        started = time.monotonic()
        async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
            group.create_task(fleet.send(batches))
            group.create_task(kill_at_random(running, lambda: fleet.stored / (batches * GATEWAYS), rng))
        seconds = time.monotonic() - started
        memory.cancel()
        sent = sum(gateway.sent for gateway in fleet.gateways)
        print(  # noqa: T201 - the figures of a thorough run
            f"{tally.entries} entries in {seconds:.0f} s, {dict(running.kills)} kills, {sent} messages for "
            f"{tally.messages} batches, ingest at most {running.largest_bytes / 2**20:.0f} MiB"
        )
        with tables_of(running.database_url) as tables:
            await until(lambda: tables.ask(NOT_CURRENT)[0][0] == 0)
            assert_exactly(tables, tally)
        with psycopg.connect(running.database_url) as connection:
            comparison = compare(connection, tally, Before())
        assert comparison.is_exact, "\n".join(comparison.lines())
        assert running.kills == dict.fromkeys(running.victims, KILLS_OF_EACH)
        assert running.largest_bytes < BOUND_BYTES


NOT_CURRENT = """
select count(*) from (
    select distinct on (sensor_key) sensor_key, time, value from reading order by sensor_key, time desc
) newest
left join latest using (sensor_key)
where (latest.time, latest.value) is distinct from (newest.time, newest.value)
"""


def assert_exactly(tables: Tables, tally: Tally) -> None:
    new = tally.count("new")
    assert tables.count("reading") == new
    fed = tables.ask(
        """select count(*), count(distinct (sensor_key, time)) from feed, unnest(sensor_keys, times)
        as given (sensor_key, time)"""
    )
    assert fed == [(new, new)]
    assert tables.count("latest") == SENSORS
    assert tables.count("superseded_reading") == 0
    assert tables.ask("select distinct stored::text from gateway_sequence") == [
        (f"{{[1,{tally.messages // GATEWAYS + 1})}}",)
    ]
