"""Messages on their way to the broker: in order, acknowledged, kept while it is away."""

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, Protocol

import aiomqtt
import numpy as np
import structlog

from simulators.progress import Message

BUFFER_MESSAGES = 2000
"""Unacknowledged messages kept; when it is full the simulation waits, so that nothing is lost."""
_WAVE = 20
"""Messages under way at once; the receive maximum of many brokers."""
_ACKNOWLEDGED_WITHIN_S = 5.0
_LONGEST_PAUSE_S = 5.0
_SHORTEST_PAUSE_S = 0.2

_log = structlog.get_logger(__name__)


class Broker:
    """Where to connect, as whom, and how it is encrypted, if it is."""

    def __init__(
        self,
        host: str,
        port: int,
        username: str | None = None,
        password: str | None = None,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._username = username
        self._password = password
        self._tls = tls

    def client(self) -> aiomqtt.Client:
        """A new MQTT 5 client; each connection gets its own."""
        client = aiomqtt.Client(
            self.host,
            self.port,
            username=self._username,
            password=self._password,
            tls_context=self._tls,
            protocol=aiomqtt.ProtocolVersion.V5,
            keepalive=30,
            # Without it every wave of small messages waits 40 ms for a delayed TCP acknowledgement.
            socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
        )
        client.pending_calls_threshold = _WAVE
        return client

    async def reachable(self) -> None:
        """Open and close a plain connection: unlike the MQTT client's, this attempt can be cancelled at once.

        Raises:
            OSError: nobody listens there, or nobody answers in time.
        """
        async with asyncio.timeout(_ACKNOWLEDGED_WITHIN_S):
            _, writer = await asyncio.open_connection(self.host, self.port)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class Ear(Protocol):
    """Who listens on the connection that messages are sent on."""

    @property
    def topic(self) -> str:
        """What is subscribed to."""

    async def hear(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        """Take what came in, in order."""


class Outbox:
    """Sends messages in the order they were put, each until the broker has acknowledged it."""

    def __init__(
        self,
        broker: Broker,
        acknowledged: Callable[[Message], None],
        rng: np.random.Generator,
        ear: Ear | None = None,
    ) -> None:
        self._broker = broker
        self._ear = ear
        self._acknowledged = acknowledged
        self._rng = rng
        self._waiting: deque[Message] = deque()
        self._changed = asyncio.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    async def put(self, message: Message) -> None:
        """Hand over a message; waits while the buffer is full."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._waiting) < BUFFER_MESSAGES)
            self._waiting.append(message)
            self._changed.notify_all()

    async def drained(self) -> None:
        """Wait until everything handed over is acknowledged."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._waiting)

    async def run(self) -> None:
        """Connect and send, for ever; one log line when the broker goes, one when it is back."""
        attempt, away = 0, False
        while True:
            try:
                await self._broker.reachable()
                async with self._broker.client() as client:
                    if away:
                        _log.info("broker is back", host=self._broker.host, port=self._broker.port, kept=len(self))
                    attempt, away = 0, False
                    await self._send(client)
            except (aiomqtt.MqttError, OSError) as error:
                if not away:
                    _log.warning(
                        "broker is away; readings are kept and sent again",
                        host=self._broker.host,
                        port=self._broker.port,
                        reason=str(error) or type(error).__name__,
                        kept=len(self),
                        most=BUFFER_MESSAGES,
                    )
                away = True
            await asyncio.sleep(self._pause_s(attempt))
            attempt += 1

    def _pause_s(self, attempt: int) -> float:
        longest = min(_LONGEST_PAUSE_S, _SHORTEST_PAUSE_S * 2 ** min(attempt, 10))
        return float(longest * self._rng.uniform(0.5, 1.0))

    async def _send(self, client: aiomqtt.Client) -> None:
        if self._ear is not None:
            await client.subscribe(self._ear.topic, qos=1, timeout=_ACKNOWLEDGED_WITHIN_S)
        lost = asyncio.create_task(_until_lost(client, self._ear))
        try:
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: bool(self._waiting) or lost.done())
                await self._send_wave(client, lost)
        finally:
            lost.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await lost

    async def _send_wave(self, client: aiomqtt.Client, lost: "asyncio.Task[None]") -> None:
        wave = list(islice(self._waiting, _WAVE))
        sending = asyncio.gather(
            *(client.publish(m.topic, m.payload, qos=1, timeout=_ACKNOWLEDGED_WITHIN_S) for m in wave)
        )
        awaited: list[asyncio.Future[Any]] = [sending, lost]
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise aiomqtt.MqttError("connection lost")
            sending.result()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        async with self._changed:
            for message in wave:
                self._waiting.popleft()
                self._acknowledged(message)
            self._changed.notify_all()


async def _until_lost(client: aiomqtt.Client, ear: Ear | None) -> None:
    """The message iterator ends with an error when the connection does."""
    async for message in client.messages:
        if ear is not None:
            await ear.hear(client, message)
