"""The version that a thing is at, for whoever changes it after having looked at it."""

from collections.abc import Callable, Mapping
from uuid import UUID

from psycopg import AsyncConnection

VERSION_OF_KEY = "('x' || encode(substr(hash, 1, 4), 'hex'))::bit(32)::bigint"
"""A key is replaced and changes in nothing else. These are 32 bits of the hash of a key of 256, which tell nothing."""
_QUERIES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "alert": ("select version from alert where id = %s", UUID),
    "warning": ("select version from warning where id = %s", UUID),
    "order": ("select version from work_order where id = %s", UUID),
    "incident": ("select version from incident where id = %s", UUID),
    "user": ("select version from user_account where name = %s", str),
    "plan": ("select version from response_plan where id = %s order by version desc limit 1", str),
    "lifeline": ("select version from disposal_rule where lifeline = %s order by version desc limit 1", str),
    "sensor": ("select version from sensor_version where sensor = %s order by version desc limit 1", str),
    # These have no version of their own; the transaction that wrote the row last does as well. Views have none.
    "receiver": ("select xmin::text::bigint from public.receiver where id = %s", str),
    "key": (f"select {VERSION_OF_KEY} from api_key where id = %s", str),
    "depot": ("select xmin::text::bigint from public.depot where id = %s", str),
}
VERSIONED = frozenset(_QUERIES)
"""What things with a version are called in the API's paths."""


async def version_of(connection: AsyncConnection, thing: str, name: str, *, lock: bool = False) -> int | None:
    """The version of a thing, which with ``lock`` stays until the transaction ends; ``None`` where there is none."""
    query, kind = _QUERIES[thing]
    try:
        known = kind(name)
    except ValueError:
        return None
    if lock:
        # Whoever waited here for somebody who added a version of a plan still gets the row of the version before it:
        # only a statement that begins after the wait sees the new one.
        await connection.execute(f"{query} for update".encode(), (known,))
    cursor = await connection.execute(query.encode(), (known,))
    row = await cursor.fetchone()
    return None if row is None else row[0]
