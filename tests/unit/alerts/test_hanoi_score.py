"""The measures of LeakDB, on years short enough to count by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import exp
from typing import Any

import pytest

from tests.benchmarks.detection.hanoi_score import judged

BEGIN = datetime(2017, 1, 15, tzinfo=UTC)
STEP = timedelta(minutes=30)


def step(number: int) -> datetime:
    return BEGIN + STEP * number


def alert(first: int, last: int | None, *suspects: str, kind: str = "leak-suspected") -> dict[str, Any]:
    return {
        "kind": kind,
        "detected_at": step(first).isoformat(),
        "cleared_at": None if last is None else step(last).isoformat(),
        "trace": [{"asset": asset, "probability": 0.5} for asset in suspects],
    }


def year(alerts: Sequence[dict[str, Any]], *leaks: tuple[str, int, int]) -> Any:
    return judged(alerts, [(asset, step(first), step(last)) for asset, first, last in leaks], (BEGIN, step(100)))


def test_steps_are_counted_by_what_was_and_what_was_told() -> None:
    counted = year([alert(14, 25, "b", "a")], ("a", 10, 19))
    assert (counted.hits, counted.missed, counted.false_alarms, counted.quiet) == (6, 4, 5, 85)


def test_a_leak_found_late_earns_less_and_its_node_has_a_rank() -> None:
    [leak] = year([alert(14, 25, "b", "a")], ("a", 10, 20)).leaks
    assert leak.delay_days == pytest.approx(4 / 48)
    assert leak.early == pytest.approx(2 / (1 + exp(6 * 0.4)))
    assert leak.recall == pytest.approx(7 / 11)
    assert leak.rank == 1


def test_an_alarm_that_is_not_held_earns_nothing_for_being_early() -> None:
    [leak] = year([alert(10, 12, "a")], ("a", 10, 20)).leaks
    assert leak.early == 0.0
    assert leak.delay_days == 0.0


def test_a_leak_older_than_the_scored_time_is_judged_from_there_on_but_is_late() -> None:
    [leak] = year([alert(-10, None, "a")], ("a", -20, 20)).leaks
    assert leak.recall == 1.0
    assert leak.delay_days == pytest.approx(20 / 48)


def test_faults_of_sensors_are_no_alarms_in_a_year_without_a_leak() -> None:
    quiet = year([alert(3, 9, kind="inlet-meter-off-pressures")])
    assert (quiet.leak_free, quiet.alarms, quiet.false_alarms) == (True, 0, 0)
    assert year([alert(3, 9)]).alarms == 1
