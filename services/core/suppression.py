"""Why an alert that stands is not told to anybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.core.severity import Severity
from services.core.text import Text


class SuppressionKind(StrEnum):
    """Who or what keeps it quiet."""

    SILENCE = "silence"
    MAINTENANCE = "maintenance"
    INHIBITION = "inhibition"
    """Another alert explains it."""
    CHATTERING = "chattering"
    """It comes and goes."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """What keeps an alert quiet: the silence or the explaining alert, why in words, and up to which severity."""

    kind: SuppressionKind
    source: UUID | None
    reason: Text
    mutes_to: Severity

    def as_json(self) -> dict[str, Any]:
        """As it is kept with the alert."""
        return {
            "kind": self.kind,
            "source": None if self.source is None else str(self.source),
            "reason": self.reason.as_json(),
            "mutes_to": int(self.mutes_to),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Suppression":
        """What ``as_json`` gave."""
        return cls(
            SuppressionKind(kept["kind"]),
            None if kept["source"] is None else UUID(kept["source"]),
            Text(**kept["reason"]),
            Severity(kept["mutes_to"]),
        )
