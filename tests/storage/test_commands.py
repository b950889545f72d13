"""`lifeline storage`: what a person sees and does."""

import asyncio
from datetime import timedelta

import pytest
from typer.testing import CliRunner, Result

from services.cli import app
from services.core.store.storage_level import StorageLevel
from tests.fixtures.timescale import Store
from tests.storage.summaries import NOW, TODAY, assert_summaries_are_right, row, rows, stored, write

OLD = TODAY - timedelta(days=10)


@pytest.fixture
def lifeline(store: Store, monkeypatch: pytest.MonkeyPatch) -> "Lifeline":
    monkeypatch.setenv("LIFELINE_DATABASE_URL", store.url)
    return Lifeline()


class Lifeline:
    """The command on the store of the test."""

    async def __call__(self, *words: str) -> Result:
        # It has a loop of its own, so it runs in a thread of its own.
        return await asyncio.to_thread(CliRunner().invoke, app, ["storage", *words])


async def test_a_store_is_looked_after_by_hand(store: Store, lifeline: Lifeline) -> None:
    await write(store, rows([1, 2], OLD, OLD + timedelta(days=2), timedelta(minutes=5)))
    await write(store, [row(1, NOW, 1.0)])
    async with store.connection() as session:
        before = await stored(session)

    result = await lifeline("refresh")
    assert result.exit_code == 0, result.output
    await assert_summaries_are_right(store)

    result = await lifeline("compress")
    if store.level is StorageLevel.TIMESCALE_COMMUNITY:
        assert result.exit_code == 0, result.output
        assert result.output.split()[0] >= "4"
    else:
        assert result.exit_code == 1
        assert f"the level {store.level} compresses nothing" in result.output

    result = await lifeline("drop", "--before", f"{OLD + timedelta(days=1):%Y-%m-%d}", "--yes")
    assert result.exit_code == 0, result.output
    async with store.connection() as session:
        assert await stored(session) == [line for line in before if line[1] >= OLD + timedelta(days=1)]
    await assert_summaries_are_right(store, before)

    result = await lifeline("status")
    assert result.exit_code == 0, result.output
    assert f"level {store.level}" in result.output
    for name in ("reading ", "superseded_reading", "feed", "kept: readings for ever", "reading_1d: written down until"):
        assert name in result.output


async def test_readings_of_the_last_days_are_not_dropped(lifeline: Lifeline) -> None:
    result = await lifeline("drop", "--before", f"{NOW - timedelta(days=2):%Y-%m-%d}", "--yes")
    assert result.exit_code == 1
    assert "last three days" in result.output


async def test_old_chunks_move_to_another_tablespace(store: Store, lifeline: Lifeline) -> None:
    await write(store, [row(1, OLD, 1.0), row(1, NOW, 1.0)])
    before = f"{OLD + timedelta(days=2):%Y-%m-%d}"
    if store.level is not StorageLevel.TIMESCALE_COMMUNITY:
        result = await lifeline("move", "cold", "--before", before)
        assert result.exit_code == 1
        assert "Community" in result.output
        return
    with store.connect() as connection:
        connection.execute("set allow_in_place_tablespaces = on")
        connection.execute("create tablespace cold location ''")
    result = await lifeline("move", "cold", "--before", before)
    assert result.exit_code == 0, result.output
    assert result.output == "1 chunks moved to cold\n"
    assert (await lifeline("move", "cold", "--before", before)).output == "0 chunks moved to cold\n"
    result = await lifeline("move", "nowhere", "--before", before)
    assert result.exit_code == 1
    assert "nowhere" in result.output
