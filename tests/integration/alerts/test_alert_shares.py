"""Several alert processes divide the zones: each reading is judged once, whoever dies meanwhile."""

import asyncio
import signal
from contextlib import AsyncExitStack, ExitStack
from datetime import timedelta
from pathlib import Path
from random import Random

import psycopg
import pytest
from psycopg import AsyncConnection

from services.alerts.feed_follower import OvertakenError
from services.alerts.sharing import share_of
from services.core.store import shares
from tests.integration.alerts.alert_harness import (
    AlertProcess,
    alert_process,
    ask,
    at,
    said_by_the_loop,
    store,
    until,
)
from tests.integration.alerts.test_alert_crashes import day
from tests.integration.alerts.test_alert_feed import follow_to_the_end, following

TAKEN_OVER_WITHIN_S = 5.0


def owners(url: str) -> dict[int, str | None]:
    """Who owns which share."""
    return {row["share"]: row["owner"] for row in ask(url, "select share, owner from alert_share")}


def evenly_divided(url: str, processes: int) -> bool:
    """Whether so many processes own something and nothing is without an owner, gas and water apart."""
    now = owners(url)
    living = {row["instance"] for row in ask(url, "select instance from alert_member")}
    return set(now.values()) == living and len(living) == processes


async def started(stack: ExitStack, url: str, folder: Path, *names: str) -> list[AlertProcess]:
    """Processes that have divided the feed among them."""
    processes = [stack.enter_context(alert_process(url, folder, name)) for name in names]
    for process in processes:
        process.launch()
    await until(lambda: evenly_divided(url, len(processes)), 200)
    return processes


def owner_of(url: str, zone: str, processes: list[AlertProcess]) -> AlertProcess:
    """The process that judges a zone: its log says which shares it holds by its name in the database."""
    name = owners(url)[share_of(zone)]
    return next(process for process in processes if f'"instance": "{name}"' in process.log.read_text())


@pytest.mark.slow
async def test_two_processes_divide_the_zones_and_each_says_its_own(city_url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        processes = await started(stack, city_url, tmp_path, "first", "second")
        await until(lambda: owners(city_url)[share_of("G1")] != owners(city_url)[share_of("W1")])
        low = [("P-1", at(minute), 60.0) for minute in range(8)]
        await store(city_url, [("M-1", at(0), 30.0), ("M-2", at(0), 30.0), *low])
        await until(lambda: len(ask(city_url, "select from alert where kind in ('methane-high', 'pressure-low')")) == 3)
        said = [[line["asset"] for line in process.lines() if line["event"] == "finding"] for process in processes]
        assert sorted(map(sorted, map(set, said))) == [["US-1", "US-2"], ["WJ-1"]]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_what_a_dead_process_judged_is_judged_again_within_five_seconds(
    city_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    with ExitStack() as stack:
        processes = await started(stack, city_url, tmp_path, "first", "second", "third")
        victim = owner_of(city_url, "G1", processes)
        await store(city_url, [("M-1", at(0), 1.0)])
        victim.process.send_signal(number)
        victim.process.wait(20)
        await store(city_url, [("M-1", at(1), 30.0)])
        taken = await until(lambda: len(ask(city_url, "select from alert where kind = 'methane-high'")) == 1)
        assert taken < TAKEN_OVER_WITHIN_S
        if number == signal.SIGTERM:
            assert taken < shares.GONE_AFTER.total_seconds(), "who leaves in order is not waited for"
        await until(lambda: evenly_divided(city_url, 2) or len(set(owners(city_url).values())) == 2)


@pytest.mark.slow
async def test_a_process_cut_off_in_the_middle_of_a_transaction_is_replaced_and_can_do_no_harm(
    city_url: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        processes = await started(stack, city_url, tmp_path, "first", "second")
        stopped = owner_of(city_url, "G1", processes)
        stopped.process.send_signal(signal.SIGSTOP)
        await store(city_url, [("M-1", at(0), 30.0), ("M-2", at(0), 30.0)])
        taken = await until(lambda: len(ask(city_url, "select from alert")) == 2)
        assert taken < TAKEN_OVER_WITHIN_S
        stopped.process.send_signal(signal.SIGCONT)
        await store(city_url, [("M-1", at(1), 31.0), ("M-1", at(2), 60.0)])
        await until(lambda: ask(city_url, "select severity from alert where asset = 'US-1'") == [{"severity": 4}])
        await until(lambda: evenly_divided(city_url, 2))
        assert len(ask(city_url, "select from finding where state = 'raised'")) == 2
        assert stopped.process.poll() is None


@pytest.mark.slow
async def test_processes_killed_in_turn_conclude_what_an_undisturbed_one_does(
    city_url: str, twin_url: str, tmp_path: Path
) -> None:
    minutes = day()
    await store(twin_url, [sample for samples in minutes for sample in samples])
    async with following(twin_url) as follower:
        await follow_to_the_end(follower)
    expected = said_by_the_loop(twin_url)
    random = Random(5)  # noqa: S311 - pauses, not a secret
    with ExitStack() as stack:
        processes = await started(stack, city_url, tmp_path, "first", "second", "third")
        for number, samples in enumerate(minutes):
            await store(city_url, samples)
            await asyncio.sleep(random.uniform(0, 0.08))
            if number % 30 == 20:
                processes[number // 30].kill()
            if number % 30 == 29:
                processes[number // 30].launch()
        await until(lambda: len(ask(city_url, "select from finding")) >= len(expected["findings"]), 60)
    assert said_by_the_loop(city_url) == expected


async def test_a_lost_share_is_noticed_before_anything_is_stored(city_url: str) -> None:
    await store(city_url, [("M-1", at(0), 30.0)])
    async with following(city_url, idle=timedelta(hours=1), member="first") as first:
        assert await first.step()
        await store(city_url, [("M-2", at(1), 30.0), ("M-2", at(2), 30.0)])
        ask(city_url, "update alert_share set owner = 'second' where owner = 'first' returning share")
        with pytest.raises(OvertakenError):
            await first.step()
        assert not await first.step(), "it holds nothing until it has looked again"
    assert ask(city_url, "select from finding") == []


async def test_shares_at_different_places_catch_up_and_go_on_together(city_url: str) -> None:
    await store(city_url, [("M-1", at(0), 30.0), ("P-1", at(0), 300.0)])
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
    with psycopg.connect(city_url) as connection:
        # As if the share of the water zone had come from a process that lagged behind.
        connection.execute(
            "update alert_share set transaction_id = '0', id = 0, city_time = null where share = %s", (share_of("W1"),)
        )
        connection.execute("delete from detector_state where zone = 'W1'")
    await store(city_url, [("M-2", at(1), 30.0)])
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
        assert follower.readings_judged == 2, "the water zone's reading and the new one"
    positions = ask(city_url, "select distinct transaction_id, id from alert_share")
    assert len(positions) == 1
    assert len(ask(city_url, "select from alert")) == 2


async def test_the_citys_clock_sees_the_zones_of_others(city_url: str) -> None:
    """A gas sensor falls silent while only the water zone, judged elsewhere, goes on reporting."""
    others = [share for share in range(shares.SHARES) if share != share_of("G1")]
    ask(
        city_url,
        "insert into alert_member (instance, seen_at) values ('other', now() + interval '1 hour') returning instance",
    )
    ask(city_url, "update alert_share set owner = 'other' where share = any(%s) returning share", others)
    await store(city_url, [("M-1", at(0), 1.0), ("P-1", at(0), 300.0)])
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
        for minute in range(1, 40):
            await store(city_url, [("P-1", at(minute), 300.0 + minute % 3)])
            await follow_to_the_end(follower)
    told = ask(city_url, "select kind, sensors from finding order by sensors")
    assert told == [{"kind": "sensor-silent", "sensors": [sensor]} for sensor in ("M-1", "M-2")]


async def test_shares_are_handed_over_in_order_to_a_newcomer(city_url: str) -> None:
    await store(city_url, [("M-1", at(0), 30.0), ("P-1", at(0), 300.0)])
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(following(city_url, member="first"))
        await follow_to_the_end(first)
        connection = await stack.enter_async_context(await AsyncConnection.connect(city_url, autocommit=True))
        await shares.beat(connection, "second")
        await first._membership.beat(connection)
        assert first._membership.surplus
        await follow_to_the_end(first)
        await store(city_url, [("M-2", at(1), 30.0), ("P-1", at(1), 300.0)])
        second = await stack.enter_async_context(following(city_url, member="second"))
        await follow_to_the_end(second)
        await follow_to_the_end(first)
        assert first.readings_judged + second.readings_judged == 4
        assert set(owners(city_url).values()) == {"first", "second"}
    assert len(ask(city_url, "select from alert")) == 2


async def test_pruning_waits_for_the_slowest_share(city_url: str) -> None:
    await store(city_url, [("M-1", at(0), 1.0)])
    ask(city_url, "delete from feed_cursor where consumer = 'rollup' returning consumer")  # it would read it later
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
        ask(city_url, "update alert_share set id = 0, transaction_id = '0' where share = 7 returning share")
        await follower.prune()
    assert len(ask(city_url, "select from feed")) == 1
