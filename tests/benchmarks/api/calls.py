"""How long one call takes, beside the same question straight to the database; and many calls at a steady rate."""

import asyncio
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

import aiohttp
from psycopg import AsyncConnection
from yarl import URL

from services.core.store import alerts, current_values, history
from services.core.store.history_source import BucketPlan, Source
from services.core.store.sensor_selection import SensorSelection
from tests.benchmarks.api.city import KEY

_YEAR = timedelta(days=365)
_CONNECTIONS = 200
_PATIENCE = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds of one kind of call."""

    question: str
    median_ms: float
    p99_ms: float
    slowest_ms: float
    calls: int


@dataclass(frozen=True, slots=True)
class Load:
    """What a steady rate of mixed calls gave; milliseconds count from when a call was due."""

    spent: Sequence[Spent]
    errors: Mapping[str, int]
    answered_per_s: float


def spent(question: str, times_ms: list[float]) -> Spent:
    """The figures of one kind of call."""
    in_order = sorted(times_ms)
    p99_ms = in_order[min(len(in_order) - 1, int(0.99 * len(in_order)))]
    return Spent(question, statistics.median(in_order), p99_ms, in_order[-1], len(in_order))


def questions(end: datetime) -> dict[str, tuple[str, float]]:
    """Paths below ``/api/v1`` by name, and what share of the mixed load each has; ``end`` is a year's last midnight.

    Sensor s0 has a year of a reading every ten seconds. The shares are our guess at a centre with some screens and
    a few programs that read along.
    """

    def past(start: datetime, span: timedelta) -> str:
        return "sensors/s0/history?" + urlencode({"start": start.isoformat(), "end": (start + span).isoformat()})

    return {
        "all latest": ("latest", 0.005),
        "history 1 h": (past(end - _YEAR / 2, timedelta(hours=1)), 0.15),
        "history 1 d": (past(end - _YEAR / 2, timedelta(days=1)), 0.15),
        "history 1 year": (past(end - _YEAR, _YEAR), 0.045),
        "alert list": ("alerts?open=true&limit=50", 0.15),
        "one latest": ("sensors/s0/latest", 0.45),
        "one sensor": ("sensors/s0", 0.05),
    }


def caller(address: str) -> aiohttp.ClientSession:
    """A client with the key of the benchmark and as many connections as a load needs.

    It is the cheapest of its kind here: what callers spend is taken from the same cores as what is measured.
    """
    headers = {"Authorization": f"Bearer {KEY}", "Accept-Encoding": "gzip"}
    connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
    return aiohttp.ClientSession(address, headers=headers, connector=connector, auto_decompress=False)


async def measure_calls(address: str, null_address: str, end: datetime, calls: int) -> list[Spent]:
    """Each kind of call in turn on one connection, after an unmeasured round, and a route that does nothing."""
    taken: dict[str, list[float]] = defaultdict(list)
    async with caller(f"{address}/api/v1/") as api, caller(null_address) as null:
        for call in range(calls + 1):
            for name, (path, _) in questions(end).items():
                taken_ms = await _timed(api, path)
                if call:
                    taken[name].append(taken_ms)
            null_ms = await _timed(null, "/null")
            if call:
                taken["null route"].append(null_ms)
    return [spent(name, times_ms) for name, times_ms in taken.items()]


async def _timed(client: aiohttp.ClientSession, path: str) -> float:
    """Milliseconds until the last byte is here; it is not unpacked."""
    began = time.perf_counter()
    # The paths are written as they are sent: written out times hold what would be escaped once more.
    async with client.get(URL(path, encoded=True), timeout=_PATIENCE, raise_for_status=True) as response:
        await response.read()
    return (time.perf_counter() - began) * 1000


async def measure_sql(database_url: str, end: datetime, calls: int) -> dict[str, float]:
    """Median milliseconds of what the database does for some of the questions, without the API."""
    taken: dict[str, list[float]] = defaultdict(list)
    start = end - _YEAR / 2
    asked = {
        "history 1 h": BucketPlan(Source.RAW, start, start + timedelta(hours=1), timedelta(seconds=6)),
        "history 1 d": BucketPlan(Source.MINUTE, start, start + timedelta(days=1), timedelta(minutes=3)),
        "history 1 year": BucketPlan(Source.HOUR, end - _YEAR, end, timedelta(hours=15)),
    }
    async with await AsyncConnection.connect(database_url, autocommit=True) as connection:
        for _ in range(calls):
            for name, plan in asked.items():
                began = time.perf_counter()
                await history.history(connection, [1], plan)
                taken[name].append((time.perf_counter() - began) * 1000)
            began = time.perf_counter()
            await current_values.all_latest(connection, SensorSelection())
            taken["all latest"].append((time.perf_counter() - began) * 1000)
            began = time.perf_counter()
            wanted = alerts.AlertFilter(is_open=True)
            await alerts.list_alerts(connection, wanted, before=None, limit=51)
            taken["alert list"].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(times_ms) for name, times_ms in taken.items()}


async def measure_load(address: str, end: datetime, rate: float, seconds: float, seed: int) -> Load:
    """Calls drawn by their shares, started when they are due whether or not the earlier ones are answered."""
    chance = random.Random(seed)  # noqa: S311 - a drawing, not a secret
    known = questions(end)
    drawn = chance.choices(list(known), [share for _, share in known.values()], k=int(rate * seconds))
    taken: dict[str, list[float]] = defaultdict(list)
    errors: Counter[str] = Counter()
    async with caller(f"{address}/api/v1/") as api, asyncio.TaskGroup() as running:
        began = time.perf_counter()

        async def one(name: str, due: float) -> None:
            try:
                await _timed(api, known[name][0])
                taken[name].append((time.perf_counter() - due) * 1000)
            except (aiohttp.ClientError, TimeoutError) as error:
                errors[f"{name}: {type(error).__name__}"] += 1

        for number, name in enumerate(drawn):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            running.create_task(one(name, due))
    answered = sum(len(times_ms) for times_ms in taken.values())
    found = [spent(name, taken[name]) for name in known if taken[name]]
    return Load(found, dict(errors), answered / (time.perf_counter() - began))
