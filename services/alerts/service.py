"""The alert process, wired: follow the feed, announce and deliver."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import structlog
from psycopg import AsyncConnection, sql

from services.alerts.devices.commander import Commander, run_commander
from services.alerts.feed_follower import FeedFollower, OvertakenError
from services.alerts.membership import Membership
from services.alerts.metrics import Metrics
from services.alerts.models.schedule import run_schedule
from services.alerts.notify.announcing import Announcer
from services.alerts.notify.day_mail import DayMail
from services.alerts.notify.delivering import Deliverer
from services.alerts.notify.mail_server import MailServer
from services.alerts.notify.sender import Exits
from services.alerts.notify.target import checked_client
from services.alerts.notify.worker import run_worker
from services.alerts.suppression.review import run_reviews
from services.alerts.tracing.loss import price_of
from services.alerts.weather.feed import WeatherFeed
from services.core.broker_address import BrokerAddress
from services.core.metrics_endpoint import served
from services.core.settings import ConfigurationError, Settings
from services.core.store import evidence, feed, register, shares
from services.core.store.pool import Pool, open_pool

_POLL_S = 0.5
_PRUNE_EVERY = timedelta(minutes=1)
_SHORTEST_WAIT_S = 0.2
_LONGEST_WAIT_S = 5.0
_MEASURE_EVERY_S = 5.0

log = structlog.get_logger()

Reached = Callable[[], None]
"""Called by a part of the process when it has got through to the database."""


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Run until ``stop`` is set. The database may go away and come back meanwhile."""
    if settings.database_url is None:
        raise ConfigurationError("LIFELINE_DATABASE_URL is not set")
    database_url = settings.database_url.get_secret_value()
    async with (
        # A pool that gives up soon starts afresh as soon as it is asked again; one that does not, doubles its waits.
        open_pool(database_url, settings.database_pool_size, reconnect=timedelta(seconds=_LONGEST_WAIT_S)) as pool,
        httpx.AsyncClient(timeout=settings.webhook_timeout.total_seconds(), follow_redirects=False) as client,
        checked_client(
            private_allowed=settings.webhook_private_targets, timeout_s=settings.webhook_timeout.total_seconds()
        ) as outgoing,
    ):
        metrics = Metrics()
        membership = Membership(f"{socket.gethostname()}-{uuid4().hex[:8]}")
        follower = FeedFollower(
            pool,
            membership,
            allowed_lateness=settings.allowed_lateness,
            idle_release=settings.idle_release,
            metrics=metrics,
            price=price_of(settings.water_price, settings.water_currency),
            reopens_within=settings.alert_reopens_within,
        )
        broker = None if settings.mqtt_url is None else BrokerAddress.from_settings(settings)
        exits = Exits(outgoing, MailServer.from_settings(settings), broker, settings.city)
        announcer = Announcer(pool, settings)
        deliverer = Deliverer(pool, exits, settings, random.Random())  # noqa: S311 - short waits, not a secret
        day_mail = DayMail.from_settings(pool, settings)
        asyncio.get_running_loop().set_exception_handler(_report_stray)

        async def follow(reached: Reached) -> None:
            await _follow(database_url, follower, membership, reached)

        async def notify(reached: Reached) -> None:
            # A job worker that starts without a database waits half a minute for it; a plain connection knows at once.
            async with await AsyncConnection.connect(database_url):
                reached()
            await run_worker(database_url, announcer, deliverer, day_mail)

        async def learn(reached: Reached) -> None:
            async with await AsyncConnection.connect(database_url):
                reached()
            await run_schedule(database_url, pool)

        async def look_again(reached: Reached) -> None:
            async with await AsyncConnection.connect(database_url):
                reached()
            await run_reviews(database_url, pool)

        parts = {
            "feed": follow,
            "notifications": notify,
            "models": learn,
            "reviews": look_again,
            **_commands(settings, pool, database_url),
        }
        parts |= _weather(settings, pool, client, database_url)
        database = _Database(*parts)
        tasks = [asyncio.create_task(_again(part, work, database)) for part, work in parts.items()]
        stopped = asyncio.create_task(stop.wait())
        with served(metrics.registry, settings.alerts_metrics_host, settings.alerts_metrics_port):
            await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in (*tasks, stopped):
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            await membership.leave(database_url)
        for result in results:
            if isinstance(result, Exception):
                raise result


def _commands(settings: Settings, pool: Pool, database_url: str) -> dict[str, Callable[[Reached], Awaitable[None]]]:
    """The part that takes commands to devices; without a broker there is none, and what is asked waits."""
    if settings.mqtt_url is None:
        log.info("LIFELINE_MQTT_URL is not set: devices are not asked to report faster")
        return {}
    commander = Commander(pool, BrokerAddress.from_settings(settings), settings.city)

    async def command(reached: Reached) -> None:
        async with await AsyncConnection.connect(database_url):
            reached()
        await run_commander(commander)

    return {"commands": command}


def _weather(
    settings: Settings, pool: Pool, client: httpx.AsyncClient, database_url: str
) -> dict[str, Callable[[Reached], Awaitable[None]]]:
    """The part that asks the weather service, where there is one to ask."""
    if settings.weather_feed is None:
        return {}
    feed = WeatherFeed(pool, client, settings.weather_feed.get_secret_value(), now=lambda: datetime.now(UTC))

    async def ask(reached: Reached) -> None:
        async with await AsyncConnection.connect(database_url):
            reached()
        await feed.run(settings.weather_feed_every)

    return {"weather": ask}


class _Database:
    """Says once for the whole process that the database is away, and once that it is back.

    A part may notice an outage only when it is over for the others; that is no second one.
    """

    def __init__(self, *parts: str) -> None:
        self._parts = frozenset(parts)
        self._missed_by: set[str] = set()
        self._unaware: set[str] = set()
        self._said = False

    def lost(self, part: str, error: BaseException) -> None:
        if not self._missed_by and part not in self._unaware:
            log.warning("database away, trying again", reason=_first_line(error))
            self._said = True
            self._unaware = set(self._parts)
        self._unaware.discard(part)
        self._missed_by.add(part)

    def reached(self, part: str) -> None:
        self._missed_by.discard(part)
        if self._said and not self._missed_by:
            log.info("database is back")
            self._said = False


async def _again(part: str, work: Callable[[Reached], Awaitable[None]], database: _Database) -> None:
    """Repeat work that needs the database, more and more slowly while it is away."""
    wait_s = _SHORTEST_WAIT_S

    def reached() -> None:
        nonlocal wait_s
        wait_s = _SHORTEST_WAIT_S
        database.reached(part)

    while True:
        try:
            await work(reached)
        except Exception as error:
            if not _is_connection_trouble(error):
                raise
            database.lost(part, error)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)


def _report_stray(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report what no task awaited, except for jobs that could not note their end: they are put back and run again."""
    error = context.get("exception")
    if not isinstance(error, Exception) or not _is_connection_trouble(error):
        loop.default_exception_handler(context)


def _is_connection_trouble(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_connection_trouble(part) for part in error.exceptions)
    cause = error.__cause__
    return isinstance(error, psycopg.OperationalError | OSError) or (
        cause is not None and _is_connection_trouble(cause)
    )


def _first_line(error: BaseException) -> str:
    """The first line of what really went wrong, inside groups and causes."""
    while True:
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        elif error.__cause__ is not None:
            error = error.__cause__
        else:
            return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


async def _follow(database_url: str, follower: FeedFollower, membership: Membership, reached: Reached) -> None:
    """Judge for our shares of the feed, and say meanwhile that we are there."""
    follower.forget()
    membership.forget()
    # Not a task group: what ends one of them is reported as itself, and not as a group of one.
    tasks = [
        asyncio.create_task(membership.keep(database_url)),
        asyncio.create_task(_judge(database_url, follower, membership, reached)),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _judge(database_url: str, follower: FeedFollower, membership: Membership, reached: Reached) -> None:
    """Judge whatever comes, for ever; a notification wakes early, the poll is the truth."""
    clock = asyncio.get_running_loop().time
    async with await AsyncConnection.connect(database_url, autocommit=True) as listener:
        await evidence.note_code(listener)
        for channel in (feed.CHANNEL, register.CHANNEL, shares.CHANNEL):
            await listener.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
        prune_at = measure_at = clock()
        while True:
            busy = False
            try:
                busy = await follower.step()
            except OvertakenError as error:
                log.warning("another alert process has taken a share over", reason=str(error))
            reached()
            if clock() >= prune_at:
                await follower.prune()
                prune_at = clock() + _PRUNE_EVERY.total_seconds()
            if clock() >= measure_at:
                await follower.measure()
                measure_at = clock() + _MEASURE_EVERY_S
            async for notice in listener.notifies(timeout=0 if busy else _POLL_S, stop_after=1):
                if notice.channel == register.CHANNEL:
                    follower.forget()
                elif notice.channel == shares.CHANNEL:
                    membership.wake()
