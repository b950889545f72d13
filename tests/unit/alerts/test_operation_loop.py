"""Unusual operation of a pump and its loop, measured every second."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from math import sin, tau

import numpy as np
import pytest

from services.alerts.lifelines import discover
from services.alerts.lifelines.water_operation import FLOW_PATH, LOOP_OPERATION, LOOP_UNUSUAL
from services.alerts.zone_engine import ZoneEngine
from services.core.finding import Finding
from services.core.lifeline import Lifeline
from services.core.reading import Reading
from tests.unit.alerts.stream import at, reading, sensor

SECOND = timedelta(seconds=1)
SENSORS = [
    sensor("A-1", Lifeline.WATER, "vibration", interval=SECOND),
    sensor("F-1", Lifeline.WATER, "flow", interval=SECOND),
    sensor("I-1", Lifeline.WATER, "current", interval=SECOND),
    sensor("T-1", Lifeline.WATER, "temperature", interval=SECOND),
]
LEARNT, BEGIN, END = 400, 700, 1000
Change = Callable[[dict[str, float]], None]
KINDS = {FLOW_PATH.kind.kind, LOOP_UNUSUAL.kind.kind}


def _loop(change: Change | None = None, seconds: int = 1400, until: int = END, seed: int = 4) -> list[Reading]:
    """A loop that warms up; the flow meter shows whole litres. ``change`` is what happens from ``BEGIN`` on."""
    rng = np.random.default_rng(seed)
    readings = []
    for second in range(seconds):
        row = {
            "A-1": 0.27 * (1 + second / 40_000) + float(rng.normal(0, 0.004)),
            "F-1": 32.4 + float(rng.normal(0, 0.3)),
            "I-1": 1.0 + 0.3 * sin(tau * second / 80) + float(rng.normal(0, 0.1)),
            "T-1": 60 + 10 * second / seconds,
        }
        if change is not None and BEGIN <= second < until:
            change(row)
        row["F-1"] = float(round(row["F-1"]))
        readings += [reading(name, second / 60, value) for name, value in row.items()]
    return readings


def _judged(readings: Sequence[Reading], learnt: int = LEARNT) -> list[Finding]:
    rules = discover()[Lifeline.WATER]
    whole = ZoneEngine("Z1", rules, SENSORS, allowed_lateness=timedelta(0), learn_until=at(learnt / 60))
    return whole.observe(readings) + whole.release()


def _told(findings: Sequence[Finding]) -> list[tuple[str, str, str, float]]:
    return [
        (each.kind, str(each.state), each.sensors[0], (each.time - at(0)).total_seconds())
        for each in findings
        if each.kind in KINDS
    ]


def _throttled(row: dict[str, float]) -> None:
    row["F-1"] -= 3


def _unbalanced(row: dict[str, float]) -> None:
    row["A-1"] *= 1.3


def test_a_warming_loop_is_quiet_for_every_rule() -> None:
    assert _judged(_loop()) == []


@pytest.mark.parametrize(
    ("change", "kind", "named"),
    [(_throttled, "flow-path-changed", "F-1"), (_unbalanced, "operation-unusual", "A-1")],
)
def test_a_shift_is_told_within_a_window_and_cleared_within_a_minute(change: Change, kind: str, named: str) -> None:
    found = _told(_judged(_loop(change)))
    assert [each[:3] for each in (found[0], found[-1])] == [(kind, "raised", named), (kind, "cleared", named)]
    assert BEGIN <= found[0][3] <= BEGIN + 15
    assert END <= found[-1][3] <= END + 65


def test_a_change_of_the_instruments_own_size_is_none() -> None:
    def slightly(row: dict[str, float]) -> None:
        row["F-1"] -= 0.2

    assert _told(_judged(_loop(slightly))) == []


def test_what_stays_for_long_is_the_new_level() -> None:
    found = _told(_judged(_loop(_throttled, seconds=2600, until=2600)))
    assert [each[1] for each in found] == ["raised", "changed", "cleared"]
    assert found[-1][3] - found[0][3] == pytest.approx(801, abs=3)


def test_nothing_is_said_of_the_history() -> None:
    assert _told(_judged(_loop(_throttled, seconds=900, until=900), learnt=1000)) == []


def test_slow_instruments_are_not_judged_this_way() -> None:
    slow = [sensor(each.id, Lifeline.WATER, each.quantity, interval=timedelta(minutes=5)) for each in SENSORS[:3]]
    rules = discover()[Lifeline.WATER]
    assert LOOP_OPERATION in rules.searches
    whole = ZoneEngine("Z1", rules, slow, allowed_lateness=timedelta(0))
    whole.observe([reading("F-1", 5 * step, 30.0) for step in range(20)])
    assert not [name for name in whole.changed_state() if "operation" in name]
