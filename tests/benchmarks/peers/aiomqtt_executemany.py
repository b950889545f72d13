"""aiomqtt and psycopg, one executemany and one commit for 500 rows or 50 ms."""

import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.benchmarks.peers.peer_process import peer_environment, peer_process


def available() -> str | None:
    """Why it cannot run; None: both libraries are Lifeline's own dependencies."""
    return None


@asynccontextmanager
async def running(broker_url: str, database_url: str, table: str) -> AsyncIterator[None]:
    """The peer, subscribed and with an empty table; both are gone at the end."""
    command = [sys.executable, "-m", "tests.benchmarks.peers.aiomqtt_client", "executemany"]
    environment = peer_environment(broker_url, database_url, table)
    with tempfile.TemporaryDirectory(prefix="lifeline-peer-") as directory:
        async with peer_process(command, environment, Path(directory, "log")):
            yield
