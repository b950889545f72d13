"""The feed on a real database: nothing is skipped, split, judged twice or forgotten."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg import AsyncConnection

from services.alerts import feed_follower
from services.alerts.feed_follower import FeedFollower, OvertakenError
from services.alerts.membership import Membership
from services.core.store import feed
from services.core.store.feed import START, FeedPosition
from services.core.store.pool import open_pool
from tests.fixtures.spans import spans_of
from tests.integration.alerts.alert_harness import ask, at, said_by_the_loop, store, store_on, until


@asynccontextmanager
async def following(
    url: str, *, idle: timedelta = timedelta(0), lateness: timedelta = timedelta(seconds=2), member: str = "only"
) -> AsyncIterator[FeedFollower]:
    """A follower inside the test, with all the shares that nobody else has."""
    membership = Membership(member)
    async with open_pool(url, 4) as pool:
        async with await AsyncConnection.connect(url, autocommit=True) as connection:
            await membership.beat(connection)
        reopening = timedelta(minutes=10)  # as the process has it by default
        yield FeedFollower(pool, membership, allowed_lateness=lateness, idle_release=idle, reopens_within=reopening)


async def follow_to_the_end(follower: FeedFollower) -> None:
    """Judge everything, the idle release included."""
    while await follower.step():
        pass


async def test_an_older_transaction_that_commits_later_is_not_skipped(city_url: str) -> None:
    async with (
        await AsyncConnection.connect(city_url) as older,
        await AsyncConnection.connect(city_url) as younger,
        await AsyncConnection.connect(city_url, autocommit=True) as reader,
    ):
        await store_on(older, [("M-1", at(0), 1.0)])
        await store_on(younger, [("M-2", at(0), 2.0)])
        await younger.commit()
        assert await feed.read(reader, START, 10) == [], "what could be overtaken is held back"
        await older.commit()
        entries = await feed.read(reader, START, 10)
        assert [entry.values for entry in entries] == [[1.0], [2.0]]
        assert entries[0].position.transaction_id < entries[1].position.transaction_id
        assert [entry.values for entry in await feed.read(reader, entries[0].position, 10)] == [[2.0]]


async def test_a_follower_judges_both_whatever_commits_first(city_url: str) -> None:
    async with (
        following(city_url) as follower,
        await AsyncConnection.connect(city_url) as older,
        await AsyncConnection.connect(city_url) as younger,
    ):
        await store_on(older, [("M-1", at(0), 30.0)])
        await store_on(younger, [("M-2", at(0), 30.0)])
        await younger.commit()
        await follow_to_the_end(follower)
        assert ask(city_url, "select from finding") == []
        await older.commit()
        await follow_to_the_end(follower)
    assert [row["asset"] for row in ask(city_url, "select asset from alert order by asset")] == ["US-1", "US-2"]


async def test_the_position_survives_a_restart_and_nothing_is_judged_twice(city_url: str) -> None:
    await store(city_url, [("M-1", at(0), 30.0)])
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
        assert follower.readings_judged == 1
    await store(city_url, [("M-2", at(1), 30.0)])
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
        assert follower.readings_judged == 1
    assert len(ask(city_url, "select from finding")) == 2


async def test_a_step_that_fails_stores_nothing_and_is_taken_again(city_url: str) -> None:
    await store(city_url, [("M-1", at(0), 30.0), ("M-1", at(1), 30.0)])
    async with following(city_url) as follower:
        with psycopg.connect(city_url) as connection:
            connection.execute("alter table work_order rename to work_order_away")
        with pytest.raises(psycopg.errors.UndefinedTable):
            await follow_to_the_end(follower)
        assert [ask(city_url, f"select from {table}") for table in ("finding", "alert", "detector_state")] == [[]] * 3
        with psycopg.connect(city_url) as connection:
            connection.execute("alter table work_order_away rename to work_order")
        await follow_to_the_end(follower)
    assert len(ask(city_url, "select from work_order")) == 1


async def test_what_was_held_when_a_process_ended_is_judged_though_nothing_more_comes(city_url: str) -> None:
    await store(city_url, [("M-1", at(0), 30.0)])
    async with following(city_url, idle=timedelta(hours=1)) as follower:
        assert await follower.step()
        assert not await follower.step()
    assert ask(city_url, "select from finding") == []
    async with following(city_url, idle=timedelta(milliseconds=200)) as follower:

        async def judged() -> bool:
            await follower.step()
            return len(ask(city_url, "select from finding")) == 1

        await until(judged)


async def test_pruning_drops_only_what_was_read(city_url: str) -> None:
    ask(city_url, "delete from feed_cursor where consumer = 'rollup' returning consumer")  # it would read it later
    await store(city_url, [("M-1", at(0), 1.0)])
    async with following(city_url) as follower:
        await follower.prune()
        assert len(ask(city_url, "select from feed")) == 1, "nobody has read anything yet"
        await follow_to_the_end(follower)
        await store(city_url, [("M-1", at(1), 2.0)])
        await follower.prune()
        assert [row["values"] for row in ask(city_url, 'select "values" from feed')] == [[2.0]]
        await follow_to_the_end(follower)
    assert follower.readings_judged == 2


async def test_pruning_waits_for_the_slowest_consumer(city_url: str) -> None:
    await store(city_url, [("M-1", at(0), 1.0)])
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
        ask(city_url, "insert into feed_cursor (consumer, transaction_id, id) values ('slow', '0', 0) returning id")
        await follower.prune()
    assert len(ask(city_url, "select from feed")) == 1


async def test_a_transaction_with_more_zones_than_are_read_at_once_is_not_cut(city_url: str) -> None:
    zones = feed_follower._ENTRIES_AT_ONCE + 200
    with psycopg.connect(city_url) as connection:
        for first, count in ((0, 10), (10, zones), (10 + zones, 5)):
            connection.execute(
                """
                insert into feed (zone, sensor_keys, times, "values", qualities, reasons)
                select 'zone-' || i, '{}', '{}', '{}', '{}', '{}' from generate_series(%s::int, %s) i
                """,
                (first, first + count - 1),
            )
            connection.commit()
    sizes, position = [], START
    async with await AsyncConnection.connect(city_url, autocommit=True) as connection_:
        while entries := await feed_follower._read(connection_, position):
            transactions = {entry.position.transaction_id for entry in entries}
            sizes.append((len(entries), len(transactions)))
            position = entries[-1].position
    assert sizes == [(10, 1), (zones + 5, 2)]


async def test_of_two_followers_only_one_keeps_what_it_concluded(city_url: str) -> None:
    await store(city_url, [("M-1", at(0), 30.0), ("M-1", at(1), 30.0)])
    async with following(city_url, idle=timedelta(hours=1)) as first:
        assert await first.step()
        async with following(city_url, idle=timedelta(hours=1)) as second:
            await second.step()
            await store(city_url, [("M-2", at(2), 30.0)])
            assert await second.step()
            with pytest.raises(OvertakenError):
                await first.step()
    assert len(ask(city_url, "select from alert where asset = 'US-1'")) == 1


async def test_the_same_readings_in_one_batch_or_in_many_give_the_same_rows(city_url: str, twin_url: str) -> None:
    samples = [
        (sensor, at(minute), value)
        for minute in range(40)
        for sensor, value in (("M-1", max(0.0, 3.0 * (minute - 5)) if minute < 25 else 0.5), ("M-2", 1.0 + minute % 3))
    ]
    await store(city_url, samples)
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
    async with following(twin_url) as follower:
        for first in range(0, len(samples), 7):
            await store(twin_url, samples[first : first + 7])
            await follow_to_the_end(follower)
            follower.forget()
    once, often = said_by_the_loop(city_url), said_by_the_loop(twin_url)
    assert len(once["findings"]) > 4
    assert often == once


async def test_readings_of_a_sensor_that_moved_to_another_zone_are_judged_there(city_url: str) -> None:
    await store(city_url, [("M-1", at(0), 30.0)])
    with psycopg.connect(city_url) as connection:
        connection.execute(
            "insert into zone (id, lifeline, name_en, name_zh) values ('G2', 'gas', 'Zone G2', '片区G2')"
        )
        connection.execute("update sensor set zone = 'G2' where id = 'M-1'")
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
    assert [row["zone"] for row in ask(city_url, "select zone from alert")] == ["G2"]


def test_positions_are_ordered_by_transaction_first() -> None:
    assert FeedPosition(1, 9) < FeedPosition(2, 1) < FeedPosition(2, 2)


async def test_what_became_of_every_reading_is_counted_and_so_is_what_waits(city_url: str) -> None:
    def count(name: str) -> float | None:
        return follower.metrics.registry.get_sample_value(f"lifeline_alerts_{name}")

    async with following(city_url) as follower:
        await store(city_url, [("M-1", at(minute), 30.0) for minute in range(5)])
        await follower.measure()
        assert count("feed_behind_entries") == 0, "nothing of ours is known before the first step"
        await follow_to_the_end(follower)
        await store(city_url, [("M-1", at(2.5), 1.0)])
        with psycopg.connect(city_url) as connection:
            connection.execute(
                """
                insert into feed (zone, sensor_keys, times, "values", qualities, reasons)
                values ('G1', '{4711}', array[now()], '{1}', '{0}', '{0}')
                """
            )
        await follower.measure()
        assert count("feed_behind_entries") == 2
        assert 0 <= (count("feed_behind_seconds") or 0) < 60
        await follow_to_the_end(follower)
        await follower.measure()
    assert [count(f"{name}_total") for name in ("judged", "late", "historic", "unknown")] == [5, 1, 0, 1]
    assert (count("feed_behind_entries"), count("shares"), count("units")) == (0, 32, 2)
    assert (count("findings_total") or 0) >= 1


async def test_a_value_that_a_device_changes_to_a_dangerous_one_raises_its_alert(city_url: str) -> None:
    await store(city_url, [("M-1", at(0), 1.0), ("M-1", at(1), 1.0)])
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
        assert ask(city_url, "select from alert") == []
        await store(city_url, [("M-1", at(0), 30.0)])
        await follow_to_the_end(follower)
        assert [row["severity"] for row in ask(city_url, "select severity from alert")]
        (found,) = ask(city_url, "select evidence, explanation_en from finding where state = 'raised'")
        assert found["evidence"]["came_late"]
        await store(city_url, [("M-1", at(0), 30.0)])
        await follow_to_the_end(follower)
    assert len(ask(city_url, "select from finding where state = 'raised'")) == 1, "the same change was told twice"


async def test_a_value_that_is_changed_to_a_harmless_one_ends_nothing(city_url: str) -> None:
    await store(city_url, [("M-1", at(0), 30.0)])
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
        await store(city_url, [("M-1", at(0), 1.0)])
        await follow_to_the_end(follower)
    assert ask(city_url, "select cleared_at from alert") == [{"cleared_at": None}], "history was rewritten"


async def test_readings_are_judged_in_one_span_and_waiting_is_none(
    city_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = spans_of(feed_follower, monkeypatch)
    async with following(city_url) as follower:
        await store(city_url, [("M-1", at(0), 1.0), ("M-2", at(0), 2.0)])
        await follow_to_the_end(follower)
        await follower.step()
    traced = [(span.name, dict(span.attributes or {})) for span in spans.get_finished_spans()]
    assert traced == [("judge readings", {"lifeline.readings": 2})]
