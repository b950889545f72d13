"""What a listener wants to hear of the live events. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from services.core.lifeline import Lifeline


class EventType(StrEnum):
    """What live events are about."""

    ALERT = "alert"
    WARNING = "warning"
    WORK_ORDER = "work-order"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class EventSubject:
    """Where the thing of an event is, and how bad it is (0 to 4)."""

    lifeline: Lifeline
    zone: str
    severity: int


@dataclass(frozen=True, slots=True)
class StreamChoice:
    """Types (none: all), a lifeline, a zone, and the severity from which an event counts.

    New values have no severity: they are chosen by type and by where their sensors are.
    """

    types: Collection[EventType] = ()
    lifeline: Lifeline | None = None
    zone: str | None = None
    severity_from: int = 0

    @property
    def is_by_place(self) -> bool:
        """Whether some sensors are left out."""
        return self.lifeline is not None or self.zone is not None

    def wants(self, type_: str, subject: EventSubject | None) -> bool:
        """Whether an event is wanted; ``subject`` is missing where an event is about many places."""
        if self.types and type_ not in self.types:
            return False
        if subject is None:
            return True
        return (
            self.lifeline in {None, subject.lifeline}
            and self.zone in {None, subject.zone}
            and subject.severity >= self.severity_from
        )
