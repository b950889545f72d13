"""Where a value came from, what depended on a device, and what was known at a moment."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.core.evidence_bundle import unpack
from services.core.reading import Quality
from services.core.sensor import Sensor
from services.core.store import alerts
from services.core.store.readings import ReadingRow, write_readings
from tests.integration.api.harness import alert_at, connected, problem_of

NOW = datetime.now(UTC).replace(microsecond=0)
MEASURED = NOW - timedelta(hours=2)


async def give(city_url: str, sensor: Sensor, value: float, received_at: datetime, time: datetime = MEASURED) -> None:
    async with connected(city_url) as connection:
        row = ReadingRow(sensor.key, sensor.zone, time, value, Quality.GOOD, None, received_at)
        await write_readings(connection, [row])


async def last_values(api: httpx.AsyncClient, sensor: Sensor, **asked: Any) -> list[float]:
    """The values of the hours around, as buckets and as samples, which must agree."""
    window = {"start": (MEASURED - timedelta(hours=1)).isoformat(), "end": NOW.isoformat()}
    buckets = (await api.get(f"/sensors/{sensor.id}/history", params={**window, "points": 5000, **asked})).json()
    lines = await api.get("/history", params={**window, "sensor": sensor.id, "shape": "lttb", "points": 1000, **asked})
    assert lines.status_code == 200, lines.text
    values = [sample["value"] for sample in lines.json()["items"][0]["samples"]]
    assert [bucket["last"] for bucket in buckets["points"]] == values
    return values


async def test_a_corrected_and_a_late_value_leave_what_was_known_answerable(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await give(city_url, sensor, 1.0, MEASURED + timedelta(seconds=1))
    await give(city_url, sensor, 2.0, MEASURED + timedelta(minutes=30))
    await give(city_url, sensor, 5.0, MEASURED + timedelta(minutes=50), MEASURED + timedelta(minutes=1))
    known = {
        minutes: await last_values(api, sensor, known_at=(MEASURED + timedelta(minutes=minutes)).isoformat())
        for minutes in (0, 10, 40, 60)
    }
    assert known == {0: [], 10: [1.0], 40: [2.0], 60: [2.0, 5.0]}
    assert await last_values(api, sensor) == [2.0, 5.0]


async def test_what_was_known_is_asked_for_a_month_at_the_most(api: httpx.AsyncClient, sensor: Sensor) -> None:
    asked = {"start": (NOW - timedelta(days=40)).isoformat(), "known_at": NOW.isoformat()}
    problem_of(await api.get(f"/sensors/{sensor.id}/history", params=asked), 422, "not-valid")


async def test_a_value_leads_back_to_its_device_and_to_what_it_replaced(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor
) -> None:
    await give(city_url, sensor, 1.0, MEASURED + timedelta(seconds=1))
    await give(city_url, sensor, 2.0, MEASURED + timedelta(minutes=30))
    answer = await api.get(
        f"/sensors/{sensor.id}/lineage", params={"time": (MEASURED + timedelta(seconds=30)).isoformat()}
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert datetime.fromisoformat(found["time"]) == MEASURED
    assert [(each["value"], each["superseded_at"] is None) for each in found["values"]] == [(1.0, False), (2.0, True)]
    assert found["values"][1]["reason"] == "changed"
    assert any(topic.endswith(f"/sensors/{sensor.id}/readings") for topic in found["topics"])
    assert (found["gateway"] is None) == (len(found["topics"]) == 1)


async def test_a_sensor_without_readings_has_no_lineage(api: httpx.AsyncClient, sensor: Sensor) -> None:
    problem_of(await api.get(f"/sensors/{sensor.id}/lineage"), 404, "not-found")
    found = (await api.get(f"/sensors/{sensor.id}/dependants")).json()
    assert (found["alerts"], found["findings"], found["forecasts"]) == ([], [], [])


async def test_an_alert_is_shown_as_it_was_then_and_its_sensor_knows_it(
    api: httpx.AsyncClient, city_url: str, asset: str, sensor: Sensor
) -> None:
    alert = alert_at(asset, sensors=(sensor.id,))
    async with connected(city_url) as connection:
        await alerts.add(connection, alert, "system")
    before = datetime.now(UTC)
    assert (await api.post(f"/alerts/{alert.id}/acknowledge")).status_code == 200
    then = (await api.get(f"/alerts/{alert.id}", params={"known_at": before.isoformat()})).json()
    now = (await api.get(f"/alerts/{alert.id}")).json()
    assert (then["state"], now["state"]) == ("open", "acknowledged")
    assert len(now["timeline"]) == len(then["timeline"]) + 1
    long_ago = {"known_at": (before - timedelta(days=1)).isoformat()}
    problem_of(await api.get(f"/alerts/{alert.id}", params=long_ago), 404, "not-found")
    found = (await api.get(f"/sensors/{sensor.id}/dependants")).json()
    assert [each["id"] for each in found["alerts"]] == [str(alert.id)]


async def test_taking_the_evidence_of_alert_at_is_in_the_trail(
    api: httpx.AsyncClient, city_url: str, asset: str
) -> None:
    alert = alert_at(asset)
    async with connected(city_url) as connection:
        await alerts.add(connection, alert, "system")
    answer = await api.get(f"/alerts/{alert.id}/evidence")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    bundle = unpack(answer.content)
    assert bundle.facts["alert"] == str(alert.id)
    (line,) = (await api.get("/audit", params={"limit": 1})).json()["items"]
    assert (line["action"], line["subject"], line["actor"]) == ("evidence.export", str(alert.id), "everything")
    assert line["key_name"] == "everything"
    assert json.dumps(bundle.parts["alert"]).count("lk_") == 0
