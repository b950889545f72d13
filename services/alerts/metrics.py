"""What the alert process counts, for Prometheus."""

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.alerts.zone_engine import ZoneEngine


class Metrics:
    """The process's own counters; nothing is shared between two in one interpreter.

    They tell what was committed: a step that failed and is taken again counts once.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.judged = self._counter("judged", "readings judged in full")
        self.late = self._counter("late", "readings that came after their moment was judged: seen by the limits alone")
        self.historic = self._counter("historic", "readings too late even for that: stored, not judged")
        self.unknown = self._counter("unknown", "readings of sensors that no zone knows: not judged")
        self.findings = self._counter("findings", "what the rules have said")
        self.failed = Counter(
            "lifeline_alerts_failed",
            "times a detector failed and was set aside, by rule",
            ["rule"],
            registry=self.registry,
        )
        self.steps = self._counter("steps", "transactions that stored conclusions")
        self.overtaken = self._counter("overtaken", "steps thrown away because a share had gone to another process")
        self.shares = self._gauge("shares", "shares of the feed that this process judges")
        self.units = self._gauge("units", "zones and supplies that this process judges")
        self.behind_entries = self._gauge(
            "feed_behind_entries", "feed entries not judged yet, of the slowest own share"
        )
        self.behind_seconds = self._gauge("feed_behind_seconds", "age of the oldest feed entry not judged yet")

    def _counter(self, name: str, meaning: str) -> Counter:
        return Counter(f"lifeline_alerts_{name}", meaning, registry=self.registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(f"lifeline_alerts_{name}", meaning, registry=self.registry)

    def take(self, engines: Iterable[ZoneEngine]) -> None:
        """Add what engines have counted, and let them count from zero."""
        failed: Tally[str] = Tally()
        for engine in engines:
            counts = engine.counts
            self.judged.inc(counts.judged)
            self.late.inc(counts.late)
            self.historic.inc(counts.historic)
            counts.judged = counts.late = counts.historic = 0
            failed += engine.failures.by_rule
            engine.failures.by_rule.clear()
        for rule, times in failed.items():
            self.failed.labels(rule).inc(times)
