"""Weekends, holidays, the year and the clock of a city."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import isnan
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from services.alerts.detectors.weekly_seasonal import WeeklySeasonal

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)


def demand(
    start: datetime, days: float, *, city: str = "UTC", holidays: tuple[str, ...] = (), trend: float = 0.0
) -> Iterator[tuple[float, float]]:
    """100 by day and 60 by night on working days, 40 lower all day on weekends and holidays, noise of 1."""
    rng = np.random.default_rng(4)
    for step in range(int(days * 96)):
        moment = start + step * QUARTER
        local = moment.astimezone(ZoneInfo(city))
        free = local.weekday() >= 5 or local.date().isoformat() in holidays
        value = (100 if 7 <= local.hour < 22 else 60) - (40 if free else 0) + trend * step / 96
        yield moment.timestamp(), value + float(rng.normal(0, 1))


def learnt(detector: WeeklySeasonal, stream: Iterator[tuple[float, float]]) -> WeeklySeasonal:
    for time_s, value in stream:
        detector.learn(time_s, value)
    return detector


def sizes(detector: WeeklySeasonal, stream: Iterator[tuple[float, float]], hour: int = 12) -> list[float]:
    """The scores around noon, where the edges of the day do not blur the profile."""
    return [abs(detector.score(time_s, value).value) for time_s, value in stream if (time_s // 3600) % 24 == hour]


def test_a_saturday_is_not_judged_by_fridays() -> None:
    detector = learnt(WeeklySeasonal(1.0, relative_floor=0.0), demand(MONDAY, 14))
    saturday = MONDAY + timedelta(days=19)
    assert max(sizes(detector, demand(saturday, 1))) < 4
    friday_values = [(time_s + 86_400, value) for time_s, value in demand(saturday - timedelta(days=1), 1)]
    assert min(sizes(detector, iter(friday_values))) > 8


def test_the_first_weekend_is_unknown_rather_than_wrong() -> None:
    detector = learnt(WeeklySeasonal(1.0), demand(MONDAY, 4))
    assert not isnan(detector.score((MONDAY + 4 * 24 * HOUR + 12 * HOUR).timestamp(), 100).value)
    assert isnan(detector.score((MONDAY + 5 * 24 * HOUR + 12 * HOUR).timestamp(), 60).value)


def test_a_holiday_is_lived_like_the_day_it_is_given() -> None:
    wednesday = MONDAY + timedelta(days=30)
    holidays = (wednesday.date().isoformat(),)
    told = learnt(WeeklySeasonal(1.0, relative_floor=0.0, holidays=dict.fromkeys(holidays, 6)), demand(MONDAY, 28))
    assert max(sizes(told, demand(wednesday, 1, holidays=holidays))) < 4
    not_told = learnt(WeeklySeasonal(1.0, relative_floor=0.0), demand(MONDAY, 28))
    assert min(sizes(not_told, demand(wednesday, 1, holidays=holidays))) > 8


def test_a_worked_sunday_is_a_working_day() -> None:
    sunday = MONDAY + timedelta(days=34)
    detector = learnt(
        WeeklySeasonal(1.0, relative_floor=0.0, holidays={sunday.date().isoformat(): 0}), demand(MONDAY, 28)
    )
    worked = [(time_s + 86_400, value) for time_s, value in demand(sunday - timedelta(days=2), 1)]
    worked = [(time_s + 86_400, value) for time_s, value in worked]
    assert max(sizes(detector, iter(worked))) < 4


def test_days_of_the_week_part_once_their_weeks_were_seen() -> None:
    """Mondays are 20 higher: no news after some weeks, though other working days pull at first."""

    def with_mondays(start: datetime, days: float) -> Iterator[tuple[float, float]]:
        for time_s, value in demand(start, days):
            yield time_s, value + (20 if datetime.fromtimestamp(time_s, UTC).weekday() == 0 else 0)

    def missed(days: int) -> float:
        """By how much the Monday after so many days is missed at noon."""
        noon = (MONDAY + timedelta(days=days, hours=12)).timestamp()
        told = learnt(WeeklySeasonal(1.0), with_mondays(MONDAY, days)).score(noon, 120)
        assert told.expected is not None
        return 120 - told.expected

    assert missed(56) < 0.6 * missed(14)


def test_the_year_moves_the_level_and_raises_no_score() -> None:
    detector = WeeklySeasonal(1.0, relative_floor=0.0)
    found = []
    for time_s, value in demand(MONDAY, 90, trend=0.2):
        found.append(abs(detector.score(time_s, value).value))
        detector.learn(time_s, value)
    assert np.nanpercentile(found[-20 * 96 :], 99) < 4


def test_days_begin_at_the_citys_midnight_and_follow_its_summer_time() -> None:
    """On the Sunday on which Rome puts its clocks forward people get up an hour earlier by universal time."""
    detector = learnt(
        WeeklySeasonal(1.0, relative_floor=0.0, timezone="Europe/Rome"), demand(MONDAY, 26, city="Europe/Rome")
    )
    after = MONDAY + timedelta(days=28)
    # 05:00 UTC is 07:00 in Rome now, when the day begins; it was 06:00 before.
    assert max(sizes(detector, demand(after, 1, city="Europe/Rome"), hour=6)) < 4


@pytest.mark.parametrize("wrong", [{"2026-02-30": 6}, {"today": 6}, {"2026-02-20": 7}])
def test_a_wrong_holiday_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"day|iso"):
        WeeklySeasonal(1.0, holidays=wrong)
