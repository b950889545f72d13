"""Something that can go away: tried again with growing waits, and reported once when it goes and once when back."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import structlog

T = TypeVar("T")

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0


def waits(rng: random.Random) -> Iterator[float]:
    """Seconds to wait before each further try: doubling up to the longest, the upper half of each at random.

    Without the random part every process of a city would come back in the same instant.
    """
    wait = FIRST_WAIT_S
    while True:
        yield wait * rng.uniform(0.5, 1.0)
        wait = min(LONGEST_WAIT_S, wait * 2)


class Outage:
    """The state of one thing the process depends on; ``errors`` are the exceptions that mean it is away."""

    def __init__(self, name: str, errors: tuple[type[Exception], ...], rng: random.Random) -> None:
        self.errors = errors
        self._name = name
        self._rng = rng
        self._log = structlog.get_logger()
        self._began: float | None = None

    @property
    def is_away(self) -> bool:
        """Whether it was away when it was last tried."""
        return self._began is not None

    def waits(self) -> Iterator[float]:
        """The waits of one series of tries."""
        return waits(self._rng)

    def began(self, error: Exception) -> None:
        """Note that it is away; said once."""
        if self._began is None:
            self._began = time.monotonic()
            reason = str(error).strip().split("\n")[0] or type(error).__name__
            self._log.warning(f"{self._name} is away, trying again until it is back", reason=reason)

    def ended(self) -> None:
        """Note that it answers; said once, with how long it was away."""
        if self._began is not None:
            seconds = round(time.monotonic() - self._began, 1)
            self._began = None
            self._log.info(f"{self._name} is back", seconds=seconds)

    async def keep_trying(self, action: Callable[[], Awaitable[T]]) -> T:
        """Do the action, again and again while the thing is away."""
        pauses = self.waits()
        while True:
            try:
                result = await action()
            except self.errors as error:
                self.began(error)
                await asyncio.sleep(next(pauses))
            else:
                self.ended()
                return result
