"""Messages wait here until they fill a transaction or have waited long enough."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta

from services.core.rejection import Rejection
from services.core.store.readings import ReadingRow
from services.ingest.validate import Checked

QUIET_PART = 0.1
"""A batch is closed early when nothing came for this part of the longest wait: a broker that has filled its window
sends nothing more until it is acknowledged."""
BATCHES_HELD = 4
"""Full batches that may wait for the database before new messages stay undecoded."""


@dataclass(slots=True, eq=False)
class Batch:
    """What goes into one transaction; ``settled`` is done when its messages may be acknowledged."""

    opened: float
    settled: asyncio.Future[None]
    rows: list[ReadingRow] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    parts: list[Checked] = field(default_factory=list)

    def settle(self) -> None:
        """Release those who wait for the batch."""
        if not self.settled.done():
            self.settled.set_result(None)


class Batcher:
    """Collects messages into batches: one at a time is open, the full ones wait in a row."""

    def __init__(self, readings: int, messages: int, delay: timedelta) -> None:
        self._readings = readings
        self._messages = messages
        self._delay = delay.total_seconds()
        self._full: deque[Batch] = deque()
        self._open: Batch | None = None
        self._taken: Batch | None = None
        self._last_added = 0.0
        self._changed = asyncio.Event()
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def has_room(self) -> bool:
        """Whether another message may be decoded, as far as memory goes."""
        return len(self._full) < BATCHES_HELD

    async def room(self) -> None:
        """Return in turn when there is room, or when what waits was discarded."""
        if self.has_room and not self._queue:
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        await place

    def _admit(self) -> None:
        """Let the next in the queue go on; when it has added its readings it lets its next one go on."""
        while self._queue and self.has_room:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                return

    def add(self, checked: Checked) -> asyncio.Future[None]:
        """Put a message's readings into the open batch; the result is done when they are committed."""
        loop = asyncio.get_running_loop()
        self._last_added = loop.time()
        batch = self._open
        if batch is None:
            batch = self._open = Batch(self._last_added, loop.create_future())
            self._changed.set()
        batch.rows += checked.rows
        batch.rejections += checked.rejections
        batch.parts.append(checked)
        if len(batch.rows) + len(batch.rejections) >= self._readings or len(batch.parts) >= self._messages:
            self._close(batch)
        self._admit()
        return batch.settled

    def _close(self, batch: Batch) -> None:
        self._open = None
        self._full.append(batch)
        self._changed.set()

    async def take(self) -> Batch:
        """Wait for the next batch: full, or as old as the longest wait, or nothing comes any more."""
        while not self._full:
            self._changed.clear()
            if self._open is None:
                await self._changed.wait()
                continue
            now = asyncio.get_running_loop().time()
            due = min(self._open.opened + self._delay, self._last_added + self._delay * QUIET_PART)
            if due <= now:
                self._close(self._open)
                break
            try:
                async with asyncio.timeout(due - now):
                    await self._changed.wait()
            except TimeoutError:
                continue
        batch = self._taken = self._full.popleft()
        self._admit()
        return batch

    def discard(self) -> None:
        """Forget what nobody can acknowledge any more, because the broker will send it again.

        Who waits is released, also from the batch that is being stored.
        """
        for batch in (*self._full, self._open, self._taken):
            if batch is not None:
                batch.settle()
        self._full.clear()
        self._open = None
        for place in self._queue:
            if not place.done():
                place.set_result(None)
        self._queue.clear()
