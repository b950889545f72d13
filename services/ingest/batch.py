"""Messages wait here until they fill a transaction or have waited long enough."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from services.ingest.check import Resolved

QUIET_PART = 0.1
"""A batch is closed early when nothing came for this part of the longest wait: a broker that has filled its window
sends nothing more until it is acknowledged."""
BATCHES_HELD = 4
"""Full batches that may wait for the database before new messages stay undecoded."""
SAMPLES_PER_ENTRY = 32
"""So many bytes of a window's samples take about as much memory as one reading on its way."""

Source = object
"""Whoever delivered a message: one connection to the broker."""


@dataclass(frozen=True, slots=True)
class Part:
    """One message in a batch; ``settled`` is called when it is committed and may be acknowledged."""

    resolved: Resolved
    source: Source
    settled: Callable[[], None]


@dataclass(slots=True, eq=False)
class Batch:
    """What goes into one transaction."""

    opened: float
    parts: list[Part] = field(default_factory=list)
    entries: int = 0

    def settle(self) -> None:
        """Tell everyone that the batch is committed."""
        for part in self.parts:
            part.settled()


class Batcher:
    """Collects messages into batches: one at a time is open, the full ones wait in a row."""

    def __init__(self, entries: int, messages: int, delay: timedelta) -> None:
        """A batch is full with so many readings and rejections, or with so many messages."""
        self._entries = entries
        self._messages = messages
        self._delay = delay.total_seconds()
        self._full: deque[Batch] = deque()
        self._open: Batch | None = None
        self._last_added = 0.0
        self._changed = asyncio.Event()
        self.on_room: Callable[[], None] = lambda: None
        """Called when there is room again."""

    @property
    def has_room(self) -> bool:
        """Whether another message may be decoded, as far as memory goes."""
        return len(self._full) < BATCHES_HELD

    def add(self, part: Part) -> None:
        """Put a message into the open batch."""
        self._last_added = asyncio.get_running_loop().time()
        batch = self._open
        if batch is None:
            batch = self._open = Batch(self._last_added)
            self._changed.set()
        batch.parts.append(part)
        batch.entries += _entries(part)
        if batch.entries >= self._entries or len(batch.parts) >= self._messages:
            self._close(batch)

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
        batch = self._full.popleft()
        self.on_room()
        return batch

    def discard(self, source: Source) -> None:
        """Forget what a lost connection delivered, because the broker will send it again.

        Those who wait are told, although nothing is committed: the connection can acknowledge nothing any more.
        """
        for batch in (*self._full, self._open):
            if batch is not None:
                for part in batch.parts:
                    if part.source is source:
                        part.settled()
                batch.parts = [part for part in batch.parts if part.source is not source]
                batch.entries = sum(_entries(part) for part in batch.parts)
        self._full = deque(batch for batch in self._full if batch.parts)
        if self._open is not None and not self._open.parts:
            self._open = None
        self.on_room()


def _entries(part: Part) -> int:
    """How much of a batch a message fills; a window weighs as much as readings of the same memory."""
    window = part.resolved.window
    samples = 0 if window is None else len(window.samples) // SAMPLES_PER_ENTRY
    return len(part.resolved.keys) + len(part.resolved.rejections) + samples
