"""Node-RED, one INSERT a message."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.benchmarks.peers.node_red_runtime import running_flow, unavailable


def available() -> str | None:
    """Why it cannot run, or None; fetches Node-RED at the first call."""
    return unavailable()


@asynccontextmanager
async def running(broker_url: str, database_url: str, table: str) -> AsyncIterator[None]:
    """The peer, subscribed and with an empty table; both are gone at the end."""
    async with running_flow("node_red", broker_url, database_url, table):
        yield
