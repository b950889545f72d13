"""Messages without the engine: a warning in the tiny city, its receivers, the two halves of the worker, and servers."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from pydantic import SecretStr

from services.alerts.notify.announcing import Announcer
from services.alerts.notify.back_off import NotDeliveredError, PutOffError
from services.alerts.notify.delivering import Deliverer
from services.alerts.notify.mail_server import MailServer
from services.alerts.notify.sender import Exits
from services.alerts.notify.target import checked_client
from services.core.alert import Alert
from services.core.broker_address import BrokerAddress
from services.core.organisation import Receiver
from services.core.settings import Settings
from services.core.severity import Severity
from services.core.store import alerts, audit, warnings
from services.core.store.organisations import save_receiver
from services.core.store.pool import open_pool
from services.core.text import Text
from services.core.warning import PublicWarning, WarningMove
from tests.integration.alerts.alert_harness import ask
from tests.integration.api.harness import alert_at

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # Loading certificates anew takes longer than a request.


@dataclass
class Seen:
    """A request as a server has seen it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Said:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class HttpServer:
    """A server on loopback that remembers what came and answers as told."""

    answer: Callable[[Seen], Said] = lambda _: Said()
    seen: list[Seen] = field(default_factory=list)
    port: int = 0
    handlers: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.handlers.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.rstrip().split("\r\n")
            method, target, _ = first.split(" ")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            request = Seen(method, target, headers, body)
            self.seen.append(request)
            said = self.answer(request)
            more = "".join(f"{name}: {value}\r\n" for name, value in said.headers.items())
            first = f"HTTP/1.1 {said.status} Said\r\nContent-Length: {len(said.body)}\r\nConnection: close\r\n"
            writer.write(f"{first}{more}\r\n".encode() + said.body)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()
        self.handlers.discard(task)


@asynccontextmanager
async def http_server(
    answer: Callable[[Seen], Said] = lambda _: Said(), tls: ssl.SSLContext | None = None
) -> AsyncIterator[HttpServer]:
    """A server to be told."""
    held = HttpServer(answer)
    server = await asyncio.start_server(held.serve, "127.0.0.1", 0, ssl=tls)
    held.port = server.sockets[0].getsockname()[1]
    try:
        yield held
    finally:
        server.close()
        for task in held.handlers:
            task.cancel()
        await asyncio.gather(*held.handlers, return_exceptions=True)


@dataclass
class Telling:
    """Both halves of the worker, without its jobs."""

    database_url: str
    announcer: Announcer
    deliverer: Deliverer

    async def announce(self, type_: str, warning: UUID) -> list[UUID]:
        """Announce news of a warning; the messages that wait to be delivered, the earliest first."""
        await self.announcer.announce(type_, warnings.EVENT, str(warning))
        waiting = "select id from notification where state = 'pending' order by created_at, id"
        return [row["id"] for row in ask(self.database_url, waiting)]

    async def deliver(self, message: UUID) -> str:
        """One try; what came of it in a word."""
        try:
            await self.deliverer.deliver(str(message))
        except NotDeliveredError as failure:
            return "given up" if failure.final else "failed"
        except PutOffError:
            return "put off"
        return "done"


@asynccontextmanager
async def telling(database_url: str, **settings: Any) -> AsyncIterator[Telling]:
    """The worker's halves with these settings; private targets are allowed unless they say otherwise."""
    usual: dict[str, Any] = {"webhook_private_targets": True, "webhook_timeout": "PT2S", "city": "tiny"}
    # Each message by itself: summaries are another test's business.
    usual |= {"flood_messages": 0}
    told = Settings(database_url=SecretStr(database_url), **usual | settings)
    broker = None if told.mqtt_url is None else BrokerAddress.from_settings(told)
    async with (
        open_pool(database_url, 4) as pool,
        checked_client(private_allowed=told.webhook_private_targets, timeout_s=2, tls=NO_TLS) as client,
    ):
        exits = Exits(client, MailServer.from_settings(told), broker, told.city)
        yield Telling(
            database_url,
            Announcer(pool, told),
            Deliverer(pool, exits, told, random.Random(1)),  # noqa: S311 - short waits, not a secret
        )


async def register(database_url: str, *receivers: Receiver) -> None:
    """Add receivers."""
    async with await AsyncConnection.connect(database_url) as connection:
        for receiver in receivers:
            await save_receiver(connection, receiver)


async def warned(
    database_url: str, severity: int = 3, asset: str = "WP-1", **changes: Any
) -> tuple[Alert, PublicWarning]:
    """An alert at an asset of the tiny city and the warning that was published for it."""
    alert = alert_at(asset, severity=Severity(severity), highest_severity=Severity(severity), **changes)
    async with await AsyncConnection.connect(database_url) as connection:
        await alerts.add(connection, alert, audit.SYSTEM)
        warning = await warnings.publish(
            connection,
            alert,
            warnings.Publication(
                severity=Severity(severity),
                headline=Text(f"Leak suspected at {asset}", f"{asset}疑似漏水"),
                instruction=Text("Keep away.", "请勿靠近。"),
                organisation="water-company",
                actor=audit.SYSTEM,
                policy="a test",
            ),
            now=datetime.now(UTC),
        )
    return alert, warning


async def raised(database_url: str, warning: PublicWarning, severity: int) -> PublicWarning:
    """The warning, graded up."""
    async with await AsyncConnection.connect(database_url) as connection:
        known = await warnings.find(connection, warning.id, lock=True)
        assert known is not None
        headline = Text("Leak, worse", "漏水加剧")
        return await warnings.grade(connection, known, Severity(severity), headline, actor=audit.SYSTEM)


async def lifted(database_url: str, warning: PublicWarning) -> PublicWarning:
    """The warning, lifted."""
    async with await AsyncConnection.connect(database_url) as connection:
        known = await warnings.find(connection, warning.id, lock=True)
        assert known is not None
        return await warnings.move(connection, known, WarningMove.LIFT, actor="a person", now=datetime.now(UTC))


def attempts(database_url: str) -> list[dict[str, Any]]:
    """The delivery log, in order."""
    return ask(
        database_url,
        """
        select n.receiver, n.state, n.type, d.attempt, d.status, d.response, d.error, d.request, n.id
        from notification n join delivery d on d.notification = n.id order by d.id
        """,
    )
