"""Sessions of people in a browser: only the hash of what their cookie holds is stored."""

import hashlib
import secrets
from datetime import timedelta

from psycopg import AsyncConnection

from services.core.caller import Caller
from services.core.limits import Limits
from services.core.role import Role, permissions_of

SUBJECT = "session"
"""How the audit trail calls a login; its subject is the user's name."""
_TOUCH_EVERY = timedelta(minutes=1)


def new_token() -> str:
    """What a cookie holds: 256 random bits."""
    return secrets.token_urlsafe(32)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def open_session(
    connection: AsyncConnection, token: str, user: str, *, lasts: timedelta, address: str | None, browser: str | None
) -> None:
    """Let a token stand for a user, ``lasts`` at the longest; sessions that are over are forgotten."""
    await connection.execute("delete from user_session where expires_at <= now()")
    await connection.execute(
        """
        insert into user_session (hash, user_name, expires_at, address, browser)
        values (%s, %s, now() + %s, %s, left(%s, 200))
        """,
        (_hash(token), user, lasts, address, browser),
    )


async def find_caller(connection: AsyncConnection, token: str, *, idle: timedelta) -> Caller | None:
    """Whose session a token is; ``None`` for an unknown one and one that is over or was not used for ``idle``."""
    cursor = await connection.execute(
        """
        select u.name, u.label, u.roles, u.organisations, u.lifelines, u.zones, s.seen_at < now() - %(touch)s
        from user_session s join user_account u on u.name = s.user_name
        where s.hash = %(hash)s and s.expires_at > now() and s.seen_at > now() - %(idle)s and u.disabled_at is null
        """,
        {"hash": _hash(token), "idle": idle, "touch": min(_TOUCH_EVERY, idle / 4)},
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    name, label, roles, organisations, lifelines, zones, is_stale = row
    if is_stale:
        await connection.execute("update user_session set seen_at = now() where hash = %s", (_hash(token),))
    known = frozenset(Role(role) for role in roles)
    limits = Limits.of(organisations, lifelines, zones)
    return Caller(name, permissions_of(known), f"user:{name}", limits, known, label)


async def close_session(connection: AsyncConnection, token: str) -> None:
    """End a session; nothing happens where there is none."""
    await connection.execute("delete from user_session where hash = %s", (_hash(token),))
