"""What the engines of zones and supplies remember between two readings."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection

_ROWS_AT_ONCE = 500
"""Between two statements the process can do other things, such as saying that it is there."""


class StateRow(NamedTuple):
    """What one target of a unit remembers, as JSON text."""

    unit: str
    target: str
    state: str


async def load(connection: AsyncConnection, units: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The state of some units: unit → target → JSON."""
    states: dict[str, dict[str, Any]] = {}
    cursor = await connection.execute(
        "select zone, target, state from detector_state where zone = any(%s)", (list(units),)
    )
    async for unit, target, state in cursor:
        states.setdefault(unit, {})[target] = state
    return states


def written(changed: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[StateRow]:
    """What changed, by unit and target, as rows to be saved; for a large city worth a thread of its own."""
    return [
        StateRow(unit, target, json.dumps(state, separators=(",", ":"), allow_nan=False))
        for unit, targets in changed.items()
        for target, state in targets.items()
    ]


async def save(connection: AsyncConnection, rows: Sequence[StateRow]) -> None:
    """Keep what changed, in the transaction that moves the shares of the units."""
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        units, targets, states = zip(*rows[start : start + _ROWS_AT_ONCE], strict=True)
        await connection.execute(
            """
            insert into detector_state (zone, target, state)
            select unit, target, state::jsonb
            from unnest(%s::text[], %s::text[], %s::text[]) as changed (unit, target, state)
            on conflict (zone, target) do update set state = excluded.state, updated_at = now()
            """,
            (list(units), list(targets), list(states)),
        )
