"""Live events: at once, each once, none lost."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.core.alert import Alert
from services.core.lifeline import Lifeline
from services.core.reading import Quality
from services.core.severity import Severity
from services.core.store import alerts, audit, events, latest, readings, sensors
from services.core.store.readings import ReadingRow
from tests.integration.api.harness import MOMENT, Sent, alert_at, cleared, client, connected, problem_of, sent_events

AT_ONCE_S = 2.0


class Listener:
    """One open stream."""

    def __init__(self, events: AsyncIterator[Sent]) -> None:
        self._events = events

    async def next(self, *types: str, within_s: float = AT_ONCE_S) -> Sent:
        """The next event of one of the types; without types of any but ``latest``."""
        async with asyncio.timeout(within_s):
            async for event in self._events:
                if event.type in types or (not types and event.type != "latest"):
                    return event
        raise AssertionError("the stream ended")

    async def nothing_more(self, for_s: float = 1.5) -> None:
        with pytest.raises(TimeoutError):
            await self.next(within_s=for_s)


@contextlib.asynccontextmanager
async def listening(api: httpx.AsyncClient, after: str | None = None, **choice: Any) -> AsyncIterator[Listener]:
    headers = {} if after is None else {"Last-Event-ID": after}
    async with api.stream("GET", "/stream", headers=headers, params=choice) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in response.headers
        yield Listener(sent_events(response))


async def save(url: str, *made: Alert) -> None:
    """Each in a transaction of its own."""
    for alert in made:
        async with connected(url) as connection:
            await alerts.add(connection, alert, audit.SYSTEM)


async def change(url: str, identifier: UUID, **changes: Any) -> None:
    async with connected(url) as connection:
        alert = await alerts.find(connection, identifier, lock=True)
        assert alert is not None
        await alerts.save(connection, replace(alert, **changes), before=alert, actor=audit.SYSTEM, action="change")


async def position(api: httpx.AsyncClient, url: str, asset: str) -> str:
    """The position of an event that was just committed."""
    alert = alert_at(asset, kind="pressure-low")
    async with listening(api) as listener:
        await save(url, alert)
        event = await listener.next("alert")
    assert (event.content["id"], event.id is None) == (str(alert.id), False)
    return str(event.id)


async def test_an_alert_saved_elsewhere_arrives_at_once_and_whole(
    api: httpx.AsyncClient, city_url: str, asset: str
) -> None:
    alert = alert_at(asset)
    async with listening(api) as listener:
        began = time.monotonic()
        await save(city_url, alert)
        event = await listener.next("alert")
        assert time.monotonic() - began < AT_ONCE_S
    page = (await api.get(f"/alerts/{alert.id}")).json()
    assert event.content == {name: value for name, value in page.items() if name in event.content}
    assert {"trace", "findings", "timeline"} == set(page) - set(event.content)


async def test_what_people_do_arrives_with_the_whole_thing(api: httpx.AsyncClient, city_url: str, asset: str) -> None:
    alert = alert_at(asset)
    await save(city_url, alert)
    async with listening(api) as listener:
        warning = (await api.post(f"/alerts/{alert.id}/warning", json={"severity": 3})).json()
        assert (await listener.next("warning")).content == warning
        order = (await listener.next("work-order")).content
        assert order == (await api.get(f"/work-orders/{order['id']}")).json()
        await api.post(f"/work-orders/{order['id']}/receive")
        assert (await listener.next()).content["state"] == "received"
        await change(city_url, alert.id, **cleared(alert))
        assert (await listener.next()).content["state"] == "cleared"


async def test_every_listener_gets_every_event(address: str, city_url: str, asset: str) -> None:
    async with (
        client(address, "read") as one,
        client(address, "everything") as other,
        listening(one) as first,
        listening(other) as second,
    ):
        await save(city_url, alert_at(asset))
        assert await first.next() == await second.next()


async def test_a_rolled_back_change_is_never_told(api: httpx.AsyncClient, city_url: str, asset: str) -> None:
    async with listening(api) as listener:
        async with connected(city_url) as connection:
            await alerts.add(connection, alert_at(asset), audit.SYSTEM)
            await connection.rollback()
        await listener.nothing_more()


async def test_news_of_an_unknown_kind_is_passed_over(api: httpx.AsyncClient, city_url: str, asset: str) -> None:
    alert = alert_at(asset)
    async with listening(api) as listener:
        async with connected(city_url) as connection:
            await events.announce(connection, "hazard", str(uuid4()))
            await events.announce(connection, "hazard", "by another sort of name")
        await save(city_url, alert)
        assert (await listener.next()).content["id"] == str(alert.id)


async def test_new_values_arrive_together_and_without_a_position(api: httpx.AsyncClient, city_url: str) -> None:
    async with connected(city_url) as connection:
        some = (await sensors.load_sensors(connection))[:15]
    async with listening(api) as listener:
        for step in range(3):
            for sensor in some:
                row = ReadingRow(
                    sensor.key,
                    sensor.zone,
                    MOMENT + timedelta(seconds=step),
                    float(step),
                    Quality.GOOD,
                    None,
                    datetime.now(UTC),
                )
                async with connected(city_url) as connection:
                    await readings.write_readings(connection, [row])
                    await connection.commit()
                    await latest.follow(connection)
        seen: dict[str, float] = {}
        messages = 0
        while set(seen) != {sensor.id for sensor in some} or set(seen.values()) != {2.0}:
            event = await listener.next("latest")
            assert event.id is None
            messages += 1
            seen |= {item["sensor"]: item["value"] for item in event.content["items"]}
        assert messages < 15, "45 transactions do not make 45 messages"


async def test_a_listener_who_comes_back_gets_exactly_what_it_missed(
    api: httpx.AsyncClient, city_url: str, city_assets: list[str]
) -> None:
    last = await position(api, city_url, city_assets[0])
    missed = [alert_at(asset) for asset in city_assets[1:4]]
    await save(city_url, *missed)
    async with listening(api, last) as listener:
        assert [(await listener.next()).content["id"] for _ in missed] == [str(alert.id) for alert in missed]
        following = alert_at(city_assets[4])
        await save(city_url, following)
        event = await listener.next()
        assert event.content["id"] == str(following.id)
        await listener.nothing_more()
    async with listening(api, event.id) as listener:
        await listener.nothing_more()


@pytest.mark.parametrize("replayed", [False, True])
async def test_a_listener_hears_only_what_it_chose(
    api: httpx.AsyncClient, city_url: str, city_assets: list[str], replayed: bool
) -> None:
    last = await position(api, city_url, city_assets[0])
    others = [
        alert_at(city_assets[1], zone="W2"),
        alert_at(city_assets[2], lifeline=Lifeline.GAS, kind="gas-leak"),
        alert_at(city_assets[3], severity=Severity.MODERATE),
    ]
    wanted = alert_at(city_assets[4])
    choice = {"type": ["alert", "warning"], "lifeline": "water", "zone": "W1", "severity": 3}
    if replayed:
        await save(city_url, *others, wanted)
    async with listening(api, last if replayed else None, **choice) as listener:
        if not replayed:
            await save(city_url, *others, wanted)
        assert (await listener.next()).content["id"] == str(wanted.id)
        await listener.nothing_more()
    async with listening(api, last, type="work-order") as listener:
        await listener.nothing_more(for_s=0.5)


async def test_new_values_can_be_chosen_by_place(api: httpx.AsyncClient, city_url: str) -> None:
    async with connected(city_url) as connection:
        known = await sensors.load_sensors(connection)
    one = next(sensor for sensor in known if sensor.zone == "W1")
    other = next(sensor for sensor in known if sensor.zone != "W1")
    moment = MOMENT + timedelta(hours=1)
    async with listening(api, type="latest", zone="W1") as listener:
        for sensor in (other, one):
            row = ReadingRow(sensor.key, sensor.zone, moment, 7.0, Quality.GOOD, None, datetime.now(UTC))
            async with connected(city_url) as connection:
                await readings.write_readings(connection, [row])
                await connection.commit()
                await latest.follow(connection)
        event = await listener.next("latest", within_s=5.0)
        assert [item["sensor"] for item in event.content["items"]] == [one.id]


async def test_what_changed_often_is_told_once_and_stopping_anywhere_loses_nothing(
    api: httpx.AsyncClient, city_url: str, city_assets: list[str]
) -> None:
    last = await position(api, city_url, city_assets[0])
    often, once = alert_at(city_assets[1]), alert_at(city_assets[2])
    await save(city_url, often, once)
    await change(city_url, often.id, finding_count=2)
    async with listening(api, last) as listener:
        first = await listener.next()
    async with listening(api, first.id) as listener:
        second = await listener.next()
        await listener.nothing_more()
    assert {first.content["id"], second.content["id"]} == {str(often.id), str(once.id)}
    assert second.content["finding_count"] == 2


async def test_a_replay_far_longer_than_one_query_is_complete(
    api: httpx.AsyncClient, city_url: str, city_assets: list[str]
) -> None:
    last = await position(api, city_url, city_assets[0])
    made = [alert_at(f"bulk-{number}") for number in range(510)]
    async with connected(city_url) as connection:
        for alert in made:
            await alerts.add(connection, alert, audit.SYSTEM)
    async with listening(api, last) as listener:
        told = [(await listener.next(within_s=10)).content["id"] for _ in made]
        await listener.nothing_more()
    assert told == [str(alert.id) for alert in made]


async def test_transactions_that_commit_out_of_order_are_told_in_order_and_not_lost(
    api: httpx.AsyncClient, city_url: str, city_assets: list[str]
) -> None:
    last = await position(api, city_url, city_assets[0])
    slow, fast = alert_at(city_assets[1]), alert_at(city_assets[2])
    async with listening(api) as live:
        async with connected(city_url) as connection:
            await alerts.add(connection, slow, audit.SYSTEM)
            await save(city_url, fast)
            async with listening(api, last) as early:
                await early.nothing_more(0.5)
        expected = [str(slow.id), str(fast.id)]
        assert [(await live.next()).content["id"] for _ in expected] == expected
    async with listening(api, last) as late:
        assert [(await late.next()).content["id"] for _ in expected] == expected


async def test_listeners_survive_that_the_database_ends_every_connection(
    api: httpx.AsyncClient, city_url: str, city_assets: list[str]
) -> None:
    made = [alert_at(asset) for asset in city_assets[:3]]
    async with listening(api) as listener:
        await save(city_url, made[0])
        assert (await listener.next()).content["id"] == str(made[0].id)
        async with connected(city_url) as connection:
            await connection.execute(
                """select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()"""
            )
            await alerts.add(connection, made[1], audit.SYSTEM)
        assert (await listener.next(within_s=5)).content["id"] == str(made[1].id)
        await save(city_url, made[2])
        assert (await listener.next(within_s=5)).content["id"] == str(made[2].id)
        await listener.nothing_more()
    assert (await api.get("/alerts")).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1",
        "1-",
        "-1",
        "-1-1",
        "1--1",
        "1-2-3",
        "1.5-2",
        "1_0-2",
        f"{10**19}-1",
        f"1-{10**19}",
        "9999999999999999999-1",
    ],
)
async def test_a_malformed_position_is_refused(api: httpx.AsyncClient, text: str) -> None:
    problem = problem_of(await api.get("/stream", headers={"Last-Event-ID": text}), 422, "not-valid")
    assert [error["field"] for error in problem["errors"]] == ["header.last-event-id"]


async def test_a_position_ahead_of_everything_is_harmless(api: httpx.AsyncClient, city_url: str) -> None:
    async with listening(api, f"{2**63 - 1}-{2**63 - 1}") as listener:
        await listener.nothing_more(0.3)
