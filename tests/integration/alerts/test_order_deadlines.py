"""The clocks of work orders, and orders that come back, on a real database."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from services.alerts import lifelines
from services.alerts.disposal import deadlines, plan_deadlines
from services.core.alert import Alert, AlertState
from services.core.city_folder import read_city_folder
from services.core.default_plans import DEFAULT_PLANS
from services.core.disposal_rule import DEFAULT_RULES
from services.core.lifeline import Lifeline
from services.core.order_deadline import DeadlineStage
from services.core.severity import Severity
from services.core.store import (
    alert_kinds,
    alerts,
    catalogue,
    incidents,
    order_moves,
    plan_activations,
    response_plans,
    work_orders,
)
from services.core.store.register import save_city
from services.core.text import Text
from services.core.work_order import Act, SensorsDisagreeError, WorkOrder, WorkOrderMove, WorkOrderState
from tests.integration.alerts.tiny_city import write_tiny_city
from tests.integration.api.harness import alert_at, cleared

NOW = datetime(2026, 7, 14, 6, 0, tzinfo=UTC)
M = WorkOrderMove


@pytest.fixture
async def store(database_url: str, tmp_path: Path) -> AsyncIterator[AsyncConnection]:
    with psycopg.connect(database_url) as connection:
        catalogue.save_quantities(connection, lifelines.catalogue())
        alert_kinds.save_alert_kinds(connection, lifelines.alert_kinds())
        save_city(connection, read_city_folder(write_tiny_city(tmp_path)))
    async with await AsyncConnection.connect(database_url) as connection:
        yield connection


async def raised(store: AsyncConnection, **changes: Any) -> Alert:
    cursor = await store.execute("select id, asset, zone from sensor where lifeline = 'water' order by id limit 1")
    ((sensor, asset, zone),) = await cursor.fetchall()
    alert = alert_at(asset, sensors=(sensor,), zone=zone, **changes)
    await alerts.add(store, alert, "system")
    return alert


async def dispatched(store: AsyncConnection, alert: Alert, severity: Severity = Severity.CRITICAL) -> WorkOrder:
    errand = work_orders.Errand(severity, None, Text("Leak", "泄漏"))
    return await work_orders.begin(store, alert, errand, actor="rule", now=NOW)


async def step(store: AsyncConnection, order: WorkOrder, move: WorkOrderMove, at: datetime = NOW) -> WorkOrder:
    who = "judge" if move in {M.VERIFY, M.CLOSE} else "crew"
    return await order_moves.move(store, order, move, Act(who, at, note="done"))


async def due_jobs(store: AsyncConnection, order: WorkOrder) -> list[tuple[datetime, int]]:
    cursor = await store.execute(
        "select scheduled_at, (args->>'clock')::int from procrastinate_jobs "
        "where task_name = 'deadline' and args->>'order' = %s order by id",
        (str(order.id),),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def news(store: AsyncConnection, order: WorkOrder) -> list[tuple[str, Any]]:
    cursor = await store.execute(
        "select args->>'type', args->'roles' from procrastinate_jobs "
        "where task_name = 'announce' and args->>'subject' = %s order by id",
        (str(order.id),),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def normal(store: AsyncConnection, alert: Alert, held: timedelta) -> Alert:
    """The sensors are normal, and the newest reading is that much later."""
    over = await alerts.save(store, replace(alert, **cleared(alert)), before=alert, actor="system", action="clear")
    assert over.cleared_at is not None
    await store.execute(
        """
        insert into latest (sensor_key, time, value, quality, reason, received_at)
        select key, %s, 0.1, 0, 0, now() from sensor where id = any(%s)
        on conflict (sensor_key) do update set time = excluded.time, received_at = excluded.received_at
        """,
        (over.cleared_at + held, list(alert.sensors)),
    )
    return over


async def closed(store: AsyncConnection, alert: Alert) -> WorkOrder:
    order = await dispatched(store, alert)
    for move in (M.RECEIVE, M.ARRIVE, M.CONTROL, M.HAND_BACK):
        order = await step(store, order, move)
    await normal(store, alert, timedelta(hours=2))
    for move in (M.VERIFY, M.CLOSE):
        order = await step(store, order, move)
    return order


async def test_a_step_is_reminded_of_then_told_to_others_then_to_those_above(store: AsyncConnection) -> None:
    order = await dispatched(store, await raised(store))
    assert await due_jobs(store, order) == [(NOW + timedelta(minutes=4), 0)]
    looks = {3: [], 4: [DeadlineStage.SOON], 5: [DeadlineStage.OVERDUE], 7: [], 10: [DeadlineStage.LONG_OVERDUE]}
    for minutes, told in looks.items():
        assert await deadlines.look(store, order.id, 0, NOW + timedelta(minutes=minutes)) == told, minutes
    assert await news(store, order) == [
        ("work-order.dispatched", None),
        ("work-order.due-soon", ["owner"]),
        ("work-order.overdue", ["owner", "regulator", "centre"]),
        ("work-order.long-overdue", ["owner", "regulator", "emergency"]),
    ]
    now = await work_orders.find(store, order.id)
    assert now is not None
    assert (now.escalated, now.state) == (2, WorkOrderState.DISPATCHED)


async def test_looking_twice_tells_once_and_what_was_missed_is_told_as_what_it_is_now(store: AsyncConnection) -> None:
    order = await dispatched(store, await raised(store))
    late = NOW + timedelta(hours=1)
    assert await deadlines.look(store, order.id, 0, late) == [DeadlineStage.LONG_OVERDUE]
    assert await deadlines.look(store, order.id, 0, late) == []
    assert [name for name, _ in await news(store, order)] == ["work-order.dispatched", "work-order.long-overdue"]


async def test_a_step_that_was_taken_is_no_longer_waited_for_and_the_next_one_is(store: AsyncConnection) -> None:
    order = await dispatched(store, await raised(store))
    order = await step(store, order, M.RECEIVE, NOW + timedelta(minutes=3))
    assert await deadlines.look(store, order.id, 0, NOW + timedelta(hours=9)) == []
    assert (await due_jobs(store, order))[-1] == (NOW + timedelta(minutes=27), 1)
    (taken,) = [each for each in await order_moves.steps_of(store, [order.id]) if each.move == "receive"]
    assert (taken.at, taken.due_at) == (NOW + timedelta(minutes=3), NOW + timedelta(minutes=5))


async def test_on_hold_under_control_nothing_is_told_and_after_it_the_rest_of_the_time_is_left(
    store: AsyncConnection,
) -> None:
    order = await dispatched(store, await raised(store))
    for move in (M.RECEIVE, M.ARRIVE, M.CONTROL, M.HOLD):
        order = await step(store, order, move)
    jobs_before = await due_jobs(store, order)
    assert await deadlines.look(store, order.id, order.clock, NOW + timedelta(days=9)) == []
    order = await step(store, order, M.RESUME, NOW + timedelta(days=5))
    assert (await due_jobs(store, order))[len(jobs_before) :] == [
        (NOW + timedelta(days=5) + timedelta(days=1) * 0.8, order.clock)
    ]


async def test_of_an_exercise_that_has_ended_nobody_is_reminded(store: AsyncConnection) -> None:
    title = Text("Leak", "泄漏")
    begun = await incidents.begin(store, Lifeline.GAS, "GP-1", title, is_exercise=True, actor="desk", now=NOW)
    incident = await incidents.find(store, begun)
    assert incident is not None
    roster = await response_plans.load_roster(store, NOW)
    plan = DEFAULT_PLANS["default-gas-leak"]
    running = await plan_activations.activate(store, plan, incident, roster, owner="gas-company", actor="desk", now=NOW)
    errand = work_orders.Errand(Severity.CRITICAL, "gas-company", title)
    order = await work_orders.begin_exercise(store, incident, "G1", errand, actor="desk", now=NOW)
    assert await deadlines.look(store, order.id, 0, NOW + timedelta(minutes=4)) == [DeadlineStage.SOON]
    await plan_activations.end(store, running, "over", actor="desk", now=NOW)
    assert await deadlines.look(store, order.id, 0, NOW + timedelta(hours=1)) == []


async def test_grading_an_order_up_shortens_its_time(store: AsyncConnection) -> None:
    order = await dispatched(store, await raised(store), Severity.MINOR)
    order = await work_orders.raise_severity(store, order, Severity.CRITICAL, Text("x", "x"), actor="system")
    assert (await due_jobs(store, order))[-1] == (NOW + timedelta(minutes=4), 1)


async def test_sensors_that_were_normal_too_shortly_do_not_verify(store: AsyncConnection) -> None:
    alert = await raised(store)
    order = await dispatched(store, alert)
    for move in (M.RECEIVE, M.ARRIVE, M.CONTROL, M.HAND_BACK):
        order = await step(store, order, move)
    hold = DEFAULT_RULES[alert.lifeline].hold
    over = await normal(store, alert, hold - timedelta(minutes=1))
    with pytest.raises(SensorsDisagreeError, match="normal for"):
        await step(store, order, M.VERIFY)
    await store.execute("update latest set time = %s", ((over.cleared_at or NOW) + hold,))
    assert (await step(store, order, M.VERIFY)).state is WorkOrderState.VERIFIED


async def test_an_alert_that_comes_back_reopens_its_closed_order(store: AsyncConnection) -> None:
    alert = await raised(store)
    order = await closed(store, alert)
    over = await alerts.find(store, alert.id)
    assert over is not None
    risen = replace(
        over,
        state=AlertState.OPEN,
        severity=Severity.MAJOR,
        cleared_at=None,
        last_at=(over.cleared_at or NOW) + timedelta(minutes=3),
    )
    risen = await alerts.save(store, risen, before=over, actor="system", action="reopen")
    again = await order_moves.reopen_if_watched(store, risen, NOW + timedelta(hours=3))
    assert again is not None
    assert (again.id, again.state, again.reopened, again.round) == (order.id, WorkOrderState.DISPATCHED, 1, 2)
    assert (await news(store, order))[-1] == ("work-order.reopened", None)
    incident = await incidents.find(store, order.incident or uuid.uuid4())
    assert incident is not None
    assert incident.closed_at is None


async def test_a_later_alert_of_the_same_kind_reopens_the_order_and_joins_its_incident(store: AsyncConnection) -> None:
    first = await raised(store)
    order = await closed(store, first)
    later = first.last_at + timedelta(hours=4)
    second = await raised(store, id=uuid.uuid4(), started_at=later, detected_at=later, last_at=later)
    again = await order_moves.reopen_if_watched(store, second, NOW + timedelta(hours=5))
    assert again is not None
    assert (again.id, again.alert) == (order.id, second.id)
    assert await incidents.alerts_of(store, again.incident or uuid.uuid4()) == [first.id, second.id]
    found = await work_orders.newest_of_alerts(store, [first.id, second.id])
    assert found == {first.id: order.id, second.id: order.id}
    adopted = await work_orders.dispatch(
        store,
        second,
        warning=None,
        severity=Severity.CRITICAL,
        organisation=None,
        title=Text("x", "x"),
        actor="system",
        now=NOW,
    )
    assert adopted == order.id


@pytest.mark.parametrize("change", ["too late", "another kind", "only normal"])
async def test_what_is_no_relapse_leaves_the_order_closed(store: AsyncConnection, change: str) -> None:
    first = await raised(store)
    order = await closed(store, first)
    watch = DEFAULT_RULES[Lifeline.WATER].watch
    later = first.last_at + (watch * 2 if change == "too late" else timedelta(hours=1))
    more: dict[str, Any] = {"id": uuid.uuid4(), "started_at": later, "detected_at": later, "last_at": later}
    if change == "another kind":
        more["kind"] = "sensor-fault"
    if change == "only normal":
        more["severity"] = Severity.NORMAL
    second = await raised(store, **more)
    assert await order_moves.reopen_if_watched(store, second, NOW) is None
    found = await work_orders.find(store, order.id)
    assert found is not None
    assert found.state is WorkOrderState.CLOSED


async def test_the_database_itself_closes_no_order_that_nobody_else_has_verified(store: AsyncConnection) -> None:
    order = await dispatched(store, await raised(store))
    with pytest.raises(psycopg.errors.CheckViolation):
        await store.execute("update work_order set state = 'closed' where id = %s", (order.id,))


@pytest.mark.parametrize("is_exercise", [True, False])
async def test_steps_of_a_plan_that_are_due_are_told_of_once_in_an_exercise_too(
    store: AsyncConnection, is_exercise: bool
) -> None:
    title = Text("Leak", "泄漏")
    identifier = await incidents.begin(
        store, Lifeline.GAS, "GP-1", title, is_exercise=is_exercise, actor="desk", now=NOW
    )
    incident = await incidents.find(store, identifier)
    assert incident is not None
    roster = await response_plans.load_roster(store, NOW)
    plan = DEFAULT_PLANS["default-gas-leak"]
    running = await plan_activations.activate(store, plan, incident, roster, owner="gas-company", actor="desk", now=NOW)
    assert (running.steps[0].person_name, running.steps[1].organisation) == ("An Yiming", "gas-company")
    running = await plan_activations.tick(store, running, running.steps[0], None, actor="desk", now=NOW)
    assert await plan_deadlines.look(store, running.id, NOW + timedelta(minutes=4)) == []
    late = await plan_deadlines.look(store, running.id, NOW + timedelta(minutes=16))
    assert [step.number for step in late] == [2, 3]
    assert await plan_deadlines.look(store, running.id, NOW + timedelta(minutes=16)) == []
    cursor = await store.execute(
        "select args->>'type' from procrastinate_jobs where args->>'subject' = %s order by id", (str(running.id),)
    )
    assert [row[0] for row in await cursor.fetchall()] == ["plan.activated", "plan.step-overdue"]
    await plan_activations.end(store, running, "over", actor="desk", now=NOW)
    assert await plan_deadlines.look(store, running.id, NOW + timedelta(days=1)) == []
    over = await incidents.find(store, identifier)
    assert over is not None
    assert (over.closed_at is not None) == is_exercise
