"""How bridges are doing, evaluated from what is in the database, and which vehicles were too heavy."""

from datetime import timedelta

import httpx
import psycopg
import pytest

from services.alerts.models.schedule import application
from services.alerts.structures.health_schedule import evaluate_bridges, evaluate_worse
from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity
from services.core.store import alerts, audit, sensors
from services.core.store.pool import open_pool
from tests.integration.api.harness import MOMENT, alert_at, connected, problem_of
from tests.integration.api.measuring import GOOD, at, measure

_ZONE, _LIMIT_T = "B2", 55.0


async def _weigh(url: str, *weights_t: float) -> str:
    async with connected(url) as connection:
        known = await sensors.load_sensors(connection)
    weighbridge = next(each for each in known if each.zone == _ZONE and each.quantity == "vehicle_weight")
    measured = [(60.0 * minute, weight_t, GOOD) for minute, weight_t in enumerate(weights_t)]
    await measure(url, weighbridge, *measured, received_at=MOMENT)
    return weighbridge.id


async def _evaluate(url: str, now_s: float) -> int:
    async with open_pool(url, 2, timedelta(seconds=1)) as pool:
        return await evaluate_bridges(pool, at(now_s))


async def test_overweight_vehicles_are_listed_with_the_limit_that_counts(api: httpx.AsyncClient, city_url: str) -> None:
    weighbridge = await _weigh(city_url, 12.0, 61.5, 54.9, 82.0)
    hour = {"start": MOMENT.isoformat(), "end": at(3600).isoformat()}
    response = await api.get(f"/bridges/{_ZONE}/overloads", params=hour)
    assert response.status_code == 200, response.text
    assert [(each["sensor"], each["weight_t"], each["limit_t"]) for each in response.json()] == [
        (weighbridge, 82.0, _LIMIT_T),
        (weighbridge, 61.5, _LIMIT_T),
    ]
    assert (await api.get("/bridges/B1/overloads", params=hour)).json() == []


async def test_every_bridge_is_evaluated_once_a_moment_and_told_newest_first(
    api: httpx.AsyncClient, city_url: str
) -> None:
    await _weigh(city_url, 90.0)
    assert await _evaluate(city_url, 600) == 3
    assert await _evaluate(city_url, 600) == 3
    assert await _evaluate(city_url, 600 + 43_200) == 3
    told = (await api.get(f"/bridges/{_ZONE}/health")).json()
    assert len(told) == 2, "an evaluation was kept twice, or one is missing"
    assert told[0]["evaluated_at"] > told[1]["evaluated_at"]
    assert told[1]["overloads"] >= 1
    assert told[1]["grade"] == 0, "a bridge whose sensors are not heard was graded"
    assert any("over the limit" in reason["en"] for reason in told[1]["reasons"])
    assert told[1]["proposes_closure"] is False


async def test_a_bridge_that_gets_worse_is_evaluated_without_waiting_for_the_evening(
    api: httpx.AsyncClient, city_url: str
) -> None:
    settled = alert_at(
        "BR-1-E2",
        lifeline=Lifeline.BRIDGE,
        kind="bridge-settlement",
        zone="B1",
        sensors=(),
        severity=Severity.CRITICAL,
        highest_severity=Severity.CRITICAL,
        scheme=Scheme.BRIDGE,
    )
    async with open_pool(city_url, 2, timedelta(seconds=1)) as pool:
        assert await evaluate_worse(pool, at(100_000)) == 0, "a bridge was graded of which nothing is known"
        async with pool.connection() as connection:
            await alerts.add(connection, settled, audit.SYSTEM)
        assert await evaluate_worse(pool, at(100_060)) == 1
        assert await evaluate_worse(pool, at(100_120)) == 0, "nothing became worse"
    told = (await api.get("/bridges/B1/health")).json()
    assert told[0]["grade"] == 4
    assert told[0]["proposes_closure"] is True
    assert told[0]["alerts"] == [str(settled.id)]


async def test_the_schedule_of_the_alert_process_knows_the_evaluation(city_url: str) -> None:
    async with open_pool(city_url, 1, timedelta(seconds=1)) as pool:
        assert {"evaluate-bridges", "evaluate-worse-bridges"} <= application(city_url, pool).tasks.keys()


@pytest.mark.parametrize("part", ["health", "modes", "overloads"])
async def test_a_zone_that_is_no_bridge_is_not_found(api: httpx.AsyncClient, part: str) -> None:
    for zone in ("W1", "nowhere"):
        problem_of(await api.get(f"/bridges/{zone}/{part}"), 404, "not-found")


def test_grades_outside_the_scale_are_refused_by_the_database(city_url: str) -> None:
    with psycopg.connect(city_url) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "insert into health_evaluation values (%s, now(), 5, '{}', '{}', '{}', 0, 0, 0, false)", (_ZONE,)
        )
