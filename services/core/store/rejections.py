"""Payloads that could not become readings."""

from collections.abc import Sequence
from datetime import datetime

from psycopg import AsyncConnection

from services.core.rejection import Rejection, RejectionReason

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


async def list_rejections(
    connection: AsyncConnection,
    *,
    reason: RejectionReason | None,
    sensor: str | None,
    before_id: int | None,
    limit: int,
) -> list[tuple[int, Rejection]]:
    """Rejections that match, newest first, each with its number."""
    cursor = await connection.execute(
        """
        select id, topic, payload, reason, detail, received_at, sensor from rejection
        where (%(reason)s::text is null or reason = %(reason)s)
          and (%(sensor)s::text is null or sensor = %(sensor)s)
          and id < coalesce(%(before_id)s, 9223372036854775807)
        order by id desc limit %(limit)s
        """,
        {"reason": reason, "sensor": sensor, "before_id": before_id, "limit": limit},
    )
    return [(row[0], Rejection(row[1], bytes(row[2]), RejectionReason(row[3]), *row[4:])) async for row in cursor]
