"""Runs the demo's processes: started one after the other, restarted when they die, stopped in reverse order."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from services.demo.running_child import ChildProcess, RunningChild

__all__ = ["ChildProcess", "RunningChild", "Supervisor"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def show(line: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class Supervisor:
    """Holds the processes of a data directory for as long as the ``async with`` block lasts.

    The first SIGINT or SIGTERM ends the block, wherever it waits: everything is stopped in order and the block is
    left without an error. A second one kills what is still running. Hold the DirectoryLock of the directory around
    it, and use it in the main thread: Linux ties the children to the thread that starts them.
    """

    def __init__(self, data_dir: Path, announce: Callable[[str], None] = show) -> None:
        self.stop_requested = False
        self._announce = announce
        self._logs = data_dir / "logs"
        self._children: list[RunningChild] = []
        self._at_once = asyncio.Event()
        self._owner: asyncio.Task[object] | None = None

    async def __aenter__(self) -> Self:
        self._owner = asyncio.current_task()
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._signalled)
        return self

    async def start(self, child: ChildProcess) -> RunningChild:
        """Start a process and return once it is ready; raises DemoError when it does not become so."""
        running = RunningChild(child, self._logs, self._announce)
        # It counts as started before it is ready, so that a stop in between finds it.
        self._children.append(running)
        await running.start()
        return running

    async def wait(self) -> None:
        """Wait until a signal ends the block."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Stop what was started, the last one first."""
        while self._children:
            await self._children.pop().stop(self._at_once)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        try:
            await self.stop()
        finally:
            for number in SIGNALS:
                asyncio.get_running_loop().remove_signal_handler(number)
        if self.stop_requested and isinstance(error, asyncio.CancelledError) and self._owner is not None:
            self._owner.uncancel()
            return True
        return False

    def _signalled(self) -> None:
        if self.stop_requested:
            self._announce("killing what is left")
            self._at_once.set()
            return
        self.stop_requested = True
        self._announce("stopping (press Ctrl-C again to kill)")
        if self._owner is not None:
            self._owner.cancel()
