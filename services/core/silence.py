"""A person mutes: for a while, for planned works, or every week at the same hour. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.core.lifeline import Lifeline
from services.core.recurrence import RecurrenceError, recurrence_of
from services.core.severity import Severity

LONGEST_SHELVING = timedelta(hours=8)
"""An alert that was put aside for the length of a shift comes back to the next one."""


class SilenceError(ValueError):
    """A silence cannot be as it was asked for; the message names the field and the reason."""


class SilenceKind(StrEnum):
    """Why nothing is said."""

    SHELVING = "shelving"
    """An operator puts something aside for a part of the shift."""
    SILENCE = "silence"
    """A person mutes what is known."""
    MAINTENANCE = "maintenance"
    """Planned works: what sensors say there and then means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """Which alerts are meant: all that is given has to fit, and something has to be given."""

    lifeline: Lifeline | None = None
    zone: str | None = None
    asset: str | None = None
    kind: str | None = None
    sensor: str | None = None

    def __post_init__(self) -> None:
        """Refuse to mean everything.

        Raises:
            SilenceError: nothing is given.
        """
        if not any((self.lifeline, self.zone, self.asset, self.kind, self.sensor)):
            raise SilenceError("matcher: at least one of lifeline, zone, asset, kind and sensor has to be given")

    def fits(self, *, lifeline: Lifeline, zone: str, asset: str, kind: str, sensors: tuple[str, ...]) -> bool:
        """Whether an alert with these marks is meant; one that several sensors tell is meant only without a sensor."""
        return (
            self.lifeline in {None, lifeline}
            and self.zone in {None, zone}
            and self.asset in {None, asset}
            and self.kind in {None, kind}
            and (self.sensor is None or sensors == (self.sensor,))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A muting (静默), a shelving (搁置) or a maintenance window (检修窗口).

    It holds from ``starts_at`` until ``ends_at``; with ``recurrence`` (an iCalendar RRULE, counted from ``starts_at``)
    that length of time comes again and again until the rule ends or the silence is ended. ``mutes_to`` is the worst
    severity that it keeps quiet: what is worse is told all the same. ``records`` says whether alerts are kept; without,
    readings of the time raise none that would have to be looked at afterwards.
    """

    id: UUID
    kind: SilenceKind
    matcher: Matcher
    starts_at: datetime
    ends_at: datetime
    recurrence: str | None
    mutes_to: Severity
    records: bool
    reason: str
    author: str
    created_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is in force at a moment of event time."""
        if self.ended_at is not None and moment >= self.ended_at:
            return False
        if self.recurrence is None:
            return self.starts_at <= moment < self.ends_at
        began = self._began(moment)
        return began is not None and moment < began + (self.ends_at - self.starts_at)

    def over_at(self, moment: datetime) -> datetime | None:
        """When the window in force at ``moment`` ends; ``None`` where none is."""
        if not self.holds_at(moment):
            return None
        began = self._began(moment)
        end = self.ends_at if began is None else began + (self.ends_at - self.starts_at)
        return end if self.ended_at is None else min(end, self.ended_at)

    def _began(self, moment: datetime) -> datetime | None:
        if self.recurrence is None:
            return None
        began: datetime | None = recurrence_of(self.recurrence, self.starts_at).before(moment, inc=True)
        return began


def check(silence: Silence) -> None:
    """Refuse what would mute too much or never.

    Raises:
        SilenceError: naming the field and the reason.
    """
    if silence.ends_at <= silence.starts_at:
        raise SilenceError("ends_at: must lie after starts_at")
    if silence.kind is SilenceKind.SHELVING and silence.ends_at - silence.starts_at > LONGEST_SHELVING:
        raise SilenceError("ends_at: shelving lasts 8 hours at the most; use a silence for longer")
    if silence.recurrence is None:
        return
    if silence.kind is not SilenceKind.MAINTENANCE:
        raise SilenceError("recurrence: only maintenance recurs")
    try:
        following = recurrence_of(silence.recurrence, silence.starts_at).after(silence.starts_at)
    except RecurrenceError as error:
        raise SilenceError(f"recurrence: {error}") from None
    if following is not None and following - silence.starts_at < silence.ends_at - silence.starts_at:
        raise SilenceError("recurrence: comes again before the window is over")
