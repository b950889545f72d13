"""Connections to the database."""

from datetime import timedelta

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection]


def open_pool(database_url: str, size: int, reconnect: timedelta = timedelta(seconds=5)) -> Pool:
    """A pool that is not opened yet: use it as ``async with``.

    A connection is checked before it is lent, so that a restarted database costs a caller one retry at most.
    """
    return AsyncConnectionPool(
        database_url,
        min_size=1,
        max_size=size,
        open=False,
        check=AsyncConnectionPool.check_connection,
        reconnect_timeout=reconnect.total_seconds(),
    )
