"""Logging in with an OpenID Connect provider that runs beside the API as a process of its own."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from services.api.identity_provider import IdentityProvider, ProviderError, challenge_of
from services.core.provider_groups import ProviderGroups
from services.demo.ports import free_port
from tests.integration.api.harness import client, connected, problem_of, serving

PEOPLE: dict[str, dict[str, Any]] = {
    "sub-1": {"preferred_username": "Wang.Li", "name": "王丽", "groups": ["duty-desk", "choir"]},
    "sub-2": {"preferred_username": "no.group", "name": "No Group", "groups": ["choir"]},
    "sub-3": {"preferred_username": "gas.crew", "name": "Gas Crew", "groups": "gas-crew"},
    "sub-4": {"preferred_username": "taken", "name": "Taken", "groups": ["duty-desk"]},
    "sub-5": {"preferred_username": "Robert'); drop table user_account;--", "groups": ["duty-desk"]},
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    port = free_port(0)
    claims = [part for sub, more in PEOPLE.items() for part in ("--user-claims", json.dumps({"sub": sub} | more))]
    # Its own warnings about its libraries are none of ours.
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce"]
    with subprocess.Popen([*command, *claims], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://localhost:{port}"
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                with contextlib.suppress(httpx.TransportError):
                    httpx.get(f"{address}/.well-known/openid-configuration")
                    break
                time.sleep(0.1)
            yield address
        finally:
            process.kill()


@pytest.fixture(scope="module")
def address(city_url: str, issuer: str) -> Iterator[str]:
    with serving(
        city_url,
        oidc_issuer=issuer,
        oidc_client_secret=SecretStr("between us"),
        oidc_roles={"duty-desk": ["operator", "dispatcher"], "gas-crew": ["field-crew"]},
        oidc_limits={"gas-crew": {"lifelines": ["gas"]}},
    ) as served:
        yield served


@pytest.fixture
async def browser(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with client(address, None) as opened:
        yield opened


async def authorised(browser: httpx.AsyncClient, subject: str) -> tuple[str, str]:
    """Where the provider sends a browser whose person has logged in there, and what it was asked."""
    begun = await browser.get("/login/provider")
    assert begun.status_code == 303, begun.text
    asked = begun.headers["location"]
    there = await browser.post(asked, data={"sub": subject})
    assert there.status_code == 302, there.text
    return there.headers["location"], asked


async def test_somebody_comes_back_with_roles_and_limits_of_their_groups(
    browser: httpx.AsyncClient, address: str, issuer: str
) -> None:
    assert (await browser.get("/login")).json() == {"password": True, "provider": "/api/v1/login/provider"}
    back, asked = await authorised(browser, "sub-1")
    query = parse_qs(urlsplit(asked).query)
    assert query["code_challenge_method"] == ["S256"]
    assert (len(query["code_challenge"][0]), len(query["state"][0]), len(query["nonce"][0])) == (43, 43, 43)
    answer = await browser.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{address}/")
    me = (await browser.get("/me")).json()
    assert (me["name"], me["label"], me["roles"]) == ("wang.li", "王丽", ["dispatcher", "operator"])
    assert me["limits"] == {"organisations": None, "lifelines": None, "zones": None}
    done = await browser.post("/logout", headers={"X-CSRF-Token": me["csrf_token"]})
    assert done.status_code == 204
    back, _ = await authorised(browser, "sub-3")
    assert (await browser.get(back)).status_code == 303
    me = (await browser.get("/me")).json()
    assert (me["name"], me["roles"], me["limits"]["lifelines"]) == ("gas.crew", ["field-crew"], ["gas"])


async def test_a_user_of_the_provider_has_no_password_here(browser: httpx.AsyncClient, api: httpx.AsyncClient) -> None:
    back, _ = await authorised(browser, "sub-1")
    assert (await browser.get(back)).status_code == 303
    problem_of(await api.post("/users/wang.li/password", json={}), 409, "not-possible")
    problem_of(await browser.post("/login", json={"name": "wang.li", "password": ""}), 422, "not-valid")
    problem_of(await browser.post("/login", json={"name": "wang.li", "password": "x"}), 401, "login-refused")


@pytest.mark.parametrize("subject", ["sub-2", "sub-4", "sub-5"])
async def test_whom_the_groups_do_not_know_or_whose_name_is_taken_stays_out(
    browser: httpx.AsyncClient, city_url: str, subject: str
) -> None:
    async with connected(city_url) as connection:
        await connection.execute(
            "insert into user_account (name, label, roles) values ('taken', 'x', '{analyst}') on conflict do nothing"
        )
    back, _ = await authorised(browser, subject)
    problem_of(await browser.get(back), 401, "login-refused")
    problem_of(await browser.get("/me"), 401, "key-needed")


async def test_a_locked_out_person_stays_out(browser: httpx.AsyncClient, api: httpx.AsyncClient) -> None:
    back, _ = await authorised(browser, "sub-3")
    assert (await browser.get(back)).status_code == 303
    assert (await api.patch("/users/gas.crew", json={"enabled": False})).status_code == 200
    problem_of(await browser.get("/me"), 401, "key-needed")
    back, _ = await authorised(browser, "sub-3")
    problem_of(await browser.get(back), 401, "login-refused")
    await api.patch("/users/gas.crew", json={"enabled": True})


async def test_an_answer_counts_once_in_the_browser_that_asked_alone(browser: httpx.AsyncClient, address: str) -> None:
    back, _ = await authorised(browser, "sub-1")
    async with client(address, None) as another:
        problem_of(await another.get(back), 401, "login-refused")
    # Whoever tried took it: it is over for the first browser as well.
    problem_of(await browser.get(back), 401, "login-refused")
    back, _ = await authorised(browser, "sub-1")
    assert (await browser.get(back)).status_code == 303
    problem_of(await browser.get(back), 401, "login-refused")


async def test_an_answer_that_comes_late_or_was_changed_is_refused(browser: httpx.AsyncClient, city_url: str) -> None:
    back, _ = await authorised(browser, "sub-1")
    with psycopg.connect(city_url) as connection:
        connection.execute("update provider_login set began_at = began_at - interval '11 minutes'")
    problem_of(await browser.get(back), 401, "login-refused")
    back, _ = await authorised(browser, "sub-1")
    problem_of(await browser.get(back.replace("code=", "code=x")), 401, "login-refused")
    with psycopg.connect(city_url) as connection:
        connection.execute("delete from provider_login")
    back, _ = await authorised(browser, "sub-1")
    with psycopg.connect(city_url) as connection:
        connection.execute("update provider_login set nonce = 'another'")
    problem_of(await browser.get(back), 401, "login-refused")


async def test_a_token_for_another_service_or_from_another_issuer_is_not_believed(
    browser: httpx.AsyncClient, issuer: str, address: str
) -> None:
    back, _ = await authorised(browser, "sub-1")
    code = parse_qs(urlsplit(back).query)["code"][0]
    redirect = f"{address}/api/v1/login/provider/answer"
    other = IdentityProvider(issuer, "another-service", None, "openid", groups=ProviderGroups())
    with pytest.raises(ProviderError):
        await other.identity_behind(code, redirect, "n", "v" * 43)
    elsewhere = IdentityProvider(issuer.replace("localhost", "127.0.0.1"), "x", None, "openid", groups=ProviderGroups())
    with pytest.raises(ProviderError, match=r"did not answer|calls itself"):
        await elsewhere.identity_behind(code, redirect, "n", "v" * 43)


def test_the_challenge_is_the_example_of_the_standard() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_provider_without_tls_must_be_on_this_machine() -> None:
    with pytest.raises(ValueError, match="https"):
        IdentityProvider("http://login.example", "lifeline", None, "openid", groups=ProviderGroups())
