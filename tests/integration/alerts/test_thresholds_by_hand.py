"""Limits set by hand in the process that judges: they count from the next reading on, and nothing stays open."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import AsyncConnection

from services.core.severity import Severity
from services.core.store import sensor_thresholds
from services.core.store.sensor_thresholds import ByHand
from services.core.threshold import Side, Threshold
from tests.integration.alerts.alert_harness import START, ask, store
from tests.integration.alerts.test_alert_feed import follow_to_the_end, following


async def _set(url: str, raise_at: float | None) -> None:
    limit = [] if raise_at is None else [Threshold(Severity.MAJOR, Side.ABOVE, raise_at, raise_at - 1)]
    to = ByHand(tuple(limit), "a test", "somebody", datetime.now(UTC)) if limit else None
    async with await AsyncConnection.connect(url) as connection:
        await sensor_thresholds.change(connection, "M-1", to, actor="somebody", reason="a test")


def _open(url: str) -> list[dict[str, Any]]:
    return ask(url, "select severity from alert where kind = 'methane-high' and cleared_at is null")


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_an_alert_ends_when_its_limit_is_raised_above_the_value(city_url: str, *, is_restarted: bool) -> None:
    await store(city_url, [("M-1", START, 30.0)])
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
        assert len(_open(city_url)) == 1
        await _set(city_url, 60.0)
        follower.forget()
        await store(city_url, [("M-1", START + timedelta(minutes=1), 30.0)])
        if not is_restarted:
            await follow_to_the_end(follower)
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
    assert _open(city_url) == [], "nothing says that the value is no trouble any more"


async def test_a_value_alarms_by_the_limit_that_was_set_and_then_by_the_registered_one(city_url: str) -> None:
    async with following(city_url) as follower:
        await _set(city_url, 2.0)
        follower.forget()
        await store(city_url, [("M-1", START, 2.5)])
        await follow_to_the_end(follower)
        assert _open(city_url) == [{"severity": Severity.MAJOR}]
        await _set(city_url, None)
        follower.forget()
        await store(city_url, [("M-1", START + timedelta(minutes=1), 2.5)])
        await follow_to_the_end(follower)
    assert _open(city_url) == []
