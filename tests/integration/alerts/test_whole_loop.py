"""The whole loop of each of the eight lifelines in compressed time: real clocks, real processes, through the API.

From a reading, or from what a patrol tells, to the report: deadlines of seconds are put in force first, so that each
step's clock can be waited for. ``TIMES_S`` is what each step is allowed: half of each is longer than the two seconds
between two looks at what is due, or a reminder would be left out because the deadline has passed by then.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.core.city_folder import read_city_folder
from services.demo.preparation import import_city, migrate_with_catalogue
from tests.integration.alerts.alert_harness import (
    AlertProcess,
    ReceiverProcess,
    alert_process,
    ask,
    at,
    store,
    tell,
    until,
)
from tests.integration.alerts.eight_lifelines import TROUBLES, Trouble, write_eight_lifelines
from tests.integration.api.harness import client, problem_of, save_keys, serving

TIMES_S = {"receive": 6.0, "arrive": 600.0, "control": 8.0, "hand-back": 20.0, "verify": 600.0, "close": 600.0}
HOLD_MIN = 30
PATIENCE_S = 90.0
SOON, OVERDUE, LONG = "work-order.due-soon", "work-order.overdue", "work-order.long-overdue"


@pytest.fixture
async def city_url(database_url: str, tmp_path: Path) -> str:
    """The city of eight lifelines, and callers."""
    migrate_with_catalogue(database_url)
    import_city(database_url, read_city_folder(write_eight_lifelines(tmp_path / "city")))
    await save_keys(database_url)
    return database_url


@pytest.fixture
def alerts(city_url: str, tmp_path: Path) -> Iterator[AlertProcess]:
    """The alert process; it summarises nothing, so that each message is seen by itself."""
    with alert_process(city_url, tmp_path, flood_messages="0") as process:
        yield process


@pytest.fixture
async def callers(city_url: str) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Who does the work, and who judges it."""
    with serving(city_url) as address:
        async with client(address) as crew, client(address, "another") as judge:
            yield crew, judge


class Loop:
    """One lifeline's way through the loop."""

    def __init__(self, database_url: str, trouble: Trouble, crew: httpx.AsyncClient, judge: httpx.AsyncClient) -> None:
        self.database_url, self.trouble, self.crew, self.judge = database_url, trouble, crew, judge
        self.alert = self.order = self.incident = ""

    async def put_rule(self) -> None:
        rule = {"hold_s": HOLD_MIN * 60, "watch_s": 3600, "warns_at": 0.5, "deadlines_s": {"4": TIMES_S}}
        path = f"/disposal-rules/{self.trouble.lifeline}"
        assert (await self.crew.put(path, json={"rule": rule, "reason": "compressed time"})).status_code == 200

    async def goes_wrong(self) -> None:
        """A reading beyond the limit or a patrol's words become an alert, a warning and an order."""
        if self.trouble.sensor is not None:
            sensor = self.trouble.sensor
            await store(self.database_url, [(sensor, at(0), self.trouble.normal), (sensor, at(1), self.trouble.bad)])
        else:
            await self.report_of_patrol(is_over=False)
        await self.until(lambda: self.rows("select id from alert where asset = %s", self.trouble.asset) != [])
        self.alert = str(self.rows("select id from alert where asset = %s", self.trouble.asset)[0]["id"])
        # Where the rule does not publish by itself a person does.
        published = await self.crew.post(f"/alerts/{self.alert}/warning", json={"severity": 4})
        assert published.status_code in {201, 409}, published.text
        (order,) = (await self.crew.get("/work-orders", params={"alert": self.alert})).json()["items"]
        self.order, self.incident = order["id"], order["incident"]
        assert (order["organisation"], order["severity"]) == (self.trouble.owner, 4)

    async def report_of_patrol(self, *, is_over: bool) -> None:
        place = {"lifeline": self.trouble.lifeline, "asset": self.trouble.asset}
        words = {"source": "patrol", "severity": 4, "text": "seen on site", "is_over": is_over}
        assert (await self.crew.post("/reports", json={**place, **words})).status_code == 201

    async def normal_until(self, minutes: int) -> None:
        """Normal readings up to a minute of event time; the patrol says that it is over."""
        if self.trouble.sensor is None:
            await self.report_of_patrol(is_over=True)
        else:
            sensor = self.trouble.sensor
            await store(self.database_url, [(sensor, at(minute), self.trouble.normal) for minute in range(2, minutes)])
        cleared = "select id from alert where id = %s and state = 'cleared'"
        await self.until(lambda: self.rows(cleared, self.alert) != [])

    async def step(self, move: str, **body: Any) -> dict[str, Any]:
        answer = await self.crew.post(f"/work-orders/{self.order}/{move}", json=body)
        assert answer.status_code == 200, f"{self.trouble.lifeline}: {answer.text}"
        return dict(answer.json())

    async def deadline(self) -> dict[str, Any]:
        return dict((await self.crew.get(f"/work-orders/{self.order}")).json()["deadline"])

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        return ask(self.database_url, query, *values)

    def notices(self, step: str) -> list[dict[str, Any]]:
        return self.rows(
            "select stage, at from work_order_notice where work_order = %s and step = %s order by at, due_at",
            self.order,
            step,
        )

    async def until(self, condition: Any) -> None:
        try:
            await until(condition, PATIENCE_S)
        except TimeoutError:
            raise TimeoutError(f"{self.trouble.lifeline} stands still") from None


async def _nobody_receives(loop: Loop) -> None:
    """A reminder, then overdue, then long overdue, each after its time; then somebody receives it, late."""
    deadline = await loop.deadline()
    assert (deadline["step"], deadline["allowed_s"], deadline["is_default"]) == ("receive", TIMES_S["receive"], False)
    await loop.until(lambda: len(loop.notices("receive")) == 3)
    since, due = (datetime.fromisoformat(deadline[name]) for name in ("since", "due_at"))
    assert (due - since).total_seconds() == TIMES_S["receive"]
    told = {notice["stage"]: (notice["at"] - since).total_seconds() for notice in loop.notices("receive")}
    assert list(told) == ["soon", "overdue", "long-overdue"]
    assert told["soon"] >= TIMES_S["receive"] / 2
    assert told["overdue"] >= TIMES_S["receive"]
    assert told["long-overdue"] >= TIMES_S["receive"] * 2
    await loop.step("receive")


async def _danger_does_not_wait(loop: Loop) -> None:
    """On hold before it is under control the clock of a grave order goes on."""
    await loop.step("arrive")
    await loop.step("hold", note="waiting for the excavator")
    assert (await loop.deadline())["due_at"] is not None
    await loop.until(lambda: "overdue" in {notice["stage"] for notice in loop.notices("control")})
    await loop.step("resume")
    await loop.step("control")


async def _a_paused_clock_stands_still(loop: Loop) -> None:
    """Under control an order may wait: nothing is told meanwhile, and afterwards the rest of the time is left."""
    before = await loop.deadline()
    await loop.step("hold", note="the asphalt has to cool")
    assert (await loop.deadline())["due_at"] is None
    await asyncio.sleep(TIMES_S["hand-back"] * 0.5 + 2)
    assert loop.notices("hand-back") == [], loop.trouble.lifeline
    await loop.step("resume")
    after = await loop.deadline()
    moved = datetime.fromisoformat(after["due_at"]) - datetime.fromisoformat(before["due_at"])
    assert moved.total_seconds() >= TIMES_S["hand-back"] * 0.5 + 2
    await loop.until(lambda: [notice["stage"] for notice in loop.notices("hand-back")][:1] == ["soon"])
    await loop.step("hand-back", text="Repaired and tested. 已修复。")


async def _closed_in_earnest(loop: Loop) -> None:
    """Not before the sensors have been normal for the hold time, and not by those who did the work."""
    path = f"/work-orders/{loop.order}"
    problem_of(await loop.judge.post(f"{path}/verify"), 409, "sensors-disagree")
    reason = {}
    if loop.trouble.sensor is None:
        await loop.normal_until(0)
        problem_of(await loop.judge.post(f"{path}/verify"), 409, "sensors-disagree")
        reason = {"cannot_tell": "no sensor there; seen on site"}
    else:
        await loop.normal_until(HOLD_MIN - 5)
        problem_of(await loop.judge.post(f"{path}/verify"), 409, "sensors-disagree")
        problem_of(await loop.judge.post(f"{path}/verify", json={"cannot_tell": "hurry"}), 409, "sensors-disagree")
        await loop.normal_until(3 * HOLD_MIN)
        await loop.until(lambda: _seen_until(loop) >= at(3 * HOLD_MIN - 1))
    problem_of(await loop.crew.post(f"{path}/verify", json=reason), 409, "same-person")
    verified = await loop.judge.post(f"{path}/verify", json=reason)
    assert verified.status_code == 200, f"{loop.trouble.lifeline}: {verified.text}"
    problem_of(await loop.crew.post(f"{path}/close"), 409, "same-person")
    closed = (await loop.judge.post(f"{path}/close")).json()
    assert (closed["state"], closed["deadline"]) == ("closed", None)
    assert loop.rows("select from warning where alert = %s and lifted_at is null", loop.alert) == []
    assert (await loop.crew.get(f"/incidents/{loop.incident}")).json()["closed_at"] is not None


def _seen_until(loop: Loop) -> datetime:
    query = "select time from latest join sensor on sensor.key = latest.sensor_key where sensor.id = %s"
    moment: datetime = loop.rows(query, loop.trouble.sensor)[0]["time"]
    return moment


async def _told_in_the_report(loop: Loop) -> None:
    record = (await loop.crew.get(f"/work-orders/{loop.order}/record")).json()
    late = {each["move"]: each["at"] > each["due_at"] for each in record["steps"] if each["due_at"] is not None}
    assert late["receive"]
    assert not late["arrive"]
    assert not late["verify"]
    for lang, words in (("en", "Incident report"), ("zh", "事件处置报告")):
        report = await loop.crew.get(f"/incidents/{loop.incident}/report", params={"lang": lang})
        assert report.status_code == 200
        assert words in report.text
        assert "Repaired and tested. 已修复。" in report.text


def _who_was_told(loop: Loop, receiver: ReceiverProcess) -> None:
    """The owner of everything, those above of what was late, the emergency bureau only of what stayed late."""
    told: dict[str, list[tuple[str, str]]] = {}
    for attempt in receiver.attempts():
        body = json.loads(attempt["body"])
        if attempt["verified"] and body["type"].startswith("work-order.") and loop.order in attempt["body"]:
            told.setdefault(attempt["path"][1:], []).append((body["type"], attempt["webhook-id"]))
    stages = {name: [kind for kind, _ in news if kind in {SOON, OVERDUE, LONG}] for name, news in told.items()}
    assert stages[loop.trouble.owner][:3] == [SOON, OVERDUE, LONG], loop.trouble.lifeline
    assert SOON not in stages[loop.trouble.regulator]
    assert stages[loop.trouble.regulator][:2] == [OVERDUE, LONG]
    assert set(stages["centre"]) == {OVERDUE}
    assert set(stages["emergency"]) == {LONG}
    for name, news in told.items():
        assert len({number for _, number in news}) == len(news), f"{name} was told twice"


async def _through(loop: Loop) -> None:
    await loop.put_rule()
    await loop.goes_wrong()
    await _nobody_receives(loop)
    await _danger_does_not_wait(loop)
    await _a_paused_clock_stands_still(loop)
    await _closed_in_earnest(loop)
    await _told_in_the_report(loop)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_each_of_the_eight_lifelines_goes_through_the_whole_loop_with_every_clock(
    city_url: str,
    alerts: AlertProcess,
    receiver: ReceiverProcess,
    callers: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    loops = [Loop(city_url, trouble, *callers) for trouble in TROUBLES]
    told = {"centre", "emergency"} | {name for each in TROUBLES for name in (each.owner, each.regulator)}
    await receiver.start()
    await tell(city_url, *(receiver.receiver(name) for name in sorted(told)))
    await alerts.start()
    async with asyncio.TaskGroup() as group:
        for loop in loops:
            group.create_task(_through(loop))
    pending = "select from notification where state = 'pending'"
    await until(lambda: ask(city_url, pending) == [], PATIENCE_S)
    for loop in loops:
        _who_was_told(loop, receiver)
