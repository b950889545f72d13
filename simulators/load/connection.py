"""One connection to the broker, and how to make another when it is lost.

A connection has its own client and is never revived: what is sent again is decided by whoever sends.
"""

import asyncio
import contextlib
import logging
import random
import ssl
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import gmqtt
from gmqtt.mqtt.constants import MQTTv50
from gmqtt.mqtt.handler import MQTTError
from gmqtt.storage import PersistentStorage

BROKER_AWAY = (OSError, MQTTError)
"""Errors that pass: another connection is tried."""
_ANSWER_WITHIN_S = 5.0
_CLOSE_WITHIN_S = 1.0
_KEEPALIVE_S = 20
_NO_RECONNECT = -2
"""Less than any number of failures; -1 would mean unlimited."""
_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 3.0
_FIRST_FAILURE_CODE = 0x80
_LARGEST_IDENTIFIER = 65_535
_PUBLISH_QOS_1 = b"\x32"
_NO_PROPERTIES = b"\x00"

logging.getLogger("gmqtt").setLevel(logging.CRITICAL)  # it would report every attempt of an outage


@dataclass(frozen=True, slots=True)
class Login:
    """Where the broker is and who we are to it; ``tls`` makes what an encrypted connection needs."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    tls: Callable[[], ssl.SSLContext | None] = lambda: None


class _Unconfirmed(PersistentStorage):  # type: ignore[misc]  # the library has no types
    """Hears from the library when the broker confirms a message; no packet is sent again by itself."""

    def __init__(self, on_confirmed: Callable[[Any], None]) -> None:
        super().__init__()
        self._tokens: dict[int, Any] = {}
        self._on_confirmed = on_confirmed
        self._last = 0

    def number(self, token: object) -> int:
        """A packet identifier that is free, for the message with this token."""
        while True:
            self._last = self._last % _LARGEST_IDENTIFIER + 1
            if self._last not in self._tokens:
                self._tokens[self._last] = token
                return self._last

    def remove_message_by_mid(self, mid: int) -> None:
        if mid in self._tokens:
            self._on_confirmed(self._tokens.pop(mid))


class Connection:
    """One connection, from CONNECT to its end."""

    def __init__(
        self,
        name: str = "",
        *,
        on_confirmed: Callable[[Any], None] = lambda _token: None,
        on_message: Callable[[bytes], None] = lambda _payload: None,
    ) -> None:
        """``on_confirmed`` gets what was given with a message when the broker has taken it."""
        self.lost = asyncio.Event()
        self.receive_maximum = 65_535
        """Messages that the broker takes without having confirmed them."""
        self._storage = _Unconfirmed(on_confirmed)
        self._granted: asyncio.Future[tuple[int, ...]] = asyncio.get_running_loop().create_future()
        self._client = gmqtt.Client(f"{name or 'load'}-{uuid.uuid4().hex[:12]}", persistent_storage=self._storage)
        self._client.set_config({"reconnect_retries": _NO_RECONNECT})
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = lambda *_: self.lost.set()
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = lambda _client, _topic, payload, _qos, _properties: on_message(payload)

    async def open(self, login: Login, topic: str | None = None) -> None:
        """Connect, and subscribe to a topic where there is one.

        Raises:
            OSError, MQTTError: the broker cannot be reached, refuses, or does not answer in time.
        """
        if login.user is not None:
            self._client.set_auth_credentials(login.user, login.password)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                await self._client.connect(
                    login.host, login.port, ssl=login.tls() or False, keepalive=_KEEPALIVE_S, version=MQTTv50
                )
                if topic is not None:
                    self._client.subscribe(gmqtt.Subscription(topic, qos=1))
                    await self._granted
        except TimeoutError:
            raise ConnectionError(f"no answer within {_ANSWER_WITHIN_S:g} s") from None

    def publish(self, messages: Iterable[tuple[str, bytes, object]]) -> None:
        """Send messages with QoS 1: topic, payload, and the token that comes back when the broker has it.

        They leave in one write. The library's way makes a system call of each, which costs more than all the rest.
        """
        packets = [
            _publish_packet(topic.encode(), self._storage.number(token), payload) for topic, payload, token in messages
        ]
        self._client._connection._protocol.write_data(b"".join(packets))  # noqa: SLF001 - the library has no public way

    async def close(self) -> None:
        """End it; harmless when it is lost already."""
        with contextlib.suppress(TimeoutError, *BROKER_AWAY):
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self._client.disconnect()
        self.lost.set()

    def _on_connect(self, _client: Any, _flags: int, _result: int, properties: dict[str, Any]) -> None:
        self.receive_maximum = int(properties.get("receive_maximum", [self.receive_maximum])[0])

    def _on_subscribe(self, _client: Any, _identifier: int, granted: tuple[int, ...], _properties: Any) -> None:
        if self._granted.done():
            return
        if any(code >= _FIRST_FAILURE_CODE for code in granted):
            self._granted.set_exception(ConnectionRefusedError(f"the subscription was refused (codes {list(granted)})"))
        else:
            self._granted.set_result(granted)


def waits(rng: random.Random) -> Iterator[float]:
    """Seconds to wait before each further try: doubling up to the longest, the upper half of each at random."""
    wait = _FIRST_WAIT_S
    while True:
        yield wait * rng.uniform(0.5, 1.0)
        wait = min(_LONGEST_WAIT_S, 2 * wait)


def _publish_packet(topic: bytes, identifier: int, payload: bytes) -> bytes:
    """A PUBLISH packet of MQTT 5 (3.3) with QoS 1."""
    variable = len(topic).to_bytes(2) + topic + identifier.to_bytes(2) + _NO_PROPERTIES
    return b"".join((_PUBLISH_QOS_1, _variable_byte_integer(len(variable) + len(payload)), variable, payload))


def _variable_byte_integer(number: int) -> bytes:
    """MQTT 5, 1.5.5."""
    digits = bytearray()
    while True:
        number, digit = divmod(number, 128)
        digits.append(digit | 0x80 if number else digit)
        if not number:
            return bytes(digits)
