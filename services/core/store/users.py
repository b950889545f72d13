"""Users: people who log in, what they are, and to which part of the city they are confined."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.limits import CITY_WIDE, Limits
from services.core.role import Role
from services.core.store import audit

SUBJECT = "user"
"""How the audit trail calls a user; its subject is the user's name."""
NAME_PATTERN = r"^[a-z0-9][a-z0-9._@+\-]{0,79}$"
"""What a user may be called: as in addresses, in small letters, so that two names never look alike."""


def is_name(name: str) -> bool:
    """Whether a user may be called so."""
    return re.fullmatch(NAME_PATTERN, name) is not None


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in; ``issuer`` and ``subject`` are the identity provider's, where one answers for them."""

    name: str
    label: str
    roles: frozenset[Role]
    limits: Limits
    created_at: datetime
    disabled_at: datetime | None
    version: int
    issuer: str | None
    subject: str | None
    last_login_at: datetime | None


def _user(row: Mapping[str, Any]) -> User:
    return User(
        name=row["name"],
        label=row["label"],
        roles=frozenset(Role(role) for role in row["roles"]),
        limits=Limits.of(row["organisations"], row["lifelines"], row["zones"]),
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
        version=row["version"],
        issuer=row["issuer"],
        subject=row["subject"],
        last_login_at=row["last_login_at"],
    )


async def load_users(connection: AsyncConnection) -> list[User]:
    """Every user, disabled ones among them."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from user_account order by name")
        return [_user(row) for row in await cursor.fetchall()]


async def find_user(connection: AsyncConnection, name: str, *, lock: bool = False) -> User | None:
    """One user by name."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"select * from user_account where name = %s {'for update' if lock else ''}", (name,))
        row = await cursor.fetchone()
    return None if row is None else _user(row)


async def find_of_provider(connection: AsyncConnection, issuer: str, subject: str) -> User | None:
    """The user whom an identity provider knows by this subject."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from user_account where issuer = %s and subject = %s", (issuer, subject))
        row = await cursor.fetchone()
    return None if row is None else _user(row)


async def password_hash_of(connection: AsyncConnection, name: str) -> str | None:
    """The hash of a user's password; ``None`` for nobody, a disabled user, and one without a password."""
    cursor = await connection.execute(
        "select password_hash from user_account where name = %s and disabled_at is null", (name,)
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def add_user(
    connection: AsyncConnection,
    name: str,
    label: str,
    roles: Iterable[Role],
    *,
    limits: Limits = CITY_WIDE,
    password_hash: str | None = None,
    provider: tuple[str, str] | None = None,
    actor: str = audit.SYSTEM,
) -> User:
    """Add a user with a password, or one for whom a provider (issuer, subject) answers.

    Raises:
        psycopg.errors.UniqueViolation: the name is taken.
    """
    issuer, subject = provider or (None, None)
    await connection.execute(
        """
        insert into user_account (name, label, roles, organisations, lifelines, zones, password_hash, issuer, subject)
        values (%(name)s, %(label)s, %(roles)s, %(organisations)s, %(lifelines)s, %(zones)s, %(password_hash)s,
            %(issuer)s, %(subject)s)
        """,
        {
            "name": name,
            "label": label,
            "roles": sorted(roles),
            "password_hash": password_hash,
            "issuer": issuer,
            "subject": subject,
            **limits.names(),
        },
    )
    return await _changed(connection, name, None, "user.add", actor)


async def change_user(
    connection: AsyncConnection, before: User, *, label: str, roles: Iterable[Role], limits: Limits, actor: str
) -> User:
    """Give a user another label, other roles or limits; they count from the next request on."""
    await connection.execute(
        """
        update user_account set label = %(label)s, roles = %(roles)s, organisations = %(organisations)s,
            lifelines = %(lifelines)s, zones = %(zones)s, version = version + 1
        where name = %(name)s
        """,
        {"name": before.name, "label": label, "roles": sorted(roles), **limits.names()},
    )
    return await _changed(connection, before.name, before, "user.change", actor)


async def switch_user(connection: AsyncConnection, before: User, *, enabled: bool, actor: str) -> User:
    """Lock a user out at once, or let them in again."""
    await connection.execute(
        "update user_account set disabled_at = %s, version = version + 1 where name = %s",
        (None if enabled else datetime.now().astimezone(), before.name),
    )
    if not enabled:
        await _end_sessions(connection, before.name)
    return await _changed(connection, before.name, before, "user.enable" if enabled else "user.disable", actor)


async def set_password(connection: AsyncConnection, before: User, password_hash: str, *, actor: str) -> User:
    """Give a user a new password; every session of theirs ends.

    Raises:
        LookupError: an identity provider answers for this user.
    """
    if before.issuer is not None:
        raise LookupError(f"{before.issuer} answers for {before.name}, who has no password here")
    await connection.execute(
        "update user_account set password_hash = %s, version = version + 1 where name = %s",
        (password_hash, before.name),
    )
    await _end_sessions(connection, before.name)
    return await _changed(connection, before.name, before, "user.password", actor)


async def strengthen_password(connection: AsyncConnection, name: str, password_hash: str) -> None:
    """Keep the same password under a better hash."""
    await connection.execute("update user_account set password_hash = %s where name = %s", (password_hash, name))


async def note_login(connection: AsyncConnection, name: str) -> None:
    """A user has come in just now: no change of the user, whose version stays."""
    await connection.execute("update user_account set last_login_at = now() where name = %s", (name,))


async def _end_sessions(connection: AsyncConnection, name: str) -> None:
    await connection.execute("delete from user_session where user_name = %s", (name,))


async def _changed(connection: AsyncConnection, name: str, before: User | None, action: str, actor: str) -> User:
    after = await find_user(connection, name)
    assert after is not None  # noqa: S101 - it was written just now
    await audit.record(
        connection,
        actor=actor,
        action=action,
        subject_kind=SUBJECT,
        subject=name,
        before=None if before is None else _told(before),
        after=_told(after),
    )
    return after


def _told(user: User) -> dict[str, Any]:
    provider = {} if user.issuer is None else {"issuer": user.issuer}
    state = {"label": user.label, "roles": sorted(user.roles), "enabled": user.disabled_at is None}
    return state | provider | dict(user.limits.names())
