"""Rejections that are old, or more than are kept, are forgotten; a little at a time."""

import asyncio
from datetime import UTC, datetime, timedelta

from services.core.store import rejections
from services.core.store.pool import Pool
from services.ingest.outage import LONGEST_WAIT_S, Outage

_EVERY_S = 10.0
"""A device that publishes to ever new topics adds in this time what it can send, and no more."""
_PAYLOADS_EVERY = 360
"""Payloads of rejections that go on are few, and finding the old ones among them reads all: once an hour."""


async def prune_rejections(pool: Pool, database: Outage, retention: timedelta, keep: int) -> None:
    """Keep the rejections within their bounds, for ever. Every process does; one at a time gets on."""

    async def forget() -> bool:
        async with pool.connection(timeout=LONGEST_WAIT_S) as connection:
            before = datetime.now(UTC) - retention
            return await rejections.prune_rejections(connection, before, keep) == rejections.PRUNED_AT_ONCE

    async def forget_payloads() -> bool:
        async with pool.connection(timeout=LONGEST_WAIT_S) as connection:
            before = datetime.now(UTC) - retention
            return await rejections.prune_payloads(connection, before) == rejections.OLD_PAYLOADS_AT_ONCE

    turn = 0
    while True:
        while await database.keep_trying(forget):
            pass
        while turn % _PAYLOADS_EVERY == 0 and await database.keep_trying(forget_payloads):
            pass
        turn += 1
        await asyncio.sleep(_EVERY_S)
