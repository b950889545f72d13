"""A person's new normal on its way: asked for in the database, taken up by the process that judges."""

from datetime import timedelta
from math import pi, sin
from pathlib import Path
from typing import Any

import pytest
from psycopg import AsyncConnection

from services.alerts.feed_follower import FeedFollower
from services.core.store import alerts, audit, new_normals
from tests.integration.alerts.alert_harness import START, Sample, ask, prepare, store
from tests.integration.alerts.test_alert_feed import follow_to_the_end, following
from tests.integration.alerts.tiny_city import SENSORS

_FLOW = "F-1,water,flow,m3/h,WP-1,117.002,31.010,900,\n"


@pytest.fixture
def flow_url(database_url: str, tmp_path: Path) -> str:
    prepare(database_url, tmp_path / "city", (*SENSORS, _FLOW))
    return database_url


def _days(days: range, factor: float) -> list[Sample]:
    slots = [day * 96 + slot for day in days for slot in range(96)]
    return [
        ("F-1", START + timedelta(minutes=15 * slot), factor * (50 + 20 * sin(2 * pi * slot / 96))) for slot in slots
    ]


async def _asked(url: str, follower: FeedFollower, kind: str) -> dict[str, Any]:
    """Judge what is stored, ask for a new normal of the alert of a kind, judge on; the alert's row then."""
    await follow_to_the_end(follower)
    (row,) = ask(url, "select id from alert where kind = %s and cleared_at is null", kind)
    async with await AsyncConnection.connect(url) as connection:
        alert = await alerts.find(connection, row["id"])
        assert alert is not None
        asked = await new_normals.ask(connection, alert, actor="a person", reason="a new factory")
    assert asked == len(alert.open_rules)
    follower.forget()
    await follow_to_the_end(follower)
    return ask(url, "select id, kind, cleared_at, open_rules from alert where id = %s", row["id"])[0]


async def _trail(url: str, alert: dict[str, Any]) -> list[str]:
    async with await AsyncConnection.connect(url) as connection:
        return [entry.action for entry in await audit.entries_of(connection, [alert["id"]])]


async def test_a_learning_rule_ends_its_alert_and_the_trail_says_why(flow_url: str) -> None:
    await store(flow_url, _days(range(4), 1.0))
    await store(flow_url, _days(range(4, 5), 2.5))
    async with following(flow_url) as follower:
        alert = await _asked(flow_url, follower, "burst-suspected")
    assert alert["cleared_at"] is not None
    assert (await _trail(flow_url, alert))[-2:] == ["alert.clear", "alert.new-normal-taken"]
    assert ask(flow_url, "select outcome from new_normal") == [{"outcome": "taken"}]
    words = ask(flow_url, "select explanation_en from finding where state = 'cleared' order by time desc limit 1")
    assert "new normal" in words[0]["explanation_en"]


async def test_what_was_taken_as_normal_is_still_so_after_a_restart(flow_url: str) -> None:
    await store(flow_url, _days(range(4), 1.0))
    await store(flow_url, _days(range(4, 5), 2.5))
    async with following(flow_url) as follower:
        await _asked(flow_url, follower, "burst-suspected")
    await store(flow_url, _days(range(5, 9), 2.5))
    async with following(flow_url) as follower:
        await follow_to_the_end(follower)
    assert ask(flow_url, "select kind from alert where kind = 'burst-suspected' and cleared_at is null") == []


async def test_a_fixed_limit_refuses_and_its_alert_stays(flow_url: str) -> None:
    await store(flow_url, [("M-1", START, 30.0)])
    async with following(flow_url) as follower:
        alert = await _asked(flow_url, follower, "methane-high")
    assert alert["cleared_at"] is None, "a danger that a fixed limit tells was taken for normal"
    assert (await _trail(flow_url, alert))[-1] == "alert.new-normal-refused"
