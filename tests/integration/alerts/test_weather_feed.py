"""The weather service on a real server, the warnings in a real database, and what is prepared because of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Response

from services.alerts.weather.feed import WeatherFeed
from services.core.store.pool import open_pool
from services.demo.ports import free_port
from tests.integration.alerts.alert_harness import ask, prepare, until
from tests.integration.alerts.tiny_city import SENSORS
from tests.unit.core.test_cap_message import RAINSTORM

NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)
_LOW_POINTS = """asset,person,pumps,mobile_pumps,sandbags,barriers,prepare_from
MH-1,person-1,,2,300,1,2
OF-1,,,0,50,0,4
"""
_TASKS = "select asset, task, quantity, person, state, is_exercise from storm_task order by id"


@pytest.fixture
def low_url(database_url: str, tmp_path: Path) -> str:
    folder = tmp_path / "city"
    folder.mkdir()
    (folder / "low_points.csv").write_text(_LOW_POINTS, encoding="utf-8")
    prepare(database_url, folder, SENSORS)
    return database_url


@dataclass
class _Service:
    """A weather service: a feed and its messages; what is asked for is counted."""

    messages: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    status: int = 200
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/feed"

    def application(self) -> FastAPI:
        app = FastAPI()

        @app.get("/feed")
        def feed() -> Response:
            entries = "".join(f'<entry><link href="{link}"/></entry>' for link in self.links)
            body = f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'
            return Response(body, self.status, media_type="application/atom+xml")

        @app.get("/messages/{name}")
        def message(name: str) -> Response:
            self.asked.append(name)
            return Response(self.messages[name], media_type="application/cap+xml")

        return app

    def tell(self, name: str, message: str) -> None:
        self.messages[name] = message
        self.links.insert(0, f"/messages/{name}")


@asynccontextmanager
async def _serving(service: _Service) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(service.application(), port=service.port, log_level="critical"))
    task = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started, 20)
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def _asking(url: str, service: _Service, now: datetime = NOW) -> AsyncIterator[WeatherFeed]:
    async with open_pool(url, 2) as pool, httpx.AsyncClient(timeout=5.0) as client:
        yield WeatherFeed(pool, client, service.url, now=lambda: now)


def _warning(identifier: str, *pairs: tuple[str, str]) -> str:
    message = RAINSTORM.replace("34010041600000_20260714164000", identifier)
    for old, new in pairs:
        assert old in message, old
        message = message.replace(old, new)
    return message


def _changing(identifier: str, kind: str, *pairs: tuple[str, str], what: str = "A-1") -> str:
    reference = f"<references>weather@example.org,{what},2026-07-14T16:40:00+08:00</references><info>"
    message = _warning(identifier, (">Alert<", f">{kind}<"), *pairs)
    return message.replace("<info>", reference, 1)


def _states(url: str) -> list[tuple[str, str, str]]:
    return [(row["asset"], row["task"], row["state"]) for row in ask(url, _TASKS)]


async def test_a_rain_warning_prepares_the_low_points_it_reaches(low_url: str) -> None:
    service = _Service()
    service.tell("a", _warning("A-1"))
    async with _serving(service), _asking(low_url, service) as feed:
        assert await feed.ask() == 1
        assert await feed.ask() == 0
    rows = ask(low_url, _TASKS)
    assert [(row["asset"], row["task"], row["quantity"], row["person"]) for row in rows] == [
        ("MH-1", "person", 1, "An Yiming"),
        ("MH-1", "mobile-pumps", 2, "An Yiming"),
        ("MH-1", "sandbags", 300, "An Yiming"),
        ("MH-1", "barriers", 1, "An Yiming"),
    ], "a place whose level is not reached was prepared, or one that is was not"
    assert service.asked == ["a"], "a message was fetched twice"


async def test_a_message_that_is_known_already_changes_nothing_after_a_restart(low_url: str) -> None:
    service = _Service()
    service.tell("a", _warning("A-1"))
    async with _serving(service):
        for _ in range(2):
            async with _asking(low_url, service) as feed:
                await feed.ask()
    assert len(ask(low_url, "select from weather_warning")) == 1
    assert len(ask(low_url, _TASKS)) == 4


async def test_a_worse_update_prepares_more_and_keeps_what_is_under_way(low_url: str) -> None:
    service = _Service()
    service.tell("a", _warning("A-1"))
    async with _serving(service), _asking(low_url, service) as feed:
        await feed.ask()
        before = ask(low_url, "select id from storm_task order by id")
        service.tell("b", _changing("A-2", "Update", (">Severe<", ">Extreme<")))
        await feed.ask()
    assert ask(low_url, "select id from storm_task where asset = 'MH-1' order by id") == before
    assert ("OF-1", "sandbags", "open") in _states(low_url)
    ended = ask(low_url, "select identifier from weather_warning where ended_at is not null")
    assert [row["identifier"] for row in ended] == ["A-1"]


async def test_a_cancellation_stands_everybody_down_but_what_was_done_stays_on_record(low_url: str) -> None:
    service = _Service()
    service.tell("a", _warning("A-1"))
    async with _serving(service), _asking(low_url, service) as feed:
        await feed.ask()
        ask(low_url, "update storm_task set state = 'done', changed_at = now() where task = 'person' returning id")
        service.tell("b", _changing("A-2", "Cancel"))
        await feed.ask()
    assert {state for _, task, state in _states(low_url) if task == "person"} == {"done"}
    assert {state for _, task, state in _states(low_url) if task != "person"} == {"stood-down"}


async def test_an_expired_warning_stands_down_though_the_service_is_away(low_url: str) -> None:
    service = _Service()
    service.tell("a", _warning("A-1"))
    async with _serving(service), _asking(low_url, service) as feed:
        await feed.ask()
    async with _asking(low_url, service, NOW + timedelta(days=1)) as feed:
        assert await feed.ask() == 0
    assert {state for _, _, state in _states(low_url)} == {"stood-down"}


async def test_what_cannot_be_read_is_kept_and_stops_nothing(low_url: str) -> None:
    service = _Service()
    service.tell("bad", _warning("B-1", (">Severe<", ">Orange<")))
    service.tell("rubbish", "<html>")
    service.tell("test", _warning("T-1", (">Actual<", ">Test<")))
    service.tell("a", _warning("A-1"))
    async with _serving(service), _asking(low_url, service) as feed:
        assert await feed.ask() == 1
    refused = {row["reason"].split(":")[0] for row in ask(low_url, "select reason from weather_refusal")}
    assert refused == {"severity", "is no XML"}
    assert [row["identifier"] for row in ask(low_url, "select identifier from weather_warning")] == ["A-1"]


async def test_a_feed_cannot_send_us_to_another_host(low_url: str) -> None:
    service, elsewhere = _Service(), _Service()
    elsewhere.tell("a", _warning("A-1"))
    service.links = [
        f"http://127.0.0.1:{elsewhere.port}/messages/a",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
    ]
    async with _serving(service), _serving(elsewhere), _asking(low_url, service) as feed:
        assert await feed.ask() == 0
    assert elsewhere.asked == []


async def test_an_exercise_is_prepared_beside_what_is_in_earnest(low_url: str) -> None:
    service = _Service()
    service.tell("a", _warning("A-1"))
    service.tell("x", _warning("X-1", (">Actual<", ">Exercise<")))
    async with _serving(service), _asking(low_url, service) as feed:
        await feed.ask()
    rows: list[dict[str, Any]] = ask(low_url, _TASKS)
    assert sorted(row["is_exercise"] for row in rows) == [False] * 4 + [True] * 4


async def test_a_service_that_fails_is_asked_again(low_url: str) -> None:
    service = _Service(status=500)
    service.tell("a", _warning("A-1"))
    async with _serving(service), _asking(low_url, service) as feed:
        assert await feed.ask() == 0
        service.status = 200
        assert await feed.ask() == 1
