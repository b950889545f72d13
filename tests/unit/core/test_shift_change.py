"""Who goes, who comes, and what was handed over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.core.duty import Shift
from services.core.shift_change import ChangeState, Handover, ShiftChange, shift_changes

MORNING = datetime(2026, 7, 14, 0, tzinfo=UTC)


def _at(hours: float) -> datetime:
    return MORNING + timedelta(hours=hours)


def _shift(person: str, begins: float, ends: float, substitutes: str | None = None) -> Shift:
    return Shift(uuid4(), "centre", "duty", person, _at(begins), _at(ends), "calendar", substitutes)


def _handover(outgoing: str, incoming: str, hours: float) -> Handover:
    return Handover(uuid4(), "centre", "duty", outgoing, incoming, {}, "", outgoing, _at(hours))


def _changes(shifts: list[Shift], *handovers: Handover, now: float = 24) -> list[ShiftChange]:
    return shift_changes(shifts, handovers, since=_at(0), until=_at(24), now=_at(now))


DAY = [_shift("an", 0, 8), _shift("bo", 8, 16), _shift("chen", 16, 24)]


def test_each_change_says_who_goes_and_who_comes() -> None:
    told = [(change.at, change.goes, change.comes) for change in _changes(DAY)]
    assert told == [(_at(0), (), ("an",)), (_at(8), ("an",), ("bo",)), (_at(16), ("bo",), ("chen",))]


def test_a_change_that_nobody_handed_over_is_missing_once_it_is_past() -> None:
    assert [change.state for change in _changes(DAY, now=12)] == [
        ChangeState.AHEAD,
        ChangeState.MISSING,
        ChangeState.AHEAD,
    ]


@pytest.mark.parametrize(("hours", "belongs"), [(3.9, False), (4.0, True), (8.5, True), (15.9, True), (16.0, False)])
def test_a_handover_belongs_to_the_change_around_which_it_was_offered(hours: float, belongs: bool) -> None:
    change = _changes(DAY, _handover("an", "bo", hours))[1]
    assert change.state is (ChangeState.WAITING if belongs else ChangeState.MISSING)


def test_only_a_confirmed_handover_is_one() -> None:
    waiting = _handover("an", "bo", 8)
    confirmed = replace(waiting, confirmed_by="key", confirmed_at=_at(8))
    withdrawn = replace(waiting, withdrawn_at=_at(8))
    states = [_changes(DAY, each)[1].state for each in (waiting, confirmed, withdrawn)]
    assert states == [ChangeState.WAITING, ChangeState.CONFIRMED, ChangeState.MISSING]
    assert _changes(DAY, replace(waiting, incoming="chen"))[1].state is ChangeState.MISSING, "to somebody else"


def test_a_hole_is_a_change_at_which_nobody_comes_and_its_end_asks_for_nothing() -> None:
    changes = _changes([_shift("an", 0, 8), _shift("bo", 10, 24)])
    assert [(change.at, change.comes, change.state) for change in changes[1:]] == [
        (_at(8), (), ChangeState.NOBODY),
        (_at(10), ("bo",), ChangeState.AHEAD),
    ]


def test_a_substitute_goes_and_comes_instead_of_who_is_absent() -> None:
    changes = _changes([*DAY, _shift("deng", 8, 16, substitutes="bo")])
    assert [(change.goes, change.comes) for change in changes[1:]] == [(("an",), ("deng",)), (("deng",), ("chen",))]


def test_who_stays_through_a_bound_neither_goes_nor_comes() -> None:
    assert [change.at for change in _changes([_shift("an", 0, 8), _shift("an", 8, 24)])] == [_at(0)]
