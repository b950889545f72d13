"""A flood of news in a real database: what goes out alone, what waits, and that nothing is told twice or lost."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from services.alerts.notify.flood import OF_A_KIND, Told
from services.alerts.notify.flood_gate import SUMMARY, FloodGate
from services.core.lifeline import Lifeline
from services.core.notification import Notification, NotificationState
from services.core.organisation import Receiver
from services.core.severity import Severity
from tests.integration.alerts.alert_harness import SECRET, ask, tell

NOW = datetime(2026, 7, 14, 6, tzinfo=UTC)
RECEIVER = Receiver("phone", "centre", "https://receiver.example/", SECRET, 1)


def _note(number: int, receiver: str = "phone") -> Notification:
    data = {"id": str(number), "lifeline": "drainage", "severity": 3, "headline": {"en": f"place {number}", "zh": ""}}
    return Notification(
        id=UUID(int=number + 1),
        receiver=receiver,
        type="warning.published",
        subject_kind="warning",
        subject=uuid4(),
        body=json.dumps({"data": data}),
        state=NotificationState.PENDING,
        attempts=0,
        created_at=NOW + timedelta(seconds=number),
        delivered_at=None,
    )


async def _pass_on(database_url: str, gate: FloodGate, *numbers: int) -> None:
    for number in numbers:
        note = _note(number)
        news = Told(Lifeline.DRAINAGE, "waterlogging", Severity.MAJOR, note.created_at)
        async with await AsyncConnection.connect(database_url) as connection:
            await gate.pass_on(connection, RECEIVER, note, news)


async def test_of_many_alike_the_first_go_alone_and_the_rest_in_one_summary_once(city_url: str) -> None:
    await tell(city_url, RECEIVER)
    gate = FloodGate(10)
    await _pass_on(city_url, gate, *range(20))
    # The same news again, as after a crash between two steps.
    await _pass_on(city_url, gate, *range(20))
    assert len(ask(city_url, "select from notification")) == OF_A_KIND
    due = ask(city_url, "select scheduled_at from procrastinate_jobs where task_name = 'summarise'")
    assert [row["scheduled_at"] for row in due] == [NOW + timedelta(seconds=60 + OF_A_KIND)]
    for _ in range(2):
        async with await AsyncConnection.connect(city_url) as connection:
            await gate.summarise(connection, "phone", NOW + timedelta(seconds=63), exercise=False)
    (summary,) = ask(city_url, "select body from notification where type = %s", SUMMARY)
    listed = {item["id"] for item in json.loads(summary["body"])["data"]["items"]}
    assert listed == {str(number) for number in range(OF_A_KIND, 20)}, "news were hidden or told twice"


async def test_with_the_gate_open_everything_goes_out_by_itself(city_url: str) -> None:
    await tell(city_url, RECEIVER)
    await _pass_on(city_url, FloodGate(0), *range(20))
    assert len(ask(city_url, "select from notification")) == 20


NIGHT = {"quiet_hours": {"from": "13:00", "until": "21:00", "time_zone": "Asia/Shanghai", "overridden_from": 4}}
MORNING = datetime(2026, 7, 14, 13, tzinfo=UTC)
"""When these hours end; ``NOW`` lies in them."""


async def _tell_at(database_url: str, number: int, severity: Severity, after: timedelta, most: int = 10) -> None:
    sleeper = replace(RECEIVER, settings=NIGHT)
    note = replace(_note(number), created_at=NOW + after)
    content = json.loads(note.body)
    content["data"]["severity"] = int(severity)
    note = replace(note, body=json.dumps(content))
    async with await AsyncConnection.connect(database_url) as connection:
        news = Told(Lifeline.DRAINAGE, "waterlogging", severity, note.created_at)
        await FloodGate(most).pass_on(connection, sleeper, note, news)


async def _summarise(database_url: str, now: datetime) -> list[set[str]]:
    """The places that each summary so far lists."""
    async with await AsyncConnection.connect(database_url) as connection:
        await FloodGate(10).summarise(connection, "phone", now, exercise=False)
    kept = ask(database_url, "select body from notification where type = %s order by created_at", SUMMARY)
    return [{item["id"] for item in json.loads(row["body"])["data"]["items"]} for row in kept]


async def test_what_can_wait_is_told_once_when_the_night_is_over(city_url: str) -> None:
    await tell(city_url, replace(RECEIVER, settings=NIGHT))
    # Also where nobody is ever summarised: quiet hours are another reason.
    await _tell_at(city_url, 0, Severity.MAJOR, timedelta(0), most=0)
    await _tell_at(city_url, 1, Severity.MAJOR, timedelta(hours=1))
    assert ask(city_url, "select from notification") == [], "somebody was woken for what can wait"
    due = ask(city_url, "select scheduled_at from procrastinate_jobs where task_name = 'summarise'")
    assert {row["scheduled_at"] for row in due} == {MORNING}
    assert await _summarise(city_url, NOW + timedelta(hours=2)) == [], "a summary came before the night was over"
    assert await _summarise(city_url, MORNING) == [{"0", "1"}]
    assert await _summarise(city_url, MORNING + timedelta(minutes=1)) == [{"0", "1"}]


async def test_severity_overrides_the_night_and_brings_the_rest_with_it(city_url: str) -> None:
    await tell(city_url, replace(RECEIVER, settings=NIGHT))
    await _tell_at(city_url, 0, Severity.MODERATE, timedelta(0))
    for number in range(1, 6):
        await _tell_at(city_url, number, Severity.CRITICAL, timedelta(seconds=number))
    assert len(ask(city_url, "select from notification")) == OF_A_KIND, "the worst of a kind go alone at any hour"
    due = ask(city_url, "select scheduled_at from procrastinate_jobs where task_name = 'summarise' order by 1")
    assert due[0]["scheduled_at"] < NOW + timedelta(minutes=2), "the rest of the worst would wait until morning"
    assert await _summarise(city_url, NOW + timedelta(minutes=2)) == [{"0", "4", "5"}]


async def test_a_summary_that_was_due_when_the_night_began_waits_for_its_end(city_url: str) -> None:
    await tell(city_url, RECEIVER)
    await _pass_on(city_url, FloodGate(10), *range(OF_A_KIND + 1))
    await tell(city_url, replace(RECEIVER, settings=NIGHT))
    assert await _summarise(city_url, NOW + timedelta(minutes=2)) == []
    due = ask(city_url, "select due_at from summary_due")
    assert [row["due_at"] for row in due] == [MORNING]
    assert await _summarise(city_url, MORNING) == [{str(OF_A_KIND)}]
