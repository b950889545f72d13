"""The API while the database is away, and when it is back."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest

from services.core.store import alerts, audit, migrations
from tests.fixtures.proxy import Proxy, proxied
from tests.integration.api.harness import alert_at, client, connected, problem_of, sent_events, serving


@contextlib.asynccontextmanager
async def serving_through(url: str) -> AsyncIterator[str]:
    """The API in its thread, started and stopped without holding up the proxy of this loop."""
    server = serving(url)
    address = await asyncio.to_thread(server.__enter__)
    try:
        yield address
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


@pytest.fixture
async def behind_proxy(city_url: str) -> AsyncIterator[tuple[Proxy, httpx.AsyncClient]]:
    async with proxied(city_url) as (proxy, url), serving_through(url) as address, client(address) as caller:
        yield proxy, caller


async def ready(caller: httpx.AsyncClient) -> httpx.Response:
    return await caller.get(caller.base_url.join("/readyz"))


async def until_ready(caller: httpx.AsyncClient) -> None:
    for _ in range(1000):
        if (await ready(caller)).status_code == 200:
            return
        await asyncio.sleep(0.1)


async def test_requests_are_refused_while_the_database_is_away_and_served_when_it_is_back(
    behind_proxy: tuple[Proxy, httpx.AsyncClient], city_url: str, city_assets: list[str]
) -> None:
    proxy, api = behind_proxy
    assert (await ready(api)).json()["status"] == "ready"
    async with api.stream("GET", "/stream") as stream:
        events = sent_events(stream)
        await proxy.close()
        began = time.monotonic()
        unready, listed, changed = await asyncio.gather(
            ready(api), api.get("/alerts"), api.post("/alerts/00000000-0000-0000-0000-000000000000/acknowledge")
        )
        assert time.monotonic() - began < 10
        assert (unready.status_code, unready.json()["status"]) == (503, "not ready")
        assert (await api.get(api.base_url.join("/livez"))).status_code == 200
        for response in (listed, changed):
            problem_of(response, 503, "database-away")
            assert int(response.headers["retry-after"]) > 0

        meanwhile = alert_at(city_assets[0])
        async with connected(city_url) as connection:
            await alerts.add(connection, meanwhile, audit.SYSTEM)
        await proxy.open()
        async with asyncio.timeout(10):
            await until_ready(api)
            assert (await api.get("/alerts")).status_code == 200
            async for event in events:
                if event.type == "alert":
                    assert event.content["id"] == str(meanwhile.id)
                    break


async def test_a_restarted_database_costs_callers_nothing(api: httpx.AsyncClient, city_url: str) -> None:
    assert (await api.get("/alerts")).status_code == 200
    with psycopg.connect(city_url, autocommit=True) as connection:
        connection.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()"""
        )
    answers = await asyncio.gather(*(api.get("/alerts") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_database_with_another_schema_is_not_ready(api: httpx.AsyncClient, city_url: str) -> None:
    assert (await ready(api)).status_code == 200
    with psycopg.connect(city_url, autocommit=True) as connection:
        row = connection.execute("update alembic_version set version_num = '0001' returning version_num").fetchone()
        assert row == ("0001",)
        try:
            unready = await ready(api)
        finally:
            connection.execute("update alembic_version set version_num = %s", (migrations.head(),))
    assert unready.status_code == 503
    assert "0001" in unready.json()["database"]
    assert "lifeline migrate" in unready.json()["database"]
    assert (await ready(api)).status_code == 200


async def test_a_database_that_takes_no_changes_is_not_ready(city_url: str) -> None:
    read_only = psycopg.conninfo.make_conninfo(city_url, options="-c default_transaction_read_only=on")
    async with serving_through(read_only) as address, client(address) as caller:
        unready = await ready(caller)
    assert unready.status_code == 503
    assert "takes no changes" in unready.json()["database"]
