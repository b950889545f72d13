"""Who may do what: the one place where a request is let in, by key or by session, and confined to its caller's part."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from psycopg import AsyncConnection
from rfc9457 import Problem

from services.api import browser_session, preconditions, problems, repeated_requests
from services.api.city_wide import is_city_wide
from services.core.caller import Caller
from services.core.permission import Permission
from services.core.store import api_keys, audit, limited_views, user_sessions
from services.core.store.pool import Pool

_bearer = HTTPBearer(auto_error=False, description="An API key, `lk_…`")
_cookie = APIKeyCookie(
    name=browser_session.COOKIE,
    auto_error=False,
    scheme_name="Session",
    description="Set by `POST /api/v1/login`; changes carry `X-CSRF-Token` as well",
)


async def pool_of(request: Request) -> Pool:
    """The application's pool of connections."""
    pool: Pool = request.app.state.pool
    return pool


async def connection_of(pool: Annotated[Pool, Depends(pool_of)]) -> AsyncIterator[AsyncConnection]:
    """A connection with one transaction: committed when the route returns, rolled back when it raises."""
    async with pool.connection(timeout=5.0) as connection:
        yield connection


# Scope "function" ends the transaction before the answer is sent: a caller that reads "closed" may rely on it.
Connection = Annotated[AsyncConnection, Depends(connection_of, scope="function")]
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def address_of(request: Request) -> str | None:
    """The network address that a request came from."""
    return None if request.client is None else request.client.host


def requires(permission: Permission | None, *others: Permission) -> Callable[..., Awaitable[Caller]]:
    """A dependency that lets a request pass only for somebody with the permission, or with one of some others.

    ``None`` lets anybody pass whom we know.
    """

    async def caller(
        request: Request,
        response: Response,
        connection: Connection,
        credentials: _Credentials,
        _: Annotated[str | None, Depends(_cookie)],
    ) -> Caller:
        found = await identify(request, connection, credentials)
        origin = audit.Origin(address_of(request), found.key_name)
        _count(request, found.key_name)
        if permission is not None and found.permissions.isdisjoint({permission, *others}):
            await _note_refusal(request, connection, origin, f"may not {permission}", found.actor)
            raise problems.not_permitted(permission)
        path = getattr(request.scope.get("route"), "path", "")
        if not found.limits.is_city_wide and is_city_wide(request.method, path, permission):
            await _note_refusal(request, connection, origin, "is confined to a part of the city", found.actor)
            raise problems.outside_limits()
        audit.came_from(origin)
        await limited_views.confine(connection, found.limits)
        is_secret = permission in {None, Permission.ADMINISTER}
        await repeated_requests.claim(request, connection, found.key_name, is_secret=is_secret)
        await preconditions.check(request, response, connection, path)
        return found

    caller.__name__ = f"requires_{'caller' if permission is None else permission.value}"
    return caller


async def identify(
    request: Request, connection: AsyncConnection, credentials: HTTPAuthorizationCredentials | None
) -> Caller:
    """Who sent a request, by its key or else by the session of its browser.

    Raises:
        Problem: 401, nobody we know; 403, a change that the page of another site sent; 429, too many refusals.
    """
    if credentials is not None or "authorization" in request.headers:
        found = None if credentials is None else await api_keys.find_caller(connection, credentials.credentials)
        if found is not None:
            return found
        _count(request, f"refused {address_of(request)}")
        if credentials is not None and credentials.credentials:
            name, reason = await api_keys.why_refused(connection, credentials.credentials)
            await _note_refusal(request, connection, audit.Origin(address_of(request), name), reason, None)
        raise problems.no_key()
    token = browser_session.token_of(request)
    if token is None:
        raise problems.no_key()
    found = await user_sessions.find_caller(connection, token, idle=request.app.state.session_idle)
    if found is None:
        _count(request, f"refused {address_of(request)}")
        await _note_refusal(request, connection, audit.Origin(address_of(request)), "no such session", None)
        raise problems.no_key()
    try:
        browser_session.check_meant(request, token, request.app.state.api_url)
    except Problem:
        await _note_refusal(
            request, connection, audit.Origin(address_of(request), found.key_name), "not meant by a page", found.actor
        )
        raise
    return found


async def found_again(request: Request, pool: Pool) -> Caller | None:
    """Who sent a request that was let in a while ago; ``None`` when their key or session has ended since."""
    async with pool.connection(timeout=5.0) as connection:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme:
            return await api_keys.find_caller(connection, key.strip())
        token = browser_session.token_of(request) or ""
        return await user_sessions.find_caller(connection, token, idle=request.app.state.session_idle)


def _count(request: Request, sender: str) -> None:
    wait_s = request.app.state.call_rates.take(sender)
    if wait_s > 0:
        raise problems.too_many(math.ceil(wait_s))


async def _note_refusal(
    request: Request, connection: AsyncConnection, origin: audit.Origin, reason: str, actor: str | None
) -> None:
    """Put a refusal into the trail, unless a line of the last minute stands for it; nothing else is written yet."""
    told = request.app.state.refused_keys.note(origin.address, reason)
    if told is None:
        return
    route = request.scope.get("route")
    with audit.coming_from(origin):
        await audit.record(
            connection,
            actor=actor or "nobody",
            action="key.refused",
            subject_kind=api_keys.SUBJECT,
            subject=origin.key_name or "unknown",
            after={"reason": reason, "method": request.method, "route": getattr(route, "path", "unknown"), **told},
        )
    # The refusal itself ends the transaction without a trace.
    await connection.commit()


_read = requires(Permission.READ)


async def reads_public_messages(
    request: Request,
    response: Response,
    connection: Connection,
    credentials: _Credentials,
    cookie: Annotated[str | None, Depends(_cookie)],
) -> None:
    """Whoever may read; anybody where the city publishes its messages to all."""
    if not request.app.state.cap_public:
        await _read(request, response, connection, credentials, cookie)


PublicReader = Annotated[None, Depends(reads_public_messages)]
KnownCaller = Annotated[Caller, Depends(requires(None))]
Reader = Annotated[Caller, Depends(requires(Permission.READ))]
Operator = Annotated[Caller, Depends(requires(Permission.OPERATE))]
Approver = Annotated[Caller, Depends(requires(Permission.APPROVE))]
Reporter = Annotated[Caller, Depends(requires(Permission.REPORT))]
Handler = Annotated[Caller, Depends(requires(Permission.HANDLE))]
ShiftWorker = Annotated[Caller, Depends(requires(Permission.OPERATE, Permission.HANDLE))]
"""Who works in shifts: at the centre's desk or with a crew."""
Auditor = Annotated[Caller, Depends(requires(Permission.AUDIT))]
Administrator = Annotated[Caller, Depends(requires(Permission.ADMINISTER))]
