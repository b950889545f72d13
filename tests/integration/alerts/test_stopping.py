"""A process that is told to stop ends, in whatever it is doing: also while its parts are just beginning."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.alerts.service import run
from services.core.settings import Settings
from services.core.store.pool import open_pool
from tests.integration.alerts.alert_harness import prepare

LONGEST_END_S = 15.0
TURNS = 40


async def _busy() -> None:
    """Long turns of the loop, as judging makes them: what comes meanwhile comes together."""
    while True:
        time.sleep(0.05)  # noqa: ASYNC251 - it is to block
        await asyncio.sleep(0)


@pytest.mark.slow
async def test_the_alert_process_ends_whenever_it_is_told_to(database_url: str, tmp_path: Path) -> None:
    prepare(database_url, tmp_path / "city")
    settings = Settings(database_url=SecretStr(database_url), idle_release=timedelta(seconds=1))
    busy = asyncio.create_task(_busy())
    for step in range(12):
        stop = asyncio.Event()
        process = asyncio.create_task(run(settings, stop))
        await asyncio.sleep(0.15 * step)
        stop.set()
        _, still_there = await asyncio.wait([process], timeout=LONGEST_END_S)
        assert not still_there, f"stopped {0.15 * step:.2f} s after its start, it goes on"
        process.result()
    busy.cancel()


async def test_who_waits_for_a_connection_can_be_stopped_in_the_moment_in_which_it_comes(database_url: str) -> None:
    async with open_pool(database_url, 1) as pool:

        async def work() -> None:
            async with pool.connection():
                await asyncio.Event().wait()

        for turns in range(TURNS):
            async with pool.connection():
                working = asyncio.create_task(work())
                await asyncio.sleep(0.01)
            for _ in range(turns):
                await asyncio.sleep(0)
            working.cancel()
            _, still_there = await asyncio.wait([working], timeout=5)
            assert not still_there, f"cancelled {turns} turns of the loop after the connection was free, it went on"
