"""OGC API – Features over the demo city, read by OWSLib and asked by hand."""

from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest
from owslib.ogcapi.features import Features

from tests.integration.api.harness import client, key_of, problem_of


@pytest.fixture
def owslib(address: str) -> Features:
    return Features(f"{address}/ogc", headers={"Authorization": f"Bearer {key_of('read')}"})


@pytest.fixture
async def maps(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with client(address, "read") as caller:
        caller.base_url = httpx.URL(f"{address}/ogc")
        yield caller


@pytest.fixture(scope="module")
def kinds(city_url: str) -> dict[str, int]:
    with psycopg.connect(city_url) as connection:
        rows = connection.execute("select lifeline || '.' || kind, count(*) from asset group by 1").fetchall()
    return dict(rows)


def test_owslib_finds_every_collection_and_feature(owslib: Features, kinds: dict[str, int]) -> None:
    assert owslib.links
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in owslib.conformance()["conformsTo"]
    assert set(owslib.feature_collections()) == set(kinds)
    for name, count in kinds.items():
        west, south, east, north = owslib.collection(name)["extent"]["spatial"]["bbox"][0]
        page = owslib.collection_items(name, limit=10_000)
        assert page["numberMatched"] == page["numberReturned"] == count
        assert owslib.collection_items(name, limit=1, bbox=[west, south, east, north])["numberMatched"] == count


def test_owslib_reads_one_feature_with_its_facts(owslib: Features) -> None:
    first = owslib.collection_items("gas.pipe", limit=1)["features"][0]
    alone = owslib.collection_item("gas.pipe", first["id"])
    assert alone["geometry"] == first["geometry"]
    assert alone["properties"] == first["properties"]
    assert {"zone", "name_en", "name_zh"} <= set(first["properties"])


async def test_pages_lead_from_one_to_the_next(maps: httpx.AsyncClient, kinds: dict[str, int]) -> None:
    name = max(kinds, key=lambda kind: kinds[kind])
    found: list[str] = []
    address: str | None = f"/collections/{name}/items?limit=7"
    while address is not None:
        response = await maps.get(address)
        assert response.headers["content-type"] == "application/geo+json"
        page = response.json()
        found += [feature["id"] for feature in page["features"]]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert len(found) == len(set(found)) == kinds[name]


async def test_box_leaves_out_what_lies_elsewhere(maps: httpx.AsyncClient) -> None:
    path = "/collections/gas.pipe/items"
    everything = (await maps.get(path)).json()["numberMatched"]
    longitude, latitude = (await maps.get(path)).json()["features"][0]["geometry"]["coordinates"][0]
    near = f"{longitude - 1e-4},{latitude - 1e-4},{longitude + 1e-4},{latitude + 1e-4}"
    assert 0 < (await maps.get(path, params={"bbox": near})).json()["numberMatched"] < everything
    high = f"{longitude - 1e-4},{latitude - 1e-4},0,{longitude + 1e-4},{latitude + 1e-4},9"
    assert (await maps.get(path, params={"bbox": high})).json()["numberMatched"] < everything
    assert (await maps.get(path, params={"bbox": "0,0,1,1"})).json()["features"] == []


@pytest.mark.parametrize(
    "options",
    [{"limit": "0"}, {"limit": "x"}, {"limit": "-1"}, {"bbox": "1,2,3"}, {"bbox": "a,b,c,d"}, {"colour": "red"}],
)
async def test_parameter_that_is_not_understood_is_told_why(maps: httpx.AsyncClient, options: dict[str, str]) -> None:
    problem_of(await maps.get("/collections/gas.pipe/items", params=options), 400, "question-not-understood")


@pytest.mark.parametrize(
    "path", ["/collections/none", "/collections/gas.none/items", "/collections/gas.pipe/items/none"]
)
async def test_what_is_not_there_is_not_found(maps: httpx.AsyncClient, path: str) -> None:
    problem_of(await maps.get(path), 404, "not-found")


async def test_nothing_is_changed_there(maps: httpx.AsyncClient) -> None:
    problem_of(await maps.post("/collections/gas.pipe/items", json={}), 405, "read-only")
