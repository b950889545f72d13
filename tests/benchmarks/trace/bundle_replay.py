"""Whether the evidence of many alerts gives the same result when it is judged again, and what that costs."""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import AsyncConnection

from services.alerts.evidence_replay import replay
from services.alerts.feed_follower import FeedFollower
from services.alerts.membership import Membership
from services.core.evidence_bundle import pack, unpack
from services.core.store import detector_state
from services.core.store.evidence import gather
from services.core.store.pool import Pool, open_pool
from tests.benchmarks.bench_ingest import running_postgres
from tests.integration.alerts.alert_harness import Sample, at, prepare, store

_LATENESS = timedelta(seconds=2)
_SENSORS = {"M-1": 0.3, "M-2": 0.3, "P-1": 320.0}
_CHAPTER_MINUTES = 60
_CHAPTERS_A_SNAPSHOT = 8
_MOST_CHAPTERS = 400


@dataclass(frozen=True, slots=True)
class ReplayCost:
    """How many bundles came out the same, by where they start from, and the medians of size and time."""

    bundles: int
    same: int
    starts: Counter[str]
    kinds: Counter[str]
    size_kb: float
    export_ms: float
    replay_ms: float
    differing: tuple[str, ...]


def measure_replay(url: str, bundles: int, seed: int) -> ReplayCost:
    """Let so many alerts come about in a small city, export the evidence of each, and judge it again."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(url, Path(folder) / "city")
    return asyncio.run(_measure(url, bundles, random.Random(seed)))  # noqa: S311 - a story, not a secret


async def _measure(url: str, bundles: int, chance: random.Random) -> ReplayCost:
    await _live(url, bundles, chance)
    starts, kinds = Counter[str](), Counter[str]()
    sizes, exports, replays, differing = [], [], [], []
    async with await AsyncConnection.connect(url) as connection:
        rows = await (
            await connection.execute("select id, kind from alert order by created_at, id limit %s", (bundles,))
        ).fetchall()
        for alert, kind in rows:
            began = time.perf_counter()
            content = pack(
                await gather(connection, alert, now=datetime.now(UTC), allowed_lateness=_LATENESS, actor="benchmark")
            )
            exports.append((time.perf_counter() - began) * 1e3)
            began = time.perf_counter()
            bundle = unpack(content)
            result = replay(bundle)
            replays.append((time.perf_counter() - began) * 1e3)
            sizes.append(len(content) / 1e3)
            starts[str(bundle.facts["starts_from"]).split()[0]] += 1
            kinds[kind] += 1
            if not result.is_same:
                differing.append(f"{kind} {alert}: {result.differences[0].text}")
    return ReplayCost(
        len(rows),
        len(rows) - len(differing),
        starts,
        kinds,
        statistics.median(sizes),
        statistics.median(exports),
        statistics.median(replays),
        tuple(differing),
    )


async def _live(url: str, bundles: int, chance: random.Random) -> None:
    """Chapter after chapter through feed and follower, as the service does it, until there are enough alerts."""
    membership = Membership("benchmark")
    async with open_pool(url, 4) as pool:
        async with await AsyncConnection.connect(url, autocommit=True) as connection:
            await membership.beat(connection)
        follower = FeedFollower(pool, membership, allowed_lateness=_LATENESS, idle_release=timedelta(0))
        for chapter in range(_MOST_CHAPTERS):
            await store(url, _chapter(chapter, chance))
            await _follow(follower)
            if chapter % _CHAPTERS_A_SNAPSHOT == _CHAPTERS_A_SNAPSHOT - 1:
                await _keep_past(pool)
            if _count(url) >= bundles:
                return
            await asyncio.sleep(0)


async def _follow(follower: FeedFollower) -> None:
    while await follower.step():
        pass


async def _keep_past(pool: Pool) -> None:
    async with pool.connection() as connection:
        await detector_state.keep_past(connection, datetime.now(UTC), every=timedelta(0), keep=timedelta(days=1))


def _count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row: Any = connection.execute("select count(*) from alert").fetchone()
    return int(row[0])


def _chapter(number: int, chance: random.Random) -> Sequence[Sample]:
    """An hour in which something goes wrong with one of the sensors."""
    victim = chance.choice(sorted(_SENSORS))
    trouble = chance.choice(("rise", "rise", "stuck", "silent", "spike"))
    begin, length = 10 + chance.randrange(10), 12 + chance.randrange(10)
    samples: list[Sample] = []
    for minute in range(_CHAPTER_MINUTES):
        moment = at(number * _CHAPTER_MINUTES + minute)
        inside = begin <= minute < begin + length
        for sensor, usual in _SENSORS.items():
            value = usual * (1 + 0.05 * chance.gauss(0, 1))
            if sensor == victim and inside:
                if trouble == "silent":
                    continue
                value = _wrong(trouble, sensor, usual, minute - begin, value)
            samples.append((sensor, moment, value))
    chance.shuffle(samples)
    return sorted(samples, key=lambda sample: sample[1])


def _wrong(trouble: str, sensor: str, usual: float, minutes: int, value: float) -> float:
    if trouble == "stuck":
        return usual
    if trouble == "spike":
        return usual * 40 if minutes == 0 else value
    return usual + 4.0 * minutes if sensor.startswith("M") else usual - 12.0 * minutes


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=8)
    asked = parser.parse_args()
    with running_postgres() as url:
        cost = measure_replay(url, asked.bundles, asked.seed)
    lines = [
        f"{cost.same} of {cost.bundles} bundles the same; from {dict(cost.starts)}; {dict(cost.kinds)}",
        f"median: {cost.size_kb:.0f} kB, exported in {cost.export_ms:.0f} ms, judged in {cost.replay_ms:.0f} ms",
        *cost.differing,
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
