"""Current values follow what was committed, a few times a second, whichever process committed it."""

import asyncio
from contextlib import suppress

from services.core.store import latest
from services.core.store.pool import Pool
from services.ingest.outage import LONGEST_WAIT_S, Outage

_EVERY_S = 0.5
"""Under load a longer pause costs less: a sensor's row is touched once for all that came in between."""
_LAST_MOVE_WITHIN_S = 1.0


async def follow_current_values(pool: Pool, database: Outage) -> None:
    """Move the current values on, for ever. Every process does; they take turns and never count anything twice."""

    async def attempt() -> None:
        async with pool.connection(timeout=LONGEST_WAIT_S) as connection:
            while await latest.follow(connection):
                await connection.commit()

    while True:
        await database.keep_trying(attempt)
        await asyncio.sleep(_EVERY_S)


async def catch_up(pool: Pool, database: Outage) -> None:
    """Move the current values on to what the process stored last; what the time does not allow is left to others."""
    if database.is_away:
        return
    with suppress(TimeoutError, *database.errors):
        async with asyncio.timeout(_LAST_MOVE_WITHIN_S), pool.connection(timeout=_LAST_MOVE_WITHIN_S) as connection:
            while await latest.follow(connection):
                await connection.commit()
