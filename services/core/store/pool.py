"""Connections to the database."""

import select
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
        configure=_configure,
        check=_check,
        reconnect_timeout=reconnect.total_seconds(),
    )


async def _configure(connection: AsyncConnection) -> None:
    """Ask without workers and compiled expressions: to start them takes longer than any question of a service."""
    await connection.execute("set max_parallel_workers_per_gather = 0")
    await connection.execute("set jit = off")
    await connection.commit()


async def _check(connection: AsyncConnection) -> None:
    """Ask the server only where there is something to hear: one that ends a connection says so on its socket.

    Raises:
        OperationalError: the connection is lost.
    """
    if connection.closed or _has_word(connection.fileno()):
        await AsyncConnectionPool.check_connection(connection)


def _has_word(file_descriptor: int) -> bool:
    poll = select.poll()
    poll.register(file_descriptor, select.POLLIN)
    return bool(poll.poll(0))
