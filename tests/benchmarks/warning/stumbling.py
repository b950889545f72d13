"""A receiver that fails half of the time, in three ways, while the worker is killed again and again.

``python -m tests.benchmarks.warning.stumbling [--messages 1000] [--kills 20]`` starts its own
PostgreSQL, alerts and receiver.
The receiver refuses with 500, takes a message and hangs, or takes it and cuts the connection; of each message at most
``PATIENCE`` times in a row, because every further failure doubles the wait before the next try.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from psycopg import AsyncConnection

from services.core.notification import Notification, NotificationState
from services.core.organisation import Receiver
from services.core.store import notifications
from services.demo.receiver import is_genuine
from tests.benchmarks.bench_ingest import running_postgres
from tests.integration.alerts.alert_harness import SECRET, AlertProcess, alert_process, ask, prepare, tell, until

PATIENCE = 5
LIVES_S = 5.0
_TIMEOUT_S = 2.0
_LONGEST_HANG_S = 3 * _TIMEOUT_S
_FAILURES = ("500", "hang", "cut")
_HALF = 0.5
_READY = "following the feed"
_STARTS_WITHIN_S = 240.0


@dataclass
class StumblingReceiver:
    """What came in: for each message how its attempts were answered, and under which identifiers each body came."""

    chance: random.Random
    answered: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    identifiers: dict[bytes, set[str]] = field(default_factory=lambda: defaultdict(set))
    forged: int = 0
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def close(self) -> None:
        """End what is still connected: somebody may hang for seconds yet."""
        serving = list(self._open)
        for each in serving:
            each.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection's requests until it ends."""
        serving = asyncio.current_task()
        if serving is None:
            raise RuntimeError("a connection is served by a task")
        self._open.add(serving)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._take(reader, writer):
                    pass
        finally:
            self._open.discard(serving)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take one request; false when the connection has to end."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = (line.partition(": ") for line in head.rstrip().split("\r\n")[1:])
        headers = {name.lower(): value for name, _, value in lines}
        body = await reader.readexactly(int(headers["content-length"]))
        self.forged += not is_genuine(SECRET, body, headers)
        identifier = headers["webhook-id"]
        self.identifiers[body].add(identifier)
        how = self._how(self.answered[identifier])
        self.answered[identifier].append(how)
        if how == "cut":
            writer.transport.abort()
            return False
        if how == "hang":
            await asyncio.sleep(_LONGEST_HANG_S)
            return False
        status = "204 No Content" if how == "taken" else "500 Internal Server Error"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        return True

    def _how(self, before: list[str]) -> str:
        failed_lately = len(before) >= PATIENCE and "taken" not in before[-PATIENCE:]
        return "taken" if failed_lately or self.chance.random() < _HALF else self.chance.choice(_FAILURES)


@asynccontextmanager
async def stumbling_receiver(seed: int) -> AsyncIterator[tuple[StumblingReceiver, str]]:
    """The receiver on loopback and its address."""
    held = StumblingReceiver(random.Random(seed))  # noqa: S311 - failures, not a secret
    server = await asyncio.start_server(held.serve, "127.0.0.1", 0)
    try:
        yield held, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/in"
    finally:
        server.close()
        await held.close()


@dataclass(frozen=True, slots=True)
class Stumbled:
    """What came of it."""

    messages: int
    delivered: int
    kills: int
    seconds: float
    attempts: Counter[str]
    with_two_identifiers: int
    never_taken: int
    taken_twice: int
    forged: int


async def stumble(url: str, process: AlertProcess, messages: int, *, kills: int | None, within_s: float) -> Stumbled:
    """Send so many messages while the worker lives five seconds at a time; ``kills`` at the most, or until all is done.

    Raises:
        TimeoutError: messages still wait when the time is over.
    """
    # A receiver that is left alone for minutes after five failures in a row would make this last an hour.
    process.settings |= {"webhook_timeout": f"PT{_TIMEOUT_S:g}S", "webhook_pause": "PT1S", "webhook_pause_after": "20"}
    killed, began = 0, time.monotonic()
    async with stumbling_receiver(seed=7) as (receiver, address):
        await tell(url, Receiver("stumbling", "water-company", address, SECRET, 1))
        sent = await _enqueue(url, "stumbling", messages)
        while _waiting(url) and (kills is None or killed < kills):
            if time.monotonic() - began > within_s:
                raise TimeoutError(f"{_waiting(url)} of {messages} messages still wait")
            await _start(process)
            await asyncio.sleep(LIVES_S)
            process.kill()
            killed += 1
        if _waiting(url):
            await _start(process)
            await until(lambda: _waiting(url) == 0, within_s)
        seconds = time.monotonic() - began
        states = ask(url, "select count(*) n from notification where state = 'delivered'")
    answers = receiver.answered
    return Stumbled(
        messages=messages,
        delivered=states[0]["n"],
        kills=killed,
        seconds=seconds,
        attempts=Counter(how for each in answers.values() for how in each),
        with_two_identifiers=sum(len(found) > 1 for found in receiver.identifiers.values()),
        never_taken=sum("taken" not in answers.get(identifier, []) for identifier in sent),
        taken_twice=sum(each.count("taken") > 1 for each in answers.values()),
        forged=receiver.forged,
    )


async def _start(process: AlertProcess) -> None:
    """Start the worker; a machine with other work to do may take minutes over it."""
    before = process.count(_READY)
    process.launch()
    await until(lambda: process.count(_READY) > before, _STARTS_WITHIN_S)


async def _enqueue(url: str, receiver: str, count: int) -> list[str]:
    now = datetime.now(UTC)
    identifiers = [uuid4() for _ in range(count)]
    async with await AsyncConnection.connect(url) as connection:
        for identifier in identifiers:
            # The body tells each message from every other; its identifier is not in it.
            body = f'{{"type":"warning.published","data":{{"id":"{uuid4()}"}}}}'
            pending = NotificationState.PENDING
            note = Notification(
                identifier, receiver, "warning.published", "warning", uuid4(), body, pending, 0, now, None
            )
            await notifications.enqueue(connection, note)
    return [str(identifier) for identifier in identifiers]


def _waiting(url: str) -> int:
    return int(ask(url, "select count(*) n from notification where state = 'pending'")[0]["n"])


def described(found: Stumbled) -> str:
    """The figures in words."""
    tried = ", ".join(f"{how} {times}" for how, times in sorted(found.attempts.items()))
    return (
        f"{found.delivered} of {found.messages} messages delivered in {found.seconds:.0f} s, the worker killed "
        f"{found.kills} times; attempts: {tried}\n"
        f"never taken: {found.never_taken}; under two identifiers: {found.with_two_identifiers}; "
        f"taken twice: {found.taken_twice}; with a wrong signature: {found.forged}\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--kills", type=int, help="at most so many; unset: until everything is delivered")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_postgres() as database_url:
        prepare(database_url, Path(folder) / "city")
        with alert_process(database_url, Path(folder)) as alerts:
            came = asyncio.run(stumble(database_url, alerts, given.messages, kills=given.kills, within_s=1500))
    sys.stdout.write(described(came))
