"""A storm as the service lives it: levels that are skipped, gateways that fall silent, batches that come late."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.demo.broker import EmbeddedBroker
from tests.integration.alerts.alert_harness import (
    START,
    Sample,
    alert_process,
    ask,
    prepare,
    receiver_process,
    store,
    tell,
    until,
)
from tests.integration.alerts.test_alert_feed import follow_to_the_end, following
from tests.integration.alerts.tiny_city import SENSORS
from tests.integration.ingest_harness import ingest_process, milliseconds, publish, settings_for, single

_ROAD = "L-1,drainage,road_depth,cm,MH-1,117.000,31.020,60,\n"
_BEHIND_GATEWAY = "L-2,drainage,road_depth,cm,MH-1,117.000,31.020,60,gateway-7\n"
_BESIDE_IT = "L-3,drainage,manhole_level,m,MH-1,117.000,31.020,60,gateway-7\n"
_ELSEWHERE = "L-4,drainage,manhole_level,m,OF-1,117.001,31.020,60,\n"
WITHIN_S = 5.0
"""From the reading's publication to the webhook in the receiver's hands."""
_FLOODED_CM = 45.0
_SKIPPED_CM = [15, 27, 40]


@pytest.fixture
def storm_url(database_url: str, tmp_path: Path) -> str:
    prepare(database_url, tmp_path / "city", (*SENSORS, _ROAD, _BEHIND_GATEWAY, _BESIDE_IT, _ELSEWHERE))
    return database_url


async def test_water_that_skips_two_grades_in_two_minutes_is_announced_at_the_highest(
    storm_url: str, mosquitto_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    settings = settings_for(mosquitto_broker, storm_url)
    now = datetime.now(UTC)
    with receiver_process(tmp_path) as receiver, alert_process(storm_url, tmp_path) as alerts:
        await receiver.start()
        await tell(storm_url, receiver.receiver("emergency"))
        await alerts.start()
        async with ingest_process(settings, tmp_path / "ingest.log"):
            earlier = milliseconds(now - timedelta(minutes=2))
            await publish(mosquitto_broker.url, [single("L-1", earlier, 10.0), single("L-4", earlier, 0.5)])
            await until(lambda: len(ask(storm_url, "select from reading")) == 2)
            assert ask(storm_url, "select from alert") == [], "half full is no trouble"
            sent = time.monotonic()
            await publish(mosquitto_broker.url, [single("L-1", milliseconds(now), _FLOODED_CM)])
            await until(lambda: bool(_warnings_received(receiver.attempts())), 30)
            took_s = time.monotonic() - sent
    (received,) = _warnings_received(receiver.attempts())
    assert took_s < WITHIN_S, f"reading to webhook took {took_s:.1f} s"
    assert received["severity"] == 4
    (alert,) = ask(storm_url, "select id, severity from alert where kind = 'waterlogging'")
    assert alert["severity"] == 4
    (found,) = ask(storm_url, "select evidence from finding where rule = 'drainage-road-depth'")
    reached = [(grade["raise_at"], grade["severity"]) for grade in found["evidence"]["reached"]]
    assert [limit for limit, _ in reached] == _SKIPPED_CM, "a grade that was skipped is not on record"


def _warnings_received(attempts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    bodies = [json.loads(attempt["body"]) for attempt in attempts if isinstance(attempt.get("body"), str)]
    return [body["data"] for body in bodies if body.get("type") == "warning.published"]


def _minutes(sensor: str, first: int, last: int, value: float) -> list[Sample]:
    return [(sensor, START + timedelta(minutes=minute), value) for minute in range(first, last)]


async def _judged(url: str, samples: list[Sample]) -> None:
    await store(url, samples)
    async with following(url) as follower:
        await follow_to_the_end(follower)


async def test_a_gateway_that_is_down_in_the_storm_brings_no_false_recovery_and_no_second_warning(
    storm_url: str,
) -> None:
    dry = [*_minutes("L-2", 0, 10, 0.1), *_minutes("L-3", 0, 10, 0.6), *_minutes("L-4", 0, 10, 0.5)]
    await _judged(storm_url, dry)
    flooded = [*_minutes("L-2", 10, 15, _FLOODED_CM), *_minutes("L-3", 10, 15, 2.0), *_minutes("L-4", 10, 15, 0.8)]
    await _judged(storm_url, flooded)
    assert len(ask(storm_url, "select from warning where state = 'published'")) == 1
    # The gateway is away for twenty minutes; the rest of the city goes on.
    for minute in range(15, 35):
        others = [*_minutes("L-4", minute, minute + 1, 0.9), *_minutes("M-1", minute, minute + 1, 0.0)]
        await _judged(storm_url, [*others, *_minutes("P-1", minute, minute + 1, 300.0)])
    assert _waterlogging(storm_url) == [{"cleared_at": None, "severity": 4}], "silence was taken for recovery"
    assert ask(storm_url, "select from alert where kind = 'gateway-silent'"), "nobody was told that it is blind"
    # Its buffer, in which the water once fell below the lowest grade for a while shorter than the hold time.
    late = [
        *_minutes("L-2", 15, 22, 50.0),
        *_minutes("L-2", 22, 27, 8.0),
        *_minutes("L-2", 27, 35, 48.0),
        *_minutes("L-3", 15, 35, 2.1),
    ]
    await _judged(storm_url, late)
    await _judged(storm_url, [*_minutes("L-2", 35, 40, 47.0), *_minutes("L-4", 35, 40, 0.9)])
    assert _waterlogging(storm_url) == [{"cleared_at": None, "severity": 4}]
    assert len(ask(storm_url, "select from warning")) == 1, "the late batch published a second warning"
    assert len(ask(storm_url, "select from work_order where lifeline = 'drainage'")) == 1


async def test_water_that_has_fallen_is_over_after_the_hold_time(storm_url: str) -> None:
    await _judged(storm_url, [*_minutes("L-2", 0, 5, 0.1), *_minutes("L-2", 5, 15, _FLOODED_CM)])
    await _judged(storm_url, _minutes("L-2", 15, 24, 1.0))
    assert _waterlogging(storm_url)[0]["cleared_at"] is None, "it was called over before the hold time"
    await _judged(storm_url, _minutes("L-2", 24, 60, 1.0))
    assert _waterlogging(storm_url)[0]["cleared_at"] is not None


def _waterlogging(url: str) -> list[dict[str, Any]]:
    return ask(url, "select cleared_at, severity from alert where kind = 'waterlogging'")
