"""What the engines of zones and supplies remember between two readings."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
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


async def keep_past(connection: AsyncConnection, now: datetime, *, every: timedelta, keep: timedelta) -> int:
    """Keep what every unit remembers now, unless that was done lately; returns how many units were kept.

    What a unit remembered is kept for ``keep``, and as long as an alert of its zone began from it: the alert's readings
    can be judged again from there. The copy is of one moment, in which states and the position in the feed belong
    together.
    """
    cursor = await connection.execute(
        """
        insert into detector_state_past (unit, taken_at, states)
        select zone, %(now)s, jsonb_object_agg(target, state) from detector_state
        where pg_try_advisory_xact_lock(hashtextextended('detector_state_past', 0)) and not exists (
            select from detector_state_past where taken_at > %(now)s - %(every)s)
        group by zone having max(updated_at) > coalesce(
            (select max(taken_at) from detector_state_past where unit = zone), '-infinity')
        on conflict do nothing
        """,
        {"now": now, "every": every},
    )
    kept = cursor.rowcount
    if kept:
        await connection.execute(
            """
            delete from detector_state_past old where taken_at < %s and exists (
                select from detector_state_past newer where newer.unit = old.unit and newer.taken_at > old.taken_at
                  and not exists (
                    select from alert where created_at >= old.taken_at and created_at < newer.taken_at
                      and (alert.zone = old.unit or old.unit like 'supply:%%')))
            """,
            (now - keep,),
        )
    return kept
