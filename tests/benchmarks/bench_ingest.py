"""Readings a second from publish to committed and acknowledged, beside what bounds them.

``python -m tests.benchmarks.bench_ingest [--runs 5]`` starts its own PostgreSQL and Mosquitto. Each run measures, one
after the other: a binary COPY of the same rows into the same table, a subscriber that only counts and acknowledges,
and the ingest process; medians are printed with their ratios. Ratios matter, rates depend on the machine.
"""

import argparse
import asyncio
import logging
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gmqtt
import numpy as np
import psycopg
from numpy.typing import NDArray

from services.core import wire
from services.core.store import binary
from services.core.store.migrations import migrate
from services.demo.broker import EmbeddedBroker
from services.demo.postgres import EmbeddedPostgres
from services.ingest.subscriber import Session
from tests.fixtures.broker import running_broker
from tests.fixtures.processes import reachable_directory, running
from tests.integration.ingest_harness import (
    Publication,
    batch,
    connected,
    ingest_process,
    now_ms,
    publish,
    register_sensors,
    settings_for,
    single,
    tables_of,
)

SENSORS = 10_000
PER_BATCH = 100
SINGLE = "single messages"
Row = tuple[str, int, float]


@contextmanager
def running_postgres() -> Iterator[str]:
    """The embedded server as the demo runs it, with one migrated database."""
    with reachable_directory("postgres") as directory:
        server = EmbeddedPostgres(directory, wanted_port=0)
        server.prepare()
        log = directory / "postgres.log"
        with running(server.command(), log, server.wait_ready, server.stop_signal, server.user):
            migrate(server.url())
            yield server.url()


def rows(count: int) -> list[Row]:
    start = now_ms() - 3_600_000
    return [(f"s{i % SENSORS}", start + i // SENSORS, i * 0.001) for i in range(count)]


def copy_seconds(database_url: str, given: list[Row]) -> float:
    """A binary COPY of the rows straight into the table of readings, the bytes made beforehand."""
    keys = np.array([int(sensor[1:]) for sensor, _, _ in given], np.int32)
    times_us = np.array([time_ms * 1000 - binary.POSTGRES_EPOCH_US for _, time_ms, _ in given], np.int64)
    zeros = np.zeros(len(given), np.int16)
    columns: list[tuple[str, NDArray[np.generic]]] = [
        ("i4", keys),
        ("i8", times_us),
        ("f8", np.array([value for _, _, value in given])),
        ("i2", zeros),
        ("i2", zeros),
        ("i8", times_us),
    ]
    content = binary.rows_of_numbers(columns)
    empty(database_url)
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        started = time.perf_counter()
        names = "sensor_key, time, value, quality, reason, received_at"
        with cursor.copy(f"copy reading ({names}) from stdin (format binary)") as copy:
            copy.write(content)
        connection.commit()
        return time.perf_counter() - started


async def count_messages(url: str, expected: int) -> None:
    """The null subscriber: acknowledges and counts; says when it is ready and when it has seen everything."""
    session, seen, done = Session(f"null-{uuid.uuid4().hex}", 2000, shared=True), 0, asyncio.Event()

    async def on_message(*_message: Any) -> int:
        nonlocal seen
        seen += 1
        if seen == expected:
            done.set()
        return 0

    client = gmqtt.Client(session.instance, optimistic_acknowledgement=False, receive_maximum=session.in_flight)
    client.on_message = on_message
    async with connected(url, client):
        client.subscribe([gmqtt.Subscription(name, qos=1) for name in session.filters])
        await asyncio.sleep(0.5)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await done.wait()
        sys.stdout.write("done\n")
        sys.stdout.flush()


async def null_seconds(broker: EmbeddedBroker, publications: list[Publication]) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.bench_ingest", "--null", broker.url, str(len(publications))]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    await process.stdout.readline()
    started = time.perf_counter()
    publishing = asyncio.create_task(publish(broker.url, publications))
    await process.stdout.readline()
    seconds = time.perf_counter() - started
    await publishing
    await process.wait()
    return seconds


async def ingest_seconds(
    broker: EmbeddedBroker, database_url: str, publications: list[Publication], readings: int, log: Path
) -> float:
    with tables_of(database_url) as tables:
        empty(database_url)
        settings = settings_for(broker, database_url)
        async with ingest_process(settings, log) as ingest:
            started = time.perf_counter()
            publishing = asyncio.create_task(publish(broker.url, publications))
            await tables.hold(readings, within_s=300)
            seconds = time.perf_counter() - started
            await publishing
            ingest.terminate()
            await assert_acknowledged(broker, settings.ingest_instance)
    return seconds


def empty(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("truncate reading, latest, feed, rejection, rejected_payload, superseded_reading")
        connection.execute("checkpoint")


async def assert_acknowledged(broker: EmbeddedBroker, instance: str) -> None:
    """The broker holds nothing for the session any more."""
    left: list[bytes] = []
    client = gmqtt.Client(instance, clean_session=False)
    client.on_message = lambda _client, _topic, payload, _qos, _properties: left.append(payload)
    async with connected(broker.url, client):
        await asyncio.sleep(0.3)
    assert not left


def columns(entries: list[Row]) -> Publication:
    """Readings on a gateway's topic as columns."""
    sensors, times_ms, values = (list(column) for column in zip(*entries, strict=True))
    content = wire.WireGatewayColumns(sensor=sensors, time=times_ms, value=values)
    return wire.gateway_readings_topic("test", "gateway"), wire.encode_columns(content)


def batches(given: list[Row], encode: Callable[[list[Row]], Publication]) -> list[Publication]:
    return [encode(given[i : i + PER_BATCH]) for i in range(0, len(given), PER_BATCH)]


async def measure(broker: EmbeddedBroker, database_url: str, name: str, readings: int, runs: int) -> None:
    given = rows(readings)
    if name == SINGLE:
        publications = [single(*row) for row in given]
    else:
        publications = batches(given, {"arrays of 100": batch, "columns of 100": columns}[name])
    seconds: dict[str, list[float]] = {"copy": [], "null subscriber": [], "ingest": []}
    with tempfile.TemporaryDirectory() as directory:
        for run in range(runs):
            seconds["copy"].append(copy_seconds(database_url, given))
            seconds["null subscriber"].append(await null_seconds(broker, publications))
            log = Path(directory, f"log-{run}")
            seconds["ingest"].append(await ingest_seconds(broker, database_url, publications, readings, log))
    rates = {name: readings / statistics.median(taken) for name, taken in seconds.items()}
    sys.stdout.write(f"\n{readings:,} readings in {name}, median of {runs}\n")
    for contender, rate in rates.items():
        ratio = "" if contender == "ingest" else f"   ingest / {contender}: {rates['ingest'] / rate:.2f}"
        sys.stdout.write(f"  {contender:16} {rate:10,.0f} readings/s{ratio}\n")


def main(runs: int) -> None:
    with running_postgres() as database_url, running_broker("mosquitto") as broker:
        register_sensors(database_url, SENSORS)
        for name, readings in (("arrays of 100", 500_000), ("columns of 100", 500_000), (SINGLE, 30_000)):
            asyncio.run(measure(broker, database_url, name, readings, runs))


if __name__ == "__main__":
    logging.getLogger("gmqtt").setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--null", nargs=2, metavar=("URL", "COUNT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.null:
        asyncio.run(count_messages(arguments.null[0], int(arguments.null[1])))
    else:
        main(arguments.runs)
