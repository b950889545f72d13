"""What the zone engines remember between two readings."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb


async def load(connection: AsyncConnection) -> dict[str, dict[str, Any]]:
    """The state of every zone: zone → target → JSON."""
    states: dict[str, dict[str, Any]] = {}
    async for zone, target, state in await connection.execute("select zone, target, state from detector_state"):
        states.setdefault(zone, {})[target] = state
    return states


async def save(connection: AsyncConnection, zone: str, changed: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep what changed, in the transaction that moves the feed's cursor."""
    if not changed:
        return
    await connection.execute(
        """
        insert into detector_state (zone, target, state)
        select %s, target, state from unnest(%s::text[], %s::jsonb[]) as changed (target, state)
        on conflict (zone, target) do update set state = excluded.state, updated_at = now()
        """,
        (zone, list(changed), [Jsonb(state) for state in changed.values()]),
    )
