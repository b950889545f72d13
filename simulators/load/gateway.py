"""A gateway that loses nothing: it numbers its batches and keeps each until the service says that it is stored.

The broker's word is not enough, because a broker that is killed forgets what it had in memory. What the service has
committed it says on the gateway's acknowledgement topic (``services.core.wire``), and it says it again whenever a
number comes a second time; a batch sent twice is stored once.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Any

import msgspec

from services.core.wire import (
    WireAcknowledgement,
    WireNumbered,
    decode_acknowledgement,
    encode_numbered,
    gateway_acknowledgement_topic,
    gateway_readings_topic,
)
from simulators.load.connection import BROKER_AWAY, Connection, Login, waits
from simulators.load.journal import Journal

WINDOW = 50
"""Batches on their way at once."""
CAPACITY = 5000
"""Batches kept; whoever has more to send waits."""
REPLAY_AFTER_S = 5.0
"""A batch that nothing was heard of is sent again after this time, and each further time after twice as long."""
_LONGEST_REPLAY_S = 60.0
_GAP_AFTER_S = 1.0
_GAP_AFTER_ROUND_TRIPS = 2.0
"""Services that divide the messages overtake each other: a batch missing behind others is sent again only after this
time, and after so many times as long as storing a batch takes at present."""
_SMOOTHING = 0.1
_LOOK_EVERY_S = 0.5


class BufferingGateway:
    """One gateway with its buffer; run :meth:`run` beside what hands batches over."""

    def __init__(
        self,
        city: str,
        name: str,
        login: Login,
        journal: Journal,
        rng: random.Random,
        *,
        window: int = WINDOW,
        capacity: int = CAPACITY,
        replay_after_s: float = REPLAY_AFTER_S,
        encode: Callable[[WireNumbered], bytes] = encode_numbered,
    ) -> None:
        self.sent = 0
        """Messages published, repetitions included."""
        self.outages = 0
        """How often the broker could not be reached or the connection was lost."""
        self.last_outage = ""
        """Why, the last time."""
        self._topic = gateway_readings_topic(city, name)
        self._acknowledgements = gateway_acknowledgement_topic(city, name)
        self._name = name
        self._login = login
        self._journal = journal
        self._rng = rng
        self._window = window
        self._capacity = capacity
        self._replay_after_s = self._shortest_replay_s = replay_after_s
        self._encode = encode
        self._unsent: deque[int] = deque()
        self._sent_at: dict[int, float] = {}
        self._round_trip_s = 0.0
        self._changed = asyncio.Event()
        self._room = asyncio.Condition()

    @property
    def stored(self) -> int:
        """How many of its batches are known to be stored."""
        return self._journal.next_number - 1 - len(self._journal.kept)

    async def put(self, readings: Any) -> int:
        """Number a batch and keep it; returns its number. Waits while the buffer is full.

        ``readings`` is what a numbered batch may hold: entries, or columns.
        """
        async with self._room:
            await self._room.wait_for(lambda: len(self._journal.kept) < self._capacity)
        number = self._journal.next_number
        batch = WireNumbered(seq=number, readings=readings, buffer=self._journal.buffer)
        self._journal.keep(number, self._encode(batch))
        self._unsent.append(number)
        self._changed.set()
        return number

    async def drained(self) -> None:
        """Wait until everything is known to be stored."""
        async with self._room:
            await self._room.wait_for(lambda: not self._journal.kept)

    async def run(self) -> None:
        """Send, and send again, for ever."""
        pauses = waits(self._rng)
        while True:
            connection = Connection(self._name, on_message=self._on_acknowledgement)
            try:
                await connection.open(self._login, self._acknowledgements)
                pauses = waits(self._rng)
                await self._send_on(connection)
            except BROKER_AWAY as error:
                self.outages += 1
                self.last_outage = str(error) or type(error).__name__
                await asyncio.sleep(next(pauses))
            finally:
                await connection.close()

    async def _send_on(self, connection: Connection) -> None:
        """Send all that is kept: nobody knows what the last connection's broker has done with it."""
        self._sent_at.clear()
        self._unsent = deque(self._journal.kept)
        window = min(self._window, connection.receive_maximum)
        loop = asyncio.get_running_loop()
        look_at = loop.time() + _LOOK_EVERY_S
        while not connection.lost.is_set():
            self._changed.clear()
            self._publish(connection, self._next(window - len(self._sent_at)))
            if loop.time() >= look_at:
                self._publish(connection, self._overdue())
                look_at = loop.time() + _LOOK_EVERY_S
            await _first(self._changed, connection.lost, within_s=look_at - loop.time())
            async with self._room:
                self._room.notify_all()
        raise ConnectionError("the connection was lost")

    def _next(self, most: int) -> list[int]:
        numbers: list[int] = []
        while self._unsent and len(numbers) < most:
            number = self._unsent.popleft()
            if number in self._journal.kept:
                numbers.append(number)
        return numbers

    def _overdue(self) -> list[int]:
        before = asyncio.get_running_loop().time() - self._replay_after_s
        overdue = [number for number, sent_at in self._sent_at.items() if sent_at < before]
        if overdue:
            self._replay_after_s = min(_LONGEST_REPLAY_S, 2 * self._replay_after_s)
        return overdue

    def _publish(self, connection: Connection, numbers: Iterable[int]) -> None:
        now = asyncio.get_running_loop().time()
        messages = [(self._topic, self._journal.kept[number], number) for number in numbers]
        if not messages:
            return
        connection.publish(messages)
        self.sent += len(messages)
        self._sent_at.update((number, now) for _, _, number in messages)

    def _on_acknowledgement(self, payload: bytes) -> None:
        """Forget what is stored: everything before the last gap except the gaps. Behind it nothing is known."""
        try:
            acknowledgement = decode_acknowledgement(payload)
        except msgspec.DecodeError:
            return
        if acknowledgement.buffer != self._journal.buffer:
            return
        known_up_to = max(acknowledgement.stored, acknowledgement.gaps[-1][0] - 1 if acknowledgement.gaps else 0)
        known = takewhile(lambda number: number <= known_up_to, self._journal.kept)
        stored = [number for number in known if not _is_missing(number, acknowledgement)]
        if stored:
            self._replay_after_s = self._shortest_replay_s
            self._journal.forget(stored)
            now = asyncio.get_running_loop().time()
            for number in stored:
                taken_s = now - self._sent_at.pop(number, now)
                self._round_trip_s += _SMOOTHING * (taken_s - self._round_trip_s)
        self._look_for_gaps(acknowledgement)
        self._changed.set()

    def _look_for_gaps(self, acknowledgement: WireAcknowledgement) -> None:
        patience_s = max(_GAP_AFTER_S, _GAP_AFTER_ROUND_TRIPS * self._round_trip_s)
        before = asyncio.get_running_loop().time() - patience_s
        missing = [
            number
            for number, sent_at in self._sent_at.items()
            if sent_at < before and _is_missing(number, acknowledgement)
        ]
        for number in reversed(missing):
            del self._sent_at[number]
            self._unsent.appendleft(number)


def _is_missing(number: int, acknowledgement: WireAcknowledgement) -> bool:
    return any(first <= number <= last for first, last in acknowledgement.gaps)


async def _first(*events: asyncio.Event, within_s: float) -> None:
    """Wait until one of the events is set, or for so long."""
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=max(0.0, within_s), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
