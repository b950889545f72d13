"""From values to severities."""

import json
from datetime import timedelta
from math import nan

import pytest

from services.core.grading import Grading
from services.core.severity import Severity
from services.core.threshold import Side, Threshold

MINOR = Threshold(Severity.MINOR, Side.ABOVE, 5, 4, on_delay=timedelta(seconds=120))
MAJOR = Threshold(Severity.MAJOR, Side.ABOVE, 20, 16, off_delay=timedelta(seconds=60))
CRITICAL = Threshold(Severity.CRITICAL, Side.ABOVE, 50, 40)
LOW = Threshold(Severity.MODERATE, Side.BELOW, -5, -4)


def test_a_jump_over_two_grades_raises_the_highest_at_once() -> None:
    grading = Grading([MINOR, MAJOR, CRITICAL])
    assert grading.observe(0, 1) is Severity.NORMAL
    assert grading.observe(60, 70) is Severity.CRITICAL
    assert grading.reached == (MAJOR, CRITICAL)


def test_the_on_delay_has_to_be_filled_without_interruption() -> None:
    grading = Grading([MINOR])
    assert grading.observe(0, 6) is Severity.NORMAL
    assert grading.observe(60, 1) is Severity.NORMAL
    assert grading.observe(90, 6) is Severity.NORMAL
    assert grading.observe(180, 6) is Severity.NORMAL
    assert grading.observe(210, 6) is Severity.MINOR
    assert grading.started_s == 90


def test_hysteresis_holds_between_the_limits_and_the_off_delay_after_them() -> None:
    grading = Grading([MAJOR])
    grading.observe(0, 21)
    assert grading.observe(60, 17) is Severity.MAJOR
    assert grading.observe(120, 15) is Severity.MAJOR
    assert grading.observe(150, 17) is Severity.MAJOR
    assert grading.observe(180, 15) is Severity.MAJOR
    assert grading.observe(240, 15) is Severity.NORMAL


def test_both_sides_are_graded() -> None:
    grading = Grading([MAJOR, LOW])
    assert grading.observe(0, -6) is Severity.MODERATE
    assert grading.observe(1, 0) is Severity.NORMAL
    assert grading.observe(2, 25) is Severity.MAJOR


def test_unknown_is_not_recovered() -> None:
    grading = Grading([CRITICAL])
    grading.observe(0, 60)
    assert grading.observe(60, nan) is Severity.CRITICAL


def test_a_gap_does_not_fill_a_delay() -> None:
    grading = Grading([MINOR])
    grading.observe(0, 6)
    grading.interrupt()
    assert grading.observe(9999, 6) is Severity.NORMAL
    assert grading.observe(9999 + 120, 6) is Severity.MINOR


@pytest.mark.parametrize("values", [[6, 6, 6], [25, 18, 3], [60, 45, 30], [1, 2, 3]])
def test_state_goes_through_json(values: list[float]) -> None:
    whole, first = Grading([MINOR, MAJOR, CRITICAL]), Grading([MINOR, MAJOR, CRITICAL])
    second = Grading([MINOR, MAJOR, CRITICAL])
    first.observe(0, values[0])
    second.restore(json.loads(json.dumps(first.state())))
    whole.observe(0, values[0])
    for position, value in enumerate(values[1:], start=1):
        assert second.observe(position * 60, value) is whole.observe(position * 60, value)
        assert second.started_s == whole.started_s


def test_a_redefined_grade_starts_afresh() -> None:
    old = Grading([CRITICAL])
    old.observe(0, 60)
    new = Grading([MAJOR])
    new.restore(old.state())
    assert new.severity is Severity.NORMAL
