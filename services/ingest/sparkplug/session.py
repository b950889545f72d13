"""The MQTT session of the Sparkplug host, and what it says of itself.

Eclipse Sparkplug 3.0.0, chapter 5: the session begins clean and ends with its connection; the host subscribes,
then publishes that it is online under the timestamp that stands in its will; before it leaves it says that it does.
A connection has its own client and is never revived, as in ``services.ingest.subscriber``.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import gmqtt
from gmqtt.mqtt.constants import MQTTv50

from services.core.broker_address import BrokerAddress
from services.ingest.sparkplug.topic import FILTERS, state_topic
from services.ingest.subscriber import BROKER_AWAY, BrokerRefusalError

_KEEPALIVE_S = 20
_ANSWER_WITHIN_S = 5.0
_CLOSE_WITHIN_S = 1.0
_NO_RECONNECT = -2
"""Less than any number of failures; -1 would mean unlimited."""
_FIRST_FAILURE_CODE = 0x80

Receive = Callable[[str, bytes], Awaitable[None]]


def state(*, online: bool, timestamp_ms: int) -> bytes:
    """What a host says of itself, as the payload of its STATE topic."""
    return json.dumps({"online": online, "timestamp": timestamp_ms}).encode()


def says_offline(payload: bytes) -> bool:
    """Whether a STATE payload says that the host is away; broken ones say nothing."""
    try:
        content = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("online") is False


@dataclass(frozen=True, slots=True)
class HostName:
    """What edge nodes call the host, and what the broker calls its session."""

    host_id: str
    client_id: str


class HostConnection:
    """One connection of the host, from CONNECT to its end."""

    def __init__(
        self, name: HostName, receive: Receive, on_retained: Callable[[], None], now: Callable[[], datetime]
    ) -> None:
        """``receive`` takes the messages of edge nodes; it must note their order before it first waits."""
        self._state_topic = state_topic(name.host_id)
        self._receive = receive
        self._on_retained = on_retained
        self._now = now
        self._connected_ms = self._now_ms()
        self._granted: asyncio.Future[tuple[int, ...]] = asyncio.get_running_loop().create_future()
        self._newest: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._newest.set_result(None)
        self._unsubscribed = asyncio.Event()
        self.lost = asyncio.Event()
        will = gmqtt.Message(
            self._state_topic, state(online=False, timestamp_ms=self._connected_ms), qos=1, retain=True
        )
        self._client = gmqtt.Client(
            name.client_id,
            clean_session=True,
            optimistic_acknowledgement=False,
            will_message=will,
            logger=logging.getLogger("gmqtt"),
            session_expiry_interval=0,
        )
        self._client.set_config({"reconnect_retries": _NO_RECONNECT})
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.on_unsubscribe = self._on_unsubscribe
        self._client.on_disconnect = self._on_disconnect

    def _now_ms(self) -> int:
        return int(self._now().timestamp() * 1000)

    async def open(self, address: BrokerAddress) -> None:
        """Connect, subscribe and say that the host is there.

        Raises:
            OSError, MQTTError: the broker cannot be reached, refuses, or does not answer in time.
        """
        if address.user is not None:
            self._client.set_auth_credentials(address.user, address.password)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                await self._client.connect(
                    address.host,
                    address.port,
                    ssl=address.ssl_context() or False,
                    keepalive=_KEEPALIVE_S,
                    version=MQTTv50,
                )
                self._client.subscribe([gmqtt.Subscription(name, qos=1) for name in (*FILTERS, self._state_topic)])
                granted = await self._granted
        except TimeoutError:
            raise BrokerRefusalError(f"no answer within {_ANSWER_WITHIN_S:g} s") from None
        if any(code >= _FIRST_FAILURE_CODE for code in granted):
            raise BrokerRefusalError(f"the broker refused the Sparkplug subscription (codes {list(granted)})")
        self._say_online()

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a command, which is lost when the connection is (QoS 0, as the specification wants)."""
        if not self.lost.is_set():
            self._client.publish(topic, payload, qos=0)

    async def close(self) -> None:
        """Say that the host leaves, as far as the broker still hears it, and end the connection."""
        is_heard = not self.lost.is_set() and self._granted.done()
        self.lost.set()
        for step in (self._say_offline, self._client.disconnect) if is_heard else (self._client.disconnect,):
            with suppress(TimeoutError, *BROKER_AWAY):
                async with asyncio.timeout(_CLOSE_WITHIN_S):
                    await step()

    async def _say_offline(self) -> None:
        payload = state(online=False, timestamp_ms=self._now_ms())
        self._client.publish(self._state_topic, payload, qos=1, retain=True)
        # A socket closed while messages still come in is reset, and the reset may overtake our DISCONNECT. The broker
        # would take that for a lost connection, and publish the will, whose timestamp is older.
        self._client.unsubscribe([*FILTERS, self._state_topic])
        await self._unsubscribed.wait()

    def _say_online(self) -> None:
        payload = state(online=True, timestamp_ms=self._connected_ms)
        self._client.publish(self._state_topic, payload, qos=1, retain=True)

    async def _on_message(
        self, _client: Any, topic: str | bytes, payload: bytes, _qos: int, properties: dict[str, Any]
    ) -> int:
        # Acknowledgements leave in the order of delivery (MQTT 5.0, 4.6). Tasks begin in the order of creation.
        before, done = self._newest, asyncio.get_running_loop().create_future()
        self._newest = done
        try:
            await self._take(topic if isinstance(topic, str) else topic.decode(errors="replace"), payload, properties)
            await before
        finally:
            if not done.done():
                done.set_result(None)
        return 0

    async def _take(self, topic: str, payload: bytes, properties: dict[str, Any]) -> None:
        if self.lost.is_set():
            return
        if topic == self._state_topic:
            # Somebody's late word, such as the will of the host before us.
            if says_offline(payload) and self._granted.done():
                self._say_online()
        elif properties.get("retain"):
            self._on_retained()
        else:
            await self._receive(topic, payload)

    def _on_subscribe(self, _client: Any, _identifier: int, granted: tuple[int, ...], _properties: Any) -> None:
        if not self._granted.done():
            self._granted.set_result(granted)

    def _on_unsubscribe(self, *_answer: Any) -> None:
        self._unsubscribed.set()

    def _on_disconnect(self, _client: Any, _packet: Any, *_exception: Any) -> None:
        self.lost.set()
