"""Lists with few of their fields: what is asked for, all of it, and nothing else."""

import httpx
import pytest

from services.core.sensor import Sensor
from tests.integration.api.harness import problem_of
from tests.integration.api.measuring import GOOD, measure


async def test_a_list_holds_the_fields_alone_that_are_asked_for(api: httpx.AsyncClient) -> None:
    whole = (await api.get("/sensors", params={"limit": 20})).json()
    few = (await api.get("/sensors", params={"limit": 20, "fields": "id,unit"})).json()
    assert few == whole | {"items": [{name: item[name] for name in ("id", "unit")} for item in whole["items"]]}
    again = (await api.get("/sensors?limit=20&fields=unit&fields=id")).json()
    assert again == few


async def test_the_next_page_has_the_same_fields(api: httpx.AsyncClient) -> None:
    page = await api.get("/sensors", params={"limit": 40, "fields": "id"})
    found = page.json()["items"]
    while "next" in page.links:
        page = await api.get(page.url.join(page.links["next"]["url"]))
        found += page.json()["items"]
    whole = (await api.get("/sensors", params={"limit": 5000})).json()["items"]
    assert found == [{"id": item["id"]} for item in whole]
    assert len(found) > 40


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_all_current_values_can_be_asked_for_by_name_and_value(
    api: httpx.AsyncClient, city_url: str, sensor: Sensor, encoding: str
) -> None:
    await measure(city_url, sensor, (0.25, 1.5, GOOD))
    response = await api.get("/latest", params={"fields": "sensor,value"}, headers={"Accept-Encoding": encoding})
    items = response.json()["items"]
    assert {"sensor": sensor.id, "value": 1.5} in items
    assert all(set(item) == {"sensor", "value"} for item in items)


@pytest.mark.parametrize(("path", "fields"), [("/sensors", "id,nose"), ("/alerts", ""), ("/latest", "sensor,,value")])
async def test_a_field_that_is_not_there_is_refused_with_those_that_are(
    api: httpx.AsyncClient, path: str, fields: str
) -> None:
    problem = problem_of(await api.get(path, params={"fields": fields}), 422, "not-valid")
    (fault,) = problem["errors"]
    assert fault["field"] == "fields"
    assert "there are" in fault["reason"]


async def test_a_problem_of_a_list_is_told_in_full(api: httpx.AsyncClient) -> None:
    problem = problem_of(await api.get("/sensors", params={"fields": "id", "limit": 0}), 422, "not-valid")
    assert [fault["field"] for fault in problem["errors"]] == ["query.limit"]
