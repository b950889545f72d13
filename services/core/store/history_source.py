"""Where a history is read from: the readings themselves or one of their summaries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from services.core.store import summary
from services.core.store.storage_policy import StoragePolicy


class Source(StrEnum):
    """The readings, or what is kept of each minute, hour or day (UTC) of a sensor."""

    RAW = "raw"
    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"


VIEWS: Mapping[Source, str] = {
    Source.RAW: "reading",
    Source.MINUTE: summary.MINUTE.view,
    Source.HOUR: summary.HOUR.view,
    Source.DAY: summary.DAY.view,
}
"""What a source is called in the database."""
GRAINS: Mapping[Source, timedelta] = {
    Source.DAY: summary.DAY.width,
    Source.HOUR: summary.HOUR.width,
    Source.MINUTE: summary.MINUTE.width,
}
"""The length of time one row of a summary stands for, the longest first."""

Kept = Mapping[Source, timedelta | None]
"""How long each source is kept; ``None``: for ever."""

_FEWEST_ROWS = 2
"""A bucket is made of so many rows of a summary at least: rounding it up then costs a third of the points at most."""
_SHORTEST_BUCKET = timedelta(seconds=1)
_ORIGIN = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BucketPlan:
    """How a stretch of time is divided: equal buckets from ``start`` on, made of the rows of ``source``."""

    source: Source
    start: datetime
    end: datetime
    width: timedelta


def kept_sources(policy: StoragePolicy) -> Kept:
    """How long a deployment keeps each source."""
    ages = summary.kept(policy)
    return {source: ages[view] for source, view in VIEWS.items()}


def plan_buckets(start: datetime, end: datetime, points: int, *, kept: Kept, now: datetime) -> BucketPlan:
    """The plan with at most ``points`` buckets that reads the fewest rows.

    Of the sources that reach back to ``start`` it takes the longest summary of which two rows or more make a bucket,
    or else the finest. A bucket is then a whole number of the summary's rows, and the first one begins with the row
    that ``start`` lies in. ``start`` lies before ``end``, ``points`` is 1 or more.
    """
    source = _source((end - start) / points, kept, now - start)
    if source is Source.RAW:
        return BucketPlan(source, start, end, _whole((end - start) / points, _SHORTEST_BUCKET))
    grain = GRAINS[source]
    beginning = start - (start - _ORIGIN) % grain
    return BucketPlan(source, beginning, end, _whole((end - beginning) / points, grain))


def plan_readings(start: datetime, end: datetime, points: int) -> BucketPlan:
    """The plan with at most ``points`` buckets of readings: no summary says what was known when."""
    return BucketPlan(Source.RAW, start, end, _whole((end - start) / points, _SHORTEST_BUCKET))


def _source(needed: timedelta, kept: Kept, age: timedelta) -> Source:
    # Where nothing reaches back so far, whatever reaches farthest has to do.
    wanted = min(age, max(_reach(source, kept) for source in Source))
    reaching = [source for source in Source if _reach(source, kept) >= wanted]
    fitting = [source for source, grain in GRAINS.items() if source in reaching and grain * _FEWEST_ROWS <= needed]
    return fitting[0] if fitting else reaching[0]


def _reach(source: Source, kept: Kept) -> timedelta:
    age = kept[source]
    return timedelta.max if age is None else age


def _whole(length: timedelta, grain: timedelta) -> timedelta:
    """The length rounded up to a multiple of the grain."""
    return -(-length // grain) * grain
