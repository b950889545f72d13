"""Limits of sensors: what counts, what would have happened, who may set them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import psycopg
import pytest

from services.core.city_folder import CityFolder
from services.core.sensor import Sensor
from services.core.store import sensors
from services.core.store.register import save_city
from tests.integration.api.harness import MOMENT, connected, problem_of
from tests.integration.api.measuring import BAD, GOOD, at, measure


@pytest.fixture(scope="module")
def watched(city_url: str) -> Iterator[str]:
    """Sensors that have an upper limit and no lower one, each taken by one test."""
    with psycopg.connect(city_url) as connection:
        found = connection.execute(
            """
            select sensor.id from sensor
            join quantity on quantity.lifeline = sensor.lifeline and quantity.name = sensor.quantity
            where coalesce(sensor.thresholds, quantity.thresholds) @> '[{"side": "above"}]'
              and not coalesce(sensor.thresholds, quantity.thresholds) @> '[{"side": "below"}]'
            order by sensor.id
            """
        ).fetchall()
    return iter([name for (name,) in found])


@pytest.fixture
async def sensor(city_url: str, watched: Iterator[str]) -> Sensor:
    async with connected(city_url) as connection:
        found = await sensors.find_sensor(connection, next(watched))
    assert found is not None
    return found[0]


def grade(raise_at: float, severity: int = 2, **more: Any) -> dict[str, Any]:
    return {"severity": severity, "side": "above", "raise_at": raise_at, "clear_at": raise_at, **more}


def within(sensor: Sensor, share: float) -> float:
    """A value that the sensor can plausibly say."""
    low, high = sensor.plausible
    return low + share * (high - low)


async def put(api: httpx.AsyncClient, sensor: Sensor, *grades: dict[str, Any], **headers: str) -> httpx.Response:
    body = {"thresholds": list(grades), "reason": "as measured on site"}
    return await api.put(f"/sensors/{sensor.id}/thresholds", json=body, headers=headers)


async def test_what_is_set_by_hand_counts_until_it_is_taken_back(api: httpx.AsyncClient, sensor: Sensor) -> None:
    before = (await api.get(f"/sensors/{sensor.id}/thresholds")).json()
    assert before["by_hand"] is None
    assert before["in_force"] == before["registered"] != []
    answer = await put(api, sensor, grade(within(sensor, 0.4), on_delay_s=60))
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert [each["raise_at"] for each in after["in_force"]] == [within(sensor, 0.4)]
    assert after["by_hand"]["reason"] == "as measured on site"
    assert after["registered"] == before["registered"]
    assert (await api.get(f"/sensors/{sensor.id}")).json()["thresholds"] == after["in_force"]
    back = await api.delete(f"/sensors/{sensor.id}/thresholds", params={"reason": "the sensor was replaced"})
    assert back.json() | {"version": 0} == before | {"version": 0}


async def test_an_import_of_the_city_leaves_what_was_set_by_hand(
    api: httpx.AsyncClient, city_url: str, city: CityFolder, sensor: Sensor
) -> None:
    set_by_hand = (await put(api, sensor, grade(within(sensor, 0.4)))).json()
    with psycopg.connect(city_url) as connection:
        save_city(connection, city)
    assert (await api.get(f"/sensors/{sensor.id}/thresholds")).json() == set_by_hand


async def test_the_trail_and_the_versions_say_which_limits_counted(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await put(api, sensor, grade(within(sensor, 0.4)))
    async with connected(city_url) as connection:
        cursor = await connection.execute(
            "select actor, action, after from audit where subject = %s order by id desc limit 1", (sensor.id,)
        )
        row = await cursor.fetchone()
        (known,) = [
            each
            for each in await sensors.sensors_as_of(connection, [sensor.zone], datetime.now(MOMENT.tzinfo))
            if each.id == sensor.id
        ]
    assert row is not None
    assert row[:2] == ("everything", "sensor.thresholds")
    assert row[2]["reason"] == "as measured on site"
    assert [limit.raise_at for limit in known.thresholds] == [within(sensor, 0.4)]


async def test_limits_that_nobody_could_mean_are_refused_with_the_field(api: httpx.AsyncClient, sensor: Sensor) -> None:
    high, low = within(sensor, 0.8), within(sensor, 0.3)
    below = {"severity": 1, "side": "below", "raise_at": low, "clear_at": low}
    wrong = {
        "body.thresholds.0.raise_at": [grade(sensor.plausible[1] + 1)],
        "body.thresholds.0": [grade(low) | {"clear_at": high}],
        "body": [grade(high, 1), grade(low, 2)],
        "body.thresholds": [below],
        "body.thresholds.0.severity": [grade(low, 0)],
    }
    for field, grades in wrong.items():
        problem = problem_of(await put(api, sensor, *grades), 422, "not-valid")
        assert [error["field"] for error in problem["errors"]] == [field], problem
    assert (await api.get(f"/sensors/{sensor.id}/thresholds")).json()["by_hand"] is None


async def test_whoever_saw_other_limits_overwrites_nothing(api: httpx.AsyncClient, sensor: Sensor) -> None:
    seen = (await api.get(f"/sensors/{sensor.id}/thresholds")).headers["etag"]
    assert (await put(api, sensor, grade(within(sensor, 0.4)), **{"If-Match": seen})).status_code == 200
    problem_of(await put(api, sensor, grade(within(sensor, 0.6)), **{"If-Match": seen}), 412, "changed-meanwhile")


async def test_a_trial_tells_what_comes_and_what_goes_and_changes_nothing(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    low, middle, high = within(sensor, 0.1), within(sensor, 0.5), within(sensor, 0.9)
    await put(api, sensor, grade(within(sensor, 0.4)))
    measured = [low, middle, low, low, high, high, low, low]
    await measure(city_url, sensor, *((60 * minute, value, GOOD) for minute, value in enumerate(measured)))
    await measure(city_url, sensor, (60 * len(measured), high, BAD))
    path = f"/sensors/{sensor.id}/thresholds/trial"
    answer = await api.post(path, json={"thresholds": [grade(within(sensor, 0.8), 3)]}, params={"days": 10})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["readings"], told["bad"]) == (9, 1)
    now, tried = told["in_force"], told["tried"]
    assert (now["count"], now["unshared"], tried["count"], tried["unshared"]) == (2, 1, 1, 0)
    assert tried["per_day"] == pytest.approx(0.1)
    (found,) = tried["exceedances"]
    assert (found["severity"], found["peak_value"], found["is_shared"]) == (3, high, True)
    assert [datetime.fromisoformat(found[name]) for name in ("started_at", "ended_at")] == [at(240), at(360)]
    assert {each["severity"]: each["duration_s"] for each in tried["severities"]} == {1: 0, 2: 0, 3: 120, 4: 0}
    assert (await api.get(f"/sensors/{sensor.id}/thresholds")).json()["in_force"][0]["severity"] == 2
