"""Whatever people and sensors do in whatever order: every history is legal, complete in the trail, and comes out again.

Findings go through the loop, people act through the API, jobs run as the worker runs them; the database is real.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.alerts import escalation, loop
from services.alerts.suppression.city import standing_city
from services.alerts.suppression.review import review
from services.core import alert, warning, work_order
from services.core.finding import Finding, FindingState
from services.core.lifeline import Lifeline
from services.core.organisation import OrganisationRole
from services.core.severity import Severity
from services.core.store import warning_policies
from services.core.store.pool import open_pool
from services.core.text import Text
from services.core.warning_policy import Decision, EscalationStep, PublishingRule, WarningPolicy
from tests.integration.api.harness import KIND, client

START = datetime(2026, 7, 14, 6, tzinfo=UTC)
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:test:histories")
_PLACES = count()
DECIDED_BY_ZONE = {decision.value: decision for decision in Decision}
Step = tuple[str, Any]
Row = Mapping[str, Any]

# Of each kind of record: its table of moves, and what may be written down without leaving the state.
LEGAL: Mapping[str, tuple[Mapping[Any, Mapping[Any, Any]], frozenset[str]]] = {
    "alert": (alert.MOVES, frozenset({"evolve", "verdict", "assign", "tell", "suppress"})),
    "warning": (warning.MOVES, frozenset({"raise", "lower", "confirm"})),
    "work-order": (work_order.MOVES, frozenset({"raise"})),
}
FIRST = {
    "alert.open": "open",
    "warning.publish": "published",
    "warning.draft": "draft",
    "work-order.dispatch": "dispatched",
}
REMARKS = frozenset({"alert.comment", "alert.note", "warning.escalate"})
"""Lines of the trail beside which nothing changes."""

steps = st.one_of(
    st.tuples(st.just("finding"), st.tuples(st.sampled_from(["one", "two"]), st.integers(1, 4), st.integers(0, 20))),
    st.tuples(st.just("normal"), st.tuples(st.sampled_from(["one", "two"]), st.integers(0, 20))),
    st.tuples(st.just("alert"), st.sampled_from(["acknowledge", "assign", "verdict", "false", "comments", "warning"])),
    st.tuples(
        st.just("warning"), st.sampled_from(["approve", "reject", "receive", "lift", "cancel", "grade 1", "grade 4"])
    ),
    # Weighted, so that some orders come to their end.
    st.tuples(st.just("order"), st.sampled_from(["next", "next", "next", *work_order.WorkOrderMove])),
    st.tuples(st.just("silence"), st.integers(1, 4)),
    st.tuples(st.just("speak"), st.none()),
    st.tuples(st.just("escalate"), st.none()),
)
THROUGH: list[Step] = [("finding", ("one", 3, 0)), *[("order", "next")] * 4, ("normal", ("one", 5))]
THROUGH += [("finding", ("one", 2, 1)), ("normal", ("one", 1)), *[("order", "next")] * 2, ("finding", ("one", 3, 1))]
JUDGED: list[Step] = [("finding", ("one", 4, 0)), ("warning", "approve"), ("warning", "receive"), ("warning", "cancel")]
SILENCED: list[Step] = [("silence", 4), ("finding", ("two", 3, 0)), ("alert", "acknowledge"), ("speak", None)]


class Course:
    """One episode's place, and what happens there."""

    def __init__(self, connection: AsyncConnection, caller: httpx.AsyncClient, url: str, zone: str) -> None:
        self._connection, self._caller, self._url, self._zone = connection, caller, url, zone
        self.asset = f"history-{next(_PLACES)}"
        self._minute = 0
        self._since: dict[str, int] = {}
        self.said: list[Finding] = []

    async def take(self, step: Step) -> None:
        name, argument = step
        acts: Mapping[str, Callable[[Any], Awaitable[None]]] = {
            "finding": self._finding,
            "normal": self._normal,
            "alert": self._with_alert,
            "warning": self._with_warning,
            "order": self._with_order,
            "silence": self._silence,
            "speak": self._speak,
            "escalate": self._escalate,
        }
        await acts[name](argument)

    async def _finding(self, argument: tuple[str, int, int]) -> None:
        sensor, severity, minutes = argument
        self._minute += minutes
        state = FindingState.CHANGED if sensor in self._since else FindingState.RAISED
        began = self._since.setdefault(sensor, self._minute)
        await self._conclude(sensor, severity, state, began)

    async def _normal(self, argument: tuple[str, int]) -> None:
        sensor, minutes = argument
        self._minute += minutes
        await self._conclude(sensor, 0, FindingState.CLEARED, self._since.pop(sensor, self._minute))

    async def _conclude(self, sensor: str, severity: int, state: FindingState, began: int) -> None:
        words = f"{sensor} {state} {severity}"
        finding = Finding(
            id=str(uuid5(_NAMESPACE, f"{self.asset} {len(self.said)}")),
            state=state,
            lifeline=Lifeline.WATER,
            kind=KIND,
            zone=self._zone,
            asset=self.asset,
            sensors=(sensor,),
            severity=Severity(severity),
            time=START + timedelta(minutes=self._minute),
            started_at=START + timedelta(minutes=began),
            score=1.0,
            value=float(severity),
            threshold=1.0,
            rule="residual",
            detector="residual",
            detector_version="1",
            explanation=Text(words, words),
            target=sensor,
        )
        self.said.append(finding)
        await self.hand_over(finding)

    async def hand_over(self, finding: Finding) -> None:
        async with self._connection.transaction():
            city = await standing_city(self._connection, {})
            known = loop.City(**{**_fields(city), "reopens_within": timedelta(minutes=10)})
            await loop.conclude(self._connection, known, finding)

    async def _with_alert(self, act: str) -> None:
        found = await self._newest("alert")
        if found is None:
            return
        path = "verdict" if act == "false" else act
        verdict = {"verdict": "false-alarm" if act == "false" else "true-alarm", "reason": "looked at"}
        bodies: Mapping[str, Any] = {
            "assign": {"assignee": "duty"},
            "verdict": verdict,
            "comments": {"text": "a remark"},
            "warning": {"severity": 2},
        }
        await self._ask("alert", f"/alerts/{found['id']}/{path}", bodies.get(path))

    async def _with_warning(self, act: str) -> None:
        found = await self._newest("warning")
        if found is None:
            return
        move, _, severity = act.partition(" ")
        body = {"severity": int(severity), "reason": "looked at"} if severity else {"note": "looked at"}
        await self._ask("warning", f"/warnings/{found['id']}/{move}", body)

    async def _with_order(self, act: str) -> None:
        found = await self._newest("work_order")
        if found is None:
            return
        possible = [move for move, table in work_order.MOVES.items() if found["state"] in table]
        move = act if act != "next" else next(iter(possible), work_order.WorkOrderMove.CLOSE)
        body = {"text": "done"} if move == work_order.WorkOrderMove.HAND_BACK else {"note": "done"}
        await self._ask("work_order", f"/work-orders/{found['id']}/{move}", body)

    async def _ask(self, table: str, path: str, body: Any) -> None:
        """Act as a person does; what is refused has changed nothing."""
        before = await self._newest(table)
        answer = await self._caller.post(path, json=body)
        assert answer.status_code in {200, 201, 409, 422}, answer.text
        if answer.status_code >= 400:
            assert await self._newest(table) == before, f"{path} was refused and changed something"

    async def _silence(self, mutes_to: int) -> None:
        ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        wanted = {"kind": "silence", "matcher": {"asset": self.asset}, "ends_at": ends, "mutes_to": mutes_to}
        assert (await self._caller.post("/silences", json=wanted | {"reason": "works"})).status_code == 201
        await self._look_again()

    async def _speak(self, _: None) -> None:
        for row in await self._rows("select id from silence where asset = %s and ended_at is null", self.asset):
            assert (await self._caller.post(f"/silences/{row['id']}/end")).status_code == 200
        await self._look_again()

    async def _look_again(self) -> None:
        async with open_pool(self._url, 2) as pool:
            await review(pool, None)

    async def _escalate(self, _: None) -> None:
        found = await self._newest("warning")
        if found is not None:
            async with self._connection.transaction():
                later = datetime.now(UTC) + timedelta(minutes=10)
                await escalation.escalate(self._connection, found["id"], 0, later)

    async def _newest(self, table: str) -> Row | None:
        query = f"select * from {table} where asset = %s order by created_at desc, id limit 1"
        return next(iter(await self._rows(query, self.asset)), None)

    async def _rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query.encode(), values)
            return await cursor.fetchall()

    async def records(self) -> dict[str, list[dict[str, Any]]]:
        """Everything about the place, the oldest first."""
        return {
            kind: await self._rows(f"select * from {table} where asset = %s order by created_at, id", self.asset)
            for kind, table in (("alert", "alert"), ("warning", "warning"), ("work-order", "work_order"))
        }

    async def trail(self, subject: UUID) -> list[dict[str, Any]]:
        return await self._rows("select * from audit where subject = %s order by id", str(subject))

    async def told(self, subject: UUID) -> int:
        return len(await self._rows("select id from event where subject = %s", str(subject)))


def _fields(city: loop.City) -> dict[str, Any]:
    return {name: getattr(city, name) for name in city.__slots__}


async def _check(course: Course) -> None:
    """Each record's trail is legal step by step, as long as the record has versions, and ends where the record is."""
    for kind, rows in (await course.records()).items():
        for row in rows:
            trail = await course.trail(row["id"])
            changes = [line for line in trail if line["action"] not in REMARKS]
            actions = [line["action"] for line in changes]
            assert len(changes) == row["version"], f"{kind}: {row['version']} versions, the trail has {actions}"
            assert FIRST.get(actions[0]) == changes[0]["after"]["state"], actions
            for earlier, later in pairwise(changes):
                assert later["before"]["state"] == earlier["after"]["state"], f"{kind}: a gap in the trail: {actions}"
                assert _is_legal(kind, later), f"{kind}: {later['action']} {later['before']} {later['after']}"
            last = {**changes[0]["after"], **{k: v for line in changes for k, v in line["after"].items()}}
            kept = {name: row[name] for name in ("state", "severity", "verdict", "assignee") if name in last}
            assert kept == {name: last[name] for name in kept}, f"{kind}: the trail ends elsewhere"
            assert await course.told(row["id"]) >= len(changes), f"{kind}: a change that no listener heard of"
        running = [row.get("alert") for row in rows if _is_open(kind, row)]
        assert len(running) == len(set(running)), f"{kind}: two at once for one episode"


def _is_legal(kind: str, line: Row) -> bool:
    moves, staying = LEGAL[kind]
    before, after = line["before"]["state"], line["after"]["state"]
    step = line["action"].partition(".")[2]
    if step in staying:
        return bool(before == after)
    if step == "reopen":
        # What somebody had taken on comes back taken on.
        return before == "cleared" and after in {"open", "acknowledged"}
    return bool(moves[step][before] == after)


def _is_open(kind: str, row: Row) -> bool:
    return row[{"alert": "cleared_at", "warning": "lifted_at", "work-order": "closed_at"}[kind]] is None


def _outcome(records: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[tuple[Any, ...]]]:
    """What is the same when the same things happen again elsewhere."""
    shared = ("state", "severity", "version")
    more = {"alert": ("highest_severity", "finding_count", "reopened", "verdict", "assignee", "acknowledged_by")}
    return {
        kind: [tuple(row[name] for name in (*shared, *more.get(kind, ()))) for row in rows]
        for kind, rows in records.items()
    }


async def _live(url: str, address: str, zone: str, taken: list[Step]) -> None:
    async with (
        await AsyncConnection.connect(url, autocommit=True) as connection,
        client(address) as caller,
    ):
        # A connection that lay idle while a job ran may be closed by the server at the moment it is used again.
        caller.headers["Connection"] = "close"
        first, again = (Course(connection, caller, url, zone) for _ in range(2))
        for step in taken:
            await first.take(step)
        await _check(first)
        told = await first.records()
        for finding in first.said:
            await first.hand_over(finding)
        assert await first.records() == told, "findings that were taken already have changed something"
        for step in taken:
            await again.take(step)
        assert _outcome(await again.records()) == _outcome(told), "the same course ends elsewhere"


@pytest.fixture(scope="module")
def judged_url(city_url: str) -> str:
    """The city with a policy by which each zone decides in its own way."""
    rules = tuple(PublishingRule(zone=zone, decision=decision) for zone, decision in DECIDED_BY_ZONE.items())

    async def put_in_force() -> None:
        async with await AsyncConnection.connect(city_url) as connection:
            told = (EscalationStep(after_s=60, tell=(OrganisationRole.CENTRE,), repeats=1),)
            policy = WarningPolicy(rules=rules, escalation=told)
            await warning_policies.add(connection, policy, author="a test", reason="all ways", now=START)

    with psycopg.connect(city_url) as connection:
        for zone in DECIDED_BY_ZONE:
            connection.execute(
                "insert into zone (id, lifeline, name_en, name_zh) values (%s, 'water', '', '')", (zone,)
            )
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(put_in_force())
    return city_url


def _from_the_start(taken: list[Step]) -> list[Step]:
    """A history begins with a finding; before there is an alert nobody can do anything."""
    return [("finding", ("one", 3, 0)), *taken]


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
@given(
    zone=st.sampled_from(sorted(DECIDED_BY_ZONE)), taken=st.lists(steps, min_size=10, max_size=20).map(_from_the_start)
)
@example(zone="rule", taken=THROUGH)
@example(zone="approved-first", taken=JUDGED)
@example(zone="rule-then-approved", taken=[*JUDGED, *SILENCED])
@example(zone="person", taken=[*SILENCED, ("alert", "warning"), ("warning", "receive"), ("normal", ("two", 1))])
def test_every_history_is_legal_complete_in_the_trail_and_comes_out_again(
    judged_url: str, address: str, zone: str, taken: list[Step]
) -> None:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(_live(judged_url, address, zone, taken))
