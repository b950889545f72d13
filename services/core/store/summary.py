"""The summaries of readings: what is kept of each minute, hour and day (UTC) of a sensor.

They are read by the same names and columns on every storage level: ``sensor_key``, ``bucket`` (its start), the
``minimum``, ``maximum`` and ``total`` of the values, ``count`` of good and suspect readings, ``suspect`` and ``bad``,
``last_value`` and ``last_time``. Bad readings are counted in ``bad`` and are part of nothing else.
"""

from dataclasses import dataclass
from datetime import timedelta

from services.core.store.storage_policy import LATENESS, StoragePolicy

ORIGIN = "timestamptz '2000-01-01 00:00:00+00'"
"""A midnight (UTC) that all buckets are counted from."""

COLUMNS = ("minimum", "maximum", "total", "count", "suspect", "bad", "last_value", "last_time")


@dataclass(frozen=True, slots=True)
class Summary:
    """One view, what it summarises, and the table that holds it where the server has no continuous aggregates."""

    view: str
    source: str
    source_time: str
    table: str
    source_table: str
    width: timedelta
    closed_after: timedelta
    """How long after its end a bucket is written down; until then it is worked out when it is asked for."""
    chunk_interval: timedelta | None
    """Stretch of one chunk of the summary; ``None``: like the readings."""

    @property
    def interval(self) -> str:
        """The width as an SQL literal."""
        return f"interval '{int(self.width.total_seconds())} seconds'"

    @property
    def columns(self) -> str:
        """The summary's columns, made from rows of its source."""
        return _OF_READINGS if self.source == "reading" else _OF_SUMMARIES


_OF_READINGS = """
    min(value) filter (where quality < 2) as minimum,
    max(value) filter (where quality < 2) as maximum,
    sum(value) filter (where quality < 2) as total,
    count(*) filter (where quality < 2) as count,
    count(*) filter (where quality = 1) as suspect,
    count(*) filter (where quality = 2) as bad,
    (array_agg(value order by time desc) filter (where quality < 2))[1] as last_value,
    max(time) filter (where quality < 2) as last_time
"""
_OF_SUMMARIES = """
    min(minimum) as minimum,
    max(maximum) as maximum,
    sum(total) as total,
    sum(count)::bigint as count,
    sum(suspect)::bigint as suspect,
    sum(bad)::bigint as bad,
    (array_agg(last_value order by last_time desc) filter (where count > 0))[1] as last_value,
    max(last_time) as last_time
"""

MINUTE = Summary("reading_1m", "reading", "time", "rollup_1m", "reading", timedelta(minutes=1), LATENESS, None)
HOUR = Summary(
    "reading_1h",
    "reading_1m",
    "bucket",
    "rollup_1h",
    "rollup_1m",
    timedelta(hours=1),
    timedelta(hours=1),
    timedelta(days=30),
)
DAY = Summary(
    "reading_1d",
    "reading_1h",
    "bucket",
    "rollup_1d",
    "rollup_1h",
    timedelta(days=1),
    timedelta(days=1),
    timedelta(days=365),
)
SUMMARIES = (MINUTE, HOUR, DAY)
"""Each is made from the one before it."""


def kept(policy: StoragePolicy) -> dict[str, timedelta | None]:
    """How long the readings and each summary are kept, by the name they are read by."""
    ages = (policy.keep_raw, policy.keep_1m, policy.keep_1h, policy.keep_1d)
    return dict(zip(("reading", *(summary.view for summary in SUMMARIES)), ages, strict=True))
