"""How long a dashboard's questions take, and how that grows with the number of readings.

``python -m tests.benchmarks.bench_storage [--millions 10 100] [--runs 7]`` starts its own PostgreSQL (or uses
``LIFELINE_BENCH_DATABASE_URL``, an empty migrated database, TimescaleDB or not), fills it with a city of 85,000 sensors
and asks at each size. A tenth of a size are the last minutes of every sensor, the rest are years of readings every ten
seconds of a few sensors. Medians are printed, and how each grows from the first size to the last: flat is the aim.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import AsyncConnection

from services.core.store import current_values, history, rollup_tables, storage_level
from services.core.store.history_source import BucketPlan, Source
from services.core.store.migrations import migrate
from services.core.store.sensor_selection import SensorSelection
from services.demo.postgres import EmbeddedPostgres
from tests.fixtures.processes import reachable_directory, running
from tests.integration.ingest_harness import register_sensors

SENSORS = 85_000
YEAR = timedelta(days=365)
READINGS_A_YEAR = YEAR // timedelta(seconds=10)
END = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
Question = Callable[[AsyncConnection], Awaitable[object]]


@contextmanager
def storage() -> Iterator[str]:
    """The database to ask: the given one, or a server of our own with a quarter of a usual server's memory."""
    given = os.environ.get("LIFELINE_BENCH_DATABASE_URL")
    if given is not None:
        migrate(given)
        yield given
        return
    with reachable_directory("postgres") as directory:
        server = EmbeddedPostgres(directory, wanted_port=0)
        server.prepare()
        command = [*server.command(), "-c", "shared_buffers=2GB", "-c", "max_wal_size=8GB"]
        with running(command, directory / "postgres.log", server.wait_ready, server.stop_signal, server.user):
            migrate(server.url())
            yield server.url()


def fill(connection: psycopg.Connection, millions: float, held: int) -> int:
    """Bring the table to a size; returns how many sensors have their whole year then. ``held`` had it before."""
    minutes = max(1, int(millions * 1e6 * 0.1 / SENSORS))
    whole_years = max(1, round((millions * 1e6 - minutes * SENSORS) / READINGS_A_YEAR))
    for day in range(365):
        connection.execute(
            """
            insert into reading (sensor_key, time, value, received_at)
            select sensor, moment, 100 + 10 * sin(extract(epoch from moment) / 13750) + sensor %% 7, moment
            from generate_series(
                    %(start)s::timestamptz, %(start)s::timestamptz + '1 day' - interval '10 s', '10 s') moment,
                 generate_series(%(first)s::int, %(last)s::int) sensor
            """,
            {"start": END - YEAR + timedelta(days=day), "first": held + 1, "last": whole_years},
        )
    connection.execute(
        """
        insert into reading (sensor_key, time, value, received_at)
        select sensor, moment, 100 + sensor %% 7, moment
        from generate_series(
                %(end)s::timestamptz, %(end)s::timestamptz + %(minutes)s * interval '1 min', '1 min') moment,
             generate_series(1, %(sensors)s) sensor
        on conflict do nothing
        """,
        {"end": END, "minutes": minutes - 1, "sensors": SENSORS},
    )
    connection.execute(
        """
        insert into latest (sensor_key, time, value, quality, reason, received_at)
        select sensor, %(time)s, 100, 0, 0, %(time)s from generate_series(1, %(sensors)s) sensor
        on conflict (sensor_key) do update set time = excluded.time, revision = nextval('latest_revision')
        """,
        {"time": END + timedelta(minutes=minutes - 1), "sensors": SENSORS},
    )
    connection.execute("vacuum analyze")
    if rollup_tables.exist(connection):
        connection.execute("truncate rollup_progress")
        rollup_tables.fill(connection)
    connection.execute("vacuum analyze")
    return whole_years


def _plan(source: Source, start: datetime, width: timedelta, span: timedelta) -> BucketPlan:
    return BucketPlan(source, start, start + span, width)


def questions() -> dict[str, Question]:
    """What a dashboard asks, by name."""
    half_year = END - YEAR / 2
    day, minute = timedelta(days=1), timedelta(minutes=1)
    everything, zone = SensorSelection(), SensorSelection(zone="zone-1")
    return {
        "latest of all 85,000 sensors": lambda c: current_values.all_latest(c, everything),
        "latest of a zone of 21,250": lambda c: current_values.all_latest(c, zone),
        "one sensor's day, 8,640 readings in minutes": lambda c: history.history(
            c, [1], _plan(Source.RAW, half_year, minute, day)
        ),
        "one sensor's day from minutes": lambda c: history.history(
            c, [1], _plan(Source.MINUTE, half_year, minute, day)
        ),
        "one sensor's year from hours": lambda c: history.history(
            c, [1], _plan(Source.HOUR, END - YEAR, timedelta(hours=12), YEAR)
        ),
        "one sensor's year from days": lambda c: history.history(c, [1], _plan(Source.DAY, END - YEAR, day, YEAR)),
    }


async def ask(database_url: str, runs: int) -> dict[str, float]:
    """The median seconds of each question, asked in turn on one connection after one unmeasured round."""
    taken: dict[str, list[float]] = {name: [] for name in questions()}
    async with await AsyncConnection.connect(database_url, autocommit=True) as connection:
        for run in range(runs + 1):
            for name, question in questions().items():
                started = time.perf_counter()
                answer = await question(connection)
                seconds = time.perf_counter() - started
                if not answer:
                    raise AssertionError(f"{name}: nothing was found")
                if run:
                    taken[name].append(seconds)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def main(sizes: list[float], runs: int) -> None:
    """Fill and ask, size after size."""
    with storage() as url:
        register_sensors(url, SENSORS)
        found: list[dict[str, float]] = []
        held = 0
        for millions in sizes:
            started = time.perf_counter()
            with psycopg.connect(url, autocommit=True) as connection:
                level = storage_level.detect(connection)
                held = fill(connection, millions, held)
                rows = connection.execute("select count(*) from reading").fetchone()
            count = rows[0] if rows else 0
            sys.stdout.write(f"{level}: {count:,} readings after {time.perf_counter() - started:,.0f} s\n")
            sys.stdout.flush()
            found.append(asyncio.run(ask(url, runs)))
        sys.stdout.write(f"\nmilliseconds, median of {runs}; at {', '.join(f'{size:g}' for size in sizes)} million\n")
        for name in found[0]:
            figures = "".join(f"{result[name] * 1000:10.1f}" for result in found)
            sys.stdout.write(f"  {name:45}{figures}   growth {found[-1][name] / found[0][name]:.2f}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, nargs="+", default=[10, 100])
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    main(arguments.millions, arguments.runs)
