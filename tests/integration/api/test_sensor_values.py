"""Current values and history."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.api.reading_answers import LatestAnswer
from services.core.sensor import Sensor
from tests.integration.api.harness import MOMENT, client, connected, problem_of
from tests.integration.api.measuring import BAD, GOOD, SUSPECT, measure

HOUR = {"start": MOMENT.isoformat(), "end": (MOMENT + timedelta(hours=1)).isoformat()}


async def points(api: httpx.AsyncClient, sensor: Sensor, **wanted: Any) -> list[dict[str, Any]]:
    response = await api.get(f"/sensors/{sensor.id}/history", params=HOUR | wanted)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["points"]
    return found


async def test_a_late_value_is_kept_and_never_becomes_current(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await measure(city_url, sensor, (60, 1.0, GOOD), (120, 2.0, GOOD), (0, 9.0, GOOD))
    latest = (await api.get(f"/sensors/{sensor.id}/latest")).json()
    assert (latest["value"], datetime.fromisoformat(latest["time"])) == (2.0, MOMENT + timedelta(seconds=120))
    assert [point["maximum"] for point in await points(api, sensor, points=60)] == [9.0, 1.0, 2.0]


async def test_a_bad_value_is_current_with_its_reason(api: httpx.AsyncClient, city_url: str, sensor: Sensor) -> None:
    await measure(city_url, sensor, (0, 1.0, GOOD), (60, 5.0, BAD))
    latest = (await api.get(f"/sensors/{sensor.id}/latest")).json()
    assert (latest["value"], latest["quality"], latest["reason"]) == (5.0, 2, "device")


async def listed(api: httpx.AsyncClient, **wanted: Any) -> dict[str, LatestAnswer]:
    response = await api.get("/latest", params=wanted)
    assert response.status_code == 200, response.text
    assert response.json()["next"] is None
    items = [LatestAnswer.model_validate(item) for item in response.json()["items"]]
    assert len({item.sensor for item in items}) == len(items)
    return {item.sensor: item for item in items}


async def test_the_list_of_current_values_holds_the_same_as_each_alone(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await measure(city_url, sensor, (0.25, 1.5, SUSPECT))
    alone = LatestAnswer.model_validate((await api.get(f"/sensors/{sensor.id}/latest")).json())
    for wanted in ({}, {"lifeline": sensor.lifeline}, {"zone": sensor.zone}, {"gateway": sensor.gateway}):
        assert (await listed(api, **wanted))[sensor.id] == alone
    for name in ("zone", "gateway"):
        assert await listed(api, **{name: "nowhere"}) == {}


async def test_current_values_of_a_box_are_those_of_the_sensors_in_it(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await measure(city_url, sensor, (0, 1.5, GOOD))
    east, north = sensor.longitude + 1e-6, sensor.latitude + 1e-6
    exactly = f"{sensor.longitude},{sensor.latitude},{sensor.longitude},{sensor.latitude}"
    assert sensor.id in await listed(api, bbox=exactly)
    assert sensor.id not in await listed(api, bbox=f"{east},{north},{east + 1},{north + 1}")
    assert sensor.id not in await listed(api, bbox=exactly, zone="nowhere")
    for wrong in ("1,2,3", "0,0,181,0", "2,0,1,0", "a,b,c,d", "nan,0,0,0"):
        problem = problem_of(await api.get("/latest", params={"bbox": wrong}), 422, "not-valid")
        assert [error["field"] for error in problem["errors"]] == ["query.bbox"]


async def test_a_name_with_quotation_marks_does_not_break_the_list(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await measure(city_url, sensor, (0, 1e300, GOOD))
    odd = 'a "quoted"\\name\n管'
    async with connected(city_url) as connection:
        await connection.execute("update sensor set id = %s where key = %s", (odd, sensor.key))
    assert (await listed(api))[odd].value == 1e300


async def test_bad_values_are_counted_and_nothing_else(api: httpx.AsyncClient, city_url: str, sensor: Sensor) -> None:
    await measure(city_url, sensor, (0, 1.0, GOOD), (1, 4.0, SUSPECT), (2, 1e6, BAD), (3, -1e6, BAD), (1900, 7.0, BAD))
    first, second = await points(api, sensor, points=2)
    assert {name: first[name] for name in ("minimum", "maximum", "mean", "last", "count", "suspect", "bad")} == {
        "minimum": 1.0,
        "maximum": 4.0,
        "mean": 2.5,
        "last": 4.0,
        "count": 2,
        "suspect": 1,
        "bad": 2,
    }
    assert [second[name] for name in ("minimum", "maximum", "mean", "last")] == [None] * 4
    assert (second["count"], second["suspect"], second["bad"]) == (0, 0, 1)


@pytest.mark.parametrize("wanted", [1, 2, 7, 59, 60, 61, 3600, 5000])
async def test_there_are_never_more_buckets_than_points(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor, wanted: int
) -> None:
    await measure(city_url, sensor, *[(seconds, float(seconds), GOOD) for seconds in (0, 1, 17, 1799, 1801, 3599)])
    answer = (await api.get(f"/sensors/{sensor.id}/history", params=HOUR | {"points": wanted})).json()
    assert len(answer["points"]) <= wanted
    assert sum(point["count"] for point in answer["points"]) == 6
    times = [datetime.fromisoformat(point["time"]) for point in answer["points"]]
    assert times == sorted(set(times))
    assert all((time - MOMENT).total_seconds() % answer["bucket_s"] == 0 for time in times)


async def test_history_begins_with_its_start_and_ends_before_its_end(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await measure(city_url, sensor, (-1, 1.0, GOOD), (0, 2.0, GOOD), (3599, 3.0, GOOD), (3600, 4.0, GOOD))
    assert [point["mean"] for point in await points(api, sensor, points=60)] == [2.0, 3.0]


async def test_history_without_a_start_is_of_the_day_before_its_end(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await measure(city_url, sensor, (-86400, 1.0, GOOD), (-86401, 2.0, GOOD), (-1, 3.0, GOOD))
    answer = (await api.get(f"/sensors/{sensor.id}/history", params={"end": MOMENT.isoformat()})).json()
    assert [point["mean"] for point in answer["points"]] == [1.0, 3.0]
    assert answer["unit"] == sensor.unit


async def test_times_in_another_zone_mean_the_same(api: httpx.AsyncClient, city_url: str, sensor: Sensor) -> None:
    await measure(city_url, sensor, (0, 2.0, GOOD))
    elsewhere = {"start": "2026-07-14T14:00:00+08:00", "end": "2026-07-14T15:00:00+08:00"}
    assert await points(api, sensor, **elsewhere) == await points(api, sensor)


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"start": "2026-07-14T06:00:00"}, ["query.start"]),
        ({"start": "2026-07-14T06:00:00", "end": "2026-07-14"}, ["query.start", "query.end"]),
        ({"start": "yesterday"}, ["query.start"]),
        ({"start": HOUR["end"], "end": HOUR["start"]}, ["query.start"]),
        ({"start": HOUR["end"], "end": HOUR["end"]}, ["query.start"]),
        ({"end": "0001-01-01T00:00:00Z"}, ["query.end"]),
        ({"points": "0"}, ["query.points"]),
        ({"points": "5001"}, ["query.points"]),
    ],
)
async def test_times_need_a_zone_and_an_order(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor, wanted: dict[str, str], fields: Sequence[str]
) -> None:
    problem = problem_of(await api.get(f"/sensors/{sensor.id}/history", params=wanted), 422, "not-valid")
    assert [error["field"] for error in problem["errors"]] == fields


async def test_the_whole_of_history_can_be_asked_for(api: httpx.AsyncClient, city_url: str, sensor: Sensor) -> None:
    await measure(city_url, sensor, (0, 2.0, GOOD))
    (point,) = await points(api, sensor, points=1, start="0001-01-01T00:00:00Z", end="9999-12-31T23:59:59Z")
    assert point["mean"] == 2.0


async def test_readiness_shows_when_the_newest_reading_came_in(address: str, city_url: str, sensor: Sensor) -> None:
    before = datetime.now(UTC)
    await measure(city_url, sensor, (86400, 1.0, GOOD))
    async with client(address, None) as caller:
        ready = (await caller.get(f"{address}/readyz")).json()
    assert ready["status"] == "ready"
    assert ready["storage_level"] in ("plain", "timescale-apache", "timescale-community")
    assert datetime.fromisoformat(ready["newest_reading"]) == MOMENT + timedelta(days=1)
    assert datetime.fromisoformat(ready["last_received_at"]) >= before


async def test_all_current_values_are_the_same_packed_and_plain(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await measure(city_url, sensor, (0, 1.0, GOOD))
    packed = await api.get("/latest", headers={"Accept-Encoding": "gzip"})
    plain = await api.get("/latest", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert "content-encoding" not in plain.headers
    by_sensor = [{item["sensor"]: item for item in answer.json()["items"]} for answer in (packed, plain)]
    assert by_sensor[0] == by_sensor[1] != {}
