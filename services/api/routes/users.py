"""Users: added, changed, locked out and given passwords by administrators."""

import asyncio

import psycopg
from fastapi import APIRouter
from psycopg import AsyncConnection

from services.api import problems
from services.api.access_answers import (
    ResetPasswordRequest,
    UserAnswer,
    UserChangeRequest,
    UserPasswordAnswer,
    UserRequest,
    user_fields,
)
from services.api.security import Administrator, Connection
from services.core.caller import Caller
from services.core.password import PasswordNotGoodError, check_password, hash_password, new_password
from services.core.store import organisations, users
from services.core.store.users import User

router = APIRouter(tags=["who may"])


async def _known(connection: AsyncConnection, name: str) -> User:
    found = await users.find_user(connection, name, lock=True)
    if found is None:
        raise problems.not_found("user", name)
    return found


def _good(password: str, name: str, field: str) -> str:
    try:
        check_password(password, name)
    except PasswordNotGoodError as error:
        raise problems.not_valid(field, str(error)) from None
    return password


async def _check_organisations(connection: AsyncConnection, names: list[str] | None) -> None:
    unknown = set(names or []) - set(await organisations.load_organisations(connection))
    if unknown:
        raise problems.not_valid("body.limits.organisations", f"there is no organisation {min(unknown)}")


@router.get("/users", summary="Users")
async def list_users(connection: Connection, _: Administrator) -> list[UserAnswer]:
    """Everybody who may log in, those who are locked out among them."""
    return [UserAnswer(**user_fields(user)) for user in await users.load_users(connection)]


@router.get("/users/{user}", summary="One user", responses=problems.documented(404))
async def get_user(user: str, connection: Connection, _: Administrator) -> UserAnswer:
    """A user with roles and limits."""
    return UserAnswer(**user_fields(await _known(connection, user)))


@router.post("/users", summary="Add a user", status_code=201, responses=problems.documented(409))
async def add_user(request: UserRequest, connection: Connection, caller: Administrator) -> UserPasswordAnswer:
    """A user with a password of their own; one that is made here is shown this once."""
    await _check_organisations(connection, request.limits.organisations)
    made = new_password() if request.password is None else None
    chosen = made or (request.password.get_secret_value() if request.password else "")
    if made is None:
        _good(chosen, request.name, "body.password")
    password_hash = await asyncio.to_thread(hash_password, chosen)
    try:
        user = await users.add_user(
            connection,
            request.name,
            request.label,
            set(request.roles),
            limits=request.limits.limits(),
            password_hash=password_hash,
            actor=caller.actor,
        )
    except psycopg.errors.UniqueViolation:
        raise problems.exists_already("user", request.name) from None
    return UserPasswordAnswer(**user_fields(user), password=made)


@router.patch("/users/{user}", summary="Change a user", responses=problems.documented(404, 409))
async def change_user(
    user: str, request: UserChangeRequest, connection: Connection, caller: Administrator
) -> UserAnswer:
    """Label, roles, limits, and whether they may log in; it counts at once, also for sessions that are open."""
    known = await _known(connection, user)
    _refuse_own(known, request, caller)
    if request.limits is not None:
        await _check_organisations(connection, request.limits.organisations)
    if request.label is not None or request.roles is not None or request.limits is not None:
        known = await users.change_user(
            connection,
            known,
            label=known.label if request.label is None else request.label,
            roles=known.roles if request.roles is None else set(request.roles),
            limits=known.limits if request.limits is None else request.limits.limits(),
            actor=caller.actor,
        )
    if request.enabled is not None and request.enabled != (known.disabled_at is None):
        known = await users.switch_user(connection, known, enabled=request.enabled, actor=caller.actor)
    return UserAnswer(**user_fields(known))


def _refuse_own(known: User, request: UserChangeRequest, caller: Caller) -> None:
    """Nobody widens what they may do themselves, or locks themselves out by mistake."""
    is_own = caller.is_user and caller.actor == known.name
    if is_own and (request.roles is not None or request.limits is not None or request.enabled is False):
        raise problems.not_possible("user", "somebody else has to change your own roles, limits or access")


@router.post("/users/{user}/password", summary="Give a user a new password", responses=problems.documented(404, 409))
async def reset_password(
    user: str, request: ResetPasswordRequest, connection: Connection, caller: Administrator
) -> UserPasswordAnswer:
    """Every session of theirs ends; a password that is made here is shown this once."""
    known = await _known(connection, user)
    made = new_password() if request.password is None else None
    chosen = made or (request.password.get_secret_value() if request.password else "")
    if made is None:
        _good(chosen, known.name, "body.password")
    password_hash = await asyncio.to_thread(hash_password, chosen)
    try:
        changed = await users.set_password(connection, known, password_hash, actor=caller.actor)
    except LookupError as error:
        raise problems.not_possible("user", str(error)) from None
    return UserPasswordAnswer(**user_fields(changed), password=made)
