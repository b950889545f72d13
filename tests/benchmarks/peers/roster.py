"""The peers that are measured, by name."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from tests.benchmarks.peers import aiomqtt_executemany, aiomqtt_insert, node_red, node_red_joined


class Peer(Protocol):
    """Stores each published reading as one row ``(sensor text, time timestamptz, value double precision)``."""

    def available(self) -> str | None:
        """Why it cannot run here, or None."""

    def running(self, broker_url: str, database_url: str, table: str) -> AbstractAsyncContextManager[None]:
        """Subscribed and with an empty table inside the block; process, session and table are gone after it."""


PEERS: Mapping[str, Peer] = {
    "aiomqtt_insert": aiomqtt_insert,
    "aiomqtt_executemany": aiomqtt_executemany,
    "node_red": node_red,
    "node_red_joined": node_red_joined,
}
