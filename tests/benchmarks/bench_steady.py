"""A gateway under steady load: how long until it hears that a batch is committed, and whether memory stays flat.

``python -m tests.benchmarks.bench_steady [--rate 15000] [--minutes 10]`` starts its own PostgreSQL and Mosquitto.
Numbered batches of 100 readings are published at the rate; the time from publishing one to the service's
acknowledgement that it is committed is measured for each. Broker, service, database and publisher share the machine.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import gmqtt
import psutil

from services.core import wire
from services.demo.broker import EmbeddedBroker
from tests.benchmarks.bench_ingest import SENSORS, running_postgres
from tests.fixtures.broker import running_broker
from tests.integration.ingest_harness import connected, ingest_process, now_ms, register_sensors, settings_for, until

PER_BATCH = 100
_MEGABYTE = 1024 * 1024


class Gateway:
    """Publishes numbered batches, and notes when each is known to be committed."""

    def __init__(self, client: gmqtt.Client) -> None:
        self._client = client
        self._published: dict[int, float] = {}
        self.seconds: list[float] = []
        client.on_message = self._on_acknowledgement

    def publish(self, number: int) -> None:
        first, time_ms = number * PER_BATCH % SENSORS, now_ms()
        columns = wire.WireGatewayColumns(
            sensor=[f"s{first + position}" for position in range(PER_BATCH)],
            time=[time_ms] * PER_BATCH,
            value=[float(number % 900)] * PER_BATCH,
        )
        payload = wire.encode_numbered(wire.WireNumbered(seq=number, readings=columns))
        self._published[number] = time.perf_counter()
        self._client.publish(wire.gateway_readings_topic("test", "gateway"), payload, qos=1)

    @property
    def is_acknowledged(self) -> bool:
        return not self._published

    def _on_acknowledgement(self, _client: object, _topic: str, payload: bytes, _qos: int, _more: object) -> int:
        now, told = time.perf_counter(), wire.decode_acknowledgement(payload)
        gaps = {number for first, last in told.gaps for number in range(first, last + 1)}
        for number in [number for number in self._published if number <= told.stored and number not in gaps]:
            self.seconds.append(now - self._published.pop(number))
        return 0


async def measure(broker: EmbeddedBroker, database_url: str, rate: int, minutes: float) -> None:
    batches, pause_s = int(rate * minutes * 60 / PER_BATCH), PER_BATCH / rate
    client = gmqtt.Client("gateway")
    with tempfile.TemporaryDirectory() as directory:
        settings = settings_for(broker, database_url)
        async with ingest_process(settings, Path(directory, "log")) as ingest, connected(broker.url, client):
            client.subscribe(wire.gateway_acknowledgement_topic("test", "gateway"), qos=1)
            gateway, process = Gateway(client), psutil.Process(ingest.process.pid)
            memory: list[int] = []
            started = time.perf_counter()
            for number in range(1, batches + 1):
                gateway.publish(number)
                await asyncio.sleep(max(0.0, started + number * pause_s - time.perf_counter()))
                if number % max(1, batches // 10) == 0:
                    memory.append(process.memory_info().rss)
            published_s = time.perf_counter() - started
            await until(lambda: gateway.is_acknowledged, within_s=60)
    cuts = statistics.quantiles(gateway.seconds, n=1000)
    median, p99, longest = (round(seconds * 1000) for seconds in (cuts[499], cuts[989], max(gateway.seconds)))
    rate_reached = batches * PER_BATCH / published_s
    sys.stdout.write(
        f"{rate_reached:,.0f} readings/s for {published_s:,.0f} s, {len(gateway.seconds):,} batches; "
        f"publish to committed and told: median {median} ms, p99 {p99} ms, longest {longest} ms\n"
        f"memory of ingest by tenths, MB: {', '.join(str(used // _MEGABYTE) for used in memory)}\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=15_000)
    parser.add_argument("--minutes", type=float, default=10)
    arguments = parser.parse_args()
    with running_postgres() as url, running_broker("mosquitto") as running:
        register_sensors(url, SENSORS)
        asyncio.run(measure(running, url, arguments.rate, arguments.minutes))
