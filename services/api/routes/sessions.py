"""Logging in and out with a browser, and who somebody is."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, status

from services.api import browser_session, login, problems
from services.api.access_answers import LoginRequest, LoginWaysAnswer, MeAnswer, PasswordRequest, me_answer
from services.api.security import Connection, KnownCaller, pool_of
from services.core.password import PasswordNotGoodError, check_password, hash_password
from services.core.store import audit, user_sessions, users
from services.core.store.pool import Pool

router = APIRouter(tags=["who may"])
FreePool = Annotated[Pool, Depends(pool_of)]


@router.get("/login", summary="How people can log in")
async def login_ways(request: Request) -> LoginWaysAnswer:
    """Whether an identity provider is there beside passwords; needs no key."""
    provider = request.app.state.provider
    return LoginWaysAnswer(password=True, provider=None if provider is None else "/api/v1/login/provider")


@router.post("/login", summary="Log in", responses=problems.documented(429))
async def log_in(asked: LoginRequest, request: Request, response: Response, pool: FreePool) -> MeAnswer:
    """Sets the session's cookie; needs no key. Whoever gets it wrong too often waits, as `Retry-After` says."""
    browser_session.check_origin(request, request.app.state.api_url)
    name = asked.name.strip().lower()
    await login.check_credentials(request, pool, name, asked.password.get_secret_value())
    async with pool.connection(timeout=5.0) as connection:
        token = await login.open_session(request, response, connection, name, way="password")
        caller = await user_sessions.find_caller(connection, token, idle=request.app.state.session_idle)
    if caller is None:
        # Locked out in this very moment.
        raise problems.login_refused()
    return me_answer(caller, browser_session.csrf_token(token))


@router.post("/logout", summary="Log out", status_code=status.HTTP_204_NO_CONTENT)
async def log_out(request: Request, response: Response, connection: Connection, caller: KnownCaller) -> None:
    """Ends the session that the request came with; with a key, nothing ends."""
    token = browser_session.token_of(request)
    if not caller.is_user or token is None:
        return
    await user_sessions.close_session(connection, token)
    await audit.record(
        connection, actor=caller.actor, action="logout", subject_kind=user_sessions.SUBJECT, subject=caller.actor
    )
    browser_session.take_back(request, response)


@router.get("/me", summary="Who am I")
async def who_am_i(request: Request, caller: KnownCaller) -> MeAnswer:
    """Name, roles, permissions and limits of whoever asks."""
    token = browser_session.token_of(request) if caller.is_user else None
    return me_answer(caller, None if token is None else browser_session.csrf_token(token))


@router.post(
    "/me/password",
    summary="Change my password",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems.documented(409, 429),
)
async def change_password(
    asked: PasswordRequest,
    request: Request,
    response: Response,
    connection: Connection,
    caller: KnownCaller,
    pool: FreePool,
) -> None:
    """Every session of the user ends, and this browser gets a new one."""
    if not caller.is_user:
        raise problems.not_possible("key", "a key has no password")
    fresh = asked.new_password.get_secret_value()
    try:
        check_password(fresh, caller.actor)
    except PasswordNotGoodError as error:
        raise problems.not_valid("body.new_password", str(error)) from None
    await login.check_credentials(request, pool, caller.actor, asked.password.get_secret_value())
    password_hash = await asyncio.to_thread(hash_password, fresh)
    known = await users.find_user(connection, caller.actor, lock=True)
    if known is None or known.issuer is not None:
        raise problems.not_possible("user", "the identity provider answers for your password")
    await users.set_password(connection, known, password_hash, actor=caller.actor)
    await login.open_session(request, response, connection, caller.actor, way="new password")
