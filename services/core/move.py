"""Moves between states: one way for alerts, warnings and work orders to say what is allowed and what is not."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

StateT = TypeVar("StateT", bound=StrEnum)
MoveT = TypeVar("MoveT", bound=StrEnum)


class ChangedMeanwhileError(Exception):
    """Somebody else changed the thing since it was read; read it again and decide anew."""


class MoveNotAllowedError(Exception):
    """The thing is not in a state from which this move may be made."""

    def __init__(self, kind: str, move: str, state: str, allowed: tuple[str, ...]) -> None:
        """Say what was tried, where the thing stands, and what would be possible."""
        self.move, self.state, self.allowed = move, state, allowed
        possible = ", ".join(allowed) or "nothing"
        super().__init__(f"cannot {move} a {kind} that is {state}; possible now: {possible}")


def allowed_moves(moves: Mapping[MoveT, Mapping[StateT, StateT]], state: StateT) -> tuple[MoveT, ...]:
    """The moves that may be made from a state, in the order of the table."""
    return tuple(move for move, table in moves.items() if state in table)


def next_state(kind: str, moves: Mapping[MoveT, Mapping[StateT, StateT]], state: StateT, move: MoveT) -> StateT:
    """The state after a move.

    Raises:
        MoveNotAllowedError: the move may not be made from this state.
    """
    try:
        return moves[move][state]
    except KeyError:
        raise MoveNotAllowedError(kind, move, state, allowed_moves(moves, state)) from None
