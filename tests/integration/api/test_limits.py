"""Whoever is confined to a part of the city sees and changes nothing outside it, by whatever route."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import uuid4

import httpx
import psycopg
import pytest

from services.core.city_folder import CityFolder
from services.core.limits import Limits
from services.core.permission import Permission
from services.core.role import Role
from services.core.store import alerts, api_keys, limited_views
from tests.integration.api.harness import alert_at, client, connected, problem_of, sent_events
from tests.integration.api.people import add_person, log_in
from tests.integration.api.test_keys import BODIES, KEYED, Route, named

SHARED = {
    *("alembic_version", "alert_kind", "alert_member", "alert_share", "api_key", "audit", "audit_checkpoint"),
    *("audit_head", "audit_link", "belief", "day_report", "detector_state", "detector_state_past", "device_command"),
    *("disposal_rule", "event", "feed", "feed_cursor", "gateway_sequence", "hydraulic_network", "idempotent_request"),
    *("ingest_member", "inhibition", "job_schema", "login_attempt", "map_background", "provider_login", "put_by"),
    *("quantity", "quantity_version", "reading", "reading_1m", "reading_1h", "reading_1d", "response_plan"),
    *("rollup_1m", "rollup_1h", "rollup_1d", "rollup_progress", "rollup_sensor", "stored_file", "summary_due"),
    *("superseded_reading", "told", "user_account", "user_session", "warning_policy", "weather_refusal"),
    *("weather_warning", "works_permit"),
}
"""Tables of the whole city, of the service itself, or found only by way of a sensor or a file that is seen."""


class Foreign(NamedTuple):
    """Something outside a caller's part: the identifiers that no answer may contain."""

    alert: str
    asset: str
    sensor: str
    order: str
    zone: str


@pytest.fixture
async def foreign(city: CityFolder, city_url: str, api: httpx.AsyncClient) -> Foreign:
    """A water alert with an order, somewhere in the city."""
    sensor = next(row for row in city.sensors if row.lifeline == "water")
    asset = next(row for row in city.assets if row.id == sensor.asset)
    alert = alert_at(asset.id, id=uuid4(), zone=asset.zone, kind=f"kind-{uuid4().hex[:8]}", sensors=(sensor.sensor,))
    async with connected(city_url) as connection:
        await alerts.add(connection, alert, "system")
    asked = await api.post("/work-orders", json={"alert": str(alert.id), "organisation": "water-company"})
    assert asked.status_code in {201, 202}, asked.text
    return Foreign(str(alert.id), asset.id, sensor.sensor, asked.json()["id"], asset.zone)


LIMITS = {
    "another organisation": Limits.of(["gas-company"], None, None),
    "another lifeline": Limits.of(None, ["gas"], None),
    "another zone": Limits.of(None, None, ["no-such-zone"]),
    "nothing": Limits.of([], [], []),
}


@pytest.fixture(params=LIMITS)
async def confined(request: pytest.FixtureRequest, address: str, city_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A key that may do everything, elsewhere."""
    name = f"confined-{request.param.replace(' ', '-')}"
    async with connected(city_url) as connection:
        await api_keys.save_key(connection, name, f"lk_{name}", name, list(Permission), limits=LIMITS[request.param])
    async with client(address, None) as caller:
        caller.headers["Authorization"] = f"Bearer lk_{name}"
        yield caller


def address_of(route: Route, foreign: Foreign) -> str:
    names = {"{alert}": foreign.alert, "{asset}": foreign.asset, "{sensor}": foreign.sensor, "{order}": foreign.order}
    path = route.path.removeprefix("/api/v1")
    for place, name in (names | {"{zone}": foreign.zone, "{organisation}": "water-company"}).items():
        path = path.replace(place, name)
    return Route(route.method, path).request_path


LISTS = [route for route in KEYED if route.method == "GET" and not route.path.endswith(("/stream", "/openapi.json"))]


async def test_no_answer_names_what_lies_outside(confined: httpx.AsyncClient, foreign: Foreign) -> None:
    leaks, broken = [], []
    for route in LISTS:
        answer = await confined.get(address_of(route, foreign))
        if answer.status_code >= 500:
            broken.append((named(route), answer.text))
        asked = str(answer.request.url)
        names = (foreign.alert, foreign.asset, foreign.sensor, foreign.order)
        leaks += [(named(route), name) for name in names if name in answer.text and name not in asked]
        if "{" in route.path and any(place in route.path for place in ("{alert}", "{asset}", "{sensor}", "{order}")):
            assert answer.status_code in {403, 404}, (named(route), answer.status_code, answer.text[:300])
    assert broken == []
    assert leaks == []


async def test_nothing_outside_can_be_changed(confined: httpx.AsyncClient, foreign: Foreign, city_url: str) -> None:
    changes = [
        route
        for route in KEYED
        if route.method != "GET" and any(place in route.path for place in ("{alert}", "{order}"))
    ]
    with psycopg.connect(city_url) as connection:
        before = _state(connection, foreign)
        for route in changes:
            body = BODIES.get(route.path.rpartition("/")[2])
            answer = await confined.request(route.method, address_of(route, foreign), json=body)
            assert answer.status_code in {403, 404, 422}, (named(route), answer.status_code, answer.text)
        connection.rollback()
        assert _state(connection, foreign) == before


def _state(connection: psycopg.Connection, foreign: Foreign) -> str:
    rows = [
        connection.execute("select to_jsonb(alert) from alert where id = %s", (foreign.alert,)).fetchall(),
        connection.execute("select to_jsonb(work_order) from work_order where alert = %s", (foreign.alert,)).fetchall(),
        connection.execute("select to_jsonb(warning) from warning where alert = %s", (foreign.alert,)).fetchall(),
        connection.execute("select count(*) from alert_comment where alert = %s", (foreign.alert,)).fetchall(),
    ]
    return json.dumps(rows, sort_keys=True)


async def test_what_is_made_must_lie_within(confined: httpx.AsyncClient, foreign: Foreign) -> None:
    silence = {"kind": "silence", "ends_at": "2100-01-01T00:00:00Z", "reason": "a test"}
    for matcher in ({"asset": foreign.asset}, {"zone": foreign.zone, "lifeline": "water"}, {"lifeline": "water"}):
        answer = await confined.post("/silences", json=silence | {"matcher": matcher})
        assert answer.status_code in {403, 422}, (matcher, answer.text)
    depot = {"organisation": "water-company", "name": {"en": "x", "zh": "x"}, "position": [117.0, 31.0]}
    answer = await confined.put("/depots/elsewhere", json=depot)
    assert answer.status_code in {201, 200, 403, 422}
    if (await _limits_of(confined))["organisations"] is not None:
        assert answer.status_code in {403, 422}, answer.text


async def _limits_of(caller: httpx.AsyncClient) -> dict[str, list[str] | None]:
    limits: dict[str, list[str] | None] = (await caller.get("/me")).json()["limits"]
    return limits


async def test_what_concerns_the_whole_city_is_for_those_without_limits(confined: httpx.AsyncClient) -> None:
    for method, path in (("GET", "/audit"), ("GET", "/users"), ("GET", "/keys"), ("POST", "/warning-policies")):
        problem_of(await confined.request(method, path, json={}), 403, "outside-limits")


async def test_a_user_within_the_limits_sees_and_works(
    city: CityFolder, city_url: str, address: str, foreign: Foreign
) -> None:
    owner = next(row for row in city.assets if row.id == foreign.asset).organisation or "water-company"
    limits = Limits.of([owner], ["water"], [foreign.zone])
    name = f"local-{uuid4().hex[:8]}"
    await add_person(city_url, name, [Role.OPERATOR], limits)
    async with client(address, None) as browser:
        await log_in(browser, name)
        assert (await browser.get(f"/alerts/{foreign.alert}")).status_code == 200
        assert foreign.alert in {row["id"] for row in (await browser.get("/alerts")).json()["items"]}
        done = await browser.post(f"/alerts/{foreign.alert}/acknowledge")
        assert done.status_code == 200, done.text
        assert done.json()["acknowledged_by"] == name
        sensors = (await browser.get("/sensors")).json()["items"]
        assert {row["zone"] for row in sensors} == {foreign.zone}
        assert foreign.sensor in {row["id"] for row in sensors}
        zones = (await browser.get("/zones")).json()
        assert foreign.zone in json.dumps(zones)


def test_every_table_is_either_confined_or_known_to_be_shared(city_url: str) -> None:
    with psycopg.connect(city_url) as connection:
        tables = {
            row[0]
            for row in connection.execute(
                """select table_name from information_schema.tables where table_schema = 'public'
                and table_name not like 'procrastinate%'"""
            )
        }
        views = {
            row[0]
            for row in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'limited'"
            )
        }
    assert tables - views - SHARED == set()
    assert views <= tables


def test_the_views_have_every_column_of_their_tables(city_url: str) -> None:
    with psycopg.connect(city_url) as connection:
        columns: dict[str, set[tuple[str, str]]] = {"public": set(), "limited": set()}
        for schema, table, column in connection.execute(
            """select table_schema, table_name, column_name from information_schema.columns
            where table_schema in ('public', 'limited')"""
        ):
            columns[schema].add((table, column))
        confined = {table for table, _ in columns["limited"]}
    assert {row for row in columns["public"] if row[0] in confined} == columns["limited"]


async def test_a_connection_is_free_again_after_a_confined_transaction(city_url: str) -> None:
    async with connected(city_url) as connection:
        await limited_views.confine(connection, LIMITS["nothing"])
        cursor = await connection.execute("select count(*) from sensor")
        assert await cursor.fetchone() == (0,)
        await connection.rollback()
        cursor = await connection.execute("select count(*) > 0 from sensor")
        assert await cursor.fetchone() == (True,)


async def test_a_confined_listener_hears_of_their_part_alone_and_no_longer_than_their_session(
    city: CityFolder, city_url: str, address: str, foreign: Foreign
) -> None:
    other = next(row for row in city.assets if row.lifeline == "gas")
    name = f"listener-{uuid4().hex[:8]}"
    await add_person(city_url, name, [Role.ANALYST], Limits.of(None, ["gas"], None))
    async with client(address, None) as browser:
        await log_in(browser, name)
        async with browser.stream("GET", "/stream") as stream, client(address) as operator:
            assert stream.status_code == 200
            heard = sent_events(stream)
            await operator.post(f"/alerts/{foreign.alert}/acknowledge")
            theirs = alert_at(other.id, lifeline=other.lifeline, zone=other.zone, kind=f"kind-{uuid4().hex[:8]}")
            async with connected(city_url) as connection:
                await alerts.add(connection, theirs, "system")
            event = await asyncio.wait_for(anext(heard), 20)
            assert (event.type, event.content["id"]) == ("alert", str(theirs.id))
