"""The alert process, wired: follow the feed, announce and deliver."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import psycopg
import structlog
from psycopg import AsyncConnection

from services.alerts.feed_follower import FeedFollower
from services.alerts.notify.worker import Notifier, run_worker
from services.core.settings import Settings
from services.core.store import feed, register
from services.core.store.pool import open_pool

_POLL_S = 0.5
_PRUNE_EVERY = timedelta(minutes=1)
_LONGEST_WAIT_S = 5.0
_OWNER_LOCK = 0x11FE_A1E7
"""Advisory lock of the process that follows the feed; a second process waits for it and takes over."""

log = structlog.get_logger()


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Run until ``stop`` is set. The database may go away and come back meanwhile."""
    if settings.database_url is None:
        raise ValueError("database_url is not set")
    database_url = settings.database_url.get_secret_value()
    async with (
        open_pool(database_url, settings.database_pool_size) as pool,
        httpx.AsyncClient(timeout=settings.webhook_timeout.total_seconds(), follow_redirects=False) as client,
    ):
        follower = FeedFollower(
            pool,
            consumer="alerts",
            allowed_lateness=settings.allowed_lateness,
            idle_release=settings.idle_release,
        )
        notifier = Notifier(pool, client, settings)
        tasks = [
            asyncio.create_task(_again("feed", lambda: _follow(database_url, follower))),
            asyncio.create_task(_again("notifications", lambda: run_worker(settings, database_url, notifier))),
        ]
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, stopped):
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


async def _again(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Repeat work that needs the database: one line when it fails, one when it is back."""
    wait_s = 0.2
    failing = False
    while True:
        try:
            await work()
        except Exception as error:
            if not _is_connection_trouble(error):
                raise
            if not failing:
                log.warning("database away, trying again", part=name, reason=_first_line(error))
            failing = True
        else:
            failing = False
            wait_s = 0.2
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)


def _is_connection_trouble(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_connection_trouble(part) for part in error.exceptions)
    cause = error.__cause__
    return isinstance(error, psycopg.OperationalError | OSError) or (
        cause is not None and _is_connection_trouble(cause)
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


async def _follow(database_url: str, follower: FeedFollower) -> None:
    """Own the feed, then judge whatever comes; a notification wakes early, the poll is the truth."""
    follower.forget()
    async with await AsyncConnection.connect(database_url, autocommit=True) as listener:
        await _own_the_feed(listener)
        await listener.execute(f"listen {feed.CHANNEL}")
        await listener.execute(f"listen {register.CHANNEL}")
        prune_at = asyncio.get_running_loop().time()
        while True:
            while await follower.step():
                pass
            if asyncio.get_running_loop().time() >= prune_at:
                await follower.prune()
                prune_at = asyncio.get_running_loop().time() + _PRUNE_EVERY.total_seconds()
            async for notice in listener.notifies(timeout=_POLL_S, stop_after=1):
                if notice.channel == register.CHANNEL:
                    follower.forget()


async def _own_the_feed(listener: AsyncConnection) -> None:
    cursor = await listener.execute("select pg_try_advisory_lock(%s)", (_OWNER_LOCK,))
    row = await cursor.fetchone()
    if row is not None and not row[0]:
        log.info("another alert process follows the feed; standing by")
        await listener.execute("select pg_advisory_lock(%s)", (_OWNER_LOCK,))
