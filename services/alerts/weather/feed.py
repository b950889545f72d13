"""Asks the weather service for its warnings, and lets what they ask for be prepared."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit

import httpx
import structlog

from services.core.cap_message import (
    LARGEST_MESSAGE_BYTES,
    CapError,
    NotMeantForUsError,
    is_message,
    linked_messages,
    read_message,
)
from services.core.store import storms, weather_warnings
from services.core.store.pool import Pool

_MOST_AT_ONCE = 200
"""Messages of one feed that are fetched in one round; the rest follows in the next."""
_MOST_REMEMBERED = 10_000

log = structlog.get_logger()


class WeatherFeed:
    """A feed of warnings (Atom, RSS, or one message alone), asked again and again.

    Messages are fetched from the feed's own host only, each once in the life of the process; the database knows those
    that it has. What cannot be read is kept with its reason and stops no other message.
    """

    def __init__(self, pool: Pool, client: httpx.AsyncClient, url: str, *, now: Callable[[], datetime]) -> None:
        """Ask at ``url`` with ``client`` and keep through ``pool``."""
        self._pool = pool
        self._client = client
        self._url = url
        self._now = now
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._etag: str | None = None
        self._away = False

    async def run(self, every: timedelta) -> None:
        """Ask for ever.

        Raises:
            psycopg.Error: the database is away.
        """
        while True:
            await self.ask()
            await asyncio.sleep(every.total_seconds())

    async def ask(self) -> int:
        """Ask once; how many messages were new. A service that is away costs a line when it goes and one at its return.

        Warnings that have expired meanwhile let go of what was prepared, whether the service answers or not.
        """
        new = 0
        try:
            for content, source in await self._messages():
                new += await self._take(content, source)
        except (httpx.HTTPError, CapError, httpx.InvalidURL) as error:
            if not self._away:
                log.warning("the weather service cannot be asked", reason=f"{type(error).__name__}: {error}")
            self._away = True
        else:
            if self._away:
                log.info("the weather service answers again")
            self._away = False
        async with self._pool.connection() as connection:
            await storms.prepare(connection, self._now())
        return new

    async def _messages(self) -> list[tuple[bytes, str]]:
        content = await self._fetch(self._url, {} if self._etag is None else {"If-None-Match": self._etag})
        if content is None:
            return []
        if is_message(content):
            return [(content, self._url)]
        found: list[tuple[bytes, str]] = []
        for address in [urljoin(self._url, link) for link in linked_messages(content)]:
            if len(found) >= _MOST_AT_ONCE:
                self._etag = None
                break
            if address in self._seen or not self._is_ours(address):
                continue
            message = await self._fetch(address, {})
            if message is not None:
                found.append((message, address))
                self._remember(address)
        return found

    async def _fetch(self, address: str, headers: dict[str, str]) -> bytes | None:
        async with self._client.stream("GET", address, headers=headers) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                return None
            answer.raise_for_status()
            content = b""
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > LARGEST_MESSAGE_BYTES:
                    raise CapError(f"{address}: has more than {LARGEST_MESSAGE_BYTES:,} bytes")
            if address == self._url:
                self._etag = answer.headers.get("etag")
        return content

    def _is_ours(self, address: str) -> bool:
        """A feed must not send us to other hosts: it could name one that only we can reach."""
        ours, theirs = urlsplit(self._url), urlsplit(address)
        if (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc):
            return True
        if address not in self._seen:
            log.warning("the weather service's feed names another host; not asked", host=theirs.netloc)
            self._remember(address)
        return False

    def _remember(self, address: str) -> None:
        self._seen[address] = None
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.popitem(last=False)

    async def _take(self, content: bytes, source: str) -> bool:
        async with self._pool.connection() as connection:
            try:
                warning = read_message(content)
            except NotMeantForUsError as reason:
                log.info("a weather message is not to be acted on", source=source, reason=str(reason))
                return False
            except CapError as error:
                log.warning("a weather message cannot be read; it is kept", source=source, reason=str(error))
                await weather_warnings.refuse(connection, source, str(error), content)
                return False
            taken = await storms.take(connection, warning, content.decode("utf-8-sig"), self._now())
        if taken is not None:
            log.info(
                "weather warning",
                headline=warning.headline.zh,
                severity=int(warning.severity),
                kind=warning.message_type,
                exercise=warning.is_exercise,
            )
        return taken is not None
