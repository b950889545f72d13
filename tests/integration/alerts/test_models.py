"""Models in the database: taught on demand and on schedule, numbered, promoted, never overwritten."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest
from psycopg import AsyncConnection
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from services.alerts.models import schedule
from services.alerts.models.trainer import Wish, teach
from services.alerts.service import run
from services.cli import app
from services.core.detector_model import ModelState
from services.core.settings import Settings
from services.core.store import detector_models
from services.core.store.pool import open_pool
from tests.integration.alerts.alert_harness import Sample, ask, prepare, store, until
from tests.unit.alerts.models.storm_past import readings as storm_readings

RULE = "water-flow-above-usual"
SENSOR = "w-flow-1"
CITY = (f"{SENSOR},water,flow,m3/h,WP-1,117.002,31.010,300,\n",)
END = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 10


def flow(days: float, *, noise: float = 1.0, seed: int = 1, end: datetime = END) -> list[Sample]:
    """A flow with a daily pattern, every five minutes."""
    rng = np.random.default_rng(seed)
    times = [end - timedelta(minutes=5 * step) for step in range(1, int(days * 288) + 1)]
    values = [100 + 30 * np.sin(2 * np.pi * time.timestamp() / 86_400) + rng.normal(0, noise) for time in times]
    return [(SENSOR, time, float(value)) for time, value in zip(times, values, strict=True)]


def wish(end: datetime = END) -> Wish:
    return Wish(end, timedelta(days=8), timedelta(days=2), rule=RULE)


@pytest.fixture
def water_url(database_url: str, tmp_path: Path) -> str:
    prepare(database_url, tmp_path / "city", CITY)
    return database_url


async def test_a_model_is_numbered_and_put_into_use(water_url: str) -> None:
    await store(water_url, flow(DAYS))
    async with open_pool(water_url, 2) as pool:
        first = await teach(pool, wish())
        second = await teach(pool, wish())
    assert [(each.rule, each.target) for each in first] == [(RULE, SENSOR)]
    assert first[0].model is not None
    assert second[0].model is not None
    assert (first[0].model.version, second[0].model.version) == (1, 2)
    assert first[0].model.fingerprint == second[0].model.fingerprint
    rows = ask(water_url, "select version, state, zone, code_version from detector_model order by version")
    assert [(row["version"], row["state"], row["zone"]) for row in rows] == [(1, "retired", "W1"), (2, "active", "W1")]
    assert rows[0]["code_version"]
    trail = ask(water_url, "select actor, before, after from audit where subject_kind = 'detector-model' order by id")
    assert [(row["actor"], row["before"], row["after"]) for row in trail] == [
        ("system", None, {"version": 1}),
        ("system", {"version": 1}, {"version": 2}),
    ]


async def test_a_worse_model_stays_a_candidate_with_its_reason(water_url: str) -> None:
    await store(water_url, flow(DAYS))
    async with open_pool(water_url, 2) as pool:
        await teach(pool, wish())
        # In the eight days that are taught next the meter scatters; the two that are held back are fine.
        await store(water_url, flow(2, end=END + timedelta(days=10)))
        await store(water_url, flow(8, noise=40, end=END + timedelta(days=8)))
        lesson = (await teach(pool, wish(END + timedelta(days=10))))[0]
        async with pool.connection() as connection:
            in_use = await detector_models.find(connection, RULE, SENSOR)
            kept = await detector_models.find(connection, RULE, SENSOR, 2)
    assert lesson.model is not None
    assert in_use is not None
    assert in_use.version == 1
    assert kept is not None
    assert kept.state is ModelState.CANDIDATE
    assert kept.reason == lesson.model.reason
    assert kept.reason is not None
    assert kept.predecessor is not None
    assert kept.scores.separation < kept.predecessor.separation


async def test_the_readings_of_an_alert_are_not_taught(water_url: str) -> None:
    await store(water_url, flow(DAYS))
    async with open_pool(water_url, 2) as pool:
        whole = (await teach(pool, wish()))[0].model
        with psycopg.connect(water_url) as connection:
            connection.execute(
                """
                insert into alert (id, state, lifeline, kind, zone, asset, sensors, severity, highest_severity, scheme,
                    sensor_fault, started_at, detected_at, last_at, cleared_at, finding_count, open_rules, rule,
                    detector, detector_version, explanation_en, explanation_zh)
                values (gen_random_uuid(), 'new', 'water', 'burst-suspected', 'W1', 'WP-1', %s, 2, 2, 'emergency',
                    false, %s, %s, %s, %s, 1, '{}', 'r', 'd', '1', 'e', 'z')
                """,
                ([SENSOR], *[END - timedelta(days=5)] * 3, END - timedelta(days=4)),
            )
        calm = (await teach(pool, wish()))[0].model
        with psycopg.connect(water_url) as connection:
            connection.execute("update alert set verdict = 'false-alarm'")
        all_the_same = (await teach(pool, wish()))[0].model
    assert whole is not None
    assert calm is not None
    assert all_the_same is not None
    assert calm.fingerprint != whole.fingerprint
    assert all_the_same.fingerprint == whole.fingerprint


async def test_too_little_history_is_said_and_nothing_stored(water_url: str) -> None:
    async with open_pool(water_url, 2) as pool:
        nothing = (await teach(pool, wish()))[0]
        await store(water_url, flow(1))
        little = (await teach(pool, wish()))[0]
    assert nothing.model is None
    assert nothing.skipped == "no readings"
    assert little.skipped is not None
    assert "rows to teach" in little.skipped
    assert ask(water_url, "select count(*) as n from detector_model")[0]["n"] == 0


async def test_promoting_what_is_not_there_is_refused(water_url: str) -> None:
    async with await AsyncConnection.connect(water_url) as connection:
        with pytest.raises(LookupError, match="no model 7"):
            await detector_models.promote(connection, RULE, SENSOR, 7, actor="test")


async def test_a_promotion_reaches_the_alert_processes(water_url: str) -> None:
    """They build their engines anew when the register changes, and hear of a model on the same channel."""
    await store(water_url, flow(DAYS))
    async with open_pool(water_url, 2) as pool, await AsyncConnection.connect(water_url, autocommit=True) as listener:
        await listener.execute("listen lifeline_register")
        await teach(pool, wish())
        heard = [notice.channel async for notice in listener.notifies(timeout=5, stop_after=1)]
    assert heard == ["lifeline_register"]


def lifeline(url: str, *words: str) -> Result:
    return CliRunner().invoke(app, ["models", *words], env={"LIFELINE_DATABASE_URL": url})


def test_the_command_teaches_lists_shows_and_goes_back(water_url: str) -> None:
    asyncio.run(store(water_url, flow(DAYS)))
    window = ("--until", f"{END:%Y-%m-%dT%H:%M:%S}", "--days", "8", "--hold-back-days", "2", "--rule", RULE)
    for version in (1, 2):
        taught = lifeline(water_url, "train", *window)
        assert taught.exit_code == 0, taught.stderr
        assert f"version {version}, active" in taught.stdout
    assert lifeline(water_url, "promote", RULE, SENSOR, "1", "--actor", "duty officer").exit_code == 0
    listed = lifeline(water_url, "list").stdout.splitlines()
    assert ["active" in line for line in listed] == [True, False]
    shown = json.loads(lifeline(water_url, "show", RULE, SENSOR).stdout)
    assert (shown["version"], shown["rule"], shown["target"]) == (1, RULE, SENSOR)
    assert shown["parameters"]["means"]
    missing = lifeline(water_url, "promote", RULE, SENSOR, "9", "--actor", "duty officer")
    assert missing.exit_code == 1
    assert missing.stderr.strip() == f"lifeline: {RULE} has no model 9 of {SENSOR}"
    wrong = lifeline(water_url, "train", "--rule", "no-such-rule")
    assert wrong.exit_code == 1
    assert "nothing here can be taught" in wrong.stderr


async def test_the_job_teaches_what_the_schedule_asks_for(water_url: str) -> None:
    """The job that the schedule makes, worked off by the worker that the alert process runs."""
    now = datetime.now(UTC)
    await store(water_url, flow(40, end=now))
    async with open_pool(water_url, 2) as pool:
        jobs = schedule.application(water_url, pool)
        assert [task.name for task in jobs.tasks.values() if task.queue == schedule.QUEUE] == [
            "teach-detectors",
            "evaluate-worse-bridges",
            "evaluate-bridges",
            "identify-modes",
        ]
        async with jobs.open_async():
            await jobs.configure_task("teach-detectors", queue=schedule.QUEUE).defer_async(
                timestamp=int(now.timestamp())
            )
            await jobs.run_worker_async(queues=[schedule.QUEUE], wait=False, install_signal_handlers=False)
    states = ask(water_url, "select state from detector_model where rule = %s", RULE)
    assert [row["state"] for row in states] == ["active"]


@asynccontextmanager
async def alert_process(url: str) -> AsyncIterator[None]:
    """The alert process, as a task of this one."""
    stop = asyncio.Event()
    process = asyncio.create_task(run(Settings(database_url=SecretStr(url), idle_release=timedelta(seconds=1)), stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await process


async def test_the_alert_process_keeps_the_schedule(water_url: str) -> None:
    """Two workers register with the job queue: one for notifications, one for models."""
    async with alert_process(water_url):
        await until(lambda: ask(water_url, "select count(*) as n from procrastinate_workers")[0]["n"] >= 2, 60)


async def test_a_finding_of_the_running_process_names_its_model(water_url: str) -> None:
    await store(water_url, flow(DAYS))
    async with open_pool(water_url, 2) as pool:
        await teach(pool, wish())
    with psycopg.connect(water_url) as connection:
        # The process has read nothing yet; without the history it can know the usual flow from the model alone.
        connection.execute("truncate feed")
    await store(water_url, [(SENSOR, END + timedelta(minutes=5 * step), 400.0) for step in range(6)])
    async with alert_process(water_url):
        await until(lambda: bool(ask(water_url, "select 1 from finding where rule = %s", RULE)), 60)
    found = ask(water_url, "select evidence, detector, detector_version from finding where rule = %s", RULE)
    assert found[0]["evidence"]["model"] == f"{RULE} {SENSOR} 1"
    assert found[0]["evidence"]["configuration"]
    assert (found[0]["detector"], found[0]["detector_version"]) == ("seasonal", "2")


FORECAST = "drainage-waterlogging-forecast"
STORMY_ZONE = (
    "rain,drainage,rain_intensity,mm/h,MH-1,117.000,31.020,120,\n",
    "road-a,drainage,road_depth,cm,MH-1,117.000,31.020,120,\n",
    "road-b,drainage,road_depth,cm,OF-1,117.001,31.020,120,\n",
)


async def test_a_forecast_is_taught_stored_storms_and_speaks_after_a_restart(database_url: str, tmp_path: Path) -> None:
    prepare(database_url, tmp_path / "city", STORMY_ZONE)
    stored = [
        (name, datetime.fromtimestamp(time_s, UTC), float(value))
        for name, (times_s, values) in storm_readings(16).items()
        for time_s, value in zip(times_s.tolist(), values.tolist(), strict=True)
    ]
    await store(database_url, stored)
    end = max(moment for _, moment, _ in stored) + timedelta(hours=1)
    async with open_pool(database_url, 2) as pool:
        lesson = (await teach(pool, Wish(end, rule=FORECAST)))[0]
    assert lesson.model is not None, lesson.skipped
    assert lesson.model.state is ModelState.ACTIVE, lesson.model.reason
    with psycopg.connect(database_url) as connection:
        connection.execute("truncate feed")
    later_s = end.timestamp() - storm_readings(1)["rain"][0][0] + 86_400
    later = [
        (name, datetime.fromtimestamp(time_s + later_s, UTC), float(value))
        for name, (times_s, values) in storm_readings(1, seed=9).items()
        for time_s, value in zip(times_s.tolist(), values.tolist(), strict=True)
    ]
    await store(database_url, sorted(later, key=lambda sample: sample[1]))
    async with alert_process(database_url):
        await until(lambda: bool(ask(database_url, "select 1 from forecast where model is not null")), 180)
    models = ask(database_url, "select distinct model from forecast")
    assert [row["model"] for row in models] == [f"{FORECAST} zone:D1 1"]
