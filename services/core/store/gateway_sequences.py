"""Which of a gateway's numbered batches are committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.types.multirange import Multirange

MAX_GAPS = 100
"""More gaps than these are told later, when the first ones are filled."""


class BatchNumber(NamedTuple):
    """The number of a batch in a buffer of the gateway that sent it; numbers begin with 1."""

    city: str
    gateway: str
    buffer: str
    number: int


@dataclass(frozen=True, slots=True)
class GatewayProgress:
    """Of the batches in a gateway's buffer everything up to ``stored`` is committed, and nothing in the ``gaps``.

    A gap is its first and its last number.
    """

    gateway: str
    buffer: str
    stored: int
    gaps: list[tuple[int, int]]


# The buffers' rows are locked in one order, and what they held is returned.
_LOCK = """
insert into gateway_sequence as held (gateway, buffer, stored)
select gateway, buffer, '{}' from unnest(%b::text[], %b::text[]) as given (gateway, buffer)
group by gateway, buffer order by gateway, buffer
on conflict (gateway, buffer) do update set updated_at = now()
returning gateway, buffer, stored
"""

_RECORD = """
update gateway_sequence held set stored = held.stored + given.numbers
from (
    select gateway, buffer, range_agg(int8range(number, number + 1)) as numbers
    from unnest(%b::text[], %b::text[], %b::bigint[]) as given (gateway, buffer, number)
    group by gateway, buffer
) given
where held.gateway = given.gateway and held.buffer = given.buffer
returning held.gateway, held.buffer, held.stored
"""


async def lock_known(connection: AsyncConnection, numbers: Sequence[BatchNumber]) -> set[BatchNumber]:
    """Those of the numbers that are committed already; nobody else records any of their buffers until the caller ends.

    Call it before anything else is written in the transaction, so that all writers lock in the same order.
    """
    cursor = await connection.execute(
        _LOCK, ([number.gateway for number in numbers], [number.buffer for number in numbers])
    )
    held = {(row[0], row[1]): row[2] async for row in cursor}
    # A multirange is a sequence of ranges; it does not look into them by itself.
    return {n for n in numbers if any(n.number in part for part in held[n.gateway, n.buffer])}


async def record(connection: AsyncConnection, numbers: Sequence[BatchNumber]) -> list[GatewayProgress]:
    """Note the numbers as committed, in the transaction that stores their readings; returns how far each buffer is."""
    columns = ([n.gateway for n in numbers], [n.buffer for n in numbers], [n.number for n in numbers])
    cursor = await connection.execute(_RECORD, columns)
    return [_progress(*row) async for row in cursor]


def _progress(gateway: str, buffer: str, stored: Multirange[int]) -> GatewayProgress:
    # A multirange is sorted, and its ranges are half open and do not touch.
    gaps, expected = [], 1
    contiguous = 0
    for part in stored:
        first, behind = part.lower or 1, part.upper or 1
        if first > expected:
            gaps.append((expected, first - 1))
        elif not gaps:
            contiguous = behind - 1
        expected = behind
    return GatewayProgress(gateway, buffer, contiguous, gaps[:MAX_GAPS])
