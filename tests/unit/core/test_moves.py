"""The tables of moves."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Any

import pytest

from services.core import alert, warning, work_order
from services.core.move import MoveNotAllowedError, allowed_moves, next_state

TABLES: dict[str, tuple[Mapping[Any, Mapping[Any, Any]], type[StrEnum], type[StrEnum]]] = {
    "alert": (alert.MOVES, alert.AlertState, alert.AlertMove),
    "warning": (warning.MOVES, warning.WarningState, warning.WarningMove),
    "work order": (work_order.MOVES, work_order.WorkOrderState, work_order.WorkOrderMove),
}
ENDS: dict[str, set[StrEnum]] = {
    "alert": set(),
    "warning": {warning.WarningState.LIFTED, warning.WarningState.CANCELLED, warning.WarningState.REJECTED},
    "work order": set(),
}
PAIRS = [(kind, state, move) for kind, (_, states, moves) in TABLES.items() for state in states for move in moves]


@pytest.mark.parametrize(("kind", "state", "move"), PAIRS)
def test_a_move_leads_on_or_is_refused_with_what_is_possible(kind: str, state: StrEnum, move: StrEnum) -> None:
    table, states, _ = TABLES[kind]
    possible = allowed_moves(table, state)
    if move in possible:
        following = next_state(kind, table, state, move)
        assert following in states
        # A transfer leaves the state and changes whose it is.
        assert following is not state or move is work_order.WorkOrderMove.TRANSFER
        return
    with pytest.raises(MoveNotAllowedError) as refused:
        next_state(kind, table, state, move)
    assert (refused.value.move, refused.value.state, refused.value.allowed) == (move, state, possible)
    said = ", ".join(possible) or "nothing"
    assert str(refused.value) == f"cannot {move} a {kind} that is {state}; possible now: {said}"


@pytest.mark.parametrize("kind", TABLES)
def test_every_state_is_reached_and_only_ends_are_ends(kind: str) -> None:
    table, states, moves = TABLES[kind]
    first, *others = states
    reached = {following for steps in table.values() for following in steps.values()}
    # An alert may come back and an order be sent again; an end is what nobody and nothing leads out of.
    beginnings: dict[str, set[StrEnum]] = {"warning": {first}, "work order": {work_order.WorkOrderState.DRAFT}}
    begins = beginnings.get(kind, set())
    assert reached == {first, *others} - begins
    assert {state for state in states if not allowed_moves(table, state)} == ENDS[kind]
    assert set(table) == set(moves)


def test_an_order_goes_through_its_states_in_one_line() -> None:
    table, states, moves = TABLES["work order"]
    line, steps = list(states)[:7], list(moves)[:6]
    for (state, following), step in zip(pairwise(line), steps, strict=True):
        assert work_order.onward(work_order.WorkOrderState(state)) == (step,)
        assert next_state("work order", table, state, step) is following
    assert work_order.onward(work_order.WorkOrderState.CLOSED) == ()
