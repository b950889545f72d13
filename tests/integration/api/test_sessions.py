"""Logging in with a browser, staying in, and getting out."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.core.role import Role
from services.core.store import login_attempts, users
from tests.integration.api.harness import client, connected, problem_of
from tests.integration.api.people import PASSWORD, add_person, browser_of, log_in


@pytest.fixture
async def name(city_url: str) -> str:
    """An operator of whom no other test knows."""
    name = f"op-{uuid4().hex[:12]}"
    await add_person(city_url, name, [Role.OPERATOR])
    return name


@pytest.fixture(autouse=True)
async def _nobody_waits(city_url: str) -> None:
    async with connected(city_url) as connection:
        await connection.execute("delete from login_attempt")


async def trail(city_url: str, subject: str) -> list[tuple[str, str, str | None]]:
    async with connected(city_url) as connection:
        cursor = await connection.execute(
            "select action, actor, key_name from audit where subject = %s order by id", (subject,)
        )
        return await cursor.fetchall()


async def test_somebody_logs_in_works_and_logs_out(address: str, city_url: str, name: str) -> None:
    async with client(address, None) as browser:
        me = await log_in(browser, name)
        assert (me["name"], me["roles"], me["permissions"]) == (name, ["operator"], ["operate", "read", "report"])
        assert (await browser.get("/alerts")).status_code == 200
        assert (await browser.get("/me")).json() == me
        old = browser.cookies["lifeline_session"]
        assert (await browser.post("/logout")).status_code == 204
        assert "lifeline_session" not in browser.cookies
        browser.cookies.set("lifeline_session", old)
        problem_of(await browser.get("/alerts"), 401, "key-needed")
    assert await trail(city_url, name) == [
        ("user.add", "system", None),
        ("login", name, f"user:{name}"),
        ("logout", name, f"user:{name}"),
    ]


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(address: str, name: str) -> None:
    async with client(address, None) as browser:
        answer = await browser.post("/login", json={"name": name, "password": PASSWORD})
        assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(answer.headers["set-cookie"].split("; "))
        assert "Secure" not in answer.headers["set-cookie"]
        behind_tls = await browser.post(
            "/login", json={"name": name, "password": PASSWORD}, headers={"X-Forwarded-Proto": "https"}
        )
        cookie = behind_tls.headers["set-cookie"]
        assert cookie.startswith("__Host-lifeline_session=")
        assert "Secure" in cookie.split("; ")


async def test_the_database_holds_neither_password_nor_token(address: str, city_url: str, name: str) -> None:
    async with browser_of(address, name) as browser:
        token = browser.cookies["lifeline_session"]
        async with connected(city_url) as connection:
            for table in ("user_session", "user_account", "audit", "login_attempt"):
                cursor = await connection.execute(f"select {table}::text from {table}".encode())
                assert not any(token in row[0] or PASSWORD in row[0] for row in await cursor.fetchall())
            cursor = await connection.execute("select password_hash from user_account where name = %s", (name,))
            row = await cursor.fetchone()
    assert row is not None
    assert row[0].startswith("$argon2id$")


async def test_a_login_gives_a_fresh_token_and_ends_the_one_before(address: str, name: str) -> None:
    async with browser_of(address, name) as browser:
        first = browser.cookies["lifeline_session"]
        await log_in(browser, name)
        assert browser.cookies["lifeline_session"] != first
        async with client(address, None) as other:
            other.cookies.set("lifeline_session", first)
            problem_of(await other.get("/me"), 401, "key-needed")


async def test_wrong_passwords_and_unknown_names_are_told_alike(address: str, city_url: str, name: str) -> None:
    async with client(address, None) as browser:
        answers = [
            problem_of(await browser.post("/login", json={"name": who, "password": "wrong"}), 401, "login-refused")
            for who in (name, "nobody-at-all")
        ]
    assert answers[0] | {"request_id": ""} == answers[1] | {"request_id": ""}


async def test_whoever_tries_passwords_has_to_wait_also_after_a_restart_of_nothing_but_the_api(
    address: str, city_url: str, name: str
) -> None:
    async with client(address, None) as browser:
        for _ in range(login_attempts.OF_ACCOUNT):
            problem_of(await browser.post("/login", json={"name": name, "password": "wrong"}), 401, "login-refused")
        refused = await browser.post("/login", json={"name": name, "password": PASSWORD})
        problem_of(refused, 429, "too-many")
        assert 800 < int(refused.headers["retry-after"]) <= 900
        # The attempts stand in the database; when they are old enough, the right password opens again.
        async with connected(city_url) as connection:
            await connection.execute("update login_attempt set at = at - interval '16 minutes'")
        await log_in(browser, name)


async def test_an_address_that_tries_many_names_has_to_wait(address: str, name: str) -> None:
    async with client(address, None) as browser:
        for number in range(login_attempts.FROM_ADDRESS):
            await browser.post("/login", json={"name": f"guess-{number}", "password": "wrong"})
        problem_of(await browser.post("/login", json={"name": name, "password": PASSWORD}), 429, "too-many")


async def test_attempts_at_the_same_moment_gain_nothing(address: str, city_url: str, name: str) -> None:
    import asyncio

    async with client(address, None) as browser:
        answers = await asyncio.gather(
            *(browser.post("/login", json={"name": name, "password": "wrong"}) for _ in range(25))
        )
    assert [answer.status_code for answer in answers].count(401) == login_attempts.OF_ACCOUNT


async def test_a_disabled_user_is_out_at_once(address: str, city_url: str, name: str, api: httpx.AsyncClient) -> None:
    async with browser_of(address, name) as browser:
        assert (await api.patch(f"/users/{name}", json={"enabled": False})).json()["enabled"] is False
        problem_of(await browser.get("/alerts"), 401, "key-needed")
        problem_of(await browser.post("/login", json={"name": name, "password": PASSWORD}), 401, "login-refused")
        assert (await api.patch(f"/users/{name}", json={"enabled": True})).status_code == 200
        await log_in(browser, name)


async def test_roles_count_from_the_next_request_on(address: str, name: str, api: httpx.AsyncClient) -> None:
    async with browser_of(address, name) as browser:
        problem_of(await browser.get("/audit"), 403, "not-permitted")
        await api.patch(f"/users/{name}", json={"roles": ["analyst"]})
        assert (await browser.get("/audit")).status_code == 200


async def test_a_new_password_ends_every_other_session(address: str, name: str) -> None:
    async with browser_of(address, name) as here, browser_of(address, name) as there:
        short = await here.post("/me/password", json={"password": PASSWORD, "new_password": "short"})
        problem_of(short, 422, "not-valid")
        own = await here.post("/me/password", json={"password": PASSWORD, "new_password": f"{name}-{name}"})
        problem_of(own, 422, "not-valid")
        wrong = await here.post("/me/password", json={"password": "wrong", "new_password": "a brand new password"})
        problem_of(wrong, 401, "login-refused")
        changed = await here.post("/me/password", json={"password": PASSWORD, "new_password": "a brand new password"})
        assert changed.status_code == 204, changed.text
        assert (await here.get("/me")).status_code == 200
        problem_of(await there.get("/me"), 401, "key-needed")
        await log_in(there, name, "a brand new password")


async def test_an_administrator_adds_changes_and_resets_users(
    address: str, city_url: str, api: httpx.AsyncClient
) -> None:
    asked = {"name": "new-hand", "label": "New Hand", "roles": ["field-crew"], "limits": {"lifelines": ["gas"]}}
    added = await api.post("/users", json=asked)
    assert added.status_code == 201, added.text
    made = added.json()
    assert made["limits"] == {"organisations": None, "lifelines": ["gas"], "zones": None}
    problem_of(await api.post("/users", json=asked), 409, "exists-already")
    problem_of(await api.post("/users", json=asked | {"name": "Not A Name"}), 422, "not-valid")
    problem_of(await api.post("/users", json=asked | {"name": "b", "roles": ["king"]}), 422, "not-valid")
    nowhere = asked | {"name": "b", "limits": {"organisations": ["nowhere"]}}
    problem_of(await api.post("/users", json=nowhere), 422, "not-valid")
    async with client(address, None) as browser:
        await log_in(browser, "new-hand", made["password"])
        reset = (await api.post("/users/new-hand/password", json={})).json()
        problem_of(await browser.get("/me"), 401, "key-needed")
        await log_in(browser, "new-hand", reset["password"])
    assert "new-hand" in {user["name"] for user in (await api.get("/users")).json()}
    actions = [(action, actor) for action, actor, _ in await trail(city_url, "new-hand") if action != "login"]
    assert actions == [("user.add", "everything"), ("user.password", "everything")]
    assert made["password"] not in str((await api.get("/audit")).json())


async def test_the_last_login_is_on_record_and_is_no_change_of_the_user(
    address: str, name: str, api: httpx.AsyncClient
) -> None:
    before = await api.get(f"/users/{name}")
    assert before.json()["last_login_at"] is None
    async with browser_of(address, name):
        after = await api.get(f"/users/{name}")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(after.json()["last_login_at"])) < timedelta(minutes=5)
    assert after.headers["etag"] == before.headers["etag"]


async def test_nobody_changes_what_they_may_do_themselves(address: str, city_url: str) -> None:
    await add_person(city_url, "root-user", [Role.ADMINISTRATOR])
    async with browser_of(address, "root-user") as browser:
        changes: list[dict[str, Any]] = [{"roles": ["administrator", "operator"]}, {"enabled": False}, {"limits": {}}]
        for change in changes:
            problem_of(await browser.patch("/users/root-user", json=change), 409, "not-possible")
        assert (await browser.patch("/users/root-user", json={"label": "Chief"})).json()["label"] == "Chief"


async def test_a_user_changed_meanwhile_is_not_overwritten(city_url: str, name: str, api: httpx.AsyncClient) -> None:
    seen = await api.get(f"/users/{name}")
    assert seen.headers["etag"] == '"1"'
    first = await api.patch(f"/users/{name}", json={"label": "One"}, headers={"If-Match": seen.headers["etag"]})
    assert first.status_code == 200
    second = await api.patch(f"/users/{name}", json={"label": "Two"}, headers={"If-Match": seen.headers["etag"]})
    problem_of(second, 412, "changed-meanwhile")
    async with connected(city_url) as connection:
        known = await users.find_user(connection, name)
    assert known is not None
    assert known.label == "One"
