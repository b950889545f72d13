"""The MQTT session: messages come in, and each is acknowledged when whoever took it is done with it.

A connection has its own client and is never revived: the library would otherwise send the acknowledgement of a
message from a lost connection on the next one, where the same packet identifier can belong to another message.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import gmqtt
import structlog
from gmqtt.mqtt.constants import MQTTv50
from gmqtt.mqtt.handler import MQTTError

from services.core import wire
from services.core.broker_address import BrokerAddress
from services.ingest.message import Message
from services.ingest.outage import LONGEST_WAIT_S, Outage
from services.ingest.sensorthings import OBSERVATION_FILTERS

BROKER_AWAY = (OSError, MQTTError)
FILTERS = (*wire.READINGS_FILTERS, wire.WINDOWS_FILTER, *OBSERVATION_FILTERS)
"""Topic filters of the messages that any process may take, in any order."""
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

_LEAVE_WITHIN_S = 60.0
"""Time for taking what the broker has put aside for a process that leaves for good."""
_QUIET_S = 0.5
_PUBACK = b"\x40\x02"

Properties = dict[str, Any]
Take = Callable[[str | bytes, bytes, Properties, int | None], None]
"""Takes topic, payload, properties and, of a message that waits for acknowledgement, the packet identifier."""
Accept = Callable[[Message, int, object, Callable[[], None]], None]
"""Takes a message, its QoS, the connection that delivered it, and what to call when it may be acknowledged."""


class BrokerRefusalError(OSError):
    """The broker answered, but not with what ingest needs."""


@dataclass(frozen=True, slots=True)
class Session:
    """What the broker keeps for us under our name, and how much it may send before we acknowledge."""

    instance: str
    in_flight: int
    shared: bool

    @property
    def filters(self) -> list[str]:
        """Topic filters to subscribe to."""
        return [f"$share/{SHARE}/{name}" if self.shared else name for name in FILTERS]


class _Client:
    """The library's client, with messages and their acknowledgement left to us.

    The library's own way makes a task and a future of each message and acknowledges each in a write of its own; that
    costs more than decoding and storing the message. It has no public way around it, so this class knows its insides.
    """

    def __init__(self, instance: str, in_flight: int, take: Take) -> None:
        self.library = gmqtt.Client(
            instance,
            clean_session=False,
            optimistic_acknowledgement=False,
            logger=logging.getLogger("gmqtt"),
            session_expiry_interval=int(SESSION_EXPIRY.total_seconds()),
            receive_maximum=in_flight,
        )
        self.library.set_config({"reconnect_retries": _NO_RECONNECT})
        handler = self.library._package_handler  # noqa: SLF001 - see the class
        handler._handle_qos_1_publish_packet = (  # noqa: SLF001
            lambda packet_identifier, payload, topic, properties: take(topic, payload, properties, packet_identifier)
        )
        self.library.on_message = lambda _client, topic, payload, _qos, properties: take(
            topic, payload, properties, None
        )

    def acknowledge(self, packet_identifiers: Sequence[int]) -> None:
        """Send PUBACK for each, with success, in one write."""
        packets = b"".join(_PUBACK + identifier.to_bytes(2) for identifier in packet_identifiers)
        self.library._connection._protocol.write_data(packets)  # noqa: SLF001


@dataclass(slots=True)
class _Delivery:
    """A message that the broker waits to hear of."""

    packet_identifier: int
    is_settled: bool = False


class _Connection:
    """One connection of the session, from CONNECT to its end."""

    def __init__(self, session: Session, accept: Accept, now: Callable[[], datetime]) -> None:
        self._session = session
        self._accept = accept
        self._now = now
        self._deliveries: deque[_Delivery] = deque()
        self._is_acknowledging = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopped = False
        self._granted: asyncio.Future[tuple[int, ...]] = asyncio.get_running_loop().create_future()
        self.lost = asyncio.Event()
        self.lost_because = "the connection was closed"
        self._acknowledging_client = _Client(session.instance, session.in_flight, self._on_message)
        self._client = self._acknowledging_client.library
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
                    address.host,
                    address.port,
                    ssl=address.ssl_context() or False,
                    keepalive=_KEEPALIVE_S,
                    version=MQTTv50,
                )
                self._client.subscribe([gmqtt.Subscription(name, qos=1) for name in self._session.filters])
                granted = await self._granted
        except TimeoutError:
            raise BrokerRefusalError(f"no answer within {_ANSWER_WITHIN_S:g} s") from None
        if any(code >= _FIRST_FAILURE_CODE for code in granted):
            raise BrokerRefusalError(f"the broker refused the subscription (codes {list(granted)})")

    async def leave(self, quiet_s: float) -> None:
        """Give up the share in the subscription, and take what the broker has put aside for us already."""
        for name in self._session.filters:
            self._client.unsubscribe(name)
        async with asyncio.timeout(_LEAVE_WITHIN_S):
            quiet_since = None
            loop = asyncio.get_running_loop()
            while quiet_since is None or loop.time() - quiet_since < quiet_s:
                await asyncio.sleep(quiet_s / 5)
                is_quiet = self._idle.is_set()
                quiet_since = (quiet_since or loop.time()) if is_quiet else None

    async def drain(self, within_s: float) -> bool:
        """Take no further message and wait for the acknowledgement of those that were taken; whether all were."""
        self._stopped = True
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        return self._idle.is_set()

    async def close(self, *, forget_session: bool = False) -> None:
        """End the connection; the broker keeps the session and sends again what was not acknowledged."""
        expiry = {"session_expiry_interval": 0} if forget_session else {}
        with suppress(TimeoutError, *BROKER_AWAY):
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self._client.disconnect(**expiry)
        self.lost.set()

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a retained message; when the connection is lost before the broker has it, it is lost too."""
        if not self.lost.is_set():
            self._client.publish(topic, payload, qos=1, retain=True)

    def _on_message(
        self, topic: str | bytes, payload: bytes, properties: Properties, packet_identifier: int | None
    ) -> None:
        if self._stopped:
            return  # it stays unacknowledged, so that the broker sends it again
        message = self._message(topic, payload, properties)
        if packet_identifier is None:
            self._accept(message, 0, self, _nothing)
            return
        delivery = _Delivery(packet_identifier)
        self._deliveries.append(delivery)
        self._idle.clear()

        def settled() -> None:
            delivery.is_settled = True
            if not self._is_acknowledging:
                self._is_acknowledging = True
                asyncio.get_running_loop().call_soon(self._acknowledge)

        self._accept(message, 1, self, settled)

    def _message(self, topic: str | bytes, payload: bytes, properties: Properties) -> Message:
        name = topic if isinstance(topic, str) else topic.decode(errors="replace")
        content_type = properties.get("content_type")
        return Message(name, payload, self._now(), str(content_type[0]) if content_type else "")

    def _acknowledge(self) -> None:
        """Acknowledge what is settled, in the order of delivery.

        MQTT wants that order (4.6); rumqttd closes the connection otherwise.
        """
        self._is_acknowledging = False
        settled = []
        while self._deliveries and self._deliveries[0].is_settled:
            settled.append(self._deliveries.popleft().packet_identifier)
        if settled and not self.lost.is_set():
            self._acknowledging_client.acknowledge(settled)
        if not self._deliveries:
            self._idle.set()

    def _on_subscribe(self, _client: Any, _identifier: int, granted: tuple[int, ...], _properties: Any) -> None:
        if not self._granted.done():
            self._granted.set_result(granted)

    def _on_disconnect(self, _client: Any, packet: Any, *_exception: Any) -> None:
        if not self.lost.is_set() and isinstance(packet, bytes) and packet[:1] == _SESSION_TAKEN_OVER:
            self.lost_because = "another process has taken over the session of this ingest instance"
        self.lost.set()


def _nothing() -> None:
    """A message of QoS 0 is acknowledged to nobody."""


class Subscriber:
    """Keeps one connection of the session open and hands its messages on."""

    def __init__(
        self,
        address: BrokerAddress,
        session: Session,
        accept: Accept,
        broker: Outage,
        *,
        may_leave: Callable[[], Awaitable[bool]],
        now: Callable[[], datetime],
    ) -> None:
        """``may_leave`` says at the end whether others are there to take over our share."""
        self._address = address
        self._session = session
        self._accept = accept
        self._broker = broker
        self._may_leave = may_leave
        self._now = now
        self._connection: _Connection | None = None
        self._has_received = False
        self._log = structlog.get_logger()

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a retained message, if the broker is there."""
        if self._connection is not None:
            self._connection.publish(topic, payload)

    async def run(self, stop: asyncio.Event, drain_within_s: float, on_lost: Callable[[object], None]) -> None:
        """Receive until told to stop, then finish what was taken and disconnect.

        ``on_lost`` is called with a connection that has ended: nothing it delivered can be acknowledged any more.
        """
        logging.getLogger("gmqtt").setLevel(logging.CRITICAL)  # it would report every attempt of an outage
        clock = asyncio.get_running_loop().time
        pauses = self._broker.waits()
        while not stop.is_set():
            connection = self._connection = _Connection(self._session, self._accept, self._now)
            started_at = clock()
            try:
                await self._receive(connection, stop, drain_within_s)
            except BROKER_AWAY as error:
                self._broker.began(error)
            finally:
                await connection.close()
                on_lost(connection)
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
        is_leaving = self._session.shared and await self._may_leave()
        if is_leaving:
            with suppress(TimeoutError):
                await connection.leave(_QUIET_S)
        is_drained = await connection.drain(drain_within_s)
        if is_leaving and is_drained:
            await connection.close(forget_session=True)
            self._log.info("ingest has handed its share over", instance=self._session.instance)


async def _first(*events: asyncio.Event, within_s: float | None = None) -> None:
    """Wait until one of the events is set, or for so long."""
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
