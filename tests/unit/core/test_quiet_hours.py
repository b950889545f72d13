"""When a receiver is left to sleep, and what wakes it all the same."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.channel import Channel, ReceiverNotValidError, check_receiver
from services.core.quiet_hours import QuietHours, QuietHoursError
from services.core.severity import Severity

NIGHT = {"from": "22:00", "until": "07:00", "time_zone": "Asia/Shanghai"}
MODERATE, MAJOR = Severity.MODERATE, Severity.MAJOR


def _hours(**changes: Any) -> QuietHours:
    found = QuietHours.from_settings({"quiet_hours": NIGHT | changes})
    assert found is not None
    return found


def _utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 7, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        (_utc(14, 13, 59), None),  # 21:59 in Shanghai
        (_utc(14, 14, 0), _utc(14, 23)),  # 22:00
        (_utc(14, 22, 59), _utc(14, 23)),  # 06:59 of the next day
        (_utc(14, 23, 0), None),  # 07:00
        (_utc(15, 4, 0), None),  # noon
    ],
)
def test_a_night_goes_over_midnight_in_the_receivers_own_time(moment: datetime, until: datetime | None) -> None:
    assert _hours().end_for(moment, MODERATE) == until


def test_what_overrides_is_told_at_any_hour() -> None:
    assert _hours().end_for(_utc(14, 18), MAJOR) is None
    assert _hours(overridden_from=4).end_for(_utc(14, 18), MAJOR) == _utc(14, 23)
    assert _hours(overridden_from=4).end_for(_utc(14, 18), Severity.CRITICAL) is None


def test_a_siesta_lies_within_a_day() -> None:
    siesta = _hours(**{"from": "12:00", "until": "14:00"})
    assert siesta.end_for(_utc(14, 5), MODERATE) == _utc(14, 6)
    assert siesta.end_for(_utc(14, 6), MODERATE) is None
    assert siesta.end_for(_utc(14, 18), MODERATE) is None


def test_a_night_with_a_change_of_the_clock_ends_at_the_same_time_of_the_day() -> None:
    # Clocks in Berlin go from 3:00 back to 2:00 in the night to 25 October 2026: seven in the morning is 6:00 UTC.
    berlin = _hours(time_zone="Europe/Berlin")
    assert berlin.end_for(datetime(2026, 10, 24, 21, tzinfo=UTC), MODERATE) == datetime(2026, 10, 25, 6, tzinfo=UTC)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(0, 1439), st.integers(0, 1439))  # noqa: DTZ001 - hypothesis takes them naive
def test_what_waits_waits_for_less_than_a_day_and_is_told_then(moment: datetime, first: int, last: int) -> None:
    if first == last:
        return
    begins, ends = (f"{minute // 60:02}:{minute % 60:02}" for minute in (first, last))
    hours = _hours(**{"from": begins, "until": ends, "time_zone": "Europe/Berlin"})
    now = moment.replace(tzinfo=UTC)
    end = hours.end_for(now, MODERATE)
    if end is not None:
        assert now < end <= now + timedelta(hours=25)


@pytest.mark.parametrize(
    ("given_hours", "reason"),
    [
        ({"until": "22:00"}, "must differ"),
        ({"from": "25:00"}, "quiet_hours.from: must be a time of the day"),
        ({"from": 22}, "quiet_hours.from: must be a time of the day"),
        ({"until": "07:00+08:00"}, "quiet_hours.until: must be a time of the day"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
        ({"overridden_from": 5}, "the worst is always told"),
        ({"overridden_from": 0}, "overridden_from"),
        ({"overridden_from": True}, "overridden_from"),
        ({"weekdays": "MO"}, "no others"),
    ],
)
def test_hours_that_cannot_be_are_refused_with_the_field(given_hours: dict[str, Any], reason: str) -> None:
    with pytest.raises(QuietHoursError, match=reason):
        QuietHours.from_settings({"quiet_hours": NIGHT | given_hours})
    with pytest.raises(ReceiverNotValidError) as refused:
        check_receiver(Channel.WEBHOOK, "https://a.example/", {"quiet_hours": NIGHT | given_hours}, {})
    assert refused.value.field.startswith("settings.quiet_hours")


def test_a_siren_has_no_quiet_hours() -> None:
    with pytest.raises(ReceiverNotValidError, match="is none of"):
        check_receiver(Channel.MQTT, "mqtt:", {"quiet_hours": NIGHT}, {})


def test_who_has_none_is_told_at_any_hour() -> None:
    assert QuietHours.from_settings({}) is None
