"""Logins that were sent to the identity provider and have not come back."""

import hashlib
from datetime import timedelta

from psycopg import AsyncConnection

PATIENCE = timedelta(minutes=10)
"""How long somebody may take at the provider."""


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()


async def begin(connection: AsyncConnection, state: str, nonce: str, verifier: str) -> None:
    """Remember what was sent along, and forget logins that never came back."""
    await connection.execute("delete from provider_login where began_at < now() - %s", (PATIENCE,))
    await connection.execute(
        "insert into provider_login (state_hash, nonce, verifier) values (%s, %s, %s)", (_hash(state), nonce, verifier)
    )


async def take(connection: AsyncConnection, state: str) -> tuple[str, str] | None:
    """Nonce and verifier of a login that comes back, this once; ``None`` for one that is unknown or came too late."""
    cursor = await connection.execute(
        "delete from provider_login where state_hash = %s returning nonce, verifier, began_at > now() - %s",
        (_hash(state), PATIENCE),
    )
    row = await cursor.fetchone()
    return (row[0], row[1]) if row is not None and row[2] else None
