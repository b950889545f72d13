"""An alert's evidence is exported, judged again without the database, and refused when somebody changed it."""

import io
import json
import math
import os
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection

from services.alerts.evidence_replay import replay
from services.alerts.feed_follower import FeedFollower
from services.alerts.membership import Membership
from services.core.evidence_bundle import Bundle, EvidenceError, pack, unpack
from services.core.store import detector_state
from services.core.store.evidence import gather
from services.core.store.pool import open_pool
from tests.integration.alerts.alert_harness import Sample, ask, at, prepare, store

LATENESS = timedelta(seconds=2)


@asynccontextmanager
async def following(url: str) -> AsyncIterator[FeedFollower]:
    membership = Membership("only")
    async with open_pool(url, 4) as pool:
        async with await AsyncConnection.connect(url, autocommit=True) as connection:
            await membership.beat(connection)
        yield FeedFollower(
            pool,
            membership,
            allowed_lateness=LATENESS,
            idle_release=timedelta(0),
            reopens_within=timedelta(minutes=10),
        )


def quiet(begin: int, end: int, sensors: Sequence[str] = ("M-1", "M-2")) -> list[Sample]:
    """Minutes in which nothing is wrong."""
    return [
        (sensor, at(minute), 0.2 + 0.05 * math.sin(minute / 7.0 + number))
        for minute in range(begin, end)
        for number, sensor in enumerate(sensors)
    ]


def leak(begin: int, end: int) -> list[Sample]:
    """Minutes in which methane rises at one place."""
    return [("M-1", at(minute), 0.3 + 4.0 * (minute - begin)) for minute in range(begin, end)] + quiet(
        begin, end, ("M-2",)
    )


async def judge(url: str, *batches: Sequence[Sample]) -> None:
    async with following(url) as follower:
        for batch in batches:
            await store(url, batch)
            while await follower.step():
                pass


async def keep_past(url: str) -> None:
    async with await AsyncConnection.connect(url) as connection:
        kept = await detector_state.keep_past(connection, datetime.now(UTC), every=timedelta(0), keep=timedelta(days=1))
        assert kept > 0


async def exported(url: str, alert: UUID) -> Bundle:
    async with await AsyncConnection.connect(url) as connection:
        return await gather(
            connection,
            alert,
            now=datetime(2026, 7, 1, tzinfo=UTC),
            allowed_lateness=LATENESS,
            actor="investigator",
        )


@pytest.fixture
def city(database_url: str, tmp_path: Path) -> str:
    prepare(database_url, tmp_path / "city")
    return database_url


def alert_at(url: str, asset: str = "US-1") -> UUID:
    (row, *_) = ask(url, "select id from alert where asset = %s and not sensor_fault order by detected_at", asset)
    alert: UUID = row["id"]
    return alert


async def test_an_alert_is_judged_again_from_nothing(city: str) -> None:
    await judge(city, quiet(0, 60), leak(60, 75), quiet(75, 100))
    bundle = unpack(pack(await exported(city, alert_at(city))))
    assert bundle.facts["starts_from"] == "nothing"
    result = replay(bundle)
    assert result.differences == []
    assert result.same == result.findings > 1
    assert result.other_code == {}
    (line,) = ask(city, "select actor, subject from audit where action = 'evidence.export'")
    assert line == {"actor": "investigator", "subject": str(alert_at(city))}


async def test_an_alert_is_judged_again_from_what_was_remembered_before(city: str) -> None:
    await judge(city, quiet(0, 60))
    await keep_past(city)
    await judge(city, leak(60, 75), quiet(75, 100))
    bundle = await exported(city, alert_at(city))
    assert bundle.facts["starts_from"].startswith("state of ")
    assert len(bundle.readings) <= 80, "what the state holds already is not in it"
    assert replay(unpack(pack(bundle))).differences == []


async def test_an_earlier_episode_at_the_same_place_is_no_difference(city: str) -> None:
    await judge(city, quiet(0, 60))
    await keep_past(city)
    await judge(city, leak(60, 75), quiet(75, 140), leak(140, 155), quiet(155, 170))
    rows = ask(city, "select id from alert where asset = 'US-1' and kind = 'methane-high' order by detected_at")
    assert len(rows) == 2
    for row in rows:
        assert replay(await exported(city, row["id"])).differences == []


async def test_silence_is_judged_again(city: str) -> None:
    await judge(city, quiet(0, 60), quiet(60, 200, ("M-2", "P-1")))
    (row,) = ask(city, "select id from alert where 'M-1' = any(sensors) and sensor_fault")
    bundle = await exported(city, row["id"])
    assert replay(unpack(pack(bundle))).differences == []


async def test_a_value_that_was_corrected_later_is_judged_as_it_was_known(city: str) -> None:
    await judge(city, quiet(0, 60), leak(60, 75))
    alert = alert_at(city)
    before = await exported(city, alert)
    await store(city, [("M-1", at(minute), 0.1) for minute in range(60, 75)])
    after = await exported(city, alert)
    assert ask(city, "select count(*) from superseded_reading") == [{"count": 15}]
    assert replay(before).is_same
    assert replay(after).is_same


async def test_a_limit_that_was_changed_later_does_not_reach_back(city: str) -> None:
    await judge(city, quiet(0, 60), leak(60, 75))
    with psycopg.connect(city) as connection:
        connection.execute("update sensor set thresholds = '[]' where id = 'M-1'")
    bundle = await exported(city, alert_at(city))
    assert replay(bundle).is_same
    assert bundle.parts["audit"], "the lines of the alert are there"


async def test_another_value_gives_another_result_that_is_shown(city: str) -> None:
    await judge(city, quiet(0, 60), leak(60, 75))
    bundle = await exported(city, alert_at(city))
    changed = Bundle(bundle.facts, bundle.parts, tuple(each._replace(value=0.2) for each in bundle.readings))
    result = replay(changed)
    assert not result.is_same
    assert any("not found now" in each.text for each in result.differences)


async def test_other_code_is_named_and_compared_all_the_same(city: str) -> None:
    await judge(city, quiet(0, 60), leak(60, 75))
    bundle = await exported(city, alert_at(city))
    facts = {**bundle.facts, "code_when_detected": {**bundle.facts["code"], "lifeline": "0.0.1"}}
    result = replay(Bundle(facts, bundle.parts, bundle.readings))
    assert result.is_same
    assert result.other_code["lifeline"][0] == "0.0.1"


async def test_the_same_evidence_gives_the_same_bytes_and_a_changed_file_is_refused_by_name(city: str) -> None:
    await judge(city, quiet(0, 60), leak(60, 75))
    bundle = await exported(city, alert_at(city))
    content = pack(bundle)
    assert content == pack(unpack(content))
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    refused = {
        "readings.csv was changed": members | {"readings.csv": members["readings.csv"].replace(b",0,", b",1,", 1)},
        "findings.json was changed": members | {"findings.json": b"[]"},
        "audit.json is missing": {name: text for name, text in members.items() if name != "audit.json"},
        "more.json was added": members | {"more.json": b"{}"},
        "manifest.json is missing": {name: text for name, text in members.items() if name != "manifest.json"},
        "manifest.json is not a manifest": members | {"manifest.json": b"[]"},
        "manifest.json: 'other/1'": members
        | {"manifest.json": json.dumps({**json.loads(members["manifest.json"]), "format": "other/1"}).encode()},
    }
    for words, changed in refused.items():
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as file:
            for name, text in changed.items():
                file.writestr(name, text)
        with pytest.raises(EvidenceError, match=words):
            unpack(packed.getvalue())
    for damaged in (b"", b"no zip", content[: len(content) // 2], bytes(reversed(content))):
        with pytest.raises(EvidenceError, match="damaged"):
            unpack(damaged)


async def test_the_command_exports_and_replays_where_there_is_no_database(city: str, tmp_path: Path) -> None:
    await judge(city, quiet(0, 60), leak(60, 75))
    alert, file = alert_at(city), tmp_path / "evidence.zip"

    def lifeline(*arguments: str, url: str | None) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LIFELINE_")}
        environment |= {} if url is None else {"LIFELINE_DATABASE_URL": url}
        return subprocess.run(
            [sys.executable, "-m", "services.cli", "evidence", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    wrote = lifeline("export", str(alert), "--out", str(file), "--actor", "investigator", url=city)
    assert wrote.returncode == 0, wrote.stderr
    same = lifeline("replay", str(file), url=None)
    assert same.returncode == 0, same.stdout + same.stderr
    assert same.stdout.endswith("same result\n")
    file.write_bytes(file.read_bytes()[:-100])
    refused = lifeline("replay", str(file), url=None)
    assert refused.returncode == 1
    assert "is refused" in refused.stderr
