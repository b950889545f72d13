"""Sends messages at a rate, or as fast as the broker takes them, each until the broker has confirmed it."""

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator
from functools import partial

from simulators.load.connection import BROKER_AWAY, Connection, Login, waits
from simulators.load.tally import Tally
from simulators.load.traffic import LoadMessage

WINDOW = 1000
"""Messages on their way to the broker at once; fewer where the broker asks for fewer."""
_BURST = 50
"""Messages between two looks at what the broker says."""
_PACE_S = 0.005


class LoadSender:
    """Sends once; what the broker has not confirmed when a connection is lost is sent again on the next."""

    def __init__(
        self, login: Login, tally: Tally, *, rate: float | None = None, window: int = WINDOW, rng: random.Random
    ) -> None:
        """``rate`` is in entries a second; without it nothing holds the sender back but the broker."""
        self._login = login
        self._tally = tally
        self._rate = rate
        self._window = window
        self._rng = rng
        self._unconfirmed: dict[int, LoadMessage] = {}
        self._numbers = itertools.count()
        self._room = asyncio.Event()
        self._entries = 0
        self._began = 0.0

    async def send(self, messages: Iterator[LoadMessage], on_outage: Callable[[Exception], None]) -> None:
        """Send all messages; returns when the broker has confirmed the last one.

        ``on_outage`` is told once for each time the broker went away.
        """
        self._began = asyncio.get_running_loop().time()
        waiting = _Ahead(messages)
        pauses, away = waits(self._rng), False
        while not waiting.is_empty or self._unconfirmed:
            connection = Connection(on_confirmed=self._on_confirmed)
            try:
                await connection.open(self._login)
                pauses, away = waits(self._rng), False
                await self._send_on(connection, waiting)
            except BROKER_AWAY as error:
                if not away:
                    on_outage(error)
                away = True
                await asyncio.sleep(next(pauses))
            finally:
                await connection.close()

    async def _send_on(self, connection: Connection, waiting: "_Ahead") -> None:
        window = min(self._window, connection.receive_maximum)
        again = list(self._unconfirmed.items())
        for first in range(0, len(again), window):
            part = again[first : first + window]
            connection.publish((message.topic, message.payload, number) for number, message in part)
            await self._until(connection, partial(self._unconfirmed.keys().isdisjoint, {number for number, _ in part}))
        while not waiting.is_empty:
            await self._until(connection, lambda: len(self._unconfirmed) < window)
            self._send_some(connection, waiting, min(_BURST, window - len(self._unconfirmed)))
            # Without a pause the confirmations would not be read.
            await asyncio.sleep(self._ahead_s())
        await self._until(connection, lambda: not self._unconfirmed)

    def _send_some(self, connection: Connection, waiting: "_Ahead", most: int) -> None:
        burst = []
        for message in itertools.islice(waiting, most):
            number = next(self._numbers)
            self._unconfirmed[number] = message
            self._entries += message.entries
            self._tally.handed_over(message.gateway, message.counts, len(message.payload))
            burst.append((message.topic, message.payload, number))
            if self._ahead_s() > 0:
                break
        connection.publish(burst)

    def _ahead_s(self) -> float:
        """How long to wait until the rate allows another message; short ones are put together."""
        if self._rate is None:
            return 0.0
        ahead_s = self._entries / self._rate - (asyncio.get_running_loop().time() - self._began)
        return ahead_s if ahead_s > _PACE_S else 0.0

    async def _until(self, connection: Connection, condition: Callable[[], bool]) -> None:
        while not condition():
            if connection.lost.is_set():
                raise ConnectionError("the connection was lost")
            self._room.clear()
            waiting = [asyncio.ensure_future(self._room.wait()), asyncio.ensure_future(connection.lost.wait())]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()

    def _on_confirmed(self, number: int) -> None:
        if self._unconfirmed.pop(number, None) is not None:
            self._tally.confirmed()
        self._room.set()


class _Ahead:
    """An iterator that looks one message ahead, so that it can say whether it is at its end."""

    def __init__(self, messages: Iterator[LoadMessage]) -> None:
        self._messages = messages
        self._next = next(messages, None)

    @property
    def is_empty(self) -> bool:
        return self._next is None

    def __iter__(self) -> Iterator[LoadMessage]:
        return self

    def __next__(self) -> LoadMessage:
        if self._next is None:
            raise StopIteration
        message, self._next = self._next, next(self._messages, None)
        return message
