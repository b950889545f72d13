"""What one transaction does to the tables, and what happens when the database refuses a row."""

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import AsyncConnection

from services.core.reading import Quality, QualityReason
from services.core.rejection import Rejection, RejectionReason
from services.core.store import feed, latest
from services.core.store.pool import open_pool
from services.core.store.readings import ReadingRow, WriteResult, epoch_us, write_readings
from services.core.store.rejections import prune_rejections, write_rejections
from services.ingest import writer
from services.ingest.batch import Batch, Part
from services.ingest.check import ClockLimits, Resolved
from services.ingest.message import Decoded, Message
from services.ingest.metrics import Metrics
from services.ingest.outage import Outage
from services.ingest.register import Register
from services.ingest.writer import DATABASE_AWAY, Writer
from tests.fixtures.spans import spans_of
from tests.integration.ingest_harness import Tables, register_sensors, tables_of

T0 = datetime(2026, 1, 1, tzinfo=UTC)
SEEDED = random.Random(1)  # noqa: S311 - a test wants the same waits each time


@pytest.fixture
def tables(database_url: str) -> Iterator[Tables]:
    register_sensors(database_url, 50)
    with tables_of(database_url) as tables:
        yield tables


def row(key: int, second: int, value: float = 1.0) -> ReadingRow:
    return ReadingRow(key, f"zone-{key % 4}", T0 + timedelta(seconds=second), value, Quality.GOOD, None, T0)


async def write(database_url: str, rows: list[ReadingRow]) -> WriteResult:
    async with await AsyncConnection.connect(database_url) as connection:
        return await write_readings(connection, rows)


async def test_only_new_rows_are_counted_and_fed_by_zone(database_url: str, tables: Tables) -> None:
    assert await write(database_url, []) == WriteResult(0, 0)
    assert await write(database_url, [row(1, 1), row(1, 1), row(2, 1)]) == WriteResult(2, 1)
    assert await write(database_url, [row(1, 1), row(5, 1), row(1, 2)]) == WriteResult(2, 1)
    query = "select zone, sensor_keys, times from feed order by id, zone"
    assert sorted(tables.ask(query)) == [
        ("zone-1", [1], [T0 + timedelta(seconds=1)]),
        ("zone-1", [1, 5], [T0 + timedelta(seconds=2), T0 + timedelta(seconds=1)]),
        ("zone-2", [2], [T0 + timedelta(seconds=1)]),
    ]


async def test_copy_and_merge_leave_the_same(database_url: str, tables: Tables) -> None:
    rows = [row(key, second, key * second) for key in range(1, 9) for second in range(20)]
    marked = ReadingRow(9, "zone-1", T0, 5.0, Quality.BAD, QualityReason.OUT_OF_RANGE, T0)
    left = []
    for copy in (True, False):
        tables.do("truncate reading, feed")
        async with await AsyncConnection.connect(database_url) as connection:
            assert await write_readings(connection, [*rows, marked], copy=copy) == WriteResult(161, 0)
        columns = 'zone, sensor_keys, times, "values", qualities, reasons, corrects'
        left.append(
            (tables.ask("select * from reading order by 1, 2"), tables.ask(f"select {columns} from feed order by 1"))
        )
    assert left[0] == left[1]


async def test_the_current_value_moves_forward_only(database_url: str, tables: Tables) -> None:
    for rows in ([row(1, 5, 5.0), row(1, 9, 9.0), row(1, 7, 7.0)], [row(1, 8, 8.0)]):
        await write(database_url, rows)
        async with await AsyncConnection.connect(database_url) as connection:
            assert not await latest.follow(connection), "there is nothing left for a second time"
    assert tables.ask("select value from latest") == [(9.0,)]


async def test_a_reader_of_the_feed_that_never_read_keeps_what_it_has_not_read(
    database_url: str, tables: Tables
) -> None:
    await write(database_url, [row(1, 1)])
    async with await AsyncConnection.connect(database_url) as connection:
        await latest.follow(connection)
        assert await feed.prune(connection) == 0


async def test_writers_of_the_same_rows_in_other_orders_do_not_lock_each_other_out(
    database_url: str, tables: Tables
) -> None:
    rows = [row(key, second) for key in range(1, 51) for second in range(40)]

    async def writer(seed: int) -> int:
        mine = sorted(rows, key=lambda row: hash((seed, row.sensor_key, row.time)))
        return sum([(await write(database_url, mine[i : i + 400])).stored for i in range(0, len(mine), 400)])

    assert sum(await asyncio.gather(*map(writer, range(4)))) == len(rows)
    fed = tables.fed()
    assert len(fed) == len(set(fed)) == len(rows)


async def test_a_row_the_database_refuses_is_set_aside_and_the_rest_is_stored(
    database_url: str, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = spans_of(writer, monkeypatch)
    tables.do("alter table reading add check (value <> 666)")
    message = Message("lifeline/v1/test/gateways/g/readings", b"[the whole batch]", T0)
    garbage = Rejection("topic", b"", RejectionReason.BAD_JSON, "payload: bad", T0)
    values = [666.0 if second in {3, 60} else 1.0 for second in range(100)]
    times_us = [epoch_us(T0 + timedelta(seconds=second)) for second in range(100)]
    resolved = Resolved(message, Decoded(), ["s0"] * 100, [1] * 100, times_us, values, [0] * 100, [garbage])
    batch = Batch(0.0, [Part(resolved, None, lambda: None)])
    database = Outage("the database", DATABASE_AWAY, SEEDED)
    async with open_pool(database_url, 2) as pool:
        register = Register(database_url, pool, database)
        await register.load()
        limits = ClockLimits(timedelta(minutes=5), timedelta(days=10))
        await Writer(pool, database, register, limits, metrics=Metrics(), tell=lambda *_: None).store(batch)
    assert tables.count("reading") == 98
    assert len(tables.fed()) == 98
    found = tables.ask("select reason, sensor, count, starts_with(detail, 'value: 666') from rejection order by 1")
    assert found == [("bad-field", "s0", 2, True), ("bad-json", None, 1, False)]
    traced = [(span.name, dict(span.attributes or {})) for span in spans.get_finished_spans()]
    assert traced == [("store batch", {"lifeline.messages": 1, "lifeline.readings": 100})]


async def test_rejections_hold_any_text_and_are_pruned_by_age(database_url: str, tables: Tables) -> None:
    odd = Rejection("a\x00b", b"\x00" * 5000, RejectionReason.BAD_FIELD, "x: \ud800", T0, "s\x00")
    young = Rejection("topic", b"", RejectionReason.BAD_FIELD, "x: y", T0 + timedelta(days=1))
    async with await AsyncConnection.connect(database_url) as connection:
        await write_rejections(connection, [odd, young])
        assert await prune_rejections(connection, T0 + timedelta(hours=1)) == 1
    assert tables.ask("select topic, detail from rejection") == [("topic", "x: y")]
