"""Nothing is lost and nothing is stored twice, whatever ends in between."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from services.demo.broker import EmbeddedBroker
from services.demo.ports import free_port
from tests.integration.ingest_harness import (
    Publication,
    Tables,
    batch,
    ingest_process,
    now_ms,
    publish,
    register_sensors,
    settings_for,
    single,
    tables_of,
    until,
)

SENSORS = 200


@pytest.fixture
def tables(database_url: str) -> Iterator[Tables]:
    register_sensors(database_url, SENSORS)
    with tables_of(database_url) as tables:
        yield tables


def publications(readings: int, singles: int) -> Iterator[Publication]:
    """So many different readings: the given number alone, the rest in batches of 100, mixed."""
    start = now_ms() - 3_600_000
    every = [(f"s{i % SENSORS}", start + i // SENSORS, 1.5) for i in range(readings)]
    alone, together = every[:singles], every[singles:]
    chunks = [together[i : i + 100] for i in range(0, len(together), 100)]
    per_chunk = max(1, len(alone) // max(1, len(chunks)))
    for number, chunk in enumerate(chunks):
        yield batch(chunk)
        for reading in alone[number * per_chunk : (number + 1) * per_chunk]:
            yield single(*reading)
    for reading in alone[len(chunks) * per_chunk :]:
        yield single(*reading)


def assert_exactly(tables: Tables, readings: int) -> None:
    assert tables.count("reading") == readings
    fed = tables.fed()
    assert len(fed) == len(set(fed)) == readings
    assert tables.rejected() == 0


@pytest.mark.slow
async def test_killed_ingest_loses_nothing(
    database_url: str, tables: Tables, any_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    settings = settings_for(any_broker, database_url)
    async with ingest_process(settings, tmp_path / "log") as ingest:
        publishing = asyncio.create_task(publish(any_broker.url, publications(100_000, singles=10_000)))
        for part in (15_000, 50_000):
            await tables.hold(part, within_s=60)
            ingest.kill()
            await ingest.start()
        await publishing
        await tables.hold(100_000, within_s=60)
    assert_exactly(tables, 100_000)


@pytest.mark.slow
async def test_two_processes_share_the_load_and_one_may_die(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    one, two = (settings_for(mosquitto_broker, database_url, ingest_metrics_port=free_port(0)) for _ in range(2))
    async with (
        ingest_process(one, tmp_path / "log-1") as first,
        ingest_process(two, tmp_path / "log-2") as second,
    ):
        publishing = asyncio.create_task(publish(mosquitto_broker.url, publications(30_000, singles=5_000)))
        await tables.hold(5_000)
        first.kill()
        await first.start()
        await publishing
        await tables.hold(30_000)
        shares = [process.metric("lifeline_ingest_stored_total") for process in (first, second)]
    assert min(shares) > 3_000
    assert_exactly(tables, 30_000)


@pytest.mark.slow
async def test_a_process_that_leaves_hands_its_share_over(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    one, two = (settings_for(mosquitto_broker, database_url) for _ in range(2))
    async with ingest_process(one, tmp_path / "log-1") as first, ingest_process(two, tmp_path / "log-2"):
        await until(lambda: tables.count("ingest_member") == 2)
        publishing = asyncio.create_task(publish(mosquitto_broker.url, publications(30_000, singles=5_000)))
        await tables.hold(5_000)
        code, _ = await asyncio.to_thread(first.terminate)
        assert (code, first.said("handed its share over")) == (0, 1)
        await publishing
        await publish(mosquitto_broker.url, [single(f"s{i}", now_ms() + i, 1.5) for i in range(100)])
        await tables.hold(30_100)
    assert_exactly(tables, 30_100)


async def test_of_processes_that_leave_together_one_keeps_its_place(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    one, two = (settings_for(mosquitto_broker, database_url) for _ in range(2))
    async with (
        ingest_process(one, tmp_path / "log-1") as first,
        ingest_process(two, tmp_path / "log-2") as second,
    ):
        await until(lambda: tables.count("ingest_member") == 2)
        await asyncio.gather(*(asyncio.to_thread(process.terminate) for process in (first, second)))
        assert first.said("handed its share over") + second.said("handed its share over") == 1
        await publish(mosquitto_broker.url, publications(2_000, singles=200))
        await asyncio.gather(first.start(), second.start())
        await tables.hold(2_000)
    assert_exactly(tables, 2_000)


async def test_an_orderly_stop_loses_nothing_and_is_quick(
    database_url: str, tables: Tables, any_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async with ingest_process(settings_for(any_broker, database_url), tmp_path / "log") as ingest:
        publishing = asyncio.create_task(publish(any_broker.url, publications(20_000, singles=2_000)))
        await tables.hold(2_000)
        code, seconds = ingest.terminate()
        stored = tables.count("reading")
        await ingest.start()
        await publishing
        await tables.hold(20_000)
    assert code == 0
    assert seconds < 5
    assert stored <= 20_000
    assert ingest.said("Traceback") == 0
    assert_exactly(tables, 20_000)


class StoppableProxy:
    """Stands before the database or the broker, so that a test can take it away."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, far_writer}
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._writers -= {writer, far_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[tuple[StoppableProxy, str]]:
    """The proxy, and the address of the database or broker through it."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    proxy = StoppableProxy(parts.hostname, parts.port)
    await proxy.start()
    login, _, _ = parts.netloc.rpartition("@")
    try:
        yield proxy, parts._replace(netloc=f"{login}@127.0.0.1:{proxy.port}").geturl()
    finally:
        await proxy.stop()


async def test_a_database_that_goes_and_comes_back_costs_nothing_but_time(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async with (
        proxied(database_url) as (proxy, url),
        ingest_process(settings_for(mosquitto_broker, url), tmp_path / "log") as ingest,
    ):
        publishing = asyncio.create_task(publish(mosquitto_broker.url, publications(20_000, singles=2_000)))
        await tables.hold(2_000)
        await proxy.stop()
        await until(lambda: ingest.said("the database is away") > 0)
        await asyncio.sleep(2)
        assert tables.count("reading") < 20_000
        await proxy.start()
        await publishing
        await tables.hold(20_000)
        assert ingest.said("the database is away") == ingest.said("the database is back") == 1
    assert_exactly(tables, 20_000)


async def test_a_stop_while_the_database_is_away_is_quick_and_loses_nothing(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async with (
        proxied(database_url) as (proxy, url),
        ingest_process(settings_for(mosquitto_broker, url), tmp_path / "log") as ingest,
    ):
        await proxy.stop()
        await publish(mosquitto_broker.url, publications(3_000, singles=1_000))
        await until(lambda: ingest.said("the database is away") > 0)
        code, seconds = ingest.terminate()
        await proxy.start()
        await ingest.start()
        await tables.hold(3_000)
    assert code == 0
    assert seconds < 5
    assert ingest.said("Traceback") == 0
    assert_exactly(tables, 3_000)


async def test_a_broker_that_goes_and_comes_back_is_reported_once_and_costs_nothing(
    database_url: str, tables: Tables, any_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async with proxied(any_broker.url) as (proxy, url):
        settings = settings_for(any_broker, database_url, mqtt_url=SecretStr(url))
        async with ingest_process(settings, tmp_path / "log") as ingest:
            publishing = asyncio.create_task(publish(any_broker.url, publications(20_000, singles=4_000)))
            await tables.hold(2_000)
            await proxy.stop()
            await until(lambda: ingest.said("the broker is away") > 0)
            await asyncio.sleep(1)
            await proxy.start()
            await publishing
            await tables.hold(20_000)
            assert ingest.said("the broker is away") == ingest.said("the broker is back") == 1
    assert_exactly(tables, 20_000)


async def test_acknowledgements_keep_the_order_of_delivery(
    database_url: str, tables: Tables, any_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """MQTT demands it, and rumqttd closes the connection otherwise; unknown sensors take longer than known ones."""
    known = list(publications(2_000, singles=2_000))
    mixed = [one for i, item in enumerate(known) for one in ([single("nobody", now_ms(), i)] * (i % 100 == 0) + [item])]
    async with ingest_process(settings_for(any_broker, database_url), tmp_path / "log") as ingest:
        await asyncio.sleep(1.1)  # only then does an unknown sensor make ingest load the register again
        await publish(any_broker.url, mixed)
        await tables.hold(2_000, rejections=20)
        assert ingest.said("the broker is away") == 0
    assert tables.rejected() == 20
