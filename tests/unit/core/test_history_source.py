"""Which source a history is read from, and how its time is divided."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.store.history_source import GRAINS, Source, kept_sources, plan_buckets
from services.core.store.storage_policy import StoragePolicy

NOON = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
FOR_EVER = dict.fromkeys(Source)
KEPT = kept_sources(StoragePolicy(keep_raw=timedelta(days=30), keep_1m=timedelta(days=90)))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("length", "points", "source", "width"),
    [
        (timedelta(minutes=1), 600, Source.RAW, timedelta(seconds=1)),
        (HOUR, 600, Source.RAW, timedelta(seconds=6)),
        (HOUR, 31, Source.RAW, timedelta(seconds=117)),
        (HOUR, 30, Source.MINUTE, timedelta(minutes=2)),
        (DAY, 600, Source.MINUTE, timedelta(minutes=3)),
        (25 * DAY, 300, Source.HOUR, 2 * HOUR),
        (365 * DAY, 600, Source.HOUR, 15 * HOUR),
        (360 * DAY, 180, Source.DAY, 3 * DAY),
        (3650 * DAY, 600, Source.DAY, 7 * DAY),
    ],
)
def test_the_longest_summary_that_fits_into_a_bucket_is_read(
    length: timedelta, points: int, source: Source, width: timedelta
) -> None:
    plan = plan_buckets(NOON - length, NOON, points, kept=FOR_EVER, now=NOON)
    assert (plan.source, plan.width) == (source, width)


@pytest.mark.parametrize(
    ("age", "source", "width"),
    [
        (29 * DAY, Source.RAW, timedelta(seconds=6)),
        (31 * DAY, Source.MINUTE, timedelta(minutes=1)),
        (91 * DAY, Source.HOUR, HOUR),
    ],
)
def test_what_was_dropped_is_read_from_what_is_kept_longer(age: timedelta, source: Source, width: timedelta) -> None:
    plan = plan_buckets(NOON - age, NOON - age + HOUR, 600, kept=KEPT, now=NOON)
    assert (plan.source, plan.width) == (source, width)


def test_before_everything_that_is_kept_the_longest_kept_is_read() -> None:
    kept = {Source.RAW: DAY, Source.MINUTE: 2 * DAY, Source.HOUR: 9 * DAY, Source.DAY: 9 * DAY}
    for points, source in ((600, Source.HOUR), (2, Source.DAY)):
        plan = plan_buckets(NOON - 50 * DAY, NOON - 45 * DAY, points, kept=kept, now=NOON)
        assert plan.source is source


def test_a_range_that_lies_ahead_is_read_from_the_readings() -> None:
    assert plan_buckets(NOON + DAY, NOON + DAY + HOUR, 600, kept=KEPT, now=NOON).source is Source.RAW


moments = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 - the zone is put in below
    lambda moment: moment.replace(tzinfo=timezone(timedelta(hours=5, minutes=45)))
)


@given(moments, st.timedeltas(timedelta(microseconds=1), timedelta(days=9000)), st.integers(1, 5000))
def test_a_plan_covers_the_time_in_whole_rows_and_in_no_more_buckets_than_asked_for(
    start: datetime, length: timedelta, points: int
) -> None:
    plan = plan_buckets(start, start + length, points, kept=FOR_EVER, now=NOON)
    assert plan.start <= start
    assert plan.end == start + length
    assert -(-(plan.end - plan.start) // plan.width) <= points
    if plan.source is Source.RAW:
        assert plan.start == start
        assert plan.width % timedelta(seconds=1) == timedelta()
        return
    grain = GRAINS[plan.source]
    assert start - plan.start < grain
    assert plan.width % grain == timedelta()
    assert (plan.start - datetime(2000, 1, 1, tzinfo=UTC)) % grain == timedelta()
    assert not any(grain < longer <= length / points / 2 for longer in GRAINS.values())
