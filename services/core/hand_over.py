"""What one shift leaves to the next (交接班)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class HandOver:
    """The running orders of an organisation as they stood when a shift ended, and who took them over.

    ``standing`` names each order with its state, severity, title and the moment its next step is due.
    """

    id: UUID
    organisation: str
    given_by: str
    given_at: datetime
    note: str
    standing: Sequence[Mapping[str, Any]]
    taken_by: str | None = None
    taken_at: datetime | None = None
