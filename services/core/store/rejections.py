"""Payloads that could not become readings."""

from collections.abc import Sequence
from datetime import datetime

from psycopg import AsyncConnection

from services.core.rejection import Rejection

MAX_PAYLOAD_BYTES = 4096
"""A longer payload is cut when it is set aside."""

_WRITE = """
insert into rejection (topic, payload, reason, detail, sensor, received_at)
select * from unnest(%b::text[], %b::bytea[], %b::text[], %b::text[], %b::text[], %b::timestamptz[])
"""

_PRUNE = "delete from rejection where received_at < %s"


def _storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL and halves of surrogate pairs."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


async def write_rejections(connection: AsyncConnection, rejections: Sequence[Rejection]) -> None:
    """Set the payloads aside, inside the caller's transaction."""
    if not rejections:
        return
    columns = (
        [_storable(rejection.topic) for rejection in rejections],
        [rejection.payload[:MAX_PAYLOAD_BYTES] for rejection in rejections],
        [rejection.reason.value for rejection in rejections],
        [_storable(rejection.detail) for rejection in rejections],
        [None if rejection.sensor is None else _storable(rejection.sensor) for rejection in rejections],
        [rejection.received_at for rejection in rejections],
    )
    await connection.execute(_WRITE, columns)


async def prune_rejections(connection: AsyncConnection, before: datetime) -> int:
    """Forget rejections received before the moment; returns how many."""
    cursor = await connection.execute(_PRUNE, (before,))
    return cursor.rowcount
