"""Requests that are asked only once: what a repeated one is answered with."""

from dataclasses import dataclass
from datetime import timedelta

from psycopg import AsyncConnection
from psycopg.rows import class_row

KEPT = timedelta(hours=24)
"""How long an answer can be repeated."""


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    """A request that came before under the same key; without a status its answer was lost."""

    digest: bytes
    status: int | None
    media_type: str | None
    body: bytes | None


async def claim(connection: AsyncConnection, caller: str, key: str, digest: bytes) -> EarlierRequest | None:
    """Take a key in the transaction of the work itself; what came before under it, where something did.

    Work and claim stand or fall together, and a second request waits here until the first is committed or undone.
    """
    await connection.execute("delete from idempotent_request where at < now() - %s", (KEPT,))
    cursor = await connection.execute(
        "insert into idempotent_request (caller, key, digest) values (%s, %s, %s) on conflict do nothing",
        (caller, key, digest),
    )
    if cursor.rowcount == 1:
        return None
    async with connection.cursor(row_factory=class_row(EarlierRequest)) as earlier:
        await earlier.execute(
            "select digest, status, media_type, body from idempotent_request where caller = %s and key = %s",
            (caller, key),
        )
        return await earlier.fetchone()


async def keep_answer(
    connection: AsyncConnection, caller: str, key: str, *, status: int, media_type: str | None, body: bytes
) -> None:
    """Keep what a claimed request was answered."""
    await connection.execute(
        "update idempotent_request set status = %s, media_type = %s, body = %s where caller = %s and key = %s",
        (status, media_type, body, caller, key),
    )
