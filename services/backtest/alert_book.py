"""Alerts as the live loop would keep them, in memory, with what was known when each was raised."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.alerts import alert_merge
from services.core.alert import Alert
from services.core.alert_kind import AlertKind
from services.core.finding import Finding
from services.core.lifeline import Lifeline


@dataclass(slots=True)
class KnownAlert:
    """An alert as it was raised, the score that raised it, and what became of it."""

    raised: Alert
    score: float
    latest: Alert

    @property
    def cleared_at(self) -> datetime | None:
        """When the sensors were normal again; ``None`` while they are not."""
        return self.latest.cleared_at


class AlertBook:
    """Takes findings in order and decides on alerts with the same function as the live loop."""

    def __init__(self, kinds: Iterable[AlertKind], sources: alert_merge.Sources) -> None:
        """Judge findings of these kinds, tracing them to these sources."""
        self._kinds: Mapping[tuple[Lifeline, str], AlertKind] = {(kind.lifeline, kind.kind): kind for kind in kinds}
        self._sources = sources
        self._seen: set[str] = set()
        self._running: dict[tuple[str, str], KnownAlert] = {}
        self.alerts: list[KnownAlert] = []

    def take(self, finding: Finding) -> None:
        """Conclude from a finding; one that was there already changes nothing."""
        if finding.id in self._seen:
            return
        self._seen.add(finding.id)
        place = (finding.asset, finding.kind)
        known = self._running.get(place)
        kind = self._kinds[finding.lifeline, finding.kind]
        running = None if known is None else known.latest
        alert = alert_merge.take(running, finding, kind, self._sources, finding.time)
        if alert is None:
            return
        if known is None:
            known = self._running[place] = KnownAlert(alert, finding.score, alert)
            self.alerts.append(known)
        known.latest = alert
        if alert.cleared_at is not None:
            del self._running[place]
