"""Live events for any number of listeners from one connection to the database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from uuid import UUID

import psycopg
import psycopg_pool
import structlog
from psycopg import AsyncConnection

from services.api import schemas, views
from services.api.reading_answers import LatestAnswer
from services.api.stream_choice import EventSubject
from services.core.store import alerts, current_values, events, feed, warnings, work_orders
from services.core.store.events import Event, EventPosition
from services.core.store.pool import Pool

_POLL_S = 1.0
_QUEUE = 1000
_LATEST_EVERY_S = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event; ``latest`` events have no position, they are not replayed."""

    type: str
    data: str
    position: EventPosition | None
    subject: EventSubject | None = None


Queue = asyncio.Queue[Message | None]
"""What waits for one listener; ``None`` ends it."""


class Live:
    """Follows the event table and hands every event to each listener."""

    def __init__(self, pool: Pool, database_url: str) -> None:
        """Use ``pool`` for queries and one connection of its own to be woken."""
        self._pool = pool
        self._database_url = database_url
        self._listeners: set[Queue] = set()
        # Both outlive a lost connection, so that listeners get what was committed while it was gone.
        self._position: EventPosition | None = None
        self._seen_revision = 0

    @contextlib.contextmanager
    def listening(self) -> Iterator[Queue]:
        """A queue of every event from now on; one that is not emptied fast enough is ended."""
        queue: Queue = asyncio.Queue(_QUEUE)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    async def messages(self, queue: Queue, after: EventPosition | None) -> AsyncIterator[Message]:
        """What was committed behind a position, if one is given, then what comes into the queue, each once."""
        while after is not None:
            missed, end = await self._missed(after)
            if end is None:
                break
            for message in missed:
                yield message
            after = end
        while (live := await queue.get()) is not None:
            if live.position is None or after is None or live.position > after:
                yield live

    async def _missed(self, after: EventPosition) -> tuple[list[Message], EventPosition | None]:
        """A part of what was committed behind a position, and where that part ends; none at the end of the stream."""
        async with self._pool.connection() as connection:
            found = await events.after(connection, after)
            return await _messages(connection, found), found[-1].position if found else None

    async def run(self) -> None:
        """Follow until cancelled; one line when the database goes away and one when it is back."""
        away = False
        while True:
            try:
                async with await AsyncConnection.connect(self._database_url, autocommit=True) as connection:
                    if away:
                        log.info("database is back, live events go on")
                    away = False
                    await self._follow(connection)
            except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
                if not away:
                    log.warning("database away, live events wait", reason=type(error).__name__)
                away = True
                await asyncio.sleep(_POLL_S)

    async def _follow(self, connection: AsyncConnection) -> None:
        await connection.execute(f"listen {events.CHANNEL}")
        await connection.execute(f"listen {feed.CHANNEL}")
        if self._position is None:
            self._position = await events.newest(connection)
            self._seen_revision = await current_values.newest_revision(connection)
        loop = asyncio.get_running_loop()
        latest_due = loop.time()
        while True:
            while found := await events.after(connection, self._position):
                self._send(await _messages(connection, found))
                self._position = found[-1].position
            if self._listeners and loop.time() >= latest_due:
                latest_due = loop.time() + _LATEST_EVERY_S
                changed, self._seen_revision = await current_values.moved_after(connection, self._seen_revision)
                if changed:
                    self._send([_latest_message(changed)])
            with contextlib.suppress(TimeoutError):
                async for _ in connection.notifies(timeout=_POLL_S, stop_after=1):
                    pass

    def _send(self, messages: Sequence[Message]) -> None:
        for queue in list(self._listeners):
            try:
                for message in messages:
                    queue.put_nowait(message)
            except asyncio.QueueFull:
                # It will connect again and ask for what it missed by its last event's id.
                self._listeners.discard(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)


def _latest_message(changed: Sequence[current_values.Latest]) -> Message:
    page = schemas.Page(items=[LatestAnswer.model_validate(latest) for latest in changed])
    return Message("latest", page.model_dump_json(exclude={"next"}), None)


async def _messages(connection: AsyncConnection, found: Sequence[Event]) -> list[Message]:
    """Each thing once, as it is now, at the position of its last event and in the order of these positions."""
    # Not everything that is told is shown here, and a newer service may tell of things that are unknown here.
    shown = (event for event in found if event.type in _ANSWERS)
    newest = {(event.type, UUID(event.subject)): event.position for event in shown}
    subjects: dict[str, list[UUID]] = {}
    for type_, subject in newest:
        subjects.setdefault(type_, []).append(subject)
    messages = [
        Message(
            type_,
            answer.model_dump_json(),
            newest[type_, answer.id],
            EventSubject(answer.lifeline, answer.zone, answer.severity),
        )
        for type_, wanted in subjects.items()
        for answer in await _ANSWERS[type_](connection, wanted)
    ]
    return sorted(messages, key=attrgetter("position"))


async def _alerts(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[schemas.AlertAnswer]:
    found = [await alerts.find(connection, alert) for alert in wanted]
    return await views.answer_alerts(connection, [alert for alert in found if alert is not None])


async def _warnings(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[schemas.WarningAnswer]:
    found = [await warnings.find(connection, warning) for warning in wanted]
    return [views.warning_answer(warning) for warning in found if warning is not None]


async def _work_orders(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[schemas.WorkOrderAnswer]:
    found = [await work_orders.find(connection, order) for order in wanted]
    return await views.answer_work_orders(connection, [order for order in found if order is not None])


_Answers = Callable[
    [AsyncConnection, Sequence[UUID]],
    Awaitable[Sequence[schemas.AlertAnswer | schemas.WarningAnswer | schemas.WorkOrderAnswer]],
]
_ANSWERS: Mapping[str, _Answers] = {
    alerts.EVENT: _alerts,
    warnings.EVENT: _warnings,
    work_orders.EVENT: _work_orders,
}
