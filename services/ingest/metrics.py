"""What ingest counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram


class Metrics:
    """The process's own counters; nothing is shared between two in one interpreter."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = self._counter("received", "messages delivered by the broker, redeliveries included")
        self.stored = self._counter("stored", "readings that were new and are committed")
        self.duplicates = self._counter("duplicates", "readings that were stored already")
        self.changed = self._counter("changed", "readings that gave a stored moment another value")
        self.rejected = Counter(
            "lifeline_ingest_rejected", "payloads set aside, by reason", ["reason"], registry=self.registry
        )
        self.dropped = self._counter("dropped", "messages of QoS 0 that came while the database was away")
        self.batch_readings = Histogram(
            "lifeline_ingest_batch_readings",
            "readings in one transaction",
            registry=self.registry,
            buckets=(1, 10, 50, 100, 500, 1000, 2000, 5000, 10_000, 20_000),
        )
        self.commit_seconds = Histogram(
            "lifeline_ingest_commit_seconds", "duration of one transaction", registry=self.registry
        )

    def _counter(self, name: str, meaning: str) -> Counter:
        return Counter(f"lifeline_ingest_{name}", meaning, registry=self.registry)
