"""What is expected of sensors, as the API tells it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from services.core.forecast import Forecast
from services.core.sensor import Sensor
from services.core.store import forecasts
from tests.integration.api.harness import MOMENT, connected, problem_of
from tests.integration.api.measuring import GOOD, measure


def _issue(sensor: str, minutes: float, *values: float) -> list[Forecast]:
    """Expected a quarter of an hour apart, as it looked ``minutes`` after the moment."""
    issued = MOMENT + timedelta(minutes=minutes)
    return [
        Forecast(sensor, issued, issued + timedelta(minutes=15 * step), value, value - 1, value + 1, "depth", "1")
        for step, value in enumerate(values, 1)
    ]


async def _keep(url: str, *issues: list[Forecast]) -> None:
    async with connected(url) as connection:
        for issue in issues:
            await forecasts.save(connection, issue)


def _values(answer: httpx.Response) -> list[float]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return [each["value"] for each in found]


async def test_the_last_issue_is_what_is_expected_now(api: httpx.AsyncClient, city_url: str, sensor: Sensor) -> None:
    await measure(city_url, sensor, (600, 1.0, GOOD))
    await _keep(city_url, _issue(sensor.id, 5, 3.0, 4.0), _issue(sensor.id, 10, 8.0, 16.0, 20.0))
    assert _values(await api.get(f"/sensors/{sensor.id}/forecast")) == [8.0, 16.0, 20.0]
    listed = (await api.get("/forecasts", params={"zone": sensor.zone, "lifeline": sensor.lifeline})).json()
    ours = [each for each in listed if each["sensor"] == sensor.id]
    assert [(each["low"], each["value"], each["high"]) for each in ours] == [(7, 8, 9), (15, 16, 17), (19, 20, 21)]


async def test_an_issue_that_the_sensor_has_outlived_is_not_shown_as_current(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await _keep(city_url, _issue(sensor.id, 0, 30.0))
    await measure(city_url, sensor, (45 * 60, 1.0, GOOD))
    assert _values(await api.get(f"/sensors/{sensor.id}/forecast")) == []


async def test_what_was_expected_can_be_laid_beside_what_came(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await _keep(city_url, _issue(sensor.id, 0, 1.0), _issue(sensor.id, 5, 2.0), _issue(sensor.id, 10, 3.0))
    span = {"start": MOMENT.isoformat(), "end": (MOMENT + timedelta(minutes=10)).isoformat()}
    assert _values(await api.get(f"/sensors/{sensor.id}/forecast", params=span)) == [1.0, 2.0]


async def test_the_same_issue_again_changes_nothing(api: httpx.AsyncClient, city_url: str, sensor: Sensor) -> None:
    await measure(city_url, sensor, (0, 1.0, GOOD))
    issue = _issue(sensor.id, 0, 1.0, 2.0)
    await _keep(city_url, issue, [replace(each, value=each.value + 0.5) for each in issue])
    assert _values(await api.get(f"/sensors/{sensor.id}/forecast")) == [1.0, 2.0]


async def test_a_sensor_that_has_gone_takes_no_other_forecast_with_it(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await measure(city_url, sensor, (0, 1.0, GOOD))
    await _keep(city_url, [*_issue("gone", 0, 5.0), *_issue(sensor.id, 0, 6.0)])
    assert _values(await api.get(f"/sensors/{sensor.id}/forecast")) == [6.0]


async def test_questions_that_make_no_sense_are_refused(api: httpx.AsyncClient, sensor: Sensor) -> None:
    problem_of(await api.get("/sensors/nobody/forecast"), 404, "not-found")
    year = {"start": MOMENT.isoformat(), "end": (MOMENT + timedelta(days=366)).isoformat()}
    problem_of(await api.get(f"/sensors/{sensor.id}/forecast", params=year), 422, "not-valid")


async def test_issues_are_forgotten_by_the_age_of_the_newest_reading(city_url: str, sensor: Sensor) -> None:
    """A past that is played again is long ago by the wall clock, and keeps its forecasts all the same."""
    await measure(city_url, sensor, (10 * 60, 1.0, GOOD))
    await _keep(city_url, _issue(sensor.id, 0, 1.0), _issue(sensor.id, 5, 2.0))
    async with connected(city_url) as connection:
        newest = (await (await connection.execute("select max(time) from latest")).fetchone() or (MOMENT,))[0]
        await forecasts.forget(connection, newest - MOMENT)
        kept = await forecasts.of_sensor(connection, sensor.id, MOMENT, MOMENT + timedelta(hours=1))
        await forecasts.forget(connection, newest - MOMENT - timedelta(minutes=1))
        left = await forecasts.of_sensor(connection, sensor.id, MOMENT, MOMENT + timedelta(hours=1))
    assert [each.value for each in kept] == [1.0, 2.0]
    assert [each.value for each in left] == [2.0]
