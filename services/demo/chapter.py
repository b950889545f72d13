"""One thing that really happens in the story, and how far the loop has taken it. Pure."""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from services.client.answers import AlertAnswer, AlertDetailAnswer

_SLACK = timedelta(minutes=45)
"""An alert may still open this long after its cause has ended (water stands, gas lingers)."""

_EXPECTED = "waterlogging-expected"
_AHEAD = timedelta(hours=1)
"""Water may be expected so long before it stands: as far as forecasts reach."""
_PASSED = re.compile(r"\b15 cm at (\S+?)(?:;|$)")
_PUBLISHED_FROM_CM = 27.0
"""Water below this depth raises an alert and is left to a person to publish; a default of the drainage rules."""

DANGERS: Mapping[str, str] = {
    "water-leak": "water leak",
    "gas-leak": "gas leak",
    "waterlogging": "waterlogging",
    "overload": "overloaded bridge",
    "support-settlement": "settling support",
}
_LEFT_TO_PEOPLE = frozenset({"support-settlement"})
"""No rule publishes a warning of it, so that it ends with an alert on somebody's page."""
FAULTS: Mapping[str, str] = {"sensor-fault": "failing sensor", "gateway-outage": "gateway outage"}

STEPS = ("alert", "warning", "webhook", "order_closed")
"""What has to happen for a danger to have gone through the whole loop."""


@dataclass
class Chapter:
    """A cause from the ground truth and the moments at which the loop got hold of it.

    ``zone`` is the zone of its asset, by which alerts are matched. ``times`` holds wall-clock moments by step.
    """

    id: str
    kind: str
    lifeline: str
    asset: str
    zone: str
    start: datetime
    end: datetime
    peak: float
    note: str
    alert: AlertAnswer | AlertDetailAnswer | None = None
    trace_rank: int | None = None
    times: dict[str, datetime] = field(default_factory=dict)

    @property
    def is_danger(self) -> bool:
        """Whether it has to end in a closed work order; a fault, a puddle, or slow change only has to be noticed."""
        if self.kind == "waterlogging":
            return self.peak >= _PUBLISHED_FROM_CM
        return self.kind in DANGERS and self.kind not in _LEFT_TO_PEOPLE

    @property
    def title(self) -> str:
        """What it is called in the story."""
        return {**DANGERS, **FAULTS}.get(self.kind, self.kind)

    @property
    def done(self) -> bool:
        """Whether the loop went all the way."""
        return all(step in self.times for step in STEPS) if self.is_danger else "alert" in self.times

    def explains(self, alert: AlertAnswer) -> bool:
        """Whether an alert can have come of this cause: same lifeline and place, while it lasted or soon after."""
        if alert.lifeline != self.lifeline:
            return False
        detected = alert.detected_at
        ahead = _AHEAD if alert.kind == _EXPECTED else timedelta(0)
        if not self.start - ahead <= detected <= self.end + _SLACK:
            return False
        if self.kind == "sensor-fault":
            return alert.sensor_fault and bool(set(alert.sensors) & set(self.note.split()))
        if self.kind == "gateway-outage":
            return alert.sensor_fault and alert.asset == self.asset
        if self.kind == "waterlogging":
            return alert.asset == self.asset
        return not alert.sensor_fault and alert.zone == self.zone

    @property
    def passed_at(self) -> datetime | None:
        """When the water passed the lowest grade, 15 cm; ``None`` where the truth tells none."""
        found = _PASSED.search(self.note)
        return datetime.fromisoformat(found.group(1)) if found else None

    def lead(self, alerts: Iterable[AlertAnswer]) -> timedelta | None:
        """How long before the water passed 15 cm it was expected to; ``None`` where it was not, or only afterwards."""
        passed = self.passed_at
        expected = [alert.detected_at for alert in alerts if alert.kind == _EXPECTED and self.explains(alert)]
        if passed is None or not expected or min(expected) > passed:
            return None
        return passed - min(expected)


def read_chapters(truth: Path, zones: Mapping[str, str]) -> list[Chapter]:
    """The causes of a truth file in order of time; ``zones`` gives each asset's zone.

    The rain itself is no chapter: what counts is where the water stands.
    """
    with truth.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [
        Chapter(
            id=row["id"],
            kind=row["kind"],
            lifeline=row["lifeline"],
            asset=row["asset"],
            zone=zones.get(row["asset"], ""),
            start=datetime.fromisoformat(row["start"]),
            end=datetime.fromisoformat(row["end"]),
            peak=float(row["peak"]),
            note=row["note"],
        )
        for row in rows
        if row["kind"] in DANGERS or row["kind"] in FAULTS
    ]


def unexplained(alerts: Iterable[AlertAnswer], chapters: Iterable[Chapter]) -> list[AlertAnswer]:
    """Alerts about dangers that no cause in the truth accounts for: the false alarms of the story."""
    causes = list(chapters)
    return [
        alert
        for alert in alerts
        if not alert.sensor_fault and not any(cause.explains(alert) or _rains_on(cause, alert) for cause in causes)
    ]


def _rains_on(cause: Chapter, alert: AlertAnswer) -> bool:
    """Whether a gauge reports the very rain that floods a street; rain falls on the whole city."""
    detected = alert.detected_at
    return cause.kind == "waterlogging" and alert.kind == "heavy-rain" and cause.start - _SLACK <= detected <= cause.end
