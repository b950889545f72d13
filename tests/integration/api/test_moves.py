"""What people do: every step from every state, its trace, and two people at once."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection

from services.core.alert import MOVES as ALERT_MOVES
from services.core.alert import Alert, AlertMove, AlertState, Verdict
from services.core.move import ChangedMeanwhileError, allowed_moves
from services.core.severity import Severity
from services.core.store import alerts, audit, new_normals, order_moves, warnings, work_orders
from services.core.store.events import EventPosition, after
from services.core.text import Text
from services.core.warning import MOVES as WARNING_MOVES
from services.core.warning import Approval, PublicWarning, WarningMove, WarningState
from services.core.work_order import MOVES as ORDER_MOVES
from services.core.work_order import Act, WorkOrderMove, WorkOrderState, aside, onward
from tests.integration.api.harness import alert_at, cleared, client, problem_of

TEXT = Text("Leak", "泄漏")
ORDER_LINE = list(WorkOrderState)[:7]


@pytest.fixture
async def store(city_url: str) -> AsyncIterator[AsyncConnection]:
    """A connection of the test's own, beside those of the API."""
    async with await AsyncConnection.connect(city_url, autocommit=True) as connection:
        yield connection


async def make_alert(store: AsyncConnection, asset: str, state: AlertState = AlertState.OPEN) -> Alert:
    alert = alert_at(asset)
    async with store.transaction():
        await alerts.add(store, alert, audit.SYSTEM)
        if state is AlertState.ACKNOWLEDGED:
            alert = await _save(store, alert, state=state)
        if state is AlertState.CLEARED:
            alert = await _save(store, alert, **cleared(alert))
    return alert


async def _save(store: AsyncConnection, alert: Alert, **changes: Any) -> Alert:
    return await alerts.save(store, replace(alert, **changes), before=alert, actor=audit.SYSTEM, action="change")


async def clear(store: AsyncConnection, alert: uuid.UUID) -> None:
    """The sensors are normal again, and still are a day later."""
    async with store.transaction():
        found = await alerts.find(store, alert, lock=True)
        assert found is not None
        await _save(store, found, **cleared(found))
        await reported(store, found.sensors, found.last_at + timedelta(days=1))


async def reported(store: AsyncConnection, sensors: Sequence[str], at: datetime) -> None:
    """The newest reading of some sensors is of that moment."""
    await store.execute(
        """
        insert into latest (sensor_key, time, value, quality, reason, received_at)
        select key, %s, 0.1, 0, 0, now() from sensor where id = any(%s)
        on conflict (sensor_key) do update set time = excluded.time, received_at = excluded.received_at
        """,
        (at, list(sensors)),
    )


async def make_warning(
    store: AsyncConnection, alert: Alert, state: WarningState = WarningState.PUBLISHED
) -> PublicWarning:
    now = datetime.now(UTC)
    steps = {
        WarningState.RECEIVED: [WarningMove.RECEIVE],
        WarningState.LIFTED: [WarningMove.LIFT],
        WarningState.CANCELLED: [WarningMove.CANCEL],
        WarningState.REJECTED: [WarningMove.REJECT],
    }
    drafted = state in {WarningState.DRAFT, WarningState.REJECTED}
    publication = warnings.Publication(
        severity=Severity.MAJOR,
        headline=TEXT,
        instruction=TEXT,
        organisation="water-company",
        actor="rule",
        policy="rule",
        approval=Approval.BEFORE if drafted else Approval.NONE,
    )
    async with store.transaction():
        warning = await warnings.publish(store, alert, publication, now=now)
        for step in steps.get(state, []):
            warning = await warnings.move(store, warning, step, actor="rule", now=now)
    return warning


async def make_order(
    store: AsyncConnection, alert: Alert, state: WorkOrderState = WorkOrderState.DISPATCHED
) -> uuid.UUID:
    """An order in a state; beyond "handled" the alert is cleared, because verifying asks for it."""
    now = datetime.now(UTC)
    async with store.transaction():
        identifier = await work_orders.dispatch(
            store,
            alert,
            warning=None,
            severity=Severity.MAJOR,
            organisation="water-company",
            title=TEXT,
            actor="rule",
            now=now,
        )
    if state is WorkOrderState.DRAFT:
        await store.execute("update work_order set state = 'draft', dispatched_at = null where id = %s", (identifier,))
        return identifier
    if state in {WorkOrderState.VERIFIED, WorkOrderState.CLOSED}:
        await clear(store, alert.id)
    aside_by = {
        WorkOrderState.REJECTED: [WorkOrderMove.REJECT],
        WorkOrderState.ON_HOLD: [WorkOrderMove.RECEIVE, WorkOrderMove.ARRIVE, WorkOrderMove.HOLD],
    }
    async with store.transaction():
        for step in aside_by.get(state) or list(WorkOrderMove)[: ORDER_LINE.index(state)]:
            order = await work_orders.find(store, identifier, lock=True)
            assert order is not None
            who = "judge" if step in {WorkOrderMove.VERIFY, WorkOrderMove.CLOSE} else "crew"
            await order_moves.move(store, order, step, Act(who, now, note="found and mended"))
    return identifier


async def trail_of(store: AsyncConnection, subject: uuid.UUID) -> list[audit.AuditEntry]:
    async with store.transaction():
        return await audit.entries_of(store, [subject])


async def told(store: AsyncConnection, subject: uuid.UUID) -> int:
    """How often listeners were told of a thing."""
    async with store.transaction():
        return sum(event.subject == str(subject) for event in await after(store, EventPosition(0, 0), 100_000))


async def jobs_of(store: AsyncConnection, subject: uuid.UUID | str) -> list[str]:
    """What is to be announced of a thing, in order."""
    async with store.transaction():
        cursor = await store.execute(
            """select args->>'type' from procrastinate_jobs
            where task_name = 'announce' and args->>'subject' = %s order by id""",
            (str(subject),),
        )
        return [row[0] for row in await cursor.fetchall()]


async def take(api: httpx.AsyncClient, path: str, step: str) -> httpx.Response:
    bodies = {
        "hand-back": {"text": "found and mended"},
        "cancel": {"note": "a mistake"},
        "reject": {"note": "no danger"},
        "hold": {"note": "no permit yet"},
        "reopen": {"note": "it drips again"},
        "transfer": {"organisation": "gas-company", "note": "theirs"},
    }
    return await api.post(f"{path}/{step}", json=bodies.get(step))


@pytest.mark.parametrize("state", list(AlertState))
async def test_an_alert_is_acknowledged_only_while_it_is_open(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str, state: AlertState
) -> None:
    alert = await make_alert(store, asset, state)
    before = await told(store, alert.id)
    response = await api.post(f"/alerts/{alert.id}/acknowledge", json={"note": "I look after it"})
    trail = await trail_of(store, alert.id)
    if state in ALERT_MOVES[AlertMove.ACKNOWLEDGE]:
        assert response.status_code == 200, response.text
        answer = response.json()
        assert (answer["state"], answer["acknowledged_by"], answer["moves"]) == ("acknowledged", "everything", [])
        assert answer["version"] == alert.version + 1
        line, note = trail[-2:]
        assert (line.actor, line.action) == ("everything", "alert.acknowledge")
        assert line.before is not None
        assert line.after is not None
        assert (line.before["state"], line.after["state"]) == ("open", "acknowledged")
        assert (note.action, note.after) == ("alert.note", {"note": "I look after it"})
        assert await told(store, alert.id) == before + 1
    else:
        problem = problem_of(response, 409, "step-not-possible")
        assert (problem["state"], problem["possible"]) == (state, [])
        assert all(line.action != "alert.acknowledge" for line in trail)
        assert await told(store, alert.id) == before


@pytest.mark.parametrize("state", list(AlertState))
async def test_a_verdict_may_be_given_in_every_state_and_the_last_one_counts(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str, state: AlertState
) -> None:
    alert = await make_alert(store, asset, state)
    for verdict in ("false-alarm", "true-alarm"):
        response = await api.post(
            f"/alerts/{alert.id}/verdict", json={"verdict": verdict, "reason": f"it is {verdict}"}
        )
        assert response.status_code == 200, response.text
    answer = response.json()
    assert (answer["verdict"], answer["verdict_reason"], answer["state"]) == ("true-alarm", "it is true-alarm", state)
    given = [
        line.after["verdict"]
        for line in await trail_of(store, alert.id)
        if line.action == "alert.verdict" and line.after
    ]
    assert given == ["false-alarm", "true-alarm"]


async def test_a_new_normal_is_asked_of_each_rule_once(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset)
    for _ in range(2):
        response = await api.post(f"/alerts/{alert.id}/new-normal", json={"reason": "a new factory"})
        assert response.status_code == 202, response.text
    wishes = [wish for wish in await new_normals.waiting(store) if wish.alert == alert.id]
    assert [wish.rule for wish in wishes] == list(alert.open_rules)
    asked = [line for line in await trail_of(store, alert.id) if line.action == "alert.new-normal"]
    assert [line.after and line.after["reason"] for line in asked] == ["a new factory"] * 2


async def test_of_what_is_over_nothing_new_is_normal(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset, AlertState.CLEARED)
    response = await api.post(f"/alerts/{alert.id}/new-normal", json={"reason": "too late"})
    problem_of(response, 409, "over")
    empty = await api.post(f"/alerts/{alert.id}/new-normal", json={"reason": ""})
    assert empty.status_code == 422


@pytest.mark.parametrize("step", list(WarningMove))
@pytest.mark.parametrize("state", list(WarningState))
async def test_each_step_with_a_warning_from_each_state(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str, state: WarningState, step: WarningMove
) -> None:
    warning = await make_warning(store, await make_alert(store, asset), state)
    before = await told(store, warning.id), await jobs_of(store, warning.id), await trail_of(store, warning.id)
    response = await take(api, f"/warnings/{warning.id}", step)
    trail = await trail_of(store, warning.id)
    possible = list(allowed_moves(WARNING_MOVES, state))
    if step not in possible:
        problem = problem_of(response, 409, "step-not-possible")
        assert (problem["state"], problem["possible"]) == (state, possible)
        assert (await told(store, warning.id), await jobs_of(store, warning.id), trail) == before
        return
    following = WARNING_MOVES[step][state]
    answer = response.json()
    assert response.status_code == 200
    assert (answer["state"], answer["moves"]) == (following, list(allowed_moves(WARNING_MOVES, following)))
    who = {WarningMove.RECEIVE: "received_by", WarningMove.APPROVE: "approved_by"}.get(step, "lifted_by")
    assert answer[who] == "everything"
    line = trail[-1]
    assert (line.action, line.actor) == (f"warning.{step}", "everything")
    assert line.before == {"state": state, "severity": 3}
    assert line.after is not None
    assert line.after["state"] == following
    assert await told(store, warning.id) == before[0] + 1
    news = {
        WarningMove.LIFT: ["warning.lifted"],
        WarningMove.CANCEL: ["warning.cancelled"],
        WarningMove.APPROVE: ["warning.published"],
    }
    assert await jobs_of(store, warning.id) == [*before[1], *news.get(step, [])]


@pytest.mark.parametrize("step", list(WorkOrderMove))
@pytest.mark.parametrize("state", list(WorkOrderState))
async def test_each_step_with_an_order_from_each_state(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str, state: WorkOrderState, step: WorkOrderMove
) -> None:
    alert = await make_alert(store, asset)
    order = await make_order(store, alert, state)
    if (state, step) == (WorkOrderState.HANDLED, WorkOrderMove.VERIFY):
        await clear(store, alert.id)
    before = await told(store, order), await trail_of(store, order)
    response = await take(api, f"/work-orders/{order}", step)
    trail = await trail_of(store, order)
    possible = list(allowed_moves(ORDER_MOVES, state))
    if step not in possible:
        problem = problem_of(response, 409, "step-not-possible")
        assert (problem["state"], problem["possible"]) == (state, possible)
        assert (await told(store, order), trail) == before
        assert (await api.get(f"/work-orders/{order}")).json()["state"] == state
        return
    following = WorkOrderState.ON_SITE if step is WorkOrderMove.RESUME else ORDER_MOVES[step][state]
    assert response.status_code == 200, response.text
    answer = response.json()
    assert (answer["state"], answer["moves"], answer["side_moves"]) == (
        following,
        list(onward(following)),
        list(aside(following)),
    )
    line = trail[-1]
    assert (line.action, line.actor) == (f"work-order.{step}", "everything")
    assert line.before == {"state": state}
    assert line.after is not None
    assert line.after["state"] == following
    assert await told(store, order) == before[0] + 1


async def test_an_order_is_verified_by_the_sensors_and_closing_it_lifts_the_warning(
    address: str, api: httpx.AsyncClient, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset)
    warning = (await api.post(f"/alerts/{alert.id}/warning", json={"severity": 3})).json()
    (order,) = (await api.get("/work-orders", params={"alert": str(alert.id)})).json()["items"]
    path = f"/work-orders/{order['id']}"
    for step in ("receive", "arrive", "control"):
        assert (await take(api, path, step)).status_code == 200
    handled = (await take(api, path, "hand-back")).json()
    assert (handled["feedback"], handled["feedback_by"]) == ("found and mended", "everything")

    async with client(address, "another") as judge:
        problem = problem_of(await take(judge, path, "verify"), 409, "sensors-disagree")
        assert "still open at severity 3" in problem["detail"]
        assert (await api.get(path)).json() == handled
        await clear(store, alert.id)
        problem = problem_of(await take(api, path, "verify"), 409, "same-person")
        assert "everything did the work" in problem["detail"]
        verified = (await take(judge, path, "verify")).json()
        assert verified["verification"].startswith("sensors W2-T-001 normal since 2026-07-14T06:05")
        assert (await api.get(f"/warnings/{warning['id']}")).json()["state"] == "published"
        problem_of(await take(api, path, "close"), 409, "same-person")
        closed = (await take(judge, path, "close")).json()
    assert (closed["state"], closed["moves"]) == ("closed", [])
    clocks = ("dispatched", "received", "on_site", "under_control", "handled", "verified", "closed")
    times = [closed[f"{clock}_at"] for clock in clocks]
    assert None not in times
    assert times == sorted(times)
    lifted = (await api.get(f"/warnings/{warning['id']}")).json()
    assert (lifted["state"], lifted["lifted_by"], lifted["moves"]) == ("lifted", "another", [])
    assert await jobs_of(store, warning["id"]) == ["warning.published", "warning.lifted"]


async def test_an_acknowledged_alert_does_not_verify_an_order_either(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset)
    order = await make_order(store, alert, WorkOrderState.HANDLED)
    assert (await api.post(f"/alerts/{alert.id}/acknowledge")).status_code == 200
    problem = problem_of(await take(api, f"/work-orders/{order}", "verify"), 409, "sensors-disagree")
    assert "still acknowledged" in problem["detail"]


async def test_values_that_rose_again_before_anybody_verified_count_from_their_last_end(
    address: str, store: AsyncConnection, asset: str
) -> None:
    first = await make_alert(store, asset, AlertState.CLEARED)
    path = f"/work-orders/{await make_order(store, first, WorkOrderState.HANDLED)}"
    again = await make_alert(store, asset)
    async with client(address, "another") as judge:
        problem = problem_of(await take(judge, path, "verify"), 409, "sensors-disagree")
        assert f"still open at severity 3 again, as alert {again.id}" in problem["detail"]
        async with store.transaction():
            over = await _save(store, again, **cleared(again, timedelta(days=1)))
            await reported(store, over.sensors, again.last_at + timedelta(days=1, minutes=1))
        problem = problem_of(await take(judge, path, "verify"), 409, "sensors-disagree")
        assert "normal for 1 of" in problem["detail"]
        async with store.transaction():
            await _save(store, over, verdict=Verdict.FALSE_ALARM)
        assert (await take(judge, path, "verify")).status_code == 200


async def test_closing_an_order_whose_warning_was_lifted_by_hand_closes_it(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset)
    warning = await make_warning(store, alert, WarningState.LIFTED)
    order = await make_order(store, alert, WorkOrderState.VERIFIED)
    assert (await take(api, f"/work-orders/{order}", "close")).json()["state"] == "closed"
    assert await jobs_of(store, warning.id) == ["warning.published", "warning.lifted"]


async def test_publishing_dispatches_an_order_and_defers_the_announcements_at_once(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset)
    response = await api.post(f"/alerts/{alert.id}/warning", json={"severity": 4, "instruction": "Close the valve."})
    assert response.status_code == 201, response.text
    warning = response.json()
    assert (warning["state"], warning["severity"], warning["published_by"]) == ("published", 4, "everything")
    assert warning["label"]["zh"] == "一级（红色）"
    assert warning["headline"]["en"].startswith("Level I (red): ")
    assert warning["instruction"] == {"en": "Close the valve.", "zh": "Close the valve."}
    assert warning["organisation"] == "water-company"
    (order,) = (await api.get("/work-orders", params={"alert": str(alert.id)})).json()["items"]
    assert (order["warning"], order["state"], order["organisation"]) == (warning["id"], "dispatched", "water-company")
    assert await jobs_of(store, warning["id"]) == ["warning.published"]
    assert await jobs_of(store, order["id"]) == ["work-order.dispatched"]
    async with store.transaction():
        cursor = await store.execute(
            """
            select xmin::text from warning where id::text = any(%(made)s)
            union select xmin::text from work_order where id::text = any(%(made)s)
            union select xmin::text from procrastinate_jobs where args->>'subject' = any(%(made)s)
            union select xmin::text from audit where subject = any(%(made)s)
            union select xmin::text from event where subject = any(%(made)s)
            """,
            {"made": [warning["id"], order["id"]]},
        )
        assert len(await cursor.fetchall()) == 1, "all of it stands in one transaction"


async def test_a_second_warning_for_an_alert_is_refused_and_leaves_nothing(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset)
    path = f"/alerts/{alert.id}/warning"
    assert (await api.post(path, json={"severity": 2})).status_code == 201
    problem_of(await api.post(path, json={"severity": 3}), 409, "exists-already")
    for things in ("/warnings", "/work-orders"):
        assert len((await api.get(things, params={"alert": str(alert.id)})).json()["items"]) == 1


async def test_an_order_that_runs_already_is_not_dispatched_again(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset)
    order = await make_order(store, alert, WorkOrderState.ON_SITE)
    assert (await api.post(f"/alerts/{alert.id}/warning", json={"severity": 2})).status_code == 201
    (listed,) = (await api.get("/work-orders", params={"alert": str(alert.id)})).json()["items"]
    assert (listed["id"], listed["state"]) == (str(order), "on-site")


async def test_a_warning_lifted_by_mistake_can_be_published_again(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset)
    first = (await api.post(f"/alerts/{alert.id}/warning", json={"severity": 2})).json()
    assert (await take(api, f"/warnings/{first['id']}", "lift")).status_code == 200
    second = await api.post(f"/alerts/{alert.id}/warning", json={"severity": 3})
    assert second.status_code == 201
    assert (await api.get(f"/alerts/{alert.id}")).json()["warning"] == second.json()["id"]


async def at_once(address: str, path: str, body: Any = None, people: int = 6) -> list[httpx.Response]:
    """The same request of several people, each on a store of their own."""
    async with client(address, "everything") as one, client(address, "another") as other:
        callers = (one, other) * (people // 2)
        return list(await asyncio.gather(*(caller.post(path, json=body) for caller in callers)))


@pytest.mark.parametrize("state", ORDER_LINE[:-1])
async def test_of_several_people_who_take_the_same_step_exactly_one_does(
    address: str, api: httpx.AsyncClient, store: AsyncConnection, asset: str, state: WorkOrderState
) -> None:
    alert = await make_alert(store, asset)
    order = await make_order(store, alert, state)
    if state is WorkOrderState.HANDLED:
        await clear(store, alert.id)
    (step,) = onward(state)
    body = {"text": "found and mended"} if step is WorkOrderMove.HAND_BACK else None
    answers = await at_once(address, f"/work-orders/{order}/{step}", body)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["type"] in ("step-not-possible", "changed-meanwhile")
    (won,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert (await api.get(f"/work-orders/{order}")).json() == won
    assert sum(line.action == f"work-order.{step}" for line in await trail_of(store, order)) == 1


async def test_of_several_people_who_publish_exactly_one_does(
    address: str, api: httpx.AsyncClient, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset)
    answers = await at_once(address, f"/alerts/{alert.id}/warning", {"severity": 3})
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    for things in ("/warnings", "/work-orders"):
        assert len((await api.get(things, params={"alert": str(alert.id)})).json()["items"]) == 1


async def test_of_several_people_who_acknowledge_exactly_one_does(
    address: str, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset)
    answers = await at_once(address, f"/alerts/{alert.id}/acknowledge")
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]


async def test_verdicts_given_at_once_are_all_kept_in_the_trail(
    address: str, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset)
    answers = await at_once(address, f"/alerts/{alert.id}/verdict", {"verdict": "test", "reason": "a test"})
    assert [answer.status_code for answer in answers] == [200] * 6
    assert sorted(answer.json()["version"] for answer in answers) == [2, 3, 4, 5, 6, 7]
    assert sum(line.action == "alert.verdict" for line in await trail_of(store, alert.id)) == 6


async def test_sensors_and_a_person_who_act_at_once_both_get_their_way(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str
) -> None:
    alert = await make_alert(store, asset)
    async with store.transaction():
        found = await alerts.find(store, alert.id, lock=True)
        assert found is not None
        asking = asyncio.create_task(api.post(f"/alerts/{alert.id}/verdict", json={"verdict": "test", "reason": "x"}))
        await asyncio.sleep(0.2)
        assert not asking.done(), "the person waits for the sensors' change"
        await _save(store, found, **cleared(found))
    answer = (await asking).json()
    assert (answer["state"], answer["verdict"], answer["version"]) == ("cleared", "test", 3)


async def test_a_change_based_on_an_old_version_is_refused(store: AsyncConnection, asset: str) -> None:
    alert = await make_alert(store, asset)
    async with store.transaction():
        await _save(store, alert, last_at=datetime.now(UTC))
        with pytest.raises(ChangedMeanwhileError):
            await _save(store, alert, severity=Severity.CRITICAL)
    warning = await make_warning(store, alert)
    async with store.transaction():
        await warnings.move(store, warning, WarningMove.RECEIVE, actor="a", now=datetime.now(UTC))
        with pytest.raises(ChangedMeanwhileError):
            await warnings.move(store, warning, WarningMove.LIFT, actor="b", now=datetime.now(UTC))
