"""A person says that nothing is wrong: the rule ends its trouble and learns afresh."""

from datetime import timedelta
from math import pi, sin
from typing import Any

from services.alerts.zone_engine import ZoneEngine
from services.core.finding import Finding, FindingState
from services.core.lifeline import Lifeline
from services.core.new_normal import NewNormalOutcome
from services.core.reading import Reading
from tests.unit.alerts.stream import engine, reading, restarted, sensor

FLOW = sensor("Q", Lifeline.WATER, "flow", interval=timedelta(minutes=15))
RULE, KIND = "water-flow-above-usual", "burst"
DAY = 1440.0


def _day(day: int, factor: float) -> list[Reading]:
    minutes = [day * DAY + 15 * slot for slot in range(96)]
    return [reading("Q", minute, factor * (50 + 20 * sin(2 * pi * minute / DAY))) for minute in minutes]


def _run(judging: ZoneEngine, days: range, factor: float) -> list[Finding]:
    found: list[Finding] = []
    for day in days:
        found += judging.observe(_day(day, factor))
    return [each for each in found if each.rule == RULE]


def _raised() -> ZoneEngine:
    judging = engine([FLOW])
    assert not _run(judging, range(4), 1.0)
    assert [each.state for each in _run(judging, range(4, 5), 2.5)] == [FindingState.RAISED]
    return judging


def test_what_was_unusual_ends_at_once_and_stays_quiet() -> None:
    judging, findings = _raised(), list[Finding]()
    assert judging.accept(RULE, "Q", findings) is NewNormalOutcome.TAKEN
    (ended,) = findings
    assert ended.state is FindingState.CLEARED
    assert ended.severity == 0
    assert "new normal" in ended.explanation.en
    assert "新常态" in ended.explanation.zh
    assert not _run(judging, range(5, 12), 2.5), "what a person calls normal raised again"


def test_the_rule_goes_on_watching_from_the_new_normal() -> None:
    judging = _raised()
    judging.accept(RULE, "Q", [])
    assert not _run(judging, range(5, 9), 2.5)
    assert _run(judging, range(9, 10), 6.0)[0].state is FindingState.RAISED


def test_it_is_remembered_across_a_restart() -> None:
    judging, kept = _raised(), dict[str, Any]()
    judging = restarted(judging, kept, [FLOW])
    judging.accept(RULE, "Q", [])
    judging = restarted(judging, kept, [FLOW])
    assert not _run(judging, range(5, 9), 2.5)


def test_a_quiet_rule_has_nothing_to_end() -> None:
    judging, findings = engine([FLOW]), list[Finding]()
    _run(judging, range(4), 1.0)
    assert judging.accept(RULE, "Q", findings) is NewNormalOutcome.TAKEN
    assert not findings


def test_what_learns_nothing_refuses() -> None:
    methane, findings = sensor("M"), list[Finding]()
    judging = engine([methane])
    raised = judging.observe([reading("M", 0, 40.0), reading("M", 10, 40.0)])
    assert {each.kind for each in raised} >= {"methane-high"}
    for rule, target in (("gas-methane-level", "M"), ("nobody", "M"), ("water-leak-found", "zone:water-leak-found:1")):
        assert judging.accept(rule, target, findings) is NewNormalOutcome.REFUSED
    assert not findings, "a danger that a fixed limit tells was taken for normal"
