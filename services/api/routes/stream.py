"""Live events as they are committed, with replay from where a listener stopped."""

import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.api import problems
from services.api.listener import Listener
from services.api.live import Live, Queue
from services.api.security import Reader, found_again, pool_of
from services.api.stream_choice import EventType, StreamChoice
from services.core.lifeline import Lifeline
from services.core.store.events import EventPosition
from services.core.store.pool import Pool

router = APIRouter(tags=["live"])


def _position(text: str | None) -> EventPosition | None:
    if text is None:
        return None
    try:
        return EventPosition.parse(text)
    except ValueError:
        raise problems.not_valid("header.last-event-id", "take it from the `id` of an earlier event") from None


async def _queue(request: Request) -> AsyncIterator[Queue]:
    live: Live = request.app.state.live
    with live.listening() as queue:
        yield queue


# It is there before the answer begins, so that a listener which sees the stream open misses nothing from then on.
ListenerQueue = Annotated[Queue, Depends(_queue)]


@router.get("/stream", summary="Live events (server-sent events)", response_class=EventSourceResponse)
async def stream(
    request: Request,
    caller: Reader,
    pool: Annotated[Pool, Depends(pool_of)],
    queue: ListenerQueue,
    last_event_id: Annotated[str | None, Header()] = None,
    type_: Annotated[list[EventType] | None, Query(alias="type", description="only these")] = None,
    lifeline: Lifeline | None = None,
    zone: str | None = None,
    severity: Annotated[int, Query(ge=0, le=4, description="severity from; new values have none")] = 0,
) -> EventSourceResponse:
    """Events `alert`, `warning` and `work-order` carry the whole thing as it is now; `latest` carries new values.

    With `Last-Event-ID` everything that was committed since is sent first. The stream ends within a minute when the key
    or the session does. What is left out by `type`, `lifeline`, `zone` or `severity` is left out of both.
    """
    live: Live = request.app.state.live
    choice = StreamChoice(type_ or (), lifeline, zone, severity)
    listener = Listener(pool, caller, choice, lambda: found_again(request, pool), time.monotonic)

    async def events(after: EventPosition | None) -> AsyncIterator[ServerSentEvent]:
        # Said at once, so that a listener in a quiet city knows that it is connected.
        yield ServerSentEvent(comment="live")
        async for message in live.messages(queue, after):
            if not await listener.is_welcome():
                return
            data = await listener.heard(message)
            if data is not None:
                position = None if message.position is None else str(message.position)
                yield ServerSentEvent(data=data, event=message.type, id=position)

    return EventSourceResponse(events(_position(last_event_id)), ping=15)
