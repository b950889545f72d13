"""The process of the two aiomqtt peers: ``python -m tests.benchmarks.peers.aiomqtt_client insert|executemany``.

It uses nothing of Lifeline and acknowledges when a message has arrived, as aiomqtt does, not when it is committed.
The addresses and the table stand in the environment.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import aiomqtt
import psycopg
from psycopg import sql

FILTERS = ("lifeline/v1/+/sensors/+/readings", "lifeline/v1/+/gateways/+/readings")
MOST_ROWS = 500
LONGEST_WAIT_S = 0.05
Row = tuple[str, datetime, float]
RowQueue = asyncio.Queue[list[Row]]


def rows_of(topic: str, payload: bytes) -> list[Row]:
    """The readings of one message, of a sensor or of a gateway."""
    content = json.loads(payload)
    if isinstance(content, dict):
        content = [{**content, "sensor": topic.split("/")[4]}]
    return [(one["sensor"], datetime.fromtimestamp(one["time"] / 1000, UTC), one["value"]) for one in content]


async def arriving() -> AsyncIterator[list[Row]]:
    """The rows of each message, as they come from the broker."""
    broker = urlsplit(os.environ["PEER_BROKER_URL"])
    async with aiomqtt.Client(
        broker.hostname or "127.0.0.1",
        broker.port or 1883,
        username=unquote(broker.username or ""),
        password=unquote(broker.password or ""),
    ) as client:
        await client.subscribe([(name, 1) for name in FILTERS])
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            yield rows_of(message.topic.value, message.payload)


async def insert_each(connection: psycopg.AsyncConnection, statement: sql.Composed) -> None:
    """One INSERT and one commit a message; a gateway's message goes in with one executemany."""
    async for rows in arriving():
        if len(rows) == 1:
            await connection.execute(statement, rows[0])
        else:
            async with connection.cursor() as cursor:
                await cursor.executemany(statement, rows)
        await connection.commit()


async def collect(queue: RowQueue) -> list[Row]:
    """The next rows: those of 50 ms, or 500 of them if so many come sooner."""
    rows = list(await queue.get())
    deadline = time.monotonic() + LONGEST_WAIT_S
    while len(rows) < MOST_ROWS:
        if queue.empty():
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    rows += await queue.get()
            except TimeoutError:
                break
        else:
            rows += queue.get_nowait()
    return rows


async def receive(queue: RowQueue) -> None:
    async for rows in arriving():
        queue.put_nowait(rows)


async def insert_collected(connection: psycopg.AsyncConnection, statement: sql.Composed) -> None:
    """One executemany and one commit for many messages, while the next ones arrive."""
    queue = RowQueue()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(receive(queue))
        while True:
            async with connection.cursor() as cursor:
                await cursor.executemany(statement, await collect(queue))
            await connection.commit()


async def main(way: str) -> None:
    table = sql.Identifier(os.environ["PEER_TABLE"])
    statement = sql.SQL("insert into {} (sensor, time, value) values (%s, %s, %s)").format(table)
    store = {"insert": insert_each, "executemany": insert_collected}[way]
    async with await psycopg.AsyncConnection.connect(os.environ["PEER_DATABASE_URL"]) as connection:
        await store(connection, statement)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
