"""The numbers the centre lives by, for Prometheus: of the last day, counted anew once a minute when somebody asks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import psycopg_pool
from prometheus_client import CollectorRegistry, Gauge

from services.core.day_report import DayReport, delivered_share, false_alarm_shares, per_operator, shares
from services.core.store import day_reports
from services.core.store.pool import Pool

_SPAN = timedelta(days=1)
_EVERY_S = 60.0
_AHEAD = timedelta(days=1)
_TOP = 10


class CentreMetrics:
    """Gauges whose labels are few: grades, steps, detectors, receivers, and ranks instead of places."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float]) -> None:
        """Use a monotonic ``clock`` in seconds to see when the figures are old."""
        self._registry = registry
        self._clock = clock
        self._counted_at: float | None = None
        self._per_operator = self._gauge("alerts_per_operator_10min", "told alerts for each operator in ten minutes")
        self._busiest = self._gauge("alerts_busiest_10min", "most told alerts within ten minutes")
        self._flood = self._gauge("flood_share", "share of ten-minute slices with more than ten told alerts")
        self._severity = self._gauge(
            "alerts_share", "share of told alerts of low, middle and high priority: 1, 2, 3", "priority"
        )
        self._sources = self._gauge("top_source_alerts", "alerts of the noisiest places, by rank", "rank")
        self._chattering = self._gauge("alerts_chattering", "alerts that came back three times or more")
        self._stale = self._gauge("alerts_stale", "alerts standing for more than a day")
        self._seconds = self._gauge("step_seconds", "seconds from the alert until a step", "step", "quantile")
        self._false = self._gauge("false_alarm_share", "share of judged alerts that were false", "detector")
        self._delivered = self._gauge("delivered_share", "share of settled messages that were delivered", "receiver")
        self._hole = self._gauge("rota_holes", "times within the next day in which nobody is on duty in a post")

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"lifeline_centre_{name}", f"{meaning}; last 24 hours", labels, registry=self._registry)

    async def refresh(self, pool: Pool) -> None:
        """Count anew when the last count is a minute old; without a database the last figures stay."""
        if self._counted_at is not None and self._clock() - self._counted_at < _EVERY_S:
            return
        now = datetime.now(UTC)
        try:
            async with pool.connection(timeout=2.0) as connection:
                report = await day_reports.gather(connection, "", now - _SPAN, now, now=now, exercise=False)
        except (psycopg.Error, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed):
            return
        self._counted_at = self._clock()
        self._take(report, now)

    def _take(self, report: DayReport, now: datetime) -> None:
        figures = report.figures
        self._per_operator.set(per_operator(figures, report.operators))
        self._busiest.set(figures.busiest)
        self._flood.set(figures.in_flood)
        self._chattering.set(figures.chattering)
        self._stale.set(figures.stale)
        self._hole.set(sum(hole.starts_at < now + _AHEAD for hole in report.holes))
        # What no longer occurs shall not stand there for ever with its last value.
        for gauge in (self._severity, self._sources, self._seconds, self._false, self._delivered):
            gauge.clear()
        for grade, share in shares(figures.by_severity).items():
            self._severity.labels(int(grade)).set(share)
        for rank, source in enumerate(figures.top_sources[:_TOP], 1):
            self._sources.labels(rank).set(float(source["times"]))
        for step, clock in figures.clocks.items():
            self._seconds.labels(step, "0.5").set(clock["median_s"])
            self._seconds.labels(step, "0.9").set(clock["ninth_decile_s"])
        for detector, share in false_alarm_shares(figures).items():
            self._false.labels(detector).set(share)
        for each in report.deliveries:
            if (delivered := delivered_share(each)) is not None:
                self._delivered.labels(each.receiver).set(delivered)
