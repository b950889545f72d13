"""Messages a second that one process delivers: a receiver on loopback that answers at once, real jobs and database.

The receiver runs in the same process, on the same core; a receiver elsewhere leaves more of it for the worker.
"""

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from psycopg import AsyncConnection
from pydantic import SecretStr

from services.alerts.notify.announcing import Announcer
from services.alerts.notify.delivering import Deliverer
from services.alerts.notify.sender import Exits
from services.alerts.notify.target import checked_client
from services.alerts.notify.worker import run_worker
from services.core.channel import new_signing_secret
from services.core.notification import Notification, NotificationState
from services.core.organisation import Receiver
from services.core.settings import Settings
from services.core.store import notifications
from services.core.store.organisations import save_receiver
from services.core.store.pool import open_pool

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_BODY_BYTES = 3000
"""As large as the body of a usual warning with its trace."""


@dataclass(frozen=True, slots=True)
class DeliveryRate:
    """What was measured."""

    messages: int
    receivers: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Messages delivered and written down in a second."""
        return self.messages / self.seconds


async def measure_deliveries(database_url: str, messages: int = 1000, receivers: int = 10) -> DeliveryRate:
    """Deliver so many messages, spread over receivers, in a migrated and empty database.

    Raises:
        TimeoutError: they are not delivered within ten minutes.
    """
    settings = Settings(database_url=SecretStr(database_url), webhook_private_targets=True)
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await _prepare(database_url, f"http://127.0.0.1:{port}/", messages, receivers)
    async with (
        open_pool(database_url, settings.database_pool_size) as pool,
        checked_client(private_allowed=True, timeout_s=10) as client,
    ):
        deliverer = Deliverer(pool, Exits(client), settings, random.Random(1))  # noqa: S311 - short waits, not a secret
        began = time.perf_counter()
        worker = asyncio.create_task(run_worker(database_url, Announcer(pool, settings), deliverer))
        try:
            async with asyncio.timeout(600):
                await _until_delivered(database_url, messages)
            seconds = time.perf_counter() - began
        finally:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker
    server.close()
    return DeliveryRate(messages=messages, receivers=receivers, seconds=seconds)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            writer.write(_ANSWER)
            await writer.drain()
    writer.close()


async def _prepare(database_url: str, url: str, messages: int, receivers: int) -> None:
    now = datetime.now(UTC)
    body = f'{{"type":"warning.published","data":{{"padding":"{"x" * _BODY_BYTES}"}}}}'
    async with await AsyncConnection.connect(database_url) as connection:
        await connection.execute(
            "insert into organisation (id, name_en, name_zh, role) values ('bench', 'Bench', '测试', 'centre')"
        )
        for number in range(receivers):
            secret = new_signing_secret(number.to_bytes(32))
            await save_receiver(connection, Receiver(f"receiver-{number}", "bench", url, secret, 1))
        for number in range(messages):
            note = Notification(
                id=uuid4(),
                receiver=f"receiver-{number % receivers}",
                type="warning.published",
                subject_kind="warning",
                subject=uuid4(),
                body=body,
                state=NotificationState.PENDING,
                attempts=0,
                created_at=now,
                delivered_at=None,
            )
            await notifications.enqueue(connection, note)


async def _until_delivered(database_url: str, messages: int) -> None:
    async with await AsyncConnection.connect(database_url, autocommit=True) as connection:
        while True:
            cursor = await connection.execute("select count(*) from notification where state = 'delivered'")
            row = await cursor.fetchone()
            if row is not None and row[0] >= messages:
                return
            await asyncio.sleep(0.1)
