"""One message's way from the broker to its acknowledgement."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from services.ingest.batch import Batcher, Part, Source
from services.ingest.check import resolve
from services.ingest.decode import decode
from services.ingest.message import Decoded, Message
from services.ingest.metrics import Metrics
from services.ingest.register import Register

_MESSAGES_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Waiting:
    message: Message
    decoded: Decoded | None
    source: Source
    settled: Callable[[], None]


class Intake:
    """Decodes and checks messages, and says when what they held is committed."""

    def __init__(self, batcher: Batcher, register: Register, metrics: Metrics, *, unconfirmed: int) -> None:
        self._batcher = batcher
        self._register = register
        self._metrics = metrics
        self._unconfirmed = unconfirmed
        self._unsettled = 0
        self._queue: deque[_Waiting] = deque()
        self._is_going_on = False
        self._looking_again: set[asyncio.Task[None]] = set()
        batcher.on_room = self._go_on

    def accept(self, message: Message, qos: int, source: Source, settled: Callable[[], None]) -> None:
        """Take a message in; ``settled`` is called when it may be acknowledged.

        Messages of QoS 0, of which the broker may send any number, are dropped and counted when as many messages
        wait already as it may send of QoS 1.
        """
        self._metrics.received.inc()
        if qos == 0:
            if self._unsettled >= self._unconfirmed:
                self._metrics.dropped.inc()
                settled()
                return
            self._unsettled += 1
            settled = self._counted(settled)
        self._enqueue(_Waiting(message, None, source, settled))

    def _counted(self, settled: Callable[[], None]) -> Callable[[], None]:
        def count_and_settle() -> None:
            self._unsettled -= 1
            settled()

        return count_and_settle

    async def take_decoded(self, message: Message, decoded: Decoded) -> None:
        """Take in what another protocol's reader found in a message; done when it is committed."""
        self._metrics.received.inc()
        done = asyncio.get_running_loop().create_future()

        def settled() -> None:
            if not done.done():
                done.set_result(None)

        self._enqueue(_Waiting(message, decoded, done, settled))
        await done

    def discard(self, source: Source) -> None:
        """Forget what a lost connection delivered, and tell those who wait that nobody does any more."""
        for waiting in self._queue:
            if waiting.source is source:
                waiting.settled()
        self._queue = deque(waiting for waiting in self._queue if waiting.source is not source)
        self._batcher.discard(source)

    def _enqueue(self, waiting: _Waiting) -> None:
        if self._queue or not self._batcher.has_room:
            self._queue.append(waiting)
        else:
            self._take(waiting)

    def _go_on(self) -> None:
        """Take in what waits, a few messages at a time: the transaction in progress must not wait for all of them."""
        for _ in range(_MESSAGES_AT_ONCE):
            if not self._queue or not self._batcher.has_room:
                return
            self._take(self._queue.popleft())
        if self._queue and not self._is_going_on:
            self._is_going_on = True
            asyncio.get_running_loop().call_soon(self._go_on_again)

    def _go_on_again(self) -> None:
        self._is_going_on = False
        self._go_on()

    def _take(self, waiting: _Waiting) -> None:
        decoded = decode(waiting.message) if waiting.decoded is None else waiting.decoded
        resolved = resolve(decoded, waiting.message, self._register.sensors)
        if resolved.unknown:
            # The sensor may have been registered a moment ago.
            task = asyncio.create_task(self._look_again(waiting, decoded))
            self._looking_again.add(task)
            task.add_done_callback(self._looking_again.discard)
        else:
            self._batcher.add(Part(resolved, waiting.source, waiting.settled))

    async def _look_again(self, waiting: _Waiting, decoded: Decoded) -> None:
        await self._register.load_early()
        resolved = resolve(decoded, waiting.message, self._register.sensors)
        self._batcher.add(Part(resolved, waiting.source, waiting.settled))
