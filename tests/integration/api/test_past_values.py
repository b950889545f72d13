"""The state of the city at a past moment: as we know it now, and as it was believed then."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from services.core.sensor import Sensor
from tests.integration.api.harness import MOMENT, problem_of
from tests.integration.api.measuring import BAD, GOOD, at, measure

ON_TIME = MOMENT + timedelta(minutes=10)
LATER = MOMENT + timedelta(hours=5)


async def value_at(api: httpx.AsyncClient, sensor: Sensor, **asked: datetime) -> float | None:
    """The sensor's value alone and in the list of all, which are the same."""
    moments = {name: moment.isoformat() for name, moment in asked.items()}
    response = await api.get("/latest", params=moments | {"zone": sensor.zone})
    assert response.status_code == 200, response.text
    listed: dict[str, dict[str, Any]] = {item["sensor"]: item for item in response.json()["items"]}
    alone = await api.get(f"/sensors/{sensor.id}/latest", params=moments)
    if sensor.id not in listed:
        problem_of(alone, 404, "not-found")
        return None
    assert alone.json()["value"] == listed[sensor.id]["value"]
    return float(alone.json()["value"])


async def test_a_past_value_is_the_newest_one_measured_up_to_the_moment(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await measure(city_url, sensor, (60, 1.0, GOOD), (120, 2.0, BAD), (180, 3.0, GOOD))
    assert await value_at(api, sensor, at=at(59)) is None
    assert await value_at(api, sensor, at=at(60)) == 1.0
    assert await value_at(api, sensor, at=at(179)) == 2.0
    assert await value_at(api, sensor, at=at(180)) == 3.0
    assert await value_at(api, sensor, at=at(86400)) == 3.0


async def test_a_past_value_says_how_good_it_was(api: httpx.AsyncClient, city_url: str, sensor: Sensor) -> None:
    await measure(city_url, sensor, (60, 1.0, BAD), (120, 2.0, GOOD))
    found = (await api.get(f"/sensors/{sensor.id}/latest", params={"at": at(60).isoformat()})).json()
    assert (found["quality"], found["reason"]) == (2, "device")


async def test_what_came_late_was_not_believed_before_it_came(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await measure(city_url, sensor, (0, 1.0, GOOD), received_at=ON_TIME)
    await measure(city_url, sensor, (60, 2.0, GOOD), received_at=LATER)
    assert await value_at(api, sensor, at=at(60)) == 2.0
    assert await value_at(api, sensor, at=at(60), believed_at=LATER - timedelta(microseconds=1)) == 1.0
    assert await value_at(api, sensor, at=at(60), believed_at=LATER) == 2.0
    assert await value_at(api, sensor, at=at(60), believed_at=MOMENT) is None


async def test_a_corrected_value_is_shown_as_it_was_believed_then(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    """One moment that was corrected twice, between two others."""
    second, third = LATER, LATER + timedelta(hours=1)
    await measure(city_url, sensor, (0, 10.0, GOOD), (60, 1.0, GOOD), received_at=ON_TIME)
    await measure(city_url, sensor, (60, 2.0, GOOD), received_at=second)
    await measure(city_url, sensor, (60, 3.0, GOOD), received_at=third)
    assert await value_at(api, sensor, at=at(60)) == 3.0
    beliefs = {
        ON_TIME: 1.0,
        second - timedelta(seconds=1): 1.0,
        second: 2.0,
        third: 3.0,
        third + timedelta(days=9): 3.0,
    }
    for moment, value in beliefs.items():
        assert await value_at(api, sensor, at=at(60), believed_at=moment) == value, moment
        assert await value_at(api, sensor, at=at(59), believed_at=moment) == 10.0, moment


async def test_without_a_moment_everything_known_by_then_counts(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    ahead = at(90)
    await measure(city_url, sensor, (0, 1.0, GOOD), (120, 2.0, GOOD), received_at=ahead)
    await measure(city_url, sensor, (60, 3.0, GOOD), received_at=LATER)
    assert await value_at(api, sensor, believed_at=ahead) == 2.0
    assert await value_at(api, sensor, believed_at=LATER) == 2.0
    assert await value_at(api, sensor, at=at(60), believed_at=ahead) == 1.0


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_any_moment_can_be_asked_about(api: httpx.AsyncClient, moment: str) -> None:
    for asked in ({"at": moment}, {"believed_at": moment}, {"at": moment, "believed_at": moment}):
        assert (await api.get("/latest", params=asked)).status_code == 200


async def test_a_moment_needs_a_zone(api: httpx.AsyncClient, sensor: Sensor) -> None:
    for path in ("/latest", f"/sensors/{sensor.id}/latest"):
        for name in ("at", "believed_at"):
            problem = problem_of(await api.get(path, params={name: "2026-07-14T06:00:00"}), 422, "not-valid")
            assert [error["field"] for error in problem["errors"]] == [f"query.{name}"]
