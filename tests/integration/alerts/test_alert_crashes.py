"""A killed process: nothing is lost and nothing is said twice. Several processes: ``test_alert_shares.py``."""

import asyncio
import json
from collections import defaultdict
from datetime import timedelta
from random import Random
from time import monotonic

import pytest
from procrastinate import App, PsycopgConnector
from psycopg import AsyncConnection

from services.alerts.notify.worker import rescue_stalled
from services.core import jobs
from tests.integration.alerts.alert_harness import (
    AlertProcess,
    ReceiverProcess,
    Sample,
    ask,
    at,
    said_by_the_loop,
    store,
    tell,
    until,
)
from tests.integration.alerts.test_alert_feed import follow_to_the_end, following

RESCUED_WITHIN_S = 30.0


def day() -> list[list[Sample]]:
    """Minutes of readings: two leaks, one of them twice, a lasting low pressure and a sensor that falls silent."""
    random = Random(3)  # noqa: S311 - noise, not a secret
    minutes = []
    for minute in range(90):
        leaking = 10 <= minute < 30 or 50 <= minute < 60
        samples = [
            ("M-1", at(minute), (35.0 if leaking else 1.0) + random.random()),
            ("P-1", at(minute) + timedelta(seconds=7), (60.0 if minute > 40 else 320.0) + random.random()),
        ]
        if minute < 45:
            samples.append(("M-2", at(minute) + timedelta(seconds=3), minute * 1.5 + random.random()))
        minutes.append(samples)
    return minutes


@pytest.mark.slow
async def test_a_process_killed_again_and_again_concludes_what_an_undisturbed_one_does(
    city_url: str, twin_url: str, alerts: AlertProcess
) -> None:
    minutes = day()
    await store(twin_url, [sample for samples in minutes for sample in samples])
    async with following(twin_url) as follower:
        await follow_to_the_end(follower)
    expected = said_by_the_loop(twin_url)
    assert len(expected["alerts"]) >= 5

    random = Random(4)  # noqa: S311 - pauses, not a secret
    for part in range(0, len(minutes), 30):
        await alerts.start()
        for samples in minutes[part : part + 30]:
            await store(city_url, samples)
            await asyncio.sleep(random.uniform(0, 0.08))
        # Some of these are being judged now, some are held, some not even read.
        alerts.kill()
    await alerts.start()
    await until(lambda: len(ask(city_url, "select from finding")) >= len(expected["findings"]))
    assert said_by_the_loop(city_url) == expected


@pytest.mark.slow
async def test_a_webhook_in_flight_when_the_process_is_killed_is_delivered_under_the_same_id(
    city_url: str, alerts: AlertProcess, receiver: ReceiverProcess
) -> None:
    await receiver.start()
    await receiver.behave("hang")
    await tell(city_url, receiver.receiver("gas-company"), receiver.receiver("centre"))
    await alerts.start()
    await store(city_url, [("M-1", at(0), 30.0)])
    await until(lambda: len(receiver.attempts()) == 4)
    alerts.kill()
    # An escalation may wait for its time beside them.
    deliveries = "select status::text from procrastinate_jobs where task_name = 'deliver'"
    assert {job["status"] for job in ask(city_url, deliveries)} == {"doing"}
    await receiver.behave("ok")
    killed_at = monotonic()
    await alerts.start()
    await until(lambda: len(ask(city_url, "select from notification where state = 'delivered'")) == 4, 60)
    assert monotonic() - killed_at < RESCUED_WITHIN_S

    ids = defaultdict(list)
    for attempt in receiver.attempts():
        assert attempt["verified"]
        ids[attempt["path"], json.loads(attempt["body"])["type"]].append(attempt["webhook-id"])
    assert len(ids) == 4
    assert all(len(tried) == 2 and len(set(tried)) == 1 for tried in ids.values())
    assert len({tried[0] for tried in ids.values()}) == 4
    # The attempt that died with the process left no line; the one that counted did.
    recorded = ask(city_url, "select attempt, status, error from delivery")
    assert recorded == [{"attempt": 1, "status": 204, "error": None}] * 4
    assert {row["attempts"] for row in ask(city_url, "select attempts from notification")} == {1}
    await until(lambda: ask(city_url, deliveries) == [])


async def _taken_by_a_dead_worker(app: App, url: str) -> int:
    """Defer a job, let a worker take it, and let the worker's heart stop; returns the worker."""
    async with await AsyncConnection.connect(url) as connection:
        await jobs.defer(connection, jobs.DELIVER, lock="one/subject", notification="none")
    worker = await app.job_manager.register_worker()
    job = await app.job_manager.fetch_job(queues=["alerts"], worker_id=worker)
    assert job is not None
    async with await AsyncConnection.connect(url) as connection:
        await connection.execute("update procrastinate_workers set last_heartbeat = now() - interval '1 minute'")
    return worker


@pytest.mark.parametrize("pruned_by_the_library", [False, True])
async def test_a_job_of_a_dead_worker_is_put_back_once(city_url: str, *, pruned_by_the_library: bool) -> None:
    app = App(connector=PsycopgConnector(conninfo=city_url))
    async with (
        app.open_async(),
        await AsyncConnection.connect(city_url, autocommit=True) as first,
        await AsyncConnection.connect(city_url, autocommit=True) as second,
    ):
        worker = await _taken_by_a_dead_worker(app, city_url)
        if pruned_by_the_library:
            assert await app.job_manager.prune_stalled_workers(15.0) == [worker]
        put_back = await asyncio.gather(rescue_stalled(app, first), rescue_stalled(app, second))
        assert sum(put_back) == 1
        assert await rescue_stalled(app, first) == 0
    state = ask(city_url, "select status::text, attempts from procrastinate_jobs")
    assert state == [{"status": "todo", "attempts": 1}]
    assert ask(city_url, "select from procrastinate_workers") == []


async def test_a_job_of_a_living_worker_stays_with_it(city_url: str) -> None:
    app = App(connector=PsycopgConnector(conninfo=city_url))
    async with app.open_async(), await AsyncConnection.connect(city_url, autocommit=True) as connection:
        worker = await _taken_by_a_dead_worker(app, city_url)
        await app.job_manager.update_heartbeat(worker)
        assert await rescue_stalled(app, connection) == 0
    assert ask(city_url, "select status::text from procrastinate_jobs") == [{"status": "doing"}]
