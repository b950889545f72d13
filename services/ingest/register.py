"""The sensors the process knows, kept up to date while it runs."""

import asyncio
import time

from psycopg import AsyncConnection, sql

from services.core.store.pool import Pool
from services.core.store.readings import load_sensor_rows
from services.core.store.register import CHANNEL
from services.ingest.outage import LONGEST_WAIT_S, Outage
from services.ingest.sensor_table import SensorTable

RELOAD_EVERY_S = 30.0
EARLY_RELOAD_EVERY_S = 1.0
"""Unknown sensors cause no more than one reload in this time, so that a stray device cannot busy the database."""


class Register:
    """The registered sensors, loaded again when the register says so and every half minute."""

    def __init__(self, database_url: str, pool: Pool, database: Outage) -> None:
        self._database_url = database_url
        self._pool = pool
        self._database = database
        self._loaded_at = 0.0
        self._reloading = asyncio.Lock()
        self.sensors = SensorTable.of({})

    async def load(self) -> None:
        """Load every sensor; waits for the database when it is away."""
        await self._database.keep_trying(self._load_from_pool)

    async def load_early(self) -> None:
        """Load again because a sensor is unknown, unless that was done a moment ago."""
        async with self._reloading:
            if time.monotonic() - self._loaded_at >= EARLY_RELOAD_EVERY_S:
                await self.load()

    async def watch(self) -> None:
        """Load again whenever the register changes, for ever."""
        while True:
            connection = await self._database.keep_trying(self._listen)
            async with connection:
                try:
                    await self._follow(connection)
                except self._database.errors as error:
                    self._database.began(error)

    async def _listen(self) -> AsyncConnection:
        connection = await AsyncConnection.connect(self._database_url, autocommit=True)
        await connection.execute(sql.SQL("listen {}").format(sql.Identifier(CHANNEL)))
        return connection

    async def _follow(self, connection: AsyncConnection) -> None:
        while True:
            await self._load(connection)
            async for _ in connection.notifies(timeout=RELOAD_EVERY_S, stop_after=1):
                pass

    async def _load_from_pool(self) -> None:
        async with self._pool.connection(timeout=LONGEST_WAIT_S) as connection:
            await self._load(connection)

    async def _load(self, connection: AsyncConnection) -> None:
        started = time.monotonic()
        self.sensors = SensorTable.of(await load_sensor_rows(connection))
        self._loaded_at = started
