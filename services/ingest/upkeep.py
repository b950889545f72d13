"""Keeps what is stored in shape beside the taking in: summaries follow the feed, and what is not kept is dropped.

Several ingest processes may run it; one of them does the work at a time. Where TimescaleDB's own jobs do it, this
sees to it that they follow the settings.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import structlog

from services.core.settings import Settings
from services.core.store import retention, rollup, storage_level
from services.core.store.pool import Pool
from services.core.store.storage_policy import StoragePolicy
from services.ingest.outage import LONGEST_WAIT_S, Outage

RETENTION_EVERY = timedelta(hours=1)


async def keep_up(pool: Pool, database: Outage, settings: Settings) -> None:
    """Follow the feed every ``storage_refresh_every`` and drop what is not kept every hour, for ever.

    The database may go away meanwhile; what was cut off is done again.
    """
    if settings.database_url is None:
        return
    policy = StoragePolicy.of_settings(settings)
    url = settings.database_url.get_secret_value()
    await database.keep_trying(partial(asyncio.to_thread, _apply_policy, url, policy))
    dropped_at: datetime | None = None
    while True:
        now = datetime.now(UTC)
        is_due = dropped_at is None or now - dropped_at >= RETENTION_EVERY
        await database.keep_trying(partial(_one_round, pool, policy, now, drop=is_due))
        dropped_at = now if is_due else dropped_at
        await asyncio.sleep(policy.refresh_every.total_seconds())


def _apply_policy(database_url: str, policy: StoragePolicy) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for step in storage_level.apply_policy(connection, policy):
            structlog.get_logger().info("storage follows the settings", step=step)


async def _one_round(pool: Pool, policy: StoragePolicy, now: datetime, *, drop: bool) -> None:
    async with pool.connection(timeout=LONGEST_WAIT_S) as connection:
        if await retention.has_rollups(connection):
            rolled_up = await rollup.catch_up(connection, wait=False)
            if drop and rolled_up is not None:
                _report(await retention.enforce(connection, policy, now))
        if drop and policy.keep_raw is not None:
            await retention.forget_superseded(connection, now - policy.keep_raw)


def _report(dropped: dict[str, int]) -> None:
    if dropped:
        structlog.get_logger().info("readings beyond their age are dropped", **dropped)
