"""Keys of the API: only their hash is stored."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import AsyncConnection

from services.core.permission import Permission

_PREFIX = "lk_"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who presented a key, and what they may do."""

    actor: str
    permissions: frozenset[Permission]


def new_key() -> str:
    """A random key with 256 bits of entropy."""
    return _PREFIX + secrets.token_urlsafe(32)


def _hash(key: str) -> bytes:
    # A key is random and long, so a plain digest is enough; a slow password hash would only slow every request.
    return hashlib.sha256(key.encode()).digest()


async def save_key(
    connection: AsyncConnection, identifier: str, key: str, actor: str, permissions: Iterable[Permission]
) -> None:
    """Add a key or replace the one of the same identifier."""
    await connection.execute(
        """
        insert into api_key (id, hash, actor, permissions) values (%s, %s, %s, %s)
        on conflict (id) do update set hash = excluded.hash, actor = excluded.actor,
            permissions = excluded.permissions, revoked_at = null
        """,
        (identifier, _hash(key), actor, [permission.value for permission in permissions]),
    )


async def find_caller(connection: AsyncConnection, key: str) -> Caller | None:
    """Who a key belongs to; ``None`` for an unknown, expired or revoked one."""
    cursor = await connection.execute(
        """
        select actor, permissions from api_key
        where hash = %s and revoked_at is null and (expires_at is null or expires_at > now())
        """,
        (_hash(key),),
    )
    row = await cursor.fetchone()
    return None if row is None else Caller(row[0], frozenset(Permission(name) for name in row[1]))
