"""Queues of listeners, without a database."""

from collections.abc import AsyncIterator

import pytest

from services.api.live import Live, Message
from services.core.store.events import EventPosition
from services.core.store.pool import open_pool


@pytest.fixture
def live() -> Live:
    nowhere = "postgresql://nowhere"
    return Live(open_pool(nowhere, 1), nowhere)


def event(number: int) -> Message:
    return Message("alert", "{}", EventPosition(number, 1))


async def gather(messages: AsyncIterator[Message]) -> list[Message]:
    return [message async for message in messages]


async def test_a_listener_that_falls_far_behind_is_disconnected_and_the_others_are_not(live: Live) -> None:
    with live.listening() as slow, live.listening() as quick:
        for number in range(1001):
            live._send([event(number)])
            assert await quick.get() == event(number)
        assert await gather(live.messages(slow, None)) == []
        live._send([event(2000)])
        assert (quick.qsize(), slow.qsize()) == (1, 0)


async def test_a_listener_that_left_is_forgotten(live: Live) -> None:
    with live.listening() as queue:
        pass
    live._send([event(1)])
    assert queue.empty()
