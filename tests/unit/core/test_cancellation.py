"""Who is told to stop stops, even if what it waits for comes in the same moment."""

import asyncio

import pytest

import services.core  # noqa: F401 - it is the import that is tested


@pytest.mark.parametrize("turns", range(6))
async def test_a_task_that_waits_is_gone_after_its_cancellation_or_has_its_result(turns: int) -> None:
    come = asyncio.Event()

    async def work() -> None:
        await asyncio.wait_for(come.wait(), 60)
        await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    come.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    working.cancel()
    _, still_there = await asyncio.wait([working], timeout=1)
    assert not still_there, f"cancelled {turns} turns of the loop after the result came, it went on"


async def test_what_takes_too_long_is_given_up() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 0.01)


async def test_what_comes_in_time_is_returned() -> None:
    assert await asyncio.wait_for(asyncio.sleep(0, "result"), 60) == "result"
