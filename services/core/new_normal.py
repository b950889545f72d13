"""What a person wants a rule to take as normal from now on."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class NewNormalOutcome(StrEnum):
    """What became of the wish: the rule learns afresh, or it cannot, because it goes by fixed limits or is a search.

    A search follows several troubles at once: to begin afresh would lose sight of the others.
    """

    TAKEN = "taken"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NewNormal:
    """A wish that waits: ``rule`` shall begin afresh at ``target`` (a sensor, or what it watches in ``zone``)."""

    id: int
    alert: UUID
    zone: str
    rule: str
    target: str
