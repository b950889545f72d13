"""A flood of news in a real database: what goes out alone, what waits, and that nothing is told twice or lost."""

import json
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
