"""A peer as a process of its own, ready when a reading sent through the broker has come out in its table."""

import asyncio
import itertools
import os
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from services.demo.child import launch_command
from tests.integration.ingest_harness import now_ms, publish, single

READY_LIMIT_S = 90.0
PROBE_PAUSE_S = 1.0
STOP_LIMIT_S = 10.0
LOG_TAIL_CHARACTERS = 2000


def peer_environment(broker_url: str, database_url: str, table: str) -> dict[str, str]:
    """The environment of a peer; addresses hold passwords, and a command line is read by every user of the machine."""
    return {
        **os.environ,
        "PEER_BROKER_URL": broker_url,
        "PEER_DATABASE_URL": database_url,
        "PEER_TABLE": table,
    }


@asynccontextmanager
async def peer_process(command: Sequence[str], environment: dict[str, str], log: Path) -> AsyncIterator[None]:
    """The peer of this environment, subscribed, with its table made and empty; process and table are gone at the end.

    Raises:
        RuntimeError: it ended, or stored nothing of what was published; the message has the end of its log.
    """
    async with await psycopg.AsyncConnection.connect(environment["PEER_DATABASE_URL"], autocommit=True) as connection:
        name = sql.Identifier(environment["PEER_TABLE"])
        await connection.execute(sql.SQL("drop table if exists {}").format(name))
        await connection.execute(
            sql.SQL("create table {} (sensor text, time timestamptz, value double precision)").format(name)
        )
        process = _launched(command, environment, log)
        try:
            await _ready(process, connection, name, environment["PEER_BROKER_URL"], log)
            await connection.execute(sql.SQL("truncate {}").format(name))
            yield
        finally:
            await _stop(process)
            await connection.execute(sql.SQL("drop table {}").format(name))


def _launched(command: Sequence[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            launch_command(command), env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )


async def _ready(
    process: subprocess.Popen[bytes], connection: psycopg.AsyncConnection, name: sql.Identifier, url: str, log: Path
) -> None:
    """Send probes until the last of them is stored.

    The broker drops what it gets before the peer has subscribed and delivers the rest in order, so with the last
    probe stored none is under way that could be taken for a reading later.
    """
    deadline = time.monotonic() + READY_LIMIT_S
    stored = sql.SQL("select sensor from {}").format(name)
    for number in itertools.count():
        probe = f"probe-{number}"
        await publish(url, [single(probe, now_ms(), 0.0)])
        next_probe = time.monotonic() + PROBE_PAUSE_S
        seen: set[str] = set()
        while seen or time.monotonic() < next_probe:
            seen = {row[0] for row in await (await connection.execute(stored)).fetchall()}
            if probe in seen:
                return
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the peer is not ready, exit code {process.returncode}; its log:\n{_end_of(log)}")
            await asyncio.sleep(0.05)


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]


async def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        await asyncio.to_thread(process.wait, STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
