"""When one shift ends and another begins (交接班): who goes, who comes, and whether it was handed over. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.core.duty import Shift

OFFERED_FROM = timedelta(hours=4)
"""A hand-over that is offered so long before a change at the earliest belongs to it; half a shift, a default."""


class HandoverState(StrEnum):
    """Where a hand-over stands."""

    WAITING = "waiting"
    """Offered, and not confirmed by who comes."""
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


class ChangeState(StrEnum):
    """Whether a change of shifts was handed over."""

    AHEAD = "ahead"
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    MISSING = "missing"
    """The shift has changed and nobody has handed anything over."""
    NOBODY = "nobody"
    """Nobody comes: there is a hole in the rota."""


@dataclass(frozen=True, slots=True)
class Handover:
    """What the person who goes leaves to the one who comes: everything open at that moment, and a remark.

    ``open`` has, for alerts, drafts, warnings, silences and orders, their number and the worst by name. Where no people
    are named (a crew without a rota) whoever comes confirms, never who offered.
    """

    id: UUID
    organisation: str
    role: str
    outgoing: str | None
    incoming: str | None
    open: Mapping[str, Any]
    note: str
    offered_by: str
    offered_at: datetime
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def state(self) -> HandoverState:
        """Where it stands."""
        if self.confirmed_at is not None:
            return HandoverState.CONFIRMED
        return HandoverState.WAITING if self.withdrawn_at is None else HandoverState.WITHDRAWN


@dataclass(frozen=True, slots=True)
class ShiftChange:
    """A change of who is on duty in one post; nobody goes where a hole ends, nobody comes where one begins."""

    organisation: str
    role: str
    at: datetime
    goes: tuple[str, ...]
    comes: tuple[str, ...]
    handover: UUID | None
    state: ChangeState


def shift_changes(
    shifts: Iterable[Shift], handovers: Iterable[Handover], *, since: datetime, until: datetime, now: datetime
) -> list[ShiftChange]:
    """The changes of all posts within a span, in order; a substitute is on duty instead of who is absent.

    A change belongs to the hand-over between two of its people that was offered last, from ``OFFERED_FROM`` before it
    until the post changes again.
    """
    posts: dict[tuple[str, str], list[Shift]] = {}
    for shift in shifts:
        posts.setdefault((shift.organisation, shift.role), []).append(shift)
    offered = list(handovers)
    found: list[ShiftChange] = []
    for (organisation, role), held in posts.items():
        bounds = sorted({moment for shift in held for moment in (shift.starts_at, shift.ends_at)})
        before: frozenset[str] = frozenset()
        own = [each for each in offered if (each.organisation, each.role) == (organisation, role)]
        for number, at in enumerate(bounds):
            on_duty = _on_duty(held, at)
            goes, comes = tuple(sorted(before - on_duty)), tuple(sorted(on_duty - before))
            before = on_duty
            if not (goes or comes) or not since <= at < until:
                continue
            over = bounds[number + 1] if number + 1 < len(bounds) else until
            handed = _belonging(own, goes, on_duty, (at - OFFERED_FROM, over))
            state = _state(handed, goes=goes, on_duty=on_duty, is_ahead=at > now)
            found.append(ShiftChange(organisation, role, at, goes, comes, None if handed is None else handed.id, state))
    return sorted(found, key=lambda change: (change.at, change.organisation, change.role))


def _on_duty(shifts: Iterable[Shift], moment: datetime) -> frozenset[str]:
    holding = [shift for shift in shifts if shift.starts_at <= moment < shift.ends_at]
    absent = {shift.substitutes for shift in holding if shift.substitutes is not None}
    return frozenset(shift.person for shift in holding if shift.substitutes is not None or shift.person not in absent)


def _belonging(
    handovers: Iterable[Handover], goes: Collection[str], stays: Collection[str], span: tuple[datetime, datetime]
) -> Handover | None:
    fitting = [
        each
        for each in handovers
        if each.state is not HandoverState.WITHDRAWN
        and span[0] <= each.offered_at < span[1]
        and each.outgoing in goes
        and each.incoming in stays
    ]
    return max(fitting, key=lambda each: each.offered_at, default=None)


def _state(handed: Handover | None, *, goes: Collection[str], on_duty: Collection[str], is_ahead: bool) -> ChangeState:
    if not on_duty:
        return ChangeState.NOBODY
    if handed is not None:
        return ChangeState(handed.state.value)
    # Where a hole ends there is nobody to hand anything over.
    return ChangeState.AHEAD if is_ahead or not goes else ChangeState.MISSING
