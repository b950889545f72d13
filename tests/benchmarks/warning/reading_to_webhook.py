"""From a reading's publication to its webhook, while the whole city reports: real processes, broker and database.

``python -m tests.benchmarks.warning.reading_to_webhook [--rate 15000] [--seconds 60] [--lateness 2]``. Ten thousand
methane sensors in twenty zones report through one gateway; now and then one more sees a dangerous level. Measured is
the time from publishing that reading until the signed webhook about the warning has come in. Everything shares the
machine, the publisher and the receiver among it. A reading waits for the allowed lateness before it is judged, so no
figure can be below it.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import gmqtt
import psycopg

from services.core import wire
from services.core.organisation import Receiver
from services.demo.broker import EmbeddedBroker
from services.demo.receiver import is_genuine
from tests.benchmarks.bench_ingest import running_postgres
from tests.fixtures.broker import running_broker
from tests.integration.alerts.alert_harness import SECRET, AlertProcess, alert_process, ask, prepare, tell, until
from tests.integration.ingest_harness import connected, ingest_process, now_ms, settings_for

SENSORS, ZONES = 10_000, 20
PER_BATCH = 100
_CALM, _DANGEROUS = 1.0, 30.0
_FIRST_AFTER_S = 5.0
_LAST_BEFORE_S = 2.0
_ARRIVES_WITHIN_S = 120.0


@dataclass
class Stopwatch:
    """When each probe was published and when its webhook came, in seconds of the wall clock."""

    published: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take webhooks and answer at once."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = (line.partition(": ") for line in head.rstrip().split("\r\n")[1:])
                headers = {name.lower(): value for name, _, value in lines}
                body = await reader.readexactly(int(headers["content-length"]))
                arrived = time.time()
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
                said = json.loads(body)
                if said["type"] == "warning.published" and is_genuine(SECRET, body, headers):
                    self.told.setdefault(said["data"]["asset"], arrived)
        writer.close()

    @property
    def seconds(self) -> list[float]:
        """How long each took, the shortest first."""
        return sorted(self.told[asset] - began for asset, began in self.published.items() if asset in self.told)


@dataclass(frozen=True, slots=True)
class Telling:
    """What was measured."""

    rate: float
    probes: int
    told: int
    median_s: float
    p99_s: float
    longest_s: float


def lay(url: str, probes: int) -> None:
    """Zones, places and methane sensors: those that report all the time, and one for each probe."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into zone (id, lifeline, name_en, name_zh) select 'Z' || i, 'gas', 'Zone', '片区' "
            "from generate_series(0, %s) i",
            (ZONES - 1,),
        )
        for prefix, count in (("calm", SENSORS), ("probe", probes)):
            connection.execute(
                """
                insert into asset (id, lifeline, kind, zone, name_en, name_zh, organisation, geometry, extent)
                select %(prefix)s || '-' || i, 'gas', 'underground-space', 'Z' || i %% %(zones)s, 'Space', '空间',
                    'gas-company', '{"type": "Point", "coordinates": [117.5, 31.5]}', box(point(117.5, 31.5))
                from generate_series(0, %(last)s) i
                """,
                {"prefix": prefix, "zones": ZONES, "last": count - 1},
            )
            connection.execute(
                """
                insert into sensor (id, lifeline, quantity, unit, asset, zone, longitude, latitude, interval_s, gateway)
                select %(prefix)s || '-' || i, 'gas', 'methane', '%%LEL', %(prefix)s || '-' || i,
                    'Z' || i %% %(zones)s, 117.5, 31.5, 60, 'gateway'
                from generate_series(0, %(last)s) i
                """,
                {"prefix": prefix, "zones": ZONES, "last": count - 1},
            )


async def measure(broker: EmbeddedBroker, url: str, process: AlertProcess, rate: int, seconds: float) -> Telling:
    """Publish at the rate for so long, a probe every so often, and wait for what is still on its way."""
    probes = int(ask(url, "select count(*) n from sensor where id like 'probe-%%'")[0]["n"])
    watch = Stopwatch()
    server = await asyncio.start_server(watch.serve, "127.0.0.1", 0)
    await tell(url, Receiver("watch", "gas-company", _address(server), SECRET, 1))
    with tempfile.TemporaryDirectory() as folder:
        client = gmqtt.Client("load")
        async with (
            ingest_process(settings_for(broker, url), Path(folder, "ingest.log")),
            connected(broker.url, client),
        ):
            await process.start()
            reached = await _publish(client, watch, rate, seconds, probes)
            with suppress(TimeoutError):
                await until(lambda: len(watch.told) >= probes, _ARRIVES_WITHIN_S)
    server.close()
    found = watch.seconds or [float("nan")]
    return Telling(
        rate=reached,
        probes=probes,
        told=len(watch.seconds),
        median_s=statistics.median(found),
        p99_s=found[min(len(found) - 1, int(len(found) * 0.99))],
        longest_s=found[-1],
    )


def _address(server: asyncio.Server) -> str:
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/in"


async def _publish(client: gmqtt.Client, watch: Stopwatch, rate: int, seconds: float, probes: int) -> float:
    """Batches of a gateway, evenly in time; returns the rate that was reached."""
    batches, pause_s = int(rate * seconds / PER_BATCH), PER_BATCH / rate
    topic = wire.gateway_readings_topic("test", "gateway")
    between_s = (seconds - _FIRST_AFTER_S - _LAST_BEFORE_S) / probes
    began, probed = time.perf_counter(), 0
    for number in range(batches):
        first, time_ms = number * PER_BATCH % SENSORS, now_ms()
        names = [f"calm-{first + position}" for position in range(PER_BATCH)]
        values = [_CALM + number % 7 / 10] * PER_BATCH
        if probed < probes and time.perf_counter() - began >= _FIRST_AFTER_S + probed * between_s:
            names[-1], values[-1] = f"probe-{probed}", _DANGEROUS
            watch.published[names[-1]] = time.time()
            probed += 1
        columns = wire.WireGatewayColumns(sensor=names, time=[time_ms] * PER_BATCH, value=values)
        client.publish(topic, wire.encode_columns(columns), qos=1)
        await asyncio.sleep(max(0.0, began + (number + 1) * pause_s - time.perf_counter()))
    return batches * PER_BATCH / (time.perf_counter() - began)


def described(found: Telling, lateness_s: float) -> str:
    """The figures in words."""
    return (
        f"at {found.rate:,.0f} readings/s, allowed lateness {lateness_s:g} s: {found.told} of {found.probes} dangerous "
        f"levels told; reading published to webhook: median {found.median_s:.2f} s, p99 {found.p99_s:.2f} s, "
        f"longest {found.longest_s:.2f} s\n"
    )


def run(rate: int, seconds: float, lateness_s: float, probes: int = 100) -> str:
    """Everything once, on servers of its own; returns the figures in words."""
    with running_postgres() as url, running_broker("mosquitto") as broker, tempfile.TemporaryDirectory() as folder:
        prepare(url, Path(folder) / "city")
        lay(url, probes)
        with alert_process(url, Path(folder), allowed_lateness=f"PT{lateness_s:g}S", flood_messages="0") as process:
            return described(asyncio.run(measure(broker, url, process, rate, seconds)), lateness_s)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=15_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--lateness", type=float, default=2)
    parser.add_argument("--probes", type=int, default=100)
    given = parser.parse_args()
    sys.stdout.write(run(given.rate, given.seconds, given.lateness, given.probes))
