"""One process of several is the Sparkplug host: the one that holds a lock in the database.

The lock belongs to a database session, so that it is free in the moment its process ends. A pooler that shares sessions
among clients breaks it; ``LIFELINE_DATABASE_URL`` has to lead to the server itself.
"""

import asyncio

from psycopg import AsyncConnection

from services.ingest.outage import Outage

LOCK = (0x4C4C, 0x5350)
"""Two numbers of our own; PostgreSQL keeps the pair apart for each database."""
_LOOK_EVERY_S = 1.0
_ANSWER_WITHIN_S = 5
_NOTICE_A_DEAD_MACHINE = (
    "select set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false), "
    "set_config('tcp_keepalives_count', '3', false)"
)


class Ownership:
    """Whether this process is the host: ``held`` when the database says so now, ``taken`` when another process is.

    Neither is set while the database does not answer. Nobody else can take the place then, so the host goes on, but
    begins nothing anew.
    """

    def __init__(self, database_url: str, database: Outage) -> None:
        self._database_url = database_url
        self._database = database
        self.held = asyncio.Event()
        self.taken = asyncio.Event()

    async def keep(self) -> None:
        """Get the lock and keep it, for ever."""
        pauses = self._database.waits()
        while True:
            try:
                async with await AsyncConnection.connect(
                    self._database_url, autocommit=True, connect_timeout=_ANSWER_WITHIN_S
                ) as connection:
                    self._database.ended()
                    pauses = self._database.waits()
                    await self._hold(connection)
            except self._database.errors as error:
                self._database.began(error)
            finally:
                self.held.clear()
            await asyncio.sleep(next(pauses))

    async def _hold(self, connection: AsyncConnection) -> None:
        await connection.execute(_NOTICE_A_DEAD_MACHINE)
        while not await _try(connection):
            self.taken.set()
            await asyncio.sleep(_LOOK_EVERY_S)
        self.taken.clear()
        self.held.set()
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                await connection.execute("select 1")


async def _try(connection: AsyncConnection) -> bool:
    async with asyncio.timeout(_ANSWER_WITHIN_S):
        cursor = await connection.execute("select pg_try_advisory_lock(%s, %s)", LOCK)
        row = await cursor.fetchone()
    return bool(row and row[0])
