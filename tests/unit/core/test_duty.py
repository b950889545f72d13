"""Duty calendars: read, laid out, and their holes shown."""

from datetime import UTC, datetime, timedelta

import pytest

from services.core.duty import RotaError, holes, read_rota
from services.core.organisation import Person
from services.core.text import Text

SINCE = datetime(2026, 1, 5, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=7)
PEOPLE = [
    Person("p-1", "centre", "An Yiming", Text("Duty operator", "值班员"), "555-0101"),
    Person("p-2", "centre", "Bai Xue", Text("Duty operator", "值班员"), "555-0102"),
]


def _calendar(*entries: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\r\n{entry}END:VEVENT\r\n" for entry in entries)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{body}END:VCALENDAR\r\n".encode()


def _entry(who: str, start: str, end: str, *more: str) -> str:
    lines = [f"UID:{who}-{start}", f"SUMMARY:{who}", f"DTSTART:{start}", f"DTEND:{end}", *more]
    return "".join(f"{line}\r\n" for line in lines)


DAYS = _entry("An Yiming", "20260105T000000Z", "20260105T120000Z", "RRULE:FREQ=DAILY", "CATEGORIES:operator,day")
NIGHTS = _entry("p-2", "20260105T120000Z", "20260106T000000Z", "RRULE:FREQ=DAILY;COUNT=5", "CATEGORIES:operator")


def test_what_comes_again_is_laid_out_and_people_are_known_by_name_or_identifier() -> None:
    shifts = read_rota(_calendar(DAYS, NIGHTS), "centre", PEOPLE, SINCE, UNTIL)
    assert [shift.person for shift in shifts].count("p-1") == 7
    assert [shift.person for shift in shifts].count("p-2") == 5
    assert {shift.role for shift in shifts} == {"operator"}
    again = read_rota(_calendar(NIGHTS, DAYS), "centre", PEOPLE, SINCE, UNTIL)
    assert {shift.id for shift in again} == {shift.id for shift in shifts}, "the same shift got another identity"


def test_holes_are_seen_in_advance() -> None:
    shifts = read_rota(_calendar(DAYS, NIGHTS), "centre", PEOPLE, SINCE, UNTIL)
    found = holes(shifts, SINCE, UNTIL)
    sixth, seventh = SINCE + timedelta(days=5, hours=12), SINCE + timedelta(days=6, hours=12)
    half = timedelta(hours=12)
    assert [(hole.starts_at, hole.ends_at) for hole in found] == [(sixth, sixth + half), (seventh, seventh + half)]
    assert holes([], SINCE, UNTIL) == [], "a role without a rota has no holes"


def test_a_shift_in_local_time_is_kept_in_utc() -> None:
    local = _entry("p-1", "20260105T080000", "20260105T200000").replace("DTSTART:", "DTSTART;TZID=Asia/Shanghai:")
    local = local.replace("DTEND:", "DTEND;TZID=Asia/Shanghai:")
    (shift,) = read_rota(_calendar(local), "centre", PEOPLE, SINCE, UNTIL)
    assert (shift.starts_at, shift.ends_at) == (SINCE, SINCE + timedelta(hours=12))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"not a calendar", "not an iCalendar file"),
        (_calendar(_entry("Nobody", "20260105T000000Z", "20260105T120000Z")), "'Nobody' is nobody of centre"),
        (_calendar(_entry("p-1", "20260105T120000Z", "20260105T120000Z")), "lasts more than nothing"),
        (_calendar(_entry("p-1", "20260105T000000Z", "20260105T120000Z", "RRULE:FREQ=SECONDLY")), "RRULE must be like"),
        (_calendar("SUMMARY:p-1\r\nUID:1\r\n"), "DTSTART is missing"),
        (b" " * 60_001, "larger than"),
    ],
)
def test_a_calendar_that_cannot_be_used_is_refused_with_the_entry_and_the_reason(text: bytes, reason: str) -> None:
    with pytest.raises(RotaError, match=reason):
        read_rota(text, "centre", PEOPLE, SINCE, UNTIL)
