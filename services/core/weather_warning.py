"""A warning of the weather service, as it reaches us in the Common Alerting Protocol."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.core.severity import Severity
from services.core.text import Text

USUAL_LENGTH = timedelta(hours=24)
"""How long a warning counts that does not say when it expires."""
_SEVERITIES = {
    "Extreme": Severity.CRITICAL,
    "Severe": Severity.MAJOR,
    "Moderate": Severity.MODERATE,
    "Minor": Severity.MINOR,
    "Unknown": Severity.MINOR,
}
"""Red, orange, yellow and blue are handed over as these; what is unknown is taken seriously enough to be shown."""
_WET = ("rain", "storm", "flood", "typhoon", "hurricane", "thunder", "雨", "暴", "洪", "涝", "台风", "雷", "潮")


class MessageType(StrEnum):
    """Whether a message warns, changes an earlier one, or takes it back."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


@dataclass(frozen=True, slots=True)
class WeatherWarning:
    """What one message says.

    ``identifier`` names it within its ``sender``. ``references`` are the (sender, identifier) of the messages that it
    changes or takes back. ``areas`` are rings of (longitude, latitude), WGS 84; without any it is for everywhere.
    ``is_exercise`` marks what is not meant in earnest.
    """

    sender: str
    identifier: str
    sent: datetime
    message_type: MessageType
    is_exercise: bool
    event: Text
    severity: Severity
    headline: Text
    description: Text
    instruction: Text
    onset: datetime
    expires: datetime
    references: tuple[tuple[str, str], ...] = ()
    area_names: tuple[str, ...] = ()
    areas: tuple[tuple[tuple[float, float], ...], ...] = field(default=())

    @property
    def brings_water(self) -> bool:
        """Whether drainage has to prepare for it, by the words for the event."""
        words = f"{self.event.en} {self.event.zh} {self.headline.en} {self.headline.zh}".lower()
        return any(word in words for word in _WET)

    def as_geojson(self) -> dict[str, Any] | None:
        """The areas as one GeoJSON geometry; ``None`` where it is for everywhere."""
        if not self.areas:
            return None
        rings = [[[list(point) for point in area]] for area in self.areas]
        return {"type": "MultiPolygon", "coordinates": rings}


def severity_of(word: str) -> Severity:
    """What the protocol's word for a severity means here.

    Raises:
        KeyError: it is none of the protocol's words.
    """
    return _SEVERITIES[word]
