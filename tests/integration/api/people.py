"""People who log in: users in the database, and browsers that hold their sessions."""

from collections.abc import Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from services.core.limits import CITY_WIDE, Limits
from services.core.password import hash_password
from services.core.role import Role
from services.core.store import users
from tests.integration.api.harness import client, connected

PASSWORD = "correct horse battery staple"
_HASH = hash_password(PASSWORD)


async def add_person(database_url: str, name: str, roles: Iterable[Role], limits: Limits = CITY_WIDE) -> None:
    """A user who logs in with ``PASSWORD``."""
    async with connected(database_url) as connection:
        await users.add_user(connection, name, name.title(), roles, limits=limits, password_hash=_HASH)


async def log_in(browser: httpx.AsyncClient, name: str, password: str = PASSWORD) -> dict[str, Any]:
    """Log a browser in; it sends the token of its session with every change from now on."""
    answer = await browser.post("/login", json={"name": name, "password": password})
    assert answer.status_code == 200, answer.text
    me: dict[str, Any] = answer.json()
    browser.headers["X-CSRF-Token"] = me["csrf_token"]
    return me


@asynccontextmanager
async def browser_of(address: str, name: str) -> Any:
    """A browser in which somebody has logged in."""
    async with client(address, None) as browser:
        await log_in(browser, name)
        yield browser
