"""One child process: started, watched, started again when it dies, and stopped in order."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from services.demo.child import launch_command
from services.demo.directory import DemoError
from services.demo.logs import log_path, open_log, tail
from services.demo.system_user import SystemUser

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
STEADY_AFTER_S = 30.0
FIRST_START_ATTEMPTS = 3


@dataclass(frozen=True)
class ChildProcess:
    """What to run and how.

    ``ready`` returns once the process serves, and raises DemoError when that takes too long. ``stop_signal`` asks
    for an orderly end and is followed by SIGKILL after ``stop_limit_s``; ``death_signal`` is what the process gets
    when the supervisor is killed. ``env`` is added to the supervisor's own environment.
    """

    name: str
    command: Sequence[str]
    ready: Callable[[], Awaitable[None]] | None = None
    restart: bool = True
    user: SystemUser | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    stop_limit_s: float = 20.0


class RunningChild:
    """A child process under watch; ``announce`` gets one line whenever something happens to it."""

    def __init__(self, child: ChildProcess, logs: Path, announce: Callable[[str], None]) -> None:
        self.child = child
        self.finished = asyncio.Event()
        self._logs = logs
        self._announce = announce
        self._process: Process | None = None
        self._started_at = 0.0
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id; another one after a restart, None before the start."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start, wait until ready, and keep watching.

        Raises DemoError with the end of the log when the process ends or stays silent at every attempt.
        """
        pause_s = FIRST_PAUSE_S
        for attempt in range(1, FIRST_START_ATTEMPTS + 1):
            trouble = await self._attempt()
            if trouble is None:
                self._watch = asyncio.create_task(self._keep(), name=f"watch {self.child.name}")
                return
            if attempt < FIRST_START_ATTEMPTS:
                await asyncio.sleep(pause_s)
                pause_s *= 2
        path = log_path(self._logs, self.child.name)
        raise DemoError(f"{self.child.name} does not start ({trouble}); the end of {path}:\n{tail(path)}")

    async def stop(self, at_once: asyncio.Event) -> None:
        """Ask the process to end, and wait; kill it after its limit or when ``at_once`` is set.

        Whatever it leaves in its process group is killed too.
        """
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(self.child.stop_signal)
            ended = asyncio.ensure_future(process.wait())
            hurry = asyncio.ensure_future(at_once.wait())
            await asyncio.wait((ended, hurry), timeout=self.child.stop_limit_s, return_when=asyncio.FIRST_COMPLETED)
            hurry.cancel()
        self._kill_group()
        await process.wait()
        self.finished.set()

    async def _keep(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            process = self._current()
            trouble = describe(await process.wait())
            self._kill_group()
            if not self.child.restart:
                self._announce(f"{self.child.name} ended ({trouble})")
                self.finished.set()
                return
            pause_s = FIRST_PAUSE_S if time.monotonic() - self._started_at >= STEADY_AFTER_S else pause_s
            self._announce(f"{self.child.name} stopped ({trouble}), restarting in {pause_s:g} s")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            if await self._attempt() is None:
                self._announce(f"{self.child.name} is back")

    async def _attempt(self) -> str | None:
        """Start the process once; None when it became ready, else what went wrong. It has ended in that case."""
        await self._spawn()
        process = self._current()
        if self.child.ready is None:
            return None
        probe = asyncio.ensure_future(self.child.ready())
        ended = asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait((probe, ended), return_when=asyncio.FIRST_COMPLETED)
            if probe.done() and (error := probe.exception()) is None:
                return None
            if ended.done():
                return describe(ended.result())
            self._kill_group()
            await ended
            return str(error)
        finally:
            probe.cancel()
            ended.cancel()
            with suppress(asyncio.CancelledError, DemoError):
                await probe

    async def _spawn(self) -> None:
        user = (self.child.user.uid, self.child.user.gid) if self.child.user else None
        log = open_log(self._logs, self.child.name)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *launch_command(self.child.command, death_signal=self.child.death_signal, user=user),
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                env={**os.environ, **self.child.env},
                # Its own session: the terminal's Ctrl-C reaches the supervisor alone, which then stops in order.
                start_new_session=True,
            )
        finally:
            os.close(log)
        self._started_at = time.monotonic()

    def _current(self) -> Process:
        if self._process is None:
            raise RuntimeError(f"{self.child.name} was not started")
        return self._process

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._current().pid, signal.SIGKILL)


def describe(return_code: int) -> str:
    """How a process ended, for people: ``signal 9`` or ``exit code 1``."""
    return f"signal {-return_code}" if return_code < 0 else f"exit code {return_code}"
