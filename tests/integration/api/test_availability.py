"""Gaps, availability by day, and who is heard."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.core.sensor import Sensor
from tests.integration.api.harness import MOMENT, connected, problem_of
from tests.integration.api.measuring import BAD, GOOD, at, measure

HOUR = {"start": MOMENT.isoformat(), "end": at(3600).isoformat()}
DAY = {"first": "2026-07-14", "last": "2026-07-14"}


@pytest.fixture
async def minutely(city_url: str, sensor: Sensor) -> Sensor:
    """A sensor that is expected every minute, behind a gateway of its own."""
    async with connected(city_url) as connection:
        await connection.execute(
            "update sensor set interval_s = 60, gateway = %s where key = %s", (f"gateway of {sensor.id}", sensor.key)
        )
    return sensor


async def gaps(api: httpx.AsyncClient, sensor: Sensor, **wanted: Any) -> list[tuple[float, float, int]]:
    """Start and end in seconds after the moment, and the number of missing readings."""
    response = await api.get(f"/sensors/{sensor.id}/gaps", params=HOUR | wanted)
    assert response.status_code == 200, response.text
    return [(_seconds(gap["start"]), _seconds(gap["end"]), gap["missing"]) for gap in response.json()["items"]]


def _seconds(moment: str) -> float:
    return (datetime.fromisoformat(moment) - MOMENT).total_seconds()


async def test_a_gap_lies_between_readings_too_far_apart(
    api: httpx.AsyncClient, city_url: str, minutely: Sensor
) -> None:
    reported = [minute * 60 for minute in range(-5, 70) if minute not in range(20, 30) and minute not in (40, 41)]
    await measure(city_url, minutely, *[(seconds, 1.0, BAD if seconds == 600 else GOOD) for seconds in reported])
    assert await gaps(api, minutely) == [(19 * 60, 30 * 60, 11)]
    assert await gaps(api, minutely, missed=2.9) == [(19 * 60, 30 * 60, 11), (39 * 60, 42 * 60, 3)]
    assert await gaps(api, minutely, missed=11) == []


async def test_gaps_that_reach_out_of_the_range_are_cut_and_say_so(
    api: httpx.AsyncClient, city_url: str, minutely: Sensor
) -> None:
    await measure(city_url, minutely, (-3600, 1.0, GOOD), (1800, 1.0, GOOD), (7200, 1.0, GOOD))
    response = await api.get(f"/sensors/{minutely.id}/gaps", params=HOUR)
    first, second = response.json()["items"]
    assert [_seconds(first[name]) for name in ("start", "end", "last_before", "first_after")] == [0, 1800, -3600, 1800]
    assert [_seconds(second[name]) for name in ("start", "end", "last_before", "first_after")] == [
        1800,
        3600,
        1800,
        7200,
    ]


async def test_a_sensor_that_stopped_and_one_that_never_began_have_open_gaps(
    api: httpx.AsyncClient, city_url: str, minutely: Sensor
) -> None:
    (never,) = (await api.get(f"/sensors/{minutely.id}/gaps", params=HOUR)).json()["items"]
    assert (never["last_before"], never["first_after"], never["missing"]) == (None, None, 60)
    await measure(city_url, minutely, *[(minute * 60, 1.0, GOOD) for minute in range(31)])
    (stopped,) = (await api.get(f"/sensors/{minutely.id}/gaps", params=HOUR)).json()["items"]
    assert (_seconds(stopped["start"]), _seconds(stopped["end"]), stopped["first_after"]) == (1800, 3600, None)


async def test_pages_of_gaps_hold_each_gap_once(api: httpx.AsyncClient, city_url: str, minutely: Sensor) -> None:
    await measure(city_url, minutely, *[(seconds, 1.0, GOOD) for seconds in range(0, 3600, 600)])
    whole = await gaps(api, minutely)
    assert len(whole) == 6
    paged: list[tuple[float, float, int]] = []
    start: str | None = HOUR["start"]
    while start is not None:
        asked: dict[str, Any] = HOUR | {"start": start, "limit": 2}
        paged += await gaps(api, minutely, **asked)
        start = (await api.get(f"/sensors/{minutely.id}/gaps", params=asked)).json()["next"]
    assert paged == whole


async def test_what_lies_ahead_is_not_missing(api: httpx.AsyncClient, minutely: Sensor) -> None:
    ahead = datetime.now(UTC) + timedelta(days=1)
    wanted = {"start": (ahead - timedelta(hours=1)).isoformat(), "end": ahead.isoformat()}
    assert (await api.get(f"/sensors/{minutely.id}/gaps", params=wanted)).json()["items"] == []


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"missed": "0.5"}, "query.missed"),
        ({"missed": "1001"}, "query.missed"),
        ({"limit": "1001"}, "query.limit"),
        ({"start": HOUR["end"]}, "query.start"),
        ({"start": "2026-01-01T00:00:00Z"}, "query.start"),
    ],
)
async def test_gaps_have_bounds(api: httpx.AsyncClient, sensor: Sensor, wanted: dict[str, str], field: str) -> None:
    problem = problem_of(await api.get(f"/sensors/{sensor.id}/gaps", params=HOUR | wanted), 422, "not-valid")
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_availability_is_what_came_of_what_the_interval_promises(
    api: httpx.AsyncClient, city_url: str, minutely: Sensor
) -> None:
    await measure(city_url, minutely, *[(minute * 60, 1.0, BAD if minute % 4 == 0 else GOOD) for minute in range(72)])
    wanted = DAY | {"sensor": minutely.id, "first": "2026-07-13"}
    answer = (await api.get("/availability", params=wanted)).json()
    assert answer["next"] is None
    ((before, day),) = [item["days"] for item in answer["items"]]
    assert day == {
        "day": "2026-07-14",
        "expected": 1440,
        "received": 72,
        "bad": 18,
        "received_percent": 5.0,
        "usable_percent": 3.75,
    }
    assert (before["day"], before["received"], before["received_percent"]) == ("2026-07-13", 0, 0.0)


async def test_a_day_of_many_sensors_adds_up_and_hides_no_silence(
    api: httpx.AsyncClient, city_url: str, minutely: Sensor, unused_sensors: list[str]
) -> None:
    """One that reports twice as often as declared beside one that is silent makes one half, not the whole."""
    async with connected(city_url) as connection:
        await connection.execute(
            """
            update sensor set interval_s = case when key = %s then 3600 else 60 end, gateway = 'both'
            where id = any(%s)
            """,
            (minutely.key, [minutely.id, unused_sensors.pop()]),
        )
    await measure(city_url, minutely, *[(minute * 30 * 60, 1.0, GOOD) for minute in range(-12, 36)])
    (total,) = (await api.get("/availability/days", params=DAY | {"gateway": "both"})).json()["items"]
    assert total == {
        "day": "2026-07-14",
        "sensors": 2,
        "expected": 24 + 1440,
        "received": 24,
        "usable": 24,
        "received_percent": round(100 * 24 / 1464, 2),
        "usable_percent": round(100 * 24 / 1464, 2),
    }
    alone = (await api.get("/availability", params=DAY | {"sensor": minutely.id})).json()["items"][0]["days"][0]
    assert (alone["received"], alone["received_percent"]) == (48, 100.0)


async def test_pages_of_availability_hold_each_sensor_once(api: httpx.AsyncClient) -> None:
    wanted: dict[str, Any] = DAY | {"lifeline": "bridge"}
    registered = (await api.get("/sensors", params={"lifeline": "bridge", "limit": 5000})).json()["items"]
    expected = [sensor["id"] for sensor in registered]
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await api.get("/availability", params=wanted | {"limit": 7, "cursor": cursor})).json()
        found += [item["sensor"] for item in page["items"]]
        cursor = page["next"]
    assert found == expected


@pytest.mark.parametrize("path", ["/availability", "/availability/days"])
async def test_availability_has_bounds(api: httpx.AsyncClient, path: str) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    for wanted, field in (
        ({"last": tomorrow}, "query.last"),
        ({"first": "2026-07-15", "last": "2026-07-14"}, "query.first"),
        ({"first": "2026-01-01", "last": "2026-07-14"}, "query.first"),
        ({"first": "yesterday"}, "query.first"),
    ):
        problem = problem_of(await api.get(path, params=wanted), 422, "not-valid")
        assert [error["field"] for error in problem["errors"]] == [field]
    week = await api.get(path, params={"last": "0001-01-03"} | ({"limit": 1} if path == "/availability" else {}))
    assert week.status_code == 200, week.text


async def heard(api: httpx.AsyncClient, path: str, **wanted: Any) -> list[dict[str, Any]]:
    response = await api.get(path, params=wanted)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def test_a_sensor_is_silent_until_it_is_heard(api: httpx.AsyncClient, city_url: str, minutely: Sensor) -> None:
    gateway = f"gateway of {minutely.id}"
    (never,) = await heard(api, "/liveness", gateway=gateway, silent=True)
    assert (never["sensor"], never["state"], never["silent_s"]) == (minutely.id, "never", None)
    (behind,) = await heard(api, "/gateways", gateway=gateway)
    assert (behind["gateway"], behind["state"], behind["sensors"], behind["silent"]) == (gateway, "never", 1, 1)
    await measure(city_url, minutely, (0, 1.0, GOOD))
    (alive,) = await heard(api, "/liveness", gateway=gateway, silent=False)
    assert alive["state"] == "heard"
    assert 0 <= alive["silent_s"] < 60
    assert await heard(api, "/liveness", gateway=gateway, silent=True) == []
    (behind,) = await heard(api, "/gateways", gateway=gateway, state="heard")
    assert (behind["silent"], behind["never"], behind["last_received_at"]) == (0, 0, alive["last_received_at"])
    assert await heard(api, "/gateways", gateway=gateway, state="silent") == []


async def test_pages_of_gateways_and_sensors_hold_each_once(api: httpx.AsyncClient) -> None:
    for path, name in (("/gateways", "gateway"), ("/liveness", "sensor")):
        whole = [item[name] for item in await heard(api, path, limit=5000)]
        assert whole == sorted(set(whole))
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (await api.get(path, params={"limit": max(1, len(whole) // 3), "cursor": cursor})).json()
            found += [item[name] for item in page["items"]]
            cursor = page["next"]
        assert found == whole
