"""Many listeners to live events on plain sockets: how long from the commit of a change until each has it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from psycopg import AsyncConnection

from services.core.store import alerts, events
from tests.benchmarks.api.calls import Spent, spent
from tests.benchmarks.api.city import KEY

_OPENED_AT_ONCE = 50
_EVERY_S = 2.0
_PATIENCE_S = 60.0
Tell = Callable[[], Awaitable[None]]


async def measure_alerts(address: str, database_url: str, listeners: int, told: int) -> Spent:
    """Alerts are announced in a transaction of their own, as the service does when one changed."""
    async with await AsyncConnection.connect(database_url, autocommit=True) as connection:
        cursor = await connection.execute("select id from alert where cleared_at is null order by id limit 1")
        row = await cursor.fetchone()
        assert row is not None

        async def tell() -> None:
            async with connection.transaction():
                await events.announce(connection, alerts.EVENT, str(row[0]))

        return await _measure("alert to listeners", f"{address}/api/v1/stream?type=alert", listeners, told, tell)


async def measure_null(address: str, listeners: int, told: int, content: bytes) -> Spent:
    """A sender that does nothing but send, with as many listeners and as long an event."""
    where = urlsplit(address)

    async def tell() -> None:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        head = f"POST /tell HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)
        await reader.read()
        writer.close()

    return await _measure("null sender to listeners", f"{address}/stream", listeners, told, tell)


async def _measure(name: str, url: str, listeners: int, told: int, tell: Tell) -> Spent:
    heard: list[list[float]] = [[] for _ in range(listeners)]
    opening = asyncio.Semaphore(_OPENED_AT_ONCE)
    opened = asyncio.Barrier(listeners + 1)
    following = [asyncio.create_task(_follow(url, opening, opened, times)) for times in heard]
    try:
        async with asyncio.timeout(_PATIENCE_S * 3):
            await opened.wait()
        times_ms: list[float] = []
        for number in range(told):
            began = time.perf_counter()
            await tell()
            async with asyncio.timeout(_PATIENCE_S):
                while any(len(times) <= number for times in heard):  # noqa: ASYNC110 - a wake-up of each would cost
                    await asyncio.sleep(0.02)
            times_ms += [(times[number] - began) * 1000 for times in heard]
            await asyncio.sleep(max(0.0, _EVERY_S - (time.perf_counter() - began)))
        return spent(name, times_ms)
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


async def _follow(url: str, opening: asyncio.Semaphore, opened: asyncio.Barrier, heard: list[float]) -> None:
    """One listener: notes when an event's name came in, after the comment that says that the stream is open."""
    where = urlsplit(url)
    path = f"{where.path}?{where.query}"
    async with opening:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise ConnectionError(status.decode().strip())
        while not (await reader.readline()).startswith(b": live"):
            pass
    await opened.wait()
    try:
        while line := await reader.readline():
            if line.startswith(b"event: alert"):
                heard.append(time.perf_counter())
    finally:
        writer.close()
