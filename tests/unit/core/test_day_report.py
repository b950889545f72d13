"""The report of a day: what it says, in both languages, and that no name in it becomes markup."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from services.core.day_report import DayReport, false_alarm_shares, per_operator, shares, title, written
from services.core.duty import Hole
from services.core.severity import Severity
from services.core.store.alarm_figures import AlarmFigures
from services.core.store.delivery_figures import DeliveryFigures

START, END = datetime(2026, 7, 14, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC)


def _figures(**changes: Any) -> AlarmFigures:
    fields: dict[str, Any] = {
        "alerts": 300,
        "told": 144,
        "warnings": 7,
        "per_hour": 6.0,
        "busiest": 14,
        "in_flood": 0.05,
        "by_severity": {1: 80, 2: 15, 3: 4, 4: 1},
        "suppressed": {"inhibition": 156},
        "top_sources": [{"lifeline": "water", "kind": "pressure-low", "asset": "<b>WJ-1</b>", "times": 12}],
        "chattering": 2,
        "stale": 1,
        "verdicts": [
            {"detector": "residual", "kind": "a", "false_alarms": 1, "true_alarms": 3, "unjudged": 9},
            {"detector": "residual", "kind": "b", "false_alarms": 1, "true_alarms": 3, "unjudged": 0},
            {"detector": "value", "kind": "a", "false_alarms": 0, "true_alarms": 0, "unjudged": 5},
        ],
        "clocks": {"acknowledged": {"count": 5, "median_s": 120.0, "ninth_decile_s": 600.0}},
    }
    return AlarmFigures(**(fields | changes))


def _report(**changes: Any) -> DayReport:
    fields: dict[str, Any] = {
        "city": "tiny",
        "start": START,
        "end": END,
        "figures": _figures(),
        "deliveries": [DeliveryFigures("water-duty", 10, 8, 2, 0, 20, 5.0, 9.0, 0.4)],
        "holes": [Hole("centre", "duty", START, END)],
        "operators": 2.0,
    }
    return DayReport(**(fields | changes))


class _Reader(HTMLParser):
    """Tags and text of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {"src", "href", "onload"} & {name for name, _ in attrs}, "it refers to something outside itself"
        self.tags.append(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} is closed where another is open"

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def _read(report: DayReport) -> _Reader:
    reader = _Reader()
    reader.feed(written(report))
    assert reader.open == []
    return reader


def test_the_document_says_the_figures_in_both_languages() -> None:
    text = _read(_report()).text
    for said in ("Load on the operators · 值班负荷", "300", "0.50", "80%", "<b>WJ-1</b>", "water-duty", "10.00"):
        assert said in text, said
    assert (title(_report()).en, title(_report()).zh) == ("Alarm report tiny 2026-07-14", "tiny 报警日报 2026-07-14")


def test_no_name_becomes_markup() -> None:
    assert not {"b", "script"} & set(_read(_report(city="<script>alert(1)</script>")).tags)


def test_a_quiet_day_is_a_document_as_well() -> None:
    nothing = _figures(told=0, per_hour=0.0, by_severity={}, suppressed={}, top_sources=[], verdicts=[], clocks={})
    text = _read(_report(figures=nothing, deliveries=[], holes=[])).text
    assert text.count("– none · 无 –") == 7


def test_an_exercise_says_that_it_is_one() -> None:
    assert "Exercise 演练" in _read(_report(exercise=True)).text
    assert "Exercise" not in _read(_report()).text


def test_the_two_highest_grades_count_as_high() -> None:
    found = shares({1: 80, 2: 15, 3: 4, 4: 1})
    assert found == {Severity.MINOR: 0.80, Severity.MODERATE: 0.15, Severity.MAJOR: pytest.approx(0.05)}
    assert shares({}) == {}


def test_load_is_for_each_operator_in_ten_minutes() -> None:
    assert per_operator(_figures(per_hour=12.0), 2.0) == 1.0


def test_false_alarms_are_a_share_of_what_was_judged_by_detector() -> None:
    assert false_alarm_shares(_figures()) == {"residual": 0.25}, "what nobody judged is no true alarm"
