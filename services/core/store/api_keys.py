"""Keys of the API: only their hash is stored."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from services.core.caller import Caller
from services.core.limits import CITY_WIDE, Limits
from services.core.permission import Permission
from services.core.store import audit
from services.core.store.row_versions import VERSION_OF_KEY

SUBJECT = "key"
"""How the audit trail calls a key; its subject is the key's name."""
_PREFIX = "lk_"
_NOTE_USE_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """All that is known of a key; the key itself is not."""

    id: str
    actor: str
    permissions: list[str]
    organisations: list[str] | None
    lifelines: list[str] | None
    zones: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    previous_until: datetime | None
    last_used_at: datetime | None
    """To the hour; ``None``: never."""
    version: int
    """Another one whenever the key was replaced."""


_KNOWN = f"""
    select id, actor, permissions, organisations, lifelines, zones, created_at, expires_at, revoked_at,
        {VERSION_OF_KEY} as version,
        last_used_at, case when previous_until > now() then previous_until end as previous_until
    from api_key
"""


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
    limits: Limits = CITY_WIDE,
    expires_at: datetime | None = None,
    issuer: str = audit.SYSTEM,
) -> None:
    """Add a key or replace the one of the same identifier; the trail says what changed, and never the key."""
    after = {
        "actor": actor,
        "permissions": [permission.value for permission in permissions],
        "expires_at": expires_at,
        **limits.names(),
    }
    before = await _known(connection, identifier)
    if before == {"hash": _hash(key), "revoked_at": None, "previous_hash": None} | after:
        return
    await connection.execute(
        """
        insert into api_key (id, hash, actor, permissions, expires_at, organisations, lifelines, zones)
        values (%(id)s, %(hash)s, %(actor)s, %(permissions)s, %(expires_at)s, %(organisations)s, %(lifelines)s,
            %(zones)s)
        on conflict (id) do update set hash = excluded.hash, actor = excluded.actor,
            permissions = excluded.permissions, expires_at = excluded.expires_at,
            organisations = excluded.organisations, lifelines = excluded.lifelines, zones = excluded.zones,
            revoked_at = null, previous_hash = null, previous_until = null, last_used_at = null
        """,
        {"id": identifier, "hash": _hash(key)} | after,
    )
    await audit.record(
        connection,
        actor=issuer,
        action="key.issue",
        subject_kind=SUBJECT,
        subject=identifier,
        before=None if before is None else _told(before),
        after=_told(after),
    )


async def revoke_key(connection: AsyncConnection, identifier: str, *, actor: str) -> bool:
    """End a key, and the one before it; ``False`` where it has ended already.

    Raises:
        LookupError: there is no key of this name.
    """
    before = await _known(connection, identifier)
    if before is None:
        raise LookupError(f"there is no key {identifier!r}")
    cursor = await connection.execute(
        """
        update api_key set revoked_at = now(), previous_hash = null, previous_until = null
        where id = %s and revoked_at is null
        """,
        (identifier,),
    )
    if cursor.rowcount == 0:
        return False
    await audit.record(
        connection,
        actor=actor,
        action="key.revoke",
        subject_kind=SUBJECT,
        subject=identifier,
        before=_told(before),
    )
    return True


async def rotate_key(
    connection: AsyncConnection, identifier: str, key: str, *, overlap: timedelta, actor: str
) -> KnownKey:
    """Let a new key open what the old one does; the old one works on until ``overlap`` is over.

    Raises:
        LookupError: there is no key of this name, or it has ended.
    """
    cursor = await connection.execute(
        """
        update api_key set previous_hash = hash, previous_until = now() + %s, hash = %s
        where id = %s and revoked_at is null and (expires_at is null or expires_at > now())
        """,
        (overlap, _hash(key), identifier),
    )
    if cursor.rowcount == 0:
        raise LookupError(f"there is no key {identifier!r} that works")
    known = await find_key(connection, identifier)
    assert known is not None  # noqa: S101 - it was changed just now
    await audit.record(
        connection,
        actor=actor,
        action="key.rotate",
        subject_kind=SUBJECT,
        subject=identifier,
        after={"previous_until": None if known.previous_until is None else known.previous_until.isoformat()},
    )
    return known


async def load_keys(connection: AsyncConnection) -> list[KnownKey]:
    """Every key, those that have ended among them."""
    async with connection.cursor(row_factory=class_row(KnownKey)) as cursor:
        await cursor.execute(f"{_KNOWN} order by id")
        return await cursor.fetchall()


async def find_key(connection: AsyncConnection, identifier: str) -> KnownKey | None:
    """What is known of one key."""
    async with connection.cursor(row_factory=class_row(KnownKey)) as cursor:
        await cursor.execute(f"{_KNOWN} where id = %s", (identifier,))
        return await cursor.fetchone()


async def _known(connection: AsyncConnection, identifier: str) -> dict[str, Any] | None:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select hash, actor, permissions, expires_at, organisations, lifelines, zones, revoked_at, previous_hash
            from api_key where id = %s
            """,
            (identifier,),
        )
        return await cursor.fetchone()


def _told(key: Mapping[str, Any]) -> dict[str, Any]:
    """What the trail says of a key: who acts with it and what it opens; limits and an end where it has them."""
    expires_at = key["expires_at"]
    end = {} if expires_at is None else {"expires_at": expires_at.isoformat()}
    limits = {part: key[part] for part in ("organisations", "lifelines", "zones") if key[part] is not None}
    return {"actor": key["actor"], "permissions": key["permissions"], **end, **limits}


async def find_caller(connection: AsyncConnection, key: str) -> Caller | None:
    """Who a key belongs to; ``None`` for an unknown, expired or revoked one."""
    cursor = await connection.execute(
        """
        select actor, permissions, id, organisations, lifelines, zones,
            coalesce(last_used_at < now() - %(note)s, true) and current_setting('transaction_read_only') = 'off'
        from api_key
        where (hash = %(hash)s or previous_hash = %(hash)s and previous_until > now())
            and revoked_at is null and (expires_at is null or expires_at > now())
        """,
        {"hash": _hash(key), "note": _NOTE_USE_EVERY},
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    actor, permissions, name, organisations, lifelines, zones, is_stale = row
    if is_stale:
        await _note_use(connection, name)
    return Caller(
        actor, frozenset(Permission(known) for known in permissions), name, Limits.of(organisations, lifelines, zones)
    )


async def _note_use(connection: AsyncConnection, identifier: str) -> None:
    # Whoever else notes it at this moment is not waited for: one of many requests at once is enough.
    await connection.execute(
        """
        update api_key set last_used_at = now()
        where id = (select id from api_key where id = %s for update skip locked)
        """,
        (identifier,),
    )


async def why_refused(connection: AsyncConnection, key: str) -> tuple[str | None, str]:
    """The name of a key that opens nothing, where it has one, and why: it is revoked, expired or unknown."""
    cursor = await connection.execute(
        "select id, revoked_at is not null from api_key where %(hash)s in (hash, previous_hash)", {"hash": _hash(key)}
    )
    row = await cursor.fetchone()
    if row is None:
        return None, "unknown"
    return row[0], "revoked" if row[1] else "expired"
