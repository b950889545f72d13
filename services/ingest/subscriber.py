"""The MQTT session: messages come in, and each is acknowledged when whoever took it is done with it.

A connection has its own client and is never revived: the library would otherwise send the acknowledgement of a
message from a lost connection on the next one, where the same packet identifier can belong to another message.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import gmqtt
import structlog
from gmqtt.mqtt.constants import MQTTv50
from gmqtt.mqtt.handler import MQTTError

from services.core import wire
from services.core.settings import ConfigurationError
from services.ingest.outage import LONGEST_WAIT_S, Outage

BROKER_AWAY = (OSError, MQTTError)
SHARE = "lifeline-ingest"
"""Name of the shared subscription: ingest processes on one broker divide the messages among them."""
SESSION_EXPIRY = timedelta(days=7)
"""How long the broker keeps messages for a process that does not come back."""

_KEEPALIVE_S = 20
_ANSWER_WITHIN_S = 5.0
_CLOSE_WITHIN_S = 1.0
_NO_RECONNECT = -2
"""Less than any number of failures; -1 would mean unlimited."""
_FIRST_FAILURE_CODE = 0x80
_SESSION_TAKEN_OVER = b"\x8e"

Accept = Callable[[str, bytes, int, Callable[[], bool]], Awaitable[None]]


class BrokerRefusalError(OSError):
    """The broker answered, but not with what ingest needs."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are to it."""

    host: str
    port: int
    user: str | None
    password: str | None
    encrypted: bool

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read ``mqtt://[user:password@]host[:port]``, or ``mqtts`` for TLS.

        Raises:
            ConfigurationError: the address is of another kind.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise ConfigurationError("LIFELINE_MQTT_URL must read mqtt://[user:password@]host:port")
        encrypted = parts.scheme == "mqtts"
        user = None if parts.username is None else unquote(parts.username)
        password = None if parts.password is None else unquote(parts.password)
        return cls(parts.hostname, parts.port or (8883 if encrypted else 1883), user, password, encrypted)


@dataclass(frozen=True, slots=True)
class Session:
    """What the broker keeps for us under our name, and how much it may send before we acknowledge."""

    instance: str
    in_flight: int
    shared: bool

    @property
    def filters(self) -> list[str]:
        """Topic filters to subscribe to."""
        return [f"$share/{SHARE}/{name}" if self.shared else name for name in wire.READINGS_FILTERS]


class _Connection:
    """One connection of the session, from CONNECT to its end."""

    def __init__(self, session: Session, accept: Accept) -> None:
        self._session = session
        self._accept = accept
        self._waiting = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopped = False
        self._closed = asyncio.Event()
        self._newest: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._newest.set_result(None)
        self._granted: asyncio.Future[tuple[int, ...]] = asyncio.get_running_loop().create_future()
        self.lost = asyncio.Event()
        self.lost_because = "the connection was closed"
        self._client = gmqtt.Client(
            session.instance,
            clean_session=False,
            optimistic_acknowledgement=False,
            logger=logging.getLogger("gmqtt"),
            session_expiry_interval=int(SESSION_EXPIRY.total_seconds()),
            receive_maximum=session.in_flight,
        )
        self._client.set_config({"reconnect_retries": _NO_RECONNECT})
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect

    async def open(self, address: BrokerAddress) -> None:
        """Connect and subscribe; the session may deliver what it kept even before the subscription is granted.

        Raises:
            OSError, MQTTError: the broker cannot be reached, refuses, or does not answer in time.
        """
        if address.user is not None:
            self._client.set_auth_credentials(address.user, address.password)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                await self._client.connect(
                    address.host, address.port, ssl=address.encrypted, keepalive=_KEEPALIVE_S, version=MQTTv50
                )
                self._client.subscribe([gmqtt.Subscription(name, qos=1) for name in self._session.filters])
                granted = await self._granted
        except TimeoutError:
            raise BrokerRefusalError(f"no answer within {_ANSWER_WITHIN_S:g} s") from None
        if any(code >= _FIRST_FAILURE_CODE for code in granted):
            raise BrokerRefusalError(f"the broker refused the subscription (codes {list(granted)})")

    async def idle(self, within_s: float) -> None:
        """Wait until every message that was taken is done with, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._idle.wait()

    async def drain(self, within_s: float) -> None:
        """Take no further message and wait for the acknowledgement of those that were taken."""
        self._stopped = True
        await self.idle(within_s)
        # The library acknowledges in a callback that runs after the last message's task has ended.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def close(self) -> None:
        """End the connection; the broker keeps the session and sends again what was not acknowledged."""
        with suppress(TimeoutError, *BROKER_AWAY):
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self._client.disconnect()
        self.lost.set()
        self._closed.set()

    async def _on_message(self, _client: Any, topic: str | bytes, payload: bytes, qos: int, _properties: Any) -> int:
        if self._stopped:
            # Returning acknowledges, so what came too late waits until there is nobody left to hear it.
            await self._closed.wait()
            return 0
        self._waiting += 1
        self._idle.clear()
        # MQTT wants acknowledgements in the order of delivery (4.6); rumqttd closes the connection otherwise.
        before, done = self._newest, asyncio.get_running_loop().create_future()
        self._newest = done
        try:
            name = topic if isinstance(topic, str) else topic.decode(errors="replace")
            await self._accept(name, payload, qos, lambda: not self.lost.is_set())
            await before
        finally:
            if not done.done():  # the next in line was cancelled while it waited
                done.set_result(None)
            self._waiting -= 1
            if self._waiting == 0:
                self._idle.set()
        return 0

    def _on_subscribe(self, _client: Any, _identifier: int, granted: tuple[int, ...], _properties: Any) -> None:
        if not self._granted.done():
            self._granted.set_result(granted)

    def _on_disconnect(self, _client: Any, packet: Any, *_exception: Any) -> None:
        if not self.lost.is_set() and isinstance(packet, bytes) and packet[:1] == _SESSION_TAKEN_OVER:
            self.lost_because = "another process has taken over the session of this ingest instance"
        self.lost.set()


class Subscriber:
    """Keeps one connection of the session open and hands its messages on."""

    def __init__(self, address: BrokerAddress, session: Session, accept: Accept, broker: Outage) -> None:
        self._address = address
        self._session = session
        self._accept = accept
        self._broker = broker
        self._has_received = False
        self._log = structlog.get_logger()

    async def run(self, stop: asyncio.Event, drain_within_s: float, on_lost: Callable[[], None]) -> None:
        """Receive until told to stop, then finish what was taken and disconnect.

        ``on_lost`` is called after a connection has ended: nothing it delivered can be acknowledged any more.
        """
        logging.getLogger("gmqtt").setLevel(logging.CRITICAL)  # it would report every attempt of an outage
        clock = asyncio.get_running_loop().time
        pauses = self._broker.waits()
        while not stop.is_set():
            connection = _Connection(self._session, self._accept)
            started_at = clock()
            try:
                await self._receive(connection, stop, drain_within_s)
            except BROKER_AWAY as error:
                self._broker.began(error)
            finally:
                await connection.close()
                on_lost()
                await connection.idle(_CLOSE_WITHIN_S)
            if clock() - started_at > 2 * LONGEST_WAIT_S:
                pauses = self._broker.waits()  # not sooner: two processes of one name would fight at full speed
            await _first(stop, within_s=next(pauses))

    async def _receive(self, connection: _Connection, stop: asyncio.Event, drain_within_s: float) -> None:
        await connection.open(self._address)
        self._broker.ended()
        if not self._has_received:
            self._has_received = True
            self._log.info("ingest is receiving", instance=self._session.instance)
        await _first(stop, connection.lost)
        if not stop.is_set():
            raise ConnectionError(connection.lost_because)
        await connection.drain(drain_within_s)


async def _first(*events: asyncio.Event, within_s: float | None = None) -> None:
    """Wait until one of the events is set, or for so long."""
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
