"""Logging in with the identity provider: there and back again."""

import hmac
import secrets
from typing import Annotated
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Query, Request, Response, status
from fastapi.responses import RedirectResponse
from psycopg import AsyncConnection
from rfc9457 import Problem

from services.api import login, problems
from services.api.identity_provider import Identity, IdentityProvider, ProviderError
from services.api.routes.sessions import FreePool
from services.core.store import provider_logins, users
from services.core.store.pool import Pool
from services.core.store.users import User

router = APIRouter(tags=["who may"])
_COOKIE = "lifeline_login"
_PATH = "/api/v1/login"
_ACTOR = "identity provider"

log = structlog.get_logger()


def _provider(request: Request) -> IdentityProvider:
    provider: IdentityProvider | None = request.app.state.provider
    if provider is None:
        raise problems.not_found("way to log in", "with an identity provider")
    return provider


def _here(request: Request) -> str:
    """Our own address, as browsers and the provider know it."""
    return str(request.app.state.api_url or request.base_url).rstrip("/")


@router.get(
    "/login/provider",
    summary="Log in with the identity provider",
    status_code=status.HTTP_303_SEE_OTHER,
    response_class=RedirectResponse,
    responses=problems.documented(404),
)
async def begin(request: Request, pool: FreePool) -> Response:
    """Sends the browser to the provider; needs no key."""
    provider = _provider(request)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    try:
        address = await provider.address_to_begin(f"{_here(request)}{_PATH}/provider/answer", state, nonce, verifier)
    except ProviderError as error:
        raise _away(error) from None
    async with pool.connection(timeout=5.0) as connection:
        await provider_logins.begin(connection, state, nonce, verifier)
    response = RedirectResponse(address, status.HTTP_303_SEE_OTHER)
    # Only the browser that began may come back. It comes from another site, so that the cookie cannot be strict.
    response.set_cookie(
        _COOKIE,
        state,
        max_age=int(provider_logins.PATIENCE.total_seconds()),
        path=_PATH,
        secure=urlsplit(_here(request)).scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(
    "/login/provider/answer",
    summary="Come back from the identity provider",
    status_code=status.HTTP_303_SEE_OTHER,
    response_class=RedirectResponse,
    responses=problems.documented(404),
)
async def come_back(
    request: Request,
    pool: FreePool,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """Where the provider sends the browser back to; opens a session and shows the dashboard. Needs no key."""
    provider = _provider(request)
    async with pool.connection(timeout=5.0) as connection:
        begun = await provider_logins.take(connection, state)
    if begun is None or not hmac.compare_digest(request.cookies.get(_COOKIE, "").encode(), state.encode()):
        await login.note_failure(request, pool, "unknown", "a login that did not begin here")
        raise problems.login_refused()
    nonce, verifier = begun
    try:
        identity = await provider.identity_behind(code, f"{_here(request)}{_PATH}/provider/answer", nonce, verifier)
    except ProviderError as error:
        await login.note_failure(request, pool, "unknown", str(error)[:200])
        raise problems.login_refused() from None
    user = await _user_of(request, pool, identity)
    response = RedirectResponse(f"{_here(request)}/", status.HTTP_303_SEE_OTHER)
    response.delete_cookie(_COOKIE, path=_PATH)
    async with pool.connection(timeout=5.0) as connection:
        await login.open_session(request, response, connection, user.name, way="identity provider")
    return response


async def _user_of(request: Request, pool: Pool, identity: Identity) -> User:
    """The user whom the provider means, with the roles and limits that its groups give now."""
    refusal = None
    async with pool.connection(timeout=5.0) as connection:
        known = await users.find_of_provider(connection, identity.issuer, identity.subject)
        if not identity.roles:
            refusal = "no group of theirs has a role here"
        elif known is None and not users.is_name(identity.name):
            refusal = "the provider gives them no name that can be used here"
        elif known is None and await users.find_user(connection, identity.name) is not None:
            refusal = "somebody else has their name here"
        elif known is not None and known.disabled_at is not None:
            refusal = "they are locked out"
        else:
            return await _kept(connection, known, identity)
    await login.note_failure(request, pool, identity.name[:80], refusal)
    raise problems.login_refused()


async def _kept(connection: AsyncConnection, known: User | None, identity: Identity) -> User:
    if known is None:
        return await users.add_user(
            connection,
            identity.name,
            identity.label,
            identity.roles,
            limits=identity.limits,
            provider=(identity.issuer, identity.subject),
            actor=_ACTOR,
        )
    now = (identity.label, identity.roles, identity.limits)
    if now == (known.label, known.roles, known.limits):
        return known
    return await users.change_user(
        connection, known, label=identity.label, roles=identity.roles, limits=identity.limits, actor=_ACTOR
    )


def _away(error: ProviderError) -> Problem:
    log.warning("the identity provider cannot be used", reason=str(error))
    return problems.provider_away()
