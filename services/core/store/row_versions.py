"""The version that a thing is at, for whoever changes it after having looked at it."""

from collections.abc import Callable, Mapping
from uuid import UUID

from psycopg import AsyncConnection

_QUERIES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "alert": ("select version from alert where id = %s", UUID),
    "warning": ("select version from warning where id = %s", UUID),
    "order": ("select version from work_order where id = %s", UUID),
    "incident": ("select version from incident where id = %s", UUID),
    "user": ("select version from user_account where name = %s", str),
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
    cursor = await connection.execute((query + (" for update" if lock else "")).encode(), (known,))
    row = await cursor.fetchone()
    return None if row is None else row[0]
