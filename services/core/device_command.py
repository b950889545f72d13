"""What a device is asked to do, and what became of it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID


class CommandState(StrEnum):
    """Where a command stands: not sent, sent, carried out, refused, never answered, or overtaken by a newer one."""

    WAITING = "waiting"
    SENT = "sent"
    DONE = "done"
    REFUSED = "refused"
    GIVEN_UP = "given-up"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class DeviceCommand:
    """A device shall report a sensor of its own every ``interval``; ``attempts`` counts how often that was sent."""

    id: UUID
    device: str
    sensor: str
    interval: timedelta
    attempts: int = 0
