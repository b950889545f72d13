"""When a batch is full, old, or alone."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.core.reading import Quality
from services.core.store.readings import ReadingRow
from services.ingest.batch import BATCHES_HELD, Batcher
from services.ingest.decode import Message
from services.ingest.validate import Checked

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROW = ReadingRow(1, "zone", NOW, 1.0, Quality.GOOD, None, NOW)


def checked(rows: int) -> Checked:
    return Checked(Message("topic", b"", NOW), [ROW] * rows, [])


async def test_a_batch_with_enough_readings_is_taken_at_once() -> None:
    batcher = Batcher(readings=10, messages=100, delay=timedelta(hours=1))
    batcher.add(checked(4))
    batcher.add(checked(6))
    batch = await asyncio.wait_for(batcher.take(), 1)
    assert len(batch.rows) == 10
    assert len(batch.parts) == 2


async def test_a_batch_with_enough_messages_is_taken_at_once() -> None:
    batcher = Batcher(readings=100, messages=2, delay=timedelta(hours=1))
    batcher.add(checked(1))
    batcher.add(checked(1))
    assert len((await asyncio.wait_for(batcher.take(), 1)).rows) == 2


async def test_a_batch_nobody_adds_to_is_taken_before_the_longest_wait() -> None:
    batcher = Batcher(readings=100, messages=100, delay=timedelta(seconds=2))
    taking = asyncio.create_task(batcher.take())
    await asyncio.sleep(0)
    batcher.add(checked(1))
    assert len((await asyncio.wait_for(taking, 1)).rows) == 1


async def test_a_batch_that_keeps_growing_is_taken_after_the_longest_wait() -> None:
    batcher = Batcher(readings=10_000, messages=10_000, delay=timedelta(seconds=0.3))
    taking = asyncio.create_task(batcher.take())
    started = asyncio.get_running_loop().time()
    while not taking.done():
        batcher.add(checked(1))
        await asyncio.sleep(0.005)
    assert 0.2 < asyncio.get_running_loop().time() - started < 1


async def test_there_is_no_room_while_full_batches_wait() -> None:
    batcher = Batcher(readings=1, messages=1, delay=timedelta(seconds=1))
    for _ in range(BATCHES_HELD):
        assert batcher.has_room
        batcher.add(checked(1))
    assert not batcher.has_room
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(batcher.room(), 0.01)
    await batcher.take()
    await asyncio.wait_for(batcher.room(), 1)


async def test_discarding_releases_everyone_and_forgets_what_waits() -> None:
    batcher = Batcher(readings=2, messages=100, delay=timedelta(hours=1))
    waiting = [batcher.add(checked(1)) for _ in range(5)]
    await batcher.take()
    batcher.discard()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(batcher.take(), 0.01)
