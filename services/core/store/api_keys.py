"""Keys of the API: only their hash is stored."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection

from services.core.permission import Permission
from services.core.store import audit

SUBJECT = "key"
"""How the audit trail calls a key; its subject is the key's name."""
_PREFIX = "lk_"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who presented a key, what they may do, and what the key is called."""

    actor: str
    permissions: frozenset[Permission]
    key_name: str = ""


def new_key() -> str:
    """A random key with 256 bits of entropy."""
    return _PREFIX + secrets.token_urlsafe(32)


def _hash(key: str) -> bytes:
    # A key is random and long, so a plain digest is enough; a slow password hash would only slow every request.
    return hashlib.sha256(key.encode()).digest()


async def save_key(
    connection: AsyncConnection,
    identifier: str,
    key: str,
    actor: str,
    permissions: Iterable[Permission],
    *,
    issuer: str = audit.SYSTEM,
) -> None:
    """Add a key or replace the one of the same identifier; the trail says what changed, and never the key."""
    names = [permission.value for permission in permissions]
    before = await _known(connection, identifier)
    if before == (_hash(key), actor, names, None):
        return
    await connection.execute(
        """
        insert into api_key (id, hash, actor, permissions) values (%s, %s, %s, %s)
        on conflict (id) do update set hash = excluded.hash, actor = excluded.actor,
            permissions = excluded.permissions, revoked_at = null
        """,
        (identifier, _hash(key), actor, names),
    )
    await audit.record(
        connection,
        actor=issuer,
        action="key.issue",
        subject_kind=SUBJECT,
        subject=identifier,
        before=None if before is None else {"actor": before[1], "permissions": before[2]},
        after={"actor": actor, "permissions": names},
    )


async def revoke_key(connection: AsyncConnection, identifier: str, *, actor: str) -> bool:
    """End a key; ``False`` where it has ended already.

    Raises:
        LookupError: there is no key of this name.
    """
    before = await _known(connection, identifier)
    if before is None:
        raise LookupError(f"there is no key {identifier!r}")
    cursor = await connection.execute(
        "update api_key set revoked_at = now() where id = %s and revoked_at is null", (identifier,)
    )
    if cursor.rowcount == 0:
        return False
    await audit.record(
        connection,
        actor=actor,
        action="key.revoke",
        subject_kind=SUBJECT,
        subject=identifier,
        before={"actor": before[1], "permissions": before[2]},
    )
    return True


async def _known(connection: AsyncConnection, identifier: str) -> tuple[bytes, str, list[str], datetime | None] | None:
    cursor = await connection.execute(
        "select hash, actor, permissions, revoked_at from api_key where id = %s", (identifier,)
    )
    row = await cursor.fetchone()
    return None if row is None else (bytes(row[0]), row[1], row[2], row[3])


async def find_caller(connection: AsyncConnection, key: str) -> Caller | None:
    """Who a key belongs to; ``None`` for an unknown, expired or revoked one."""
    cursor = await connection.execute(
        """
        select actor, permissions, id from api_key
        where hash = %s and revoked_at is null and (expires_at is null or expires_at > now())
        """,
        (_hash(key),),
    )
    row = await cursor.fetchone()
    return None if row is None else Caller(row[0], frozenset(Permission(name) for name in row[1]), row[2])


async def why_refused(connection: AsyncConnection, key: str) -> tuple[str | None, str]:
    """The name of a key that opens nothing, where it has one, and why: it is revoked, expired or unknown."""
    cursor = await connection.execute("select id, revoked_at is not null from api_key where hash = %s", (_hash(key),))
    row = await cursor.fetchone()
    if row is None:
        return None, "unknown"
    return row[0], "revoked" if row[1] else "expired"
