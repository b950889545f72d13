"""``make bench-warning``: the worst hour of a centre in one minute, through a real database, worker and HTTP receiver.

Findings go through the loop as the feed hands them over; a real alert process tells the receivers. Printed are what
each receiver got, whether anything true was hidden, what a finding costs, how the database grows, and how long it takes
from a reading to its webhook under load.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import AsyncConnection

from services.alerts import loop
from services.alerts.tracing.city_graph import CityGraph
from services.core.asset import Asset
from services.core.organisation import Receiver
from services.core.store import alert_kinds, inhibitions, network
from tests.benchmarks.bench_ingest import running_postgres
from tests.benchmarks.warning import reading_to_webhook
from tests.benchmarks.warning.worst_hour import findings, true_troubles
from tests.integration.alerts.alert_harness import (
    AlertProcess,
    ReceiverProcess,
    alert_process,
    prepare,
    receiver_process,
    tell,
    until,
)

_WITHIN_S = 60.0
_SUMMARIES_WITHIN_S = 90.0
_PLACES = {"LP": "D1", "MH": "D1", "WJ": "W1", "WP": "W1"}
_LATENCIES = ((2_000, 2.0), (15_000, 2.0), (15_000, 0.2))
"""Readings a second, and for how many seconds of event time stragglers are waited for (2 s unless set otherwise)."""
_LATENCY_S = 60.0
_TOLD = ("centre", "water-company", "emergency")


def main() -> None:
    """Run it once and print what came of it."""
    with tempfile.TemporaryDirectory() as folder, running_postgres() as url:
        prepare(url, Path(folder) / "city")
        _lay_places(url)
        with alert_process(url, Path(folder)) as process, receiver_process(Path(folder)) as receiver:
            asyncio.run(_run(url, process, receiver))
    for rate, lateness_s in _LATENCIES:
        sys.stdout.write(reading_to_webhook.run(rate, _LATENCY_S, lateness_s))


async def _run(url: str, process: AlertProcess, receiver: ReceiverProcess) -> None:
    await receiver.start()
    await tell(url, *(_receiver(receiver, name) for name in _TOLD))
    await process.start()
    said = list(findings(seed=901, start=datetime(2026, 7, 14, 6, tzinfo=UTC)))
    before = _size(url)
    spent = await _conclude(url, said)
    await until(lambda: _nothing_waits(url), within_s=_SUMMARIES_WITHIN_S + _WITHIN_S)
    _print(url, said, spent, _size(url) - before, receiver)


def _receiver(receiver: ReceiverProcess, organisation: str) -> Receiver:
    return receiver.receiver(organisation)


async def _conclude(url: str, said: list[Any]) -> float:
    """Hand every finding to the loop, evenly over a minute if it can keep up; returns the seconds of work."""
    spent = 0.0
    began = time.perf_counter()
    async with await AsyncConnection.connect(url) as connection:
        city = await _city(connection)
        await connection.commit()
        for number, finding in enumerate(said):
            due = began + _WITHIN_S * number / len(said)
            if (ahead := due - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            started = time.perf_counter()
            async with connection.transaction():
                await loop.conclude(connection, city, finding)
            spent += time.perf_counter() - started
    sys.stderr.write(f"handed over in {time.perf_counter() - began:.0f} s\n")
    return spent


async def _city(connection: AsyncConnection) -> loop.City:
    rules = await inhibitions.load_inhibitions(connection)
    assets: Mapping[str, Asset] = {asset.id: asset for asset in await network.load_assets(connection)}
    return loop.City(
        kinds=await alert_kinds.load_alert_kinds(connection),
        graph=CityGraph(assets.values(), ()),
        sensor_assets={},
        causes=frozenset(kind for rule in rules for kind in rule.causes),
    )


def _lay_places(url: str) -> None:
    """The places of the worst hour as assets of the tiny city's zones."""
    with psycopg.connect(url) as connection:
        for zone in ("D2", "D3", "D4"):
            connection.execute(
                "insert into zone (id, lifeline, name_en, name_zh) values (%s, 'drainage', %s, %s)", (zone, zone, zone)
            )
        kinds = {"LP": ("drainage", "low-point"), "MH": ("drainage", "manhole"), "WJ": ("water", "junction")}
        counts = {"LP": 300, "MH": 500, "WJ": 200}
        for prefix, (lifeline, kind) in kinds.items():
            for number in range(counts[prefix]):
                _lay(connection, f"{prefix}-{number}", (lifeline, kind, _PLACES[prefix]), number)
        _lay(connection, "WP-main", ("water", "pipe", "W1"), 0)


def _lay(connection: psycopg.Connection, name: str, place: tuple[str, str, str], number: int) -> None:
    lifeline, kind, zone = place
    longitude, latitude = 117.0 + number % 50 * 1e-3, 31.0 + number // 50 * 1e-3
    geometry = json.dumps({"type": "Point", "coordinates": [longitude, latitude]})
    connection.execute(
        """
        insert into asset (id, lifeline, kind, zone, name_en, name_zh, organisation, geometry, extent)
        values (%s, %s, %s, %s, %s, %s, null, %s, box(point(%s, %s), point(%s, %s))) on conflict (id) do nothing
        """,
        (name, lifeline, kind, zone, name, name, geometry, longitude, latitude, longitude, latitude),
    )


def _nothing_waits(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            """
            select (select count(*) from put_by where told_at is null)
                + (select count(*) from notification where state = 'pending')
                + (select count(*) from procrastinate_jobs
                   where task_name in ('announce', 'deliver', 'review') and status in ('todo', 'doing'))
            """
        ).fetchone()
    return row is not None and row[0] == 0


def _size(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select pg_database_size(current_database())").fetchone()
    return 0 if row is None else int(row[0])


def _print(url: str, said: list[Any], spent: float, grown: int, receiver: ReceiverProcess) -> None:
    with psycopg.connect(url) as connection:
        alerts = connection.execute("select count(*), count(suppression) from alert").fetchone() or (0, 0)
        warned = connection.execute("select count(*) from warning").fetchone() or (0,)
    messages = Counter(each["path"] for each in receiver.attempts() if each["status"] == 204)
    named, counted = _named(receiver, "/centre")
    missed = true_troubles() - named
    hidden = max(0, len(missed) - counted)
    lines = [
        f"findings: {len(said)}; alerts: {alerts[0]}, of these kept quiet {alerts[1]}; warnings: {warned[0]}",
        f"messages to one receiver, all channels and orders: {dict(sorted(messages.items()))} (aim 12)",
        f"of {len(true_troubles())} true troubles named to the centre {len(named & true_troubles())}, hidden {hidden}",
        f"a finding costs {1000 * spent / len(said):.2f} ms of one connection ({len(said) / spent:,.0f} a second)",
        f"the database grows by {grown / 1e6 / max(1, alerts[0]) * 1000:.1f} MB for 1,000 alerts",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _named(receiver: ReceiverProcess, path: str) -> tuple[set[str], int]:
    """The places a receiver was told by name, and how many more its summaries count."""
    named: set[str] = set()
    counted = 0
    for each in receiver.attempts():
        if each["path"] != path or each["status"] != 204:
            continue
        data = json.loads(each["body"])["data"]
        items = data.get("items", [data])
        named |= {item["asset"] for item in items if "asset" in item}
        counted += int(data.get("not_listed", 0))
    return named, counted


if __name__ == "__main__":
    main()
