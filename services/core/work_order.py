"""A work order: sent to the responsible organisation and followed until the sensors agree that it is over. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.core.disposal_rule import DisposalRule
from services.core.lifeline import Lifeline
from services.core.move import MoveNotAllowedError, allowed_moves, next_state
from services.core.sensor_standing import SensorStanding
from services.core.severity import Severity
from services.core.text import Text


class WorkOrderState(StrEnum):
    """Where a work order stands: seven steps in a line, and three places beside it."""

    DISPATCHED = "dispatched"
    RECEIVED = "received"
    ON_SITE = "on-site"
    UNDER_CONTROL = "under-control"
    HANDLED = "handled"
    VERIFIED = "verified"
    CLOSED = "closed"
    DRAFT = "draft"
    REJECTED = "rejected"
    ON_HOLD = "on-hold"


class WorkOrderMove(StrEnum):
    """What can happen to a work order: the steps of the line, then those that lead aside and back."""

    RECEIVE = "receive"
    ARRIVE = "arrive"
    CONTROL = "control"
    HAND_BACK = "hand-back"
    VERIFY = "verify"
    CLOSE = "close"
    SEND = "send"
    RESUME = "resume"
    REJECT = "reject"
    TRANSFER = "transfer"
    HOLD = "hold"
    REOPEN = "reopen"


_S, _M = WorkOrderState, WorkOrderMove
_UNDER_WAY = (_S.RECEIVED, _S.ON_SITE, _S.UNDER_CONTROL)

MOVES: Mapping[WorkOrderMove, Mapping[WorkOrderState, WorkOrderState]] = {
    _M.RECEIVE: {_S.DISPATCHED: _S.RECEIVED},
    _M.ARRIVE: {_S.RECEIVED: _S.ON_SITE},
    _M.CONTROL: {_S.ON_SITE: _S.UNDER_CONTROL},
    _M.HAND_BACK: {_S.UNDER_CONTROL: _S.HANDLED},
    _M.VERIFY: {_S.HANDLED: _S.VERIFIED},
    _M.CLOSE: {_S.VERIFIED: _S.CLOSED},
    _M.SEND: {_S.DRAFT: _S.DISPATCHED, _S.REJECTED: _S.DISPATCHED},
    # Where it really goes on is where it was held; see ``taken``.
    _M.RESUME: {_S.ON_HOLD: _S.RECEIVED},
    _M.REJECT: dict.fromkeys((_S.DISPATCHED, _S.RECEIVED), _S.REJECTED),
    _M.TRANSFER: dict.fromkeys((_S.DISPATCHED, *_UNDER_WAY, _S.REJECTED, _S.ON_HOLD), _S.DISPATCHED),
    _M.HOLD: dict.fromkeys(_UNDER_WAY, _S.ON_HOLD),
    _M.REOPEN: dict.fromkeys((_S.HANDLED, _S.VERIFIED, _S.CLOSED), _S.DISPATCHED),
}
ONWARD = frozenset({_M.RECEIVE, _M.ARRIVE, _M.CONTROL, _M.HAND_BACK, _M.VERIFY, _M.CLOSE, _M.SEND, _M.RESUME})
"""The moves that bring an order nearer to its end."""
NEEDS_REASON = frozenset({_M.REJECT, _M.TRANSFER, _M.HOLD, _M.REOPEN})
"""The moves that lead aside or back: nobody takes them without saying why."""
_WORK = frozenset({_M.ARRIVE, _M.CONTROL, _M.HAND_BACK})
_SENT_AGAIN = frozenset({_M.SEND, _M.TRANSFER, _M.REOPEN})
_CLOCKS: Mapping[WorkOrderMove, str] = {
    _M.SEND: "dispatched_at",
    _M.TRANSFER: "dispatched_at",
    _M.REOPEN: "dispatched_at",
    _M.RECEIVE: "received_at",
    _M.ARRIVE: "on_site_at",
    _M.CONTROL: "under_control_at",
    _M.HAND_BACK: "handled_at",
    _M.VERIFY: "verified_at",
    _M.CLOSE: "closed_at",
}


class NotInEarnestError(Exception):
    """An order cannot be verified or closed yet; the message says what is missing."""


class SensorsDisagreeError(NotInEarnestError):
    """The order cannot be verified: the sensors do not say that it is over."""


class SamePersonError(NotInEarnestError):
    """Who did the work does not judge it: somebody else has to verify and to close."""


class ReasonMissingError(Exception):
    """A step that leads aside or back needs a reason."""


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody takes a step. ``sensors`` is what the sensors say now; ``cannot_tell`` why they cannot say it."""

    actor: str
    now: datetime
    note: str | None = None
    organisation: str | None = None
    sensors: SensorStanding | None = None
    cannot_tell: str | None = None


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """An order to an organisation (处置工单), with the clock of each step of its present round.

    ``round`` counts how often it was sent out: again after a rejection, to another organisation, or because it was not
    over. ``held_from`` is where it goes on after a hold. ``step_since`` began the present step, which stood still for
    ``paused_s`` and stands still since ``paused_since``; ``clock`` counts how often its deadline was set anew.
    ``workers`` did the work, in any round. ``normal_since`` is when the sensors were normal again, in their time.
    An order of an exercise (演练) has no ``alert``: nothing happened.
    """

    id: UUID
    alert: UUID | None
    warning: UUID | None
    state: WorkOrderState
    lifeline: Lifeline
    zone: str
    asset: str
    severity: Severity
    organisation: str | None
    title: Text
    feedback: str | None
    feedback_by: str | None
    verification: str | None
    created_at: datetime
    dispatched_at: datetime | None
    received_at: datetime | None
    on_site_at: datetime | None
    under_control_at: datetime | None
    handled_at: datetime | None
    verified_at: datetime | None
    closed_at: datetime | None
    version: int
    rule: DisposalRule
    incident: UUID | None = None
    is_joint: bool = False
    person: str | None = None
    round: int = 1
    held_from: WorkOrderState | None = None
    step_since: datetime | None = None
    paused_s: float = 0.0
    paused_since: datetime | None = None
    clock: int = 0
    transferred: int = 0
    reopened: int = 0
    escalated: int = 0
    workers: tuple[str, ...] = ()
    verified_by: str | None = None
    cannot_tell: str | None = None
    normal_since: datetime | None = None

    @property
    def is_exercise(self) -> bool:
        """Whether it is not meant in earnest."""
        return self.alert is None

    @property
    def may_pause(self) -> bool:
        """Whether the clock stands still while the order is on hold: danger does not wait."""
        under_control = self.under_control_at is not None and self.rule.pauses_under_control
        return under_control or self.severity <= self.rule.pauses_up_to

    @property
    def awaited(self) -> WorkOrderMove | None:
        """The step that is waited for; on hold the one that would come next. None once it is closed."""
        standing = self.held_from or self.state
        return next(iter(onward(standing)), None)


def onward(state: WorkOrderState) -> tuple[WorkOrderMove, ...]:
    """The moves from a state that lead towards the end."""
    return tuple(move for move in allowed_moves(MOVES, state) if move in ONWARD)


def aside(state: WorkOrderState) -> tuple[WorkOrderMove, ...]:
    """The moves from a state that lead aside or back."""
    return tuple(move for move in allowed_moves(MOVES, state) if move not in ONWARD)


def taken(order: WorkOrder, move: WorkOrderMove, act: Act) -> WorkOrder:
    """The order after a step, one version on. The one way in which an order changes its state.

    Raises:
        MoveNotAllowedError: the order does not stand where this step starts, or is sent to where it is already.
        ReasonMissingError: the step needs a reason, or a hand-back its words.
        SensorsDisagreeError: the sensors do not say that it is over, and could say so.
        SamePersonError: the step is for somebody who did not do the work.
        NotInEarnestError: nobody has said in this round what was found and done.
    """
    state = next_state("work order", MOVES, order.state, move)
    if (move in NEEDS_REASON or move is _M.HAND_BACK) and not (act.note or "").strip():
        raise ReasonMissingError(f"to {move} an order needs a reason in words")
    changes: dict[str, Any] = {"state": state, "version": order.version + 1}
    if move in _CLOCKS:
        changes[_CLOCKS[move]] = act.now
    if move in _WORK and act.actor not in order.workers:
        changes["workers"] = (*order.workers, act.actor)
    if move in _SENT_AGAIN:
        changes |= _sent_again(order, move, act)
    elif move is _M.HAND_BACK:
        changes |= {"feedback": act.note, "feedback_by": act.actor}
    elif move is _M.VERIFY:
        changes |= _verified(order, act)
    elif move is _M.CLOSE:
        _may_close(order, act)
    changed = replace(order, **changes)
    return _clocked(order, changed, move, act.now)


def _sent_again(order: WorkOrder, move: WorkOrderMove, act: Act) -> dict[str, Any]:
    if move is _M.TRANSFER and act.organisation in {None, order.organisation}:
        raise MoveNotAllowedError("work order", "transfer to the organisation that has", order.state, ())
    to = act.organisation if move is _M.TRANSFER else order.organisation
    clocks = dict.fromkeys(set(_CLOCKS.values()) - {"dispatched_at"})
    spoken = dict.fromkeys(("feedback", "feedback_by", "verification", "verified_by", "cannot_tell", "normal_since"))
    return {
        **clocks,
        **spoken,
        "organisation": to,
        "person": order.person if move is not _M.TRANSFER else None,
        "held_from": None,
        "round": order.round + (order.state is not _S.DRAFT),
        "transferred": order.transferred + (move is _M.TRANSFER),
        "reopened": order.reopened + (move is _M.REOPEN),
    }


def _verified(order: WorkOrder, act: Act) -> dict[str, Any]:
    _judged_by_another(order, act, "verify")
    _fed_back(order)
    sensors = act.sensors or SensorStanding.unknown()
    doubt = sensors.doubt(order.rule.hold)
    if doubt is not None:
        if sensors.could_tell or not (act.cannot_tell or "").strip():
            hint = "" if sensors.could_tell else "; where they cannot tell, say why in `cannot_tell`"
            raise SensorsDisagreeError(f"the sensors do not confirm it: {doubt}{hint}")
        said = f"the sensors cannot tell ({doubt}): {act.cannot_tell}"
        return {
            "verification": said,
            "verified_by": act.actor,
            "cannot_tell": act.cannot_tell,
            "normal_since": act.now,
        }
    return {
        "verification": sensors.confirmation(),
        "verified_by": act.actor,
        "cannot_tell": None,
        "normal_since": sensors.cleared_at,
    }


def _may_close(order: WorkOrder, act: Act) -> None:
    _judged_by_another(order, act, "close")
    _fed_back(order)
    if order.verification is None or order.verified_by is None or order.verified_by in order.workers:
        raise NotInEarnestError("nobody who did not do the work has verified it")
    if act.sensors is not None and act.sensors.is_risen and order.cannot_tell is None:
        raise SensorsDisagreeError("the values have risen again since it was verified: reopen the order")


def _judged_by_another(order: WorkOrder, act: Act, step: str) -> None:
    if act.actor in order.workers or act.actor == order.feedback_by:
        raise SamePersonError(f"{act.actor} did the work: somebody else has to {step} it")


def _fed_back(order: WorkOrder) -> None:
    if not (order.feedback or "").strip() or order.feedback_by is None:
        raise NotInEarnestError("nobody has said yet what was found and done")


def _clocked(before: WorkOrder, order: WorkOrder, move: WorkOrderMove, now: datetime) -> WorkOrder:
    """The clock of the step that is waited for: it begins anew, stands still, or goes on."""
    clock = before.clock + 1
    if move is _M.HOLD:
        paused_since = now if before.may_pause else None
        return replace(order, held_from=before.state, paused_since=paused_since, clock=clock)
    if move is _M.RESUME:
        paused = timedelta(0) if before.paused_since is None else now - before.paused_since
        return replace(
            order,
            state=before.held_from or order.state,
            held_from=None,
            paused_s=before.paused_s + paused.total_seconds(),
            paused_since=None,
            clock=clock,
        )
    return replace(order, held_from=None, step_since=now, paused_s=0.0, paused_since=None, clock=clock)
