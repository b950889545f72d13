"""Looks at windows of raw vibration in a process of its own, which nobody who judges readings waits for."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from typing import TYPE_CHECKING

from services.core.bridge_mode import KnownMode
from services.core.vibration_window import VibrationWindow

if TYPE_CHECKING:
    from services.alerts.structures.modal.tracking import Tracked

_POLITENESS = 10
_LIBRARY = "pyoma2"


@dataclass(frozen=True, slots=True)
class Examined:
    """How many modes a window shows, and what is known after it."""

    modes_found: int
    tracked: "Tracked"


class Examiner:
    """One process that is started with the first window and ends with the block."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    async def examine(self, window: VibrationWindow, known: Sequence[KnownMode]) -> Examined:
        """Identify and follow the modes of a window.

        Raises:
            ValueError, ArithmeticError: the window cannot be decomposed.
        """
        return await asyncio.get_running_loop().run_in_executor(self._pool, examined, window, tuple(known))


def is_available() -> bool:
    """Whether the library that identifies modes is installed; it is an extra."""
    return find_spec(_LIBRARY) is not None


@asynccontextmanager
async def examining() -> AsyncIterator[Examiner]:
    """An examiner for the length of a block."""
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=os.nice, initargs=(_POLITENESS,))
    try:
        yield Examiner(pool)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def examined(window: VibrationWindow, known: Sequence[KnownMode]) -> Examined:
    """What a window shows, in the process at hand."""
    # The library takes seconds and tens of megabytes to load: only the process that needs it pays.
    from services.alerts.structures.modal.identification import modes_in  # noqa: PLC0415 - see above
    from services.alerts.structures.modal.tracking import track  # noqa: PLC0415 - see above

    found = modes_in(window.rows, window.rate_hz, window.sensors)
    return Examined(len(found), track(known, found, window.ended_at, window.event))
