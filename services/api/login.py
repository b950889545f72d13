"""Logging in: attempts are counted before a password is looked at, and few passwords are looked at at a time."""

import asyncio
import math
from datetime import timedelta

from fastapi import Request, Response
from psycopg import AsyncConnection

from services.api import browser_session, problems
from services.api.security import address_of
from services.core.password import hash_password, is_outdated, is_password
from services.core.store import audit, login_attempts, user_sessions, users
from services.core.store.pool import Pool

_AT_A_TIME = 2
"""Passwords looked at at once, of which each takes 64 MiB."""
_looking = asyncio.Semaphore(_AT_A_TIME)


async def check_credentials(request: Request, pool: Pool, name: str, password: str) -> None:
    """Look at a name and a password, without holding a connection meanwhile.

    Raises:
        Problem: 401, they do not fit; 429, too many did not fit lately.
    """
    async with pool.connection(timeout=5.0) as connection:
        attempt = await login_attempts.begin(connection, name, address_of(request))
        password_hash = await users.password_hash_of(connection, name)
    if isinstance(attempt, timedelta):
        await note_failure(request, pool, name, "too many attempts")
        raise problems.too_many(math.ceil(attempt.total_seconds()))
    async with _looking:
        fits = await asyncio.to_thread(is_password, password, password_hash)
        outdated = password_hash is not None and fits and is_outdated(password_hash)
        stronger = await asyncio.to_thread(hash_password, password) if outdated else None
    if not fits:
        await note_failure(request, pool, name, "wrong name or password")
        raise problems.login_refused()
    async with pool.connection(timeout=5.0) as connection:
        await login_attempts.succeeded(connection, attempt)
        if stronger is not None:
            await users.strengthen_password(connection, name, stronger)


async def note_failure(request: Request, pool: Pool, name: str, reason: str) -> None:
    """Put a failed login into the trail, unless a line of the last minute stands for it."""
    told = request.app.state.refused_keys.note(address_of(request), f"login: {reason}")
    if told is None:
        return
    async with pool.connection(timeout=5.0) as connection:
        with audit.coming_from(audit.Origin(address_of(request))):
            await audit.record(
                connection,
                actor="nobody",
                action="login.failed",
                subject_kind=user_sessions.SUBJECT,
                subject=name,
                after={"reason": reason, **told},
            )


async def open_session(
    request: Request, response: Response, connection: AsyncConnection, name: str, *, way: str
) -> str:
    """Let the browser in as a user, with a token that was never used before; an older session of it ends."""
    token = user_sessions.new_token()
    older = browser_session.token_of(request)
    lasts: timedelta = request.app.state.session_lasts
    origin = audit.Origin(address_of(request), f"user:{name}")
    if older is not None:
        await user_sessions.close_session(connection, older)
    await user_sessions.open_session(
        connection, token, name, lasts=lasts, address=origin.address, browser=request.headers.get("user-agent")
    )
    await users.note_login(connection, name)
    with audit.coming_from(origin):
        await audit.record(
            connection,
            actor=name,
            action="login",
            subject_kind=user_sessions.SUBJECT,
            subject=name,
            after={"way": way},
        )
    browser_session.give(request, response, token, lasts.total_seconds())
    return token
