"""What a work order goes through: no way to its end but in earnest, and clocks that stand still only where they may."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.disposal_rule import DEFAULT_RULES, DisposalRule
from services.core.lifeline import Lifeline
from services.core.move import MoveNotAllowedError
from services.core.order_deadline import DeadlineStage, deadline_of
from services.core.sensor_standing import SensorStanding
from services.core.severity import Severity
from services.core.text import Text
from services.core.work_order import (
    Act,
    NotInEarnestError,
    ReasonMissingError,
    SamePersonError,
    SensorsDisagreeError,
    WorkOrder,
    WorkOrderMove,
    WorkOrderState,
    taken,
)

NOW = datetime(2026, 7, 14, 6, 0, tzinfo=UTC)
HOLD = DEFAULT_RULES[Lifeline.GAS].hold
S, M = WorkOrderState, WorkOrderMove


def order_at(state: WorkOrderState = S.DISPATCHED, **changes: Any) -> WorkOrder:
    fields: dict[str, Any] = dict.fromkeys(
        (
            "warning",
            "feedback",
            "feedback_by",
            "verification",
            "received_at",
            "on_site_at",
            "under_control_at",
            "handled_at",
            "verified_at",
            "closed_at",
        )
    )
    fields |= {
        "id": UUID(int=1),
        "alert": UUID(int=2),
        "state": state,
        "lifeline": Lifeline.GAS,
        "zone": "G1",
        "asset": "G1-S-1",
        "severity": Severity.CRITICAL,
        "organisation": "gas-company",
        "title": Text("Leak", "泄漏"),
        "created_at": NOW,
        "dispatched_at": NOW,
        "step_since": NOW,
        "version": 1,
        "rule": DEFAULT_RULES[Lifeline.GAS],
    }
    return WorkOrder(**(fields | changes))


def standing(held: timedelta | None, **changes: Any) -> SensorStanding:
    """Sensors that have been normal for so long; ``None``: the alert stands."""
    cleared_at = None if held is None else NOW
    seen = NOW + (held or timedelta(0))
    fields: dict[str, Any] = {
        "description": "still open at severity 4",
        "cleared_at": cleared_at,
        "sensors": ("a", "b"),
        "newest": {"a": seen, "b": seen + timedelta(minutes=5)},
    }
    return SensorStanding(**(fields | changes))


GOOD = standing(HOLD)


def line_to(state: WorkOrderState) -> WorkOrder:
    """An order that the crew has brought as far as a state of the line."""
    order = order_at()
    for move in list(M)[: list(S).index(state)]:
        who = "judge" if move in {M.VERIFY, M.CLOSE} else "crew"
        order = taken(order, move, Act(who, NOW, note="done", sensors=GOOD))
    return order


STANDINGS = st.one_of(
    st.none(),
    st.builds(
        standing,
        st.sampled_from([None, timedelta(0), HOLD - timedelta(seconds=1), HOLD, HOLD * 2]),
        silent=st.sampled_from([frozenset[str](), frozenset({"a"})]),
        sensors=st.sampled_from([("a", "b"), (), ("a", "c")]),
        is_judged=st.booleans(),
    ),
)
CALLS = st.tuples(
    st.sampled_from(M),
    st.builds(
        Act,
        st.sampled_from(["crew", "other crew", "judge", "system"]),
        st.just(NOW),
        note=st.sampled_from([None, "", " ", "mended"]),
        organisation=st.sampled_from([None, "gas-company", "water-company"]),
        sensors=STANDINGS,
        cannot_tell=st.sampled_from([None, "", "the cable is cut"]),
    ),
)


@given(st.lists(CALLS, max_size=60), st.sampled_from([S.DISPATCHED, S.DRAFT]))
def test_no_sequence_of_calls_closes_an_order_without_the_three_conditions(
    calls: list[tuple[WorkOrderMove, Act]], begin: WorkOrderState
) -> None:
    order = order_at(begin)
    worked: set[str] = set()
    said: list[str] = []
    confirmed = False
    for move, act in calls:
        # Most random steps are out of turn: what would come next is tried as well, so that many orders reach the end.
        for step in (move, order.awaited):
            if step is None:
                continue
            try:
                after = taken(order, step, act)
            except (MoveNotAllowedError, NotInEarnestError, ReasonMissingError):
                continue
            if step in {M.ARRIVE, M.CONTROL, M.HAND_BACK}:
                worked.add(act.actor)
            if step in {M.TRANSFER, M.SEND, M.REOPEN}:
                said, confirmed = [], False
            if step is M.HAND_BACK:
                said.append(act.note or "")
            if step is M.VERIFY:
                sensors = act.sensors or SensorStanding.unknown()
                confirmed = sensors.doubt(HOLD) is None or bool(
                    not sensors.could_tell and (act.cannot_tell or "").strip()
                )
            order = after
            if step is M.CLOSE:
                assert any(words.strip() for words in said), "closed without feedback from the field"
                assert confirmed, "closed although the sensors did not agree and nobody said why they cannot"
                assert act.actor not in worked, "closed by who did the work"
                assert order.verified_by not in worked, "verified by who did the work"
    assert (order.state is S.CLOSED) == (order.closed_at is not None)


def test_the_line_leads_to_the_end_with_two_people_and_sensors_that_agree() -> None:
    order = line_to(S.CLOSED)
    assert (order.feedback_by, order.verified_by, order.workers) == ("crew", "judge", ("crew",))
    assert order.version == 7


@pytest.mark.parametrize(
    ("sensors", "why"),
    [
        (standing(None), "still open at severity 4"),
        (standing(HOLD - timedelta(minutes=1)), "normal for 59 of 60 min"),
        (standing(timedelta(0), newest={"a": NOW + HOLD, "b": NOW}), "normal for 0 of 60 min"),
    ],
)
def test_sensors_that_can_tell_are_not_argued_away(sensors: SensorStanding, why: str) -> None:
    with pytest.raises(SensorsDisagreeError, match=why):
        taken(line_to(S.HANDLED), M.VERIFY, Act("judge", NOW, sensors=sensors, cannot_tell="I say so"))


@pytest.mark.parametrize(
    "sensors",
    [
        standing(None, silent=frozenset({"b"})),
        standing(None, is_judged=True),
        standing(HOLD, sensors=()),
        standing(HOLD, sensors=("a", "never"), silent=frozenset({"never"})),
    ],
)
def test_where_sensors_cannot_tell_a_reason_stands_for_them(sensors: SensorStanding) -> None:
    handled = line_to(S.HANDLED)
    with pytest.raises(SensorsDisagreeError, match="cannot_tell"):
        taken(handled, M.VERIFY, Act("judge", NOW, sensors=sensors))
    verified = taken(handled, M.VERIFY, Act("judge", NOW, sensors=sensors, cannot_tell="cable cut, sampled by hand"))
    assert verified.cannot_tell == "cable cut, sampled by hand"
    assert "cable cut" in (verified.verification or "")


def test_who_worked_in_any_round_does_not_judge() -> None:
    again = taken(line_to(S.CLOSED), M.REOPEN, Act("judge", NOW, note="it smells again"))
    for move in (M.RECEIVE, M.ARRIVE, M.CONTROL, M.HAND_BACK):
        again = taken(again, move, Act("second crew", NOW, note="done"))
    for worker in ("crew", "second crew"):
        with pytest.raises(SamePersonError):
            taken(again, M.VERIFY, Act(worker, NOW, sensors=GOOD))


def test_an_order_that_comes_back_begins_anew_and_counts_it() -> None:
    again = taken(line_to(S.CLOSED), M.REOPEN, Act("system", NOW, note="values rose again"))
    assert (again.state, again.round, again.reopened, again.closed_at) == (S.DISPATCHED, 2, 1, None)
    assert (again.feedback, again.verification, again.verified_by, again.received_at) == (None, None, None, None)


@pytest.mark.parametrize("move", [M.REJECT, M.HOLD, M.REOPEN, M.TRANSFER, M.HAND_BACK])
def test_nobody_leads_an_order_aside_or_ends_the_work_without_words(move: WorkOrderMove) -> None:
    where = {M.REJECT: S.RECEIVED, M.HOLD: S.ON_SITE, M.REOPEN: S.HANDLED, M.HAND_BACK: S.UNDER_CONTROL}
    order = line_to(where.get(move, S.RECEIVED))
    with pytest.raises(ReasonMissingError):
        taken(order, move, Act("crew", NOW, note="  ", organisation="water-company"))


def test_a_transfer_needs_another_organisation_and_starts_its_clocks() -> None:
    later = NOW + timedelta(hours=1)
    order = line_to(S.ON_SITE)
    with pytest.raises(MoveNotAllowedError):
        taken(order, M.TRANSFER, Act("desk", later, note="theirs", organisation="gas-company"))
    moved = taken(order, M.TRANSFER, Act("desk", later, note="theirs", organisation="water-company"))
    assert (moved.organisation, moved.state, moved.transferred) == ("water-company", S.DISPATCHED, 1)
    assert (moved.dispatched_at, moved.received_at, moved.step_since) == (later, None, later)


def test_on_hold_the_clock_of_a_danger_runs_on_until_it_is_under_control() -> None:
    hour = timedelta(hours=1)
    held = taken(line_to(S.ON_SITE), M.HOLD, Act("crew", NOW, note="no permit"))
    running = deadline_of(held)
    assert running is not None
    assert (running.step, running.due_at) == (M.CONTROL, NOW + timedelta(hours=2))

    held = taken(line_to(S.UNDER_CONTROL), M.HOLD, Act("crew", NOW, note="waiting for the sleeve"))
    standing_still = deadline_of(held)
    assert standing_still is not None
    assert standing_still.due_at is None
    resumed = taken(held, M.RESUME, Act("crew", NOW + hour))
    assert (resumed.state, resumed.paused_s) == (S.UNDER_CONTROL, 3600.0)
    again = deadline_of(resumed)
    assert again is not None
    assert again.due_at == NOW + timedelta(days=1) + hour


def test_a_mild_order_waits_from_the_start_where_the_rule_lets_it() -> None:
    mild = replace(line_to(S.RECEIVED), severity=Severity.MINOR)
    held = taken(mild, M.HOLD, Act("crew", NOW, note="after the holiday"))
    assert held.paused_since == NOW
    resumed = taken(held, M.RESUME, Act("crew", NOW + timedelta(hours=3)))
    deadline = deadline_of(resumed)
    assert deadline is not None
    assert deadline.due_at == NOW + timedelta(days=1, hours=3)


def test_stages_come_one_after_the_other_and_say_when_the_next_one_is() -> None:
    deadline = deadline_of(order_at())
    assert deadline is not None
    assert (deadline.step, deadline.is_default) == (M.RECEIVE, True)
    assert deadline.reached(NOW) == []
    assert deadline.next_after(NOW) == NOW + timedelta(minutes=4)
    assert deadline.reached(NOW + timedelta(minutes=5)) == [DeadlineStage.SOON, DeadlineStage.OVERDUE]
    assert deadline.next_after(NOW + timedelta(minutes=5)) == NOW + timedelta(minutes=10)
    assert deadline.next_after(NOW + timedelta(minutes=10)) is None


def test_a_closed_order_waits_for_nothing_and_a_draft_for_nobody() -> None:
    assert deadline_of(line_to(S.CLOSED)) is None
    assert deadline_of(order_at(S.DRAFT, dispatched_at=None, step_since=None)) is None


def test_a_rule_that_names_an_unknown_step_is_refused() -> None:
    with pytest.raises(ValueError, match="no step is called fly"):
        DisposalRule(hold_s=1, watch_s=1, deadlines_s={4: {"fly": 60.0}})
