"""How long each step of a work order may take, how long the sensors have to be normal and it is watched. Pure.

No published table of deadlines for lifelines was found: all of these are defaults, marked as such, until the centre
puts rules of its own in force.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.core.lifeline import Lifeline
from services.core.severity import Severity

TIMED_STEPS = ("send", "receive", "arrive", "control", "hand-back", "verify", "close")
"""The steps that have a deadline; each counts from the step before it."""
_Seconds = Annotated[float, Field(gt=0, le=90 * 86_400)]
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


class DisposalRule(BaseModel):
    """The rules by which orders of one lifeline are followed; an order keeps those that were in force at its start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hold_s: float = Field(ge=0, le=30 * _DAY, description="so long the sensors have to be normal before it is over")
    watch_s: float = Field(ge=0, le=30 * _DAY, description="an order reopens when values rise so soon after it closed")
    deadlines_s: Mapping[Annotated[int, Field(ge=1, le=4)], Mapping[str, _Seconds]] = Field(
        description="by severity and step; a step that is not named has no deadline"
    )
    pauses_up_to: int = Field(default=2, ge=0, le=4, description="on hold the clock stands still up to this severity")
    pauses_under_control: bool = Field(default=True, description="and for every severity once it is under control")
    warns_at: float = Field(default=0.8, gt=0, lt=1, description="share of the time after which it is reminded of")
    passing_kinds: tuple[str, ...] = Field(default=(), description="kinds that are over with each event: not watched")
    is_default: bool = False

    @model_validator(mode="after")
    def _knows_its_steps(self) -> Self:
        unknown = {step for steps in self.deadlines_s.values() for step in steps} - set(TIMED_STEPS)
        if unknown:
            raise ValueError(f"no step is called {', '.join(sorted(unknown))}; there are {', '.join(TIMED_STEPS)}")
        return self

    def allowed(self, severity: Severity, step: str) -> timedelta | None:
        """How long a step may take; ``None`` where it has no deadline."""
        seconds = self.deadlines_s.get(int(severity), {}).get(step)
        return None if seconds is None else timedelta(seconds=seconds)

    @property
    def hold(self) -> timedelta:
        """So long the sensors have to be normal."""
        return timedelta(seconds=self.hold_s)

    @property
    def watch(self) -> timedelta:
        """So long an order is watched after the sensors were normal."""
        return timedelta(seconds=self.watch_s)


def _steps(*seconds: float) -> dict[str, float]:
    return dict(zip(TIMED_STEPS, seconds, strict=True))


DEFAULT_DEADLINES: Mapping[int, Mapping[str, float]] = {
    4: _steps(5 * _MINUTE, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 1 * _DAY, 1 * _DAY, 8 * _HOUR),
    3: _steps(10 * _MINUTE, 10 * _MINUTE, 45 * _MINUTE, 4 * _HOUR, 2 * _DAY, 1 * _DAY, 8 * _HOUR),
    2: _steps(30 * _MINUTE, 30 * _MINUTE, 4 * _HOUR, 1 * _DAY, 3 * _DAY, 2 * _DAY, 1 * _DAY),
    1: _steps(4 * _HOUR, 4 * _HOUR, 1 * _DAY, 3 * _DAY, 7 * _DAY, 3 * _DAY, 3 * _DAY),
}


def _default(hold_s: float, watch_s: float, *, passing_kinds: tuple[str, ...] = ()) -> DisposalRule:
    return DisposalRule(
        hold_s=hold_s,
        watch_s=watch_s,
        deadlines_s=DEFAULT_DEADLINES,
        passing_kinds=passing_kinds,
        is_default=True,
    )


DEFAULT_RULES: Mapping[Lifeline, DisposalRule] = {
    # Gas lingers in the ground after a repair and comes out of it for a while.
    Lifeline.GAS: _default(1 * _HOUR, 1 * _DAY),
    Lifeline.WATER: _default(0.5 * _HOUR, 1 * _DAY),
    Lifeline.DRAINAGE: _default(0.5 * _HOUR, 0.5 * _DAY),
    # Each overloaded vehicle is an event of its own: the next one does not say that the last was handled badly.
    Lifeline.BRIDGE: _default(1 * _HOUR, 3 * _DAY, passing_kinds=("overload",)),
}


def default_rule(lifeline: Lifeline) -> DisposalRule:
    """The rule of a lifeline until the centre has one of its own."""
    return DEFAULT_RULES.get(lifeline) or _default(1 * _HOUR, 1 * _DAY)
