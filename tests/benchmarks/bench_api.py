"""``make bench-api``: the API and the dashboard before a whole city, beside what bounds them on this machine.

``python -m tests.benchmarks.bench_api [--sensors 85000] [--readings 100000000]`` starts its own PostgreSQL (or uses
``LIFELINE_BENCH_DATABASE_URL``; a city that is in it already is asked as it stands) and an API process. Callers,
listeners and the browser run on the same cores as what they measure.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import psycopg

from tests.benchmarks import bench_storage
from tests.benchmarks.api.calls import Load, Spent, measure_calls, measure_load, measure_sql
from tests.benchmarks.api.city import CitySize, furnish
from tests.benchmarks.api.listening import measure_alerts, measure_null
from tests.benchmarks.api.served import api_process, null_process
from tests.integration.ingest_harness import register_sensors

PARTS = ("calls", "load", "listeners", "page", "memory")
_SEED = 901
_ALERT_BYTES = 1200
"""About what one alert takes as JSON; the null sender sends as much."""


def build(database_url: str, size: CitySize, readings: int) -> datetime:
    """Make the city unless it is there; returns the midnight on which the year of sensor s0 ended."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        found = connection.execute("select count(*) from sensor").fetchone()
    if found == (0,):
        register_sensors(database_url, size.sensors)
        bench_storage.SENSORS = size.sensors
        with psycopg.connect(database_url, autocommit=True) as connection:
            bench_storage.fill(connection, readings / 1e6, 0)
    asyncio.run(furnish(database_url, size))
    with psycopg.connect(database_url, autocommit=True) as connection:
        began = connection.execute("select min(time) from reading where sensor_key = 1").fetchone()
    assert began is not None
    first: datetime = began[0]
    return first + bench_storage.YEAR


def say(*lines: str) -> None:
    """Print with the machine's load beside it."""
    sys.stdout.write("\n".join(lines) + f"\n  load average {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores\n")
    sys.stdout.flush()


def table(found: list[Spent], direct_ms: dict[str, float] | None = None) -> list[str]:
    """One line a question; with the database's own milliseconds beside it where they are known."""
    lines = [f"{'':<26}{'median ms':>10}{'p99 ms':>10}{'slowest':>10}{'calls':>8}{'SQL alone':>11}{'ratio':>8}"]
    for each in found:
        direct = (direct_ms or {}).get(each.question)
        beside = "" if direct is None else f"{direct:>11.1f}{each.median_ms / direct:>8.1f}"
        figures = f"{each.median_ms:>10.1f}{each.p99_ms:>10.1f}{each.slowest_ms:>10.1f}{each.calls:>8}"
        lines.append(f"{each.question:<26}{figures}{beside}")
    return lines


def _calls(address: str, null_address: str, database_url: str, end: datetime, calls: int) -> None:
    direct_ms = asyncio.run(measure_sql(database_url, end, max(5, calls // 10)))
    found = asyncio.run(measure_calls(address, null_address, end, calls))
    say("== one call at a time, gzip", *table(found, direct_ms))


def _load(address: str, end: datetime, rate: float, seconds: float) -> None:
    load: Load = asyncio.run(measure_load(address, end, rate, seconds, _SEED))
    errors = ", ".join(f"{name} {count}" for name, count in load.errors.items()) or "none"
    head = f"== {rate:g} calls/s for {seconds:g} s: {load.answered_per_s:.0f} answered a second, errors: {errors}"
    say(head, *table(list(load.spent)))


def _listeners(address: str, null_address: str, database_url: str, listeners: int) -> None:
    found = [
        asyncio.run(measure_null(null_address, listeners, 10, b"x" * _ALERT_BYTES)),
        asyncio.run(measure_alerts(address, database_url, listeners, 10)),
    ]
    say(f"== {listeners} listeners", *table(found))


def _page(address: str) -> None:
    # Chromium is only needed for this part.
    from tests.benchmarks.api.dashboard import bundle_kb, measure_limits, measure_page

    bundle = ", ".join(f"{name} {size:.0f} kB" for name, size in bundle_kb().items())
    limits = asyncio.run(measure_limits(address))
    shown = asyncio.run(measure_page(address, 120))
    whole = "not within 120 s" if shown.whole_city_s is None else f"{shown.whole_city_s:.1f} s"
    say(
        "== dashboard, headless Chromium, software GL",
        f"bundle (gzip): {bundle}; the first page loads {shown.loaded_kb:.0f} kB",
        f"first content {shown.first_content_s:.2f} s, alerts shown {shown.meaningful_s:.2f} s, whole city {whole}",
        f"panning: first {shown.first_frames_per_s:.1f}, median {shown.frames_per_s:.1f} frames/s,"
        f" slowest frame {shown.slowest_frame_ms:.0f} ms; in the same browser a map without a city"
        f" {limits.empty_map:.1f}, a page with nothing {limits.nothing:.1f}",
    )


def _memory(address: str, database_url: str, seconds: float) -> None:
    from tests.benchmarks.api.dashboard import measure_memory

    kept = asyncio.run(measure_memory(address, database_url, seconds, parts=6))
    heaps = ", ".join(f"{heap:.1f}" for heap in kept.heaps_mb)
    say(f"== heap over {seconds:g} s: {heaps} MB; {kept.kb_per_1000:+.2f} kB per 1,000 of {kept.moved:,} new values")


def main() -> None:
    """Build the city, then measure the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sensors", type=int, default=85_000)
    parser.add_argument("--readings", type=int, default=100_000_000)
    parser.add_argument("--pipes", type=int, default=100_000)
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--listeners", type=int, default=2000)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--memory-seconds", type=float, default=600)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    asked = parser.parse_args()
    size = CitySize(asked.sensors, asked.pipes, asked.alerts)
    with bench_storage.storage() as url, tempfile.TemporaryDirectory() as directory:
        end = build(url, size, asked.readings)
        built = f"{size.sensors:,} sensors, {asked.readings:,} readings, {size.pipes:,} pipes, {size.alerts:,} alerts"
        say(f"== city: {built}")
        log = Path(directory, "api.log")
        with api_process(url, log) as address, null_process(Path(directory, "null.log")) as null_address:
            measured = {
                "calls": lambda: _calls(address, null_address, url, end, asked.calls),
                "load": lambda: _load(address, end, asked.rate, asked.seconds),
                "listeners": lambda: _listeners(address, null_address, url, asked.listeners),
                "page": lambda: _page(address),
                "memory": lambda: _memory(address, url, asked.memory_seconds),
            }
            for part in asked.parts:
                measured[part]()
        if log.stat().st_size:
            sys.stderr.write(log.read_text()[-2000:])


if __name__ == "__main__":
    main()
