"""What the Sparkplug host counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.ingest.sparkplug.topic import Kind


class Counts:
    """The counters of one host; give it the registry that the process shows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.is_host = Gauge(
            "lifeline_sparkplug_is_host", "1 in the process that is the Sparkplug host of the city", registry=registry
        )
        self.edge_nodes = Gauge("lifeline_sparkplug_edge_nodes", "edge nodes remembered", registry=registry)
        messages = Counter("lifeline_sparkplug_messages", "messages understood, by type", ["type"], registry=registry)
        self.messages = {kind: messages.labels(kind.value) for kind in Kind}
        self.doubts = self._counter("doubts", "times a message was lost or an edge node spoke before its birth")
        self.rebirths_asked = self._counter("rebirths_asked", "requests for a new birth")
        self.ignored = self._counter("ignored", "metrics without a number: texts, empty values, data sets")
        self.unregistered = self._counter("unregistered", "values of metrics that are no sensors, after the first")
        self.unnamed = self._counter("unnamed", "values lost because no birth said what they are")
        self.retained = self._counter("retained", "retained messages, which Sparkplug forbids; they are passed over")
        self.absences = self._counter("absences", "times the host left because too much waited for the database")

    def _counter(self, name: str, meaning: str) -> Counter:
        return Counter(f"lifeline_sparkplug_{name}", meaning, registry=self._registry)
