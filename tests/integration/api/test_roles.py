"""Every route and every role: who may and who may not, by the table in the code."""

import asyncio
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from services.core.role import PERMISSIONS, Role
from tests.integration.api.harness import client, problem_of
from tests.integration.api.people import add_person, log_in
from tests.integration.api.test_keys import FOUND_WANTING, KEYED, RULES, Route, ask, named, passes

OPEN = {200, 201, 202, 204, 404}
CHANGES = [route for route in KEYED if route.method not in {"GET", "HEAD"}]


@pytest.fixture(scope="module")
def browsers(address: str, city_url: str) -> Iterator[dict[Role, httpx.AsyncClient]]:
    """One logged-in browser for each role; cookies and tokens alone are kept, for each test has a loop of its own."""

    async def prepare() -> dict[Role, httpx.AsyncClient]:
        made: dict[Role, httpx.AsyncClient] = {}
        for role in Role:
            await add_person(city_url, f"one-{role}", [role])
            async with client(address, None) as browser:
                await log_in(browser, f"one-{role}")
                made[role] = browser
        return made

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        yield runner.run(prepare())


def again(address: str, browser: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same browser in the loop of this test."""
    anew = client(address, None)
    anew.cookies.update(browser.cookies)
    anew.headers.update({"X-CSRF-Token": browser.headers["X-CSRF-Token"]})
    return anew


@pytest.mark.parametrize("role", Role)
async def test_a_role_opens_what_the_table_says_and_nothing_else(
    role: Role, address: str, browsers: dict[Role, httpx.AsyncClient]
) -> None:
    wrong = []
    for route in KEYED:
        if route.path == "/api/v1/logout":
            continue
        rule = RULES[route]
        may = passes(rule, PERMISSIONS[role])
        async with again(address, browsers[role]) as browser:
            response = await ask(browser, route)
        behind = OPEN | ({409, 422} if route.path.endswith(FOUND_WANTING) else set())
        if response.status_code not in (behind if may else {403}):
            wrong.append((named(route), may, response.status_code, response.text))
        elif not may:
            problem_of(response, 403, "not-permitted")
    assert wrong == []


@pytest.mark.parametrize("route", CHANGES, ids=named)
async def test_a_change_without_the_sessions_token_is_refused(
    route: Route, address: str, browsers: dict[Role, httpx.AsyncClient]
) -> None:
    for token in (None, "", "0" * 64):
        async with again(address, browsers[Role.DISPATCHER]) as browser:
            del browser.headers["X-CSRF-Token"]
            if token is not None:
                browser.headers["X-CSRF-Token"] = token
            problem_of(await ask(browser, route), 403, "foreign-origin")


async def test_a_change_from_a_page_of_another_site_is_refused(
    address: str, browsers: dict[Role, httpx.AsyncClient]
) -> None:
    for origin in ("https://evil.example", "null", address.replace("127.0.0.1", "127.0.0.2")):
        async with again(address, browsers[Role.OPERATOR]) as browser:
            refused = await browser.post("/logout", headers={"Origin": origin})
            problem_of(refused, 403, "foreign-origin")
            login = await browser.post("/login", json={"name": "x", "password": "y"}, headers={"Origin": origin})
            problem_of(login, 403, "foreign-origin")


@pytest.mark.parametrize("route", KEYED, ids=named)
async def test_no_route_opens_for_a_forged_or_ended_session(
    route: Route, address: str, city_url: str, browsers: dict[Role, httpx.AsyncClient]
) -> None:
    good = browsers[Role.DISPATCHER].cookies["lifeline_session"]
    with psycopg.connect(city_url) as connection:
        for name, change in (("expired", "expires_at = now()"), ("idle", "seen_at = now() - interval '3 hours'")):
            connection.execute(
                """insert into user_session (hash, user_name, expires_at)
                values (sha256(%s), 'one-dispatcher', now() + interval '1 hour') on conflict do nothing""",
                (name.encode(),),
            )
            connection.execute(f"update user_session set {change} where hash = sha256(%s)".encode(), (name.encode(),))
    for forged in ("expired", "idle", good[:-1], good + "x", "' or true --", "x" * 4000):
        async with client(address, None) as browser:
            browser.cookies.set("lifeline_session", forged)
            problem_of(await ask(browser, route), 401, "key-needed")
