"""The alert process is killed while the clocks of orders run: they go on, and nobody is told the same thing twice."""

import asyncio
import json
from collections import defaultdict
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from psycopg import AsyncConnection

from services.core.disposal_rule import DisposalRule
from services.core.lifeline import Lifeline
from services.core.severity import Severity
from services.core.store import alerts as alert_rows
from services.core.store import disposal_rules, work_orders
from services.core.text import Text
from tests.integration.alerts.alert_harness import AlertProcess, ReceiverProcess, ask, tell, until
from tests.integration.api.harness import alert_at

ORDERS = 12
ALLOWED_S = 8.0
KILLS = 4
ALL = ("gas-company", "water-company", "centre", "gas-regulator", "water-regulator", "emergency")
STAGES = {
    "work-order.due-soon": {"water-company"},
    "work-order.overdue": {"water-company", "water-regulator", "centre"},
    "work-order.long-overdue": {"water-company", "water-regulator", "emergency"},
}


async def _put_in_force(connection: AsyncConnection, now: datetime) -> None:
    rule = DisposalRule(hold_s=60, watch_s=60, warns_at=0.5, deadlines_s={4: {"receive": ALLOWED_S}})
    await disposal_rules.add(connection, Lifeline.WATER, rule, author="desk", reason="compressed time", now=now)


async def _dispatched(connection: AsyncConnection, number: int) -> str:
    """An order whose clock begins now."""
    alert = alert_at(f"place-{number}", sensors=())
    await alert_rows.add(connection, alert, "system")
    errand = work_orders.Errand(Severity.CRITICAL, "water-company", Text(f"Order {number}", f"工单{number}"))
    order = await work_orders.begin(connection, alert, errand, actor="desk", now=datetime.now(UTC))
    await connection.commit()
    return str(order.id)


def _told(receiver: ReceiverProcess) -> dict[tuple[str, str, str], set[str]]:
    """By order, receiver and news: the identifiers under which it was told."""
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for attempt in receiver.attempts():
        body: dict[str, Any] = json.loads(attempt["body"])
        if body["type"] in STAGES:
            found[body["data"]["id"], attempt["path"][1:], body["type"]].add(attempt["webhook-id"])
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_clocks_survive_kills_and_nothing_is_told_under_two_identifiers(
    city_url: str, alerts: AlertProcess, receiver: ReceiverProcess
) -> None:
    alerts.settings["flood_messages"] = "0"
    await receiver.start()
    await tell(city_url, *(receiver.receiver(name) for name in ALL))
    random = Random(7)  # noqa: S311 - pauses, not a secret
    await alerts.start()
    orders = []
    async with await AsyncConnection.connect(city_url) as connection:
        await _put_in_force(connection, datetime.now(UTC))
        await connection.commit()
        # Orders begin one after the other, so that each kill meets clocks at every stage.
        for number in range(ORDERS):
            orders.append(await _dispatched(connection, number))
            await asyncio.sleep(0.5)
    for _ in range(KILLS):
        await asyncio.sleep(random.uniform(0.5, 3.0))
        alerts.kill()
        await alerts.start()
    notices = "select work_order::text as order, stage from work_order_notice"
    await until(lambda: len(ask(city_url, notices)) == 3 * ORDERS, 120)
    await until(lambda: ask(city_url, "select from notification where state = 'pending'") == [], 120)
    unfinished = (
        "select from procrastinate_jobs where status in ('todo', 'doing') and task_name in ('deadline', 'announce')"
    )
    await until(lambda: ask(city_url, unfinished) == [], 120)

    told = _told(receiver)
    assert all(len(numbers) == 1 for numbers in told.values()), "told under two identifiers"
    for order in orders:
        news = {kind for told_of, _, kind in told if told_of == order}
        # What came while nobody was there is told as what it was by then: the last stage always is.
        assert "work-order.long-overdue" in news, "a clock was lost"
        for kind in news:
            heard = {name for told_of, name, about in told if (told_of, about) == (order, kind)}
            assert heard == STAGES[kind], kind
    escalated = ask(
        city_url, "select action, subject, count(*) from audit where action = any(%s) group by 1, 2", list(STAGES)
    )
    assert {row["count"] for row in escalated} == {1}
    late = ask(city_url, "select min(at - due_at) as early from work_order_notice where stage = 'overdue'")
    assert late[0]["early"].total_seconds() >= 0, "told before its time"
