"""This process among the others that divide the subscription."""

import asyncio

from services.core.store import ingest_members
from services.core.store.pool import Pool
from services.ingest.outage import LONGEST_WAIT_S, Outage

_ANSWER_WITHIN_S = 1.0


class Membership:
    """Says that the process is there, and asks at the end whether others are."""

    def __init__(self, pool: Pool, database: Outage, instance: str) -> None:
        self._pool = pool
        self._database = database
        self._instance = instance

    async def keep(self) -> None:
        """Say again and again that the process is there, for ever."""

        async def attempt() -> None:
            async with self._pool.connection(timeout=LONGEST_WAIT_S) as connection:
                await ingest_members.beat(connection, self._instance)

        while True:
            await self._database.keep_trying(attempt)
            await asyncio.sleep(ingest_members.BEAT_EVERY.total_seconds())

    async def leave(self) -> bool:
        """Whether others take over; with the database away nobody can say so, and the place is kept."""
        if self._database.is_away:
            return False
        try:
            async with (
                asyncio.timeout(_ANSWER_WITHIN_S),
                self._pool.connection(timeout=_ANSWER_WITHIN_S) as connection,
            ):
                return await ingest_members.leave(connection, self._instance)
        except TimeoutError:
            return False
        except self._database.errors:
            return False
