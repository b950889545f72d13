"""When a batch is full, old, or alone."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.batch import BATCHES_HELD, Batcher, Part
from services.ingest.check import Resolved
from services.ingest.message import Decoded, Message

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MESSAGE = Message("topic", b"", NOW)


def part(readings: int, source: object = None, settled: list[object] | None = None) -> Part:
    resolved = Resolved(
        MESSAGE, Decoded(), ["s"] * readings, [1] * readings, [0] * readings, [1.0] * readings, [0] * readings, []
    )
    return Part(resolved, source, lambda: None if settled is None else settled.append(source))


async def test_a_batch_with_enough_readings_is_taken_at_once() -> None:
    batcher = Batcher(entries=10, messages=100, delay=timedelta(hours=1))
    batcher.add(part(4))
    batcher.add(part(6))
    batch = await asyncio.wait_for(batcher.take(), 1)
    assert batch.entries == 10
    assert len(batch.parts) == 2


async def test_a_batch_with_enough_messages_is_taken_at_once() -> None:
    batcher = Batcher(entries=100, messages=2, delay=timedelta(hours=1))
    batcher.add(part(1))
    batcher.add(part(1))
    assert (await asyncio.wait_for(batcher.take(), 1)).entries == 2


async def test_a_batch_nobody_adds_to_is_taken_before_the_longest_wait() -> None:
    batcher = Batcher(entries=100, messages=100, delay=timedelta(seconds=2))
    taking = asyncio.create_task(batcher.take())
    await asyncio.sleep(0)
    batcher.add(part(1))
    assert (await asyncio.wait_for(taking, 1)).entries == 1


async def test_a_batch_that_keeps_growing_is_taken_after_the_longest_wait() -> None:
    batcher = Batcher(entries=10_000, messages=10_000, delay=timedelta(seconds=0.3))
    taking = asyncio.create_task(batcher.take())
    started = asyncio.get_running_loop().time()
    while not taking.done():
        batcher.add(part(1))
        await asyncio.sleep(0.005)
    assert 0.2 < asyncio.get_running_loop().time() - started < 1


async def test_there_is_no_room_while_full_batches_wait() -> None:
    batcher = Batcher(entries=1, messages=1, delay=timedelta(seconds=1))
    told: list[bool] = []
    batcher.on_room = lambda: told.append(batcher.has_room)
    for _ in range(BATCHES_HELD):
        assert batcher.has_room
        batcher.add(part(1))
    assert not batcher.has_room
    await batcher.take()
    assert told == [True]


async def test_settling_tells_every_message_of_the_batch() -> None:
    batcher = Batcher(entries=2, messages=100, delay=timedelta(hours=1))
    settled: list[object] = []
    batcher.add(part(1, "a", settled))
    batcher.add(part(1, "b", settled))
    (await batcher.take()).settle()
    assert settled == ["a", "b"]


async def test_discarding_forgets_what_one_connection_delivered_and_nothing_else() -> None:
    batcher = Batcher(entries=2, messages=100, delay=timedelta(seconds=0.1))
    settled: list[object] = []
    for source in ("lost", "lost", "lost", "kept", "lost"):
        batcher.add(part(1, source, settled))
    batcher.discard("lost")
    assert settled == ["lost"] * 4, "who counts what is under way must hear of it"
    batch = await asyncio.wait_for(batcher.take(), 1)
    assert [waiting.source for waiting in batch.parts] == ["kept"]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(batcher.take(), 0.3)
