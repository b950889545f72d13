"""Water: leaks that pressure tells, flows that are unusual, nights that are too thirsty."""

from collections.abc import Mapping
from datetime import timedelta
from math import sin, tau
from typing import Any

import numpy as np

from services.core.finding import Finding, FindingState
from services.core.lifeline import Lifeline
from services.core.reading import Reading
from tests.unit.alerts.stream import at, engine, judged, reading, restarted, sensor, told

FIVE = timedelta(minutes=5)
GAUGES = [sensor(f"P-{number}", Lifeline.WATER, "pressure", interval=FIVE) for number in range(5)]
METER = sensor("F-1", Lifeline.WATER, "flow", interval=FIVE)
DAY = 24 * 60


def _demand(minute: float, rng: np.random.Generator) -> float:
    return 200 + 90 * sin(tau * minute / DAY) + float(rng.normal(0, 6))


def _pressures(days: float, leak_from: float = 1e9, leak_to: float = 1e9, seed: int = 1) -> list[Reading]:
    rng = np.random.default_rng(seed)
    readings = []
    for minute in range(0, int(days * DAY), 5):
        drawn = _demand(minute, rng)
        for number, gauge in enumerate(GAUGES):
            fall = (6.0 if number == 2 else 1.0) if leak_from <= minute < leak_to else 0.0
            value = 420 - 10 * number - (drawn / 100) ** 1.85 * (1 + number / 5) - fall + float(rng.normal(0, 0.3))
            readings.append(reading(gauge.id, minute, round(value, 2)))
    return readings


def test_ordinary_days_leave_no_residual() -> None:
    assert judged(GAUGES, _pressures(5)) == []


def test_a_leak_is_found_within_twenty_minutes_at_the_gauge_next_to_it() -> None:
    start, end = 3 * DAY + 7, 3 * DAY + 187
    found = judged(GAUGES, _pressures(4, start, end))
    raised = found[0]
    assert (raised.kind, raised.state, raised.sensors[0]) == ("leak-suspected", FindingState.RAISED, "P-2")
    assert raised.asset == "asset-of-P-2"
    assert raised.target == "zone:water-neighbour-residual"
    assert raised.time - at(start) < timedelta(minutes=20)
    assert abs(raised.started_at - at(start)) <= timedelta(minutes=10)
    assert "where the zone's other 4 instruments explain" in raised.explanation.en
    assert raised.threshold is None
    expected = raised.evidence["expected"]
    assert raised.value is not None
    assert expected - raised.value > 3
    assert found[-1].state is FindingState.CLEARED
    assert found[-1].asset == raised.asset
    assert found[-1].time - at(end) < timedelta(hours=1)


def test_a_silent_gauge_keeps_the_others_watching() -> None:
    start = 3 * DAY + 7
    readings = [each for each in _pressures(3.5, start) if not (each.sensor == "P-0" and each.time > at(2.9 * DAY))]
    found = judged(GAUGES, readings)
    [leak] = [each for each in found if each.kind == "leak-suspected" and each.state is FindingState.RAISED]
    assert leak.time - at(start) < timedelta(minutes=20)


def test_flow_far_above_what_is_usual_now_is_suspicious() -> None:
    rng = np.random.default_rng(5)
    burst = 4 * DAY + 600
    readings = [
        reading("F-1", minute, _demand(minute, rng) + (250 if minute >= burst else 0))
        for minute in range(0, burst + 60, 5)
    ]
    found = judged([METER], readings)
    assert told(found, "burst-suspected") == [("raised", 2, burst + 10)]
    assert found[0].evidence["expected"] is not None


def test_a_thirsty_night_is_a_low_severity_finding_in_the_morning() -> None:
    rng = np.random.default_rng(5)
    readings = [
        reading("F-1", minute, _demand(minute, rng) + (12 if minute >= 6.5 * DAY else 0))
        for minute in range(0, 8 * DAY, 5)
    ]
    [finding] = judged([METER], readings)
    assert (finding.kind, int(finding.severity)) == ("night-flow-high", 1)
    assert 8 < finding.score < 15
    assert finding.time == at(6 * DAY + 20 * 60)


def test_restarts_in_the_middle_of_a_leak_change_nothing() -> None:
    stream = _pressures(3.4, 3 * DAY + 7, 3 * DAY + 187)
    current = engine(GAUGES)
    kept: dict[str, Mapping[str, Any]] = {}
    found: list[Finding] = []
    for start in range(0, len(stream), 333):
        found += current.observe(stream[start : start + 333])
        current = restarted(current, kept, GAUGES)
    found += current.release()
    assert found
    assert found == judged(GAUGES, stream)
