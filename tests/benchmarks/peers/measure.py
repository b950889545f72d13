"""How fast a peer stores what is published, and what it loses."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tests.benchmarks.peers.roster import Peer
from tests.integration.ingest_harness import Publication, publish

TABLE = "peer_reading"
QUIET_S = 10.0
SHORTEST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Readings stored once or more, those published and not stored, and the seconds until the last one was there."""

    seconds: float
    stored: int
    lost: int

    @property
    def rate(self) -> float:
        """Readings stored a second."""
        return self.stored / self.seconds


async def peer_outcome(
    peer: Peer, broker_url: str, database_url: str, publications: Sequence[Publication], readings: int
) -> Outcome:
    """Start the peer, publish, and wait until every reading is committed or nothing has come for ten seconds.

    Every published pair of sensor and time must be another one.

    Raises:
        RuntimeError: the peer does not start.
    """
    async with (
        peer.running(broker_url, database_url, TABLE),
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection,
    ):
        await connection.execute("checkpoint")
        started = time.perf_counter()
        publishing = asyncio.create_task(publish(broker_url, publications))
        stored, ended = await _stored(connection, readings, started)
        await publishing
    return Outcome(ended - started, stored, readings - stored)


async def _stored(connection: psycopg.AsyncConnection, readings: int, started: float) -> tuple[int, float]:
    """How many different readings are there at the end, and when the last row was seen to have come."""
    rows, stored, ended = 0, 0, started
    while stored < readings and time.perf_counter() - ended < QUIET_S:
        await asyncio.sleep(_pause_s(rows, readings, ended - started))
        count = await _ask(connection, "select count(*) from {}")
        if count > rows:
            rows, ended = count, time.perf_counter()
        if rows >= readings:
            stored = await _ask(connection, "select count(*) from (select distinct sensor, time from {}) as reading")
    return await _ask(connection, "select count(*) from (select distinct sensor, time from {}) as reading"), ended


def _pause_s(rows: int, readings: int, seconds: float) -> float:
    """Half of the time that is left at the rate so far: counting is work for the database that is being measured."""
    left_s = seconds * (readings - rows) / rows if rows else 0.0
    return min(max(left_s / 2, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)


async def _ask(connection: psycopg.AsyncConnection, question: str) -> int:
    cursor = await connection.execute(sql.SQL(question).format(sql.Identifier(TABLE)))
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])
