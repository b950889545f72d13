"""Histories of several sensors, and histories as chosen readings."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from services.core.sensor import Sensor
from tests.integration.api.harness import MOMENT, problem_of
from tests.integration.api.measuring import BAD, GOOD, SUSPECT, at, measure

HOUR = {"start": MOMENT.isoformat(), "end": at(3600).isoformat()}
SPIKE = 50.0


@pytest.fixture
async def spiky(city_url: str, sensor: Sensor) -> Sensor:
    """A sensor with a value each minute, among them a spike and a bad one that is far higher."""
    values = [(60.0 * minute, float(minute % 3), GOOD) for minute in range(60)]
    values[31] = (values[31][0], SPIKE, SUSPECT)
    values[40] = (values[40][0], 1e6, BAD)
    await measure(city_url, sensor, *values)
    return sensor


async def histories(api: httpx.AsyncClient, *names: str, **wanted: Any) -> list[dict[str, Any]]:
    asked: list[tuple[str, str | int | float | bool | None]] = [("sensor", name) for name in names]
    asked += (HOUR | wanted).items()
    response = await api.get("/history", params=asked)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def test_each_of_several_sensors_has_the_history_it_has_alone(
    api: httpx.AsyncClient, city_url: str, spiky: Sensor, unused_sensors: list[str]
) -> None:
    silent = unused_sensors.pop()
    found = await histories(api, silent, spiky.id, spiky.id, points=12)
    assert [history["sensor"] for history in found] == [silent, spiky.id]
    alone = await api.get(f"/sensors/{spiky.id}/history", params=HOUR | {"points": 12})
    assert found[1] == alone.json()
    assert (found[0]["points"], found[0]["samples"]) == ([], [])
    assert (found[1]["source"], found[1]["shape"], found[1]["bucket_s"]) == ("1m", "buckets", 300)


async def test_nothing_asked_for_is_an_empty_answer(api: httpx.AsyncClient) -> None:
    assert await histories(api) == []


async def test_several_histories_have_bounds(api: httpx.AsyncClient, sensor: Sensor) -> None:
    wrongs: list[tuple[list[tuple[str, str | int | float | bool | None]], str]] = [
        ([("sensor", "nothing"), ("sensor", sensor.id)], "query.sensor"),
        ([("sensor", sensor.id)] * 21, "query.sensor"),
        ([("sensor", sensor.id), ("points", "1001")], "query.points"),
        ([("sensor", sensor.id), ("shape", "round")], "query.shape"),
        ([("sensor", sensor.id), ("points", "5"), ("shape", "lttb")], "query.points"),
        ([("sensor", sensor.id), ("start", HOUR["end"]), ("end", HOUR["start"])], "query.start"),
    ]
    for wrong, field in wrongs:
        problem = problem_of(await api.get("/history", params=wrong), 422, "not-valid")
        assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.parametrize("shape", ["lttb", "minmax"])
async def test_chosen_readings_are_readings_in_order_and_keep_the_spike(
    api: httpx.AsyncClient, spiky: Sensor, shape: str
) -> None:
    (history,) = await histories(api, spiky.id, points=10, shape=shape)
    assert (history["points"], history["bucket_s"], history["source"]) == ([], None, "raw")
    samples = history["samples"]
    times = [datetime.fromisoformat(sample["time"]) for sample in samples]
    assert len(samples) == 10 if shape == "lttb" else len(samples) <= 10
    assert times == sorted(set(times))
    assert (times[0], times[-1]) == (MOMENT, MOMENT + timedelta(minutes=59))
    assert {"time": at(31 * 60).isoformat().replace("+00:00", "Z"), "value": SPIKE, "quality": 1} in samples
    for time, sample in zip(times, samples, strict=True):
        minute = (time - MOMENT) // timedelta(minutes=1)
        assert sample["value"] == (SPIKE if minute == 31 else minute % 3)


@pytest.mark.parametrize("shape", ["lttb", "minmax"])
async def test_few_readings_are_all_there_but_the_bad_ones(api: httpx.AsyncClient, spiky: Sensor, shape: str) -> None:
    (history,) = await histories(api, spiky.id, points=60, shape=shape)
    assert len(history["samples"]) == 59
    assert max(sample["value"] for sample in history["samples"]) == SPIKE


async def test_a_start_at_the_beginning_of_time_is_an_answer_or_a_problem(
    api: httpx.AsyncClient, sensor: Sensor
) -> None:
    for start in ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00-14:00"):
        response = await api.get(f"/sensors/{sensor.id}/history", params={"start": start, "points": 1})
        assert response.status_code in (200, 422), response.text
