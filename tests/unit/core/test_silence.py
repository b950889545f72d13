"""What a silence keeps quiet, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.core.lifeline import Lifeline
from services.core.recurrence import RecurrenceError, recurrence_of
from services.core.severity import Severity
from services.core.silence import Matcher, Silence, SilenceError, SilenceKind, check

START = datetime(2026, 1, 6, 2, tzinfo=UTC)
"""A Tuesday."""


def _silence(**changes: Any) -> Silence:
    silence = Silence(
        id=uuid4(),
        kind=SilenceKind.MAINTENANCE,
        matcher=Matcher(zone="W1"),
        starts_at=START,
        ends_at=START + timedelta(hours=2),
        recurrence=None,
        mutes_to=Severity.MAJOR,
        records=True,
        reason="valve works",
        author="duty officer",
        created_at=START,
    )
    return replace(silence, **changes)


def test_a_silence_holds_from_its_start_and_no_longer_at_its_end() -> None:
    silence = _silence()
    moments = [START - timedelta(seconds=1), START, START + timedelta(hours=2) - timedelta(seconds=1), silence.ends_at]
    assert [silence.holds_at(moment) for moment in moments] == [False, True, True, False]
    assert silence.over_at(START) == silence.ends_at
    assert silence.over_at(silence.ends_at) is None


def test_a_weekly_window_holds_every_week_and_only_then() -> None:
    silence = _silence(recurrence="FREQ=WEEKLY;BYDAY=TU")
    check(silence)
    week = timedelta(weeks=1)
    assert silence.holds_at(START + 5 * week + timedelta(hours=1))
    assert silence.over_at(START + 5 * week + timedelta(hours=1)) == START + 5 * week + timedelta(hours=2)
    assert not silence.holds_at(START + 5 * week + timedelta(hours=3))
    assert not silence.holds_at(START - week), "a window does not reach back before its first time"
    ended = replace(silence, ended_at=START + 3 * week)
    assert ended.holds_at(START + 2 * week)
    assert not ended.holds_at(START + 5 * week), "what was ended comes again"


def test_a_matcher_asks_for_everything_that_it_names() -> None:
    marks: dict[str, Any] = {
        "lifeline": Lifeline.WATER,
        "zone": "W1",
        "asset": "WJ-1",
        "kind": "pressure-low",
        "sensors": ("P-1",),
    }
    assert Matcher(zone="W1", kind="pressure-low").fits(**marks)
    assert not Matcher(zone="W1", kind="tank-level").fits(**marks)
    assert Matcher(sensor="P-1").fits(**marks)
    several = marks | {"sensors": ("P-1", "P-2")}
    assert not Matcher(sensor="P-1").fits(**several), "what a second sensor tells as well must not be muted"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ends_at": START}, "ends_at"),
        ({"kind": SilenceKind.SHELVING, "ends_at": START + timedelta(hours=9)}, "ends_at"),
        ({"kind": SilenceKind.SILENCE, "recurrence": "FREQ=DAILY"}, "recurrence"),
        ({"recurrence": "FREQ=DAILY", "ends_at": START + timedelta(days=2)}, "recurrence"),
        ({"recurrence": "every tuesday"}, "recurrence"),
    ],
)
def test_a_silence_that_would_mute_too_much_or_never_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(SilenceError, match=rf"^{field}: "):
        check(_silence(**changes))


def test_a_silence_of_everything_is_refused() -> None:
    with pytest.raises(SilenceError, match=r"^matcher: "):
        Matcher()


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=YEARLY",
        "FREQ=DAILY;BYSETPOS=1",
        "",
        "FREQ=MONTHLY;BYMONTHDAY=31",
    ],
)
def test_a_rule_that_could_keep_the_service_busy_is_refused(rule: str) -> None:
    with pytest.raises(RecurrenceError):
        recurrence_of(rule, START)
