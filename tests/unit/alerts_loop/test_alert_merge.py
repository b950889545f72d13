"""One alert an episode, whatever its rules say and in whatever order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.alert_merge import Sources, merge, open_episode, take
from services.alerts.tracing.city_graph import CityGraph
from services.core.alert import Alert, AlertState
from services.core.finding import Finding, FindingState
from services.core.severity import Severity
from tests.unit.alerts_loop.findings_made import KIND, NOW, at, finding

RAISED, CHANGED, CLEARED = FindingState.RAISED, FindingState.CHANGED, FindingState.CLEARED


def merged(*findings: Finding) -> Alert:
    return reduce(merge, findings[1:], open_episode(findings[0], KIND, NOW))


def test_the_first_finding_gives_the_alert_its_identity_and_everything_else() -> None:
    first = finding(3, 2, started=1)
    alert = merged(first)
    assert alert == merged(first)
    assert alert.id != merged(finding(4, 2)).id
    assert (alert.state, alert.severity, alert.highest_severity) == (AlertState.OPEN, 2, 2)
    assert (alert.started_at, alert.detected_at, alert.last_at, alert.cleared_at) == (at(1), at(3), at(3), None)
    assert (alert.finding_count, alert.open_rules) == (1, {"level@M-1": 2})
    assert (alert.peak_value, alert.peak_at, alert.threshold) == (20.0, at(3), 2.0)
    assert (alert.scheme, alert.sensor_fault) == (KIND.scheme, KIND.sensor_fault)


def test_a_worse_finding_brings_its_words_value_threshold_and_detector() -> None:
    alert = merged(finding(0, 2), finding(5, 4, CHANGED, rule="rising", value=77.0))
    assert (alert.severity, alert.highest_severity) == (4, 4)
    assert alert.explanation.en == "rising at 5: 4"
    assert (alert.peak_value, alert.peak_at, alert.threshold, alert.rule) == (77.0, at(5), 4.0, "rising")
    assert alert.detected_at == at(0), "known since the first"


def test_a_milder_finding_moves_only_the_current_level() -> None:
    alert = merged(finding(0, 3), finding(5, 1, CHANGED, value=99.0))
    assert (alert.severity, alert.highest_severity, alert.last_at) == (1, 3, at(5))
    assert (alert.explanation.en, alert.peak_value, alert.threshold) == ("level at 0: 3", 30.0, 3.0)


def test_the_current_level_is_that_of_the_worst_rule_that_holds() -> None:
    alert = merged(finding(0, 1), finding(1, 3, rule="rising"), finding(2, 2, CHANGED))
    assert alert.severity == 3
    alert = merge(alert, finding(3, 0, CLEARED, rule="rising"))
    assert (alert.severity, alert.highest_severity, alert.cleared_at) == (2, 3, None)


def test_it_clears_only_when_no_rule_at_no_sensor_holds_it_open() -> None:
    alert = merged(finding(0, 3), finding(1, 3, rule="rising"), finding(2, 2, sensor="M-2"))
    assert alert.sensors == ("M-1", "M-2")
    alert = merge(alert, finding(10, 0, CLEARED))
    alert = merge(alert, finding(11, 0, CLEARED, rule="rising"))
    assert (alert.state, alert.severity, alert.open_rules) == (AlertState.OPEN, 2, {"level@M-2": 2})
    alert = merge(alert, finding(12, 0, CLEARED, sensor="M-2"))
    assert (alert.state, alert.severity, alert.cleared_at) == (AlertState.CLEARED, 0, at(12))
    assert (alert.highest_severity, alert.finding_count, alert.last_at) == (3, 6, at(12))


def test_a_late_finding_moves_the_beginning_back_and_the_end_never() -> None:
    alert = merged(finding(10, 3), finding(4, 2, sensor="M-2", started=2))
    assert (alert.started_at, alert.last_at) == (at(2), at(10))


RULES = ("level", "rising", "residual")


def _traced(*suspicions: tuple[FindingState, Sequence[tuple[str, float]]]) -> list[str]:
    """The asset suspected first after findings of one severity that share the suspicion so."""
    alert, first = None, []
    sources = Sources(CityGraph((), ()), {})
    for number, (state, suspects) in enumerate(suspicions):
        told = replace(finding(number, 2, state), evidence={"suspects": [list(each) for each in suspects]})
        alert = take(alert, told, KIND, sources, NOW)
        assert alert is not None
        assert alert.trace is not None
        first.append(f"{alert.trace['candidates'][0]['asset']} {alert.trace['candidates'][0]['probability']}")
    return first


def test_a_suspicion_that_has_moved_is_traced_anew() -> None:
    assert _traced((RAISED, [("a", 0.6), ("b", 0.4)]), (CHANGED, [("b", 0.55), ("a", 0.45)])) == ["a 0.6", "b 0.55"]
    assert _traced((RAISED, [("a", 0.6), ("b", 0.4)]), (CHANGED, [("a", 0.9), ("b", 0.1)])) == ["a 0.6", "a 0.9"]


def test_a_suspicion_that_has_hardly_moved_is_not() -> None:
    assert _traced((RAISED, [("a", 0.6), ("b", 0.4)]), (CHANGED, [("a", 0.7), ("b", 0.3)])) == ["a 0.6", "a 0.6"]


@st.composite
def _course(draw: st.DrawFn, rule: str) -> list[Finding]:
    """The findings of one rule: raised, changed any number of times, perhaps cleared."""
    levels = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    minutes = sorted(
        draw(st.lists(st.integers(1, 500), min_size=len(levels) + 1, max_size=len(levels) + 1, unique=True))
    )
    sensor = draw(st.sampled_from(["M-1", "M-2"]))
    states = [RAISED] + [CHANGED] * (len(levels) - 1)
    course = [
        finding(minute, level, state, rule=rule, sensor=sensor, started=minutes[0])
        for minute, level, state in zip(minutes, levels, states, strict=False)
    ]
    if draw(st.booleans()):
        course.append(finding(minutes[-1], 0, CLEARED, rule=rule, sensor=sensor, started=minutes[0]))
    return course


@st.composite
def _interleaved(draw: st.DrawFn, courses: Sequence[Sequence[Finding]]) -> list[Finding]:
    """The findings of several rules, each rule's own in their order."""
    left = [list(course) for course in courses]
    order: list[Finding] = []
    while any(left):
        position = draw(st.sampled_from([number for number, course in enumerate(left) if course]))
        order.append(left[position].pop(0))
    return order


@st.composite
def _two_orders(draw: st.DrawFn) -> tuple[list[Finding], list[Finding]]:
    courses = [draw(_course(rule)) for rule in RULES]
    return draw(_interleaved(courses)), draw(_interleaved(courses))


@settings(deadline=None)
@given(_two_orders())
def test_any_legal_order_of_the_rules_gives_the_same_record(orders: tuple[list[Finding], list[Finding]]) -> None:
    # Another rule opens first and never lets go, so that the order decides neither the identity nor the end.
    opening = finding(0, 1, rule="opening", sensor="M-9")
    one, other = (merged(opening, *order) for order in orders)
    for alert, order in zip((one, other), orders, strict=True):
        levels = [each.severity for each in order]
        assert alert.highest_severity == max(levels)
        assert alert.last_at == max(each.time for each in order)
        assert alert.severity == max(Severity(level) for level in alert.open_rules.values())
        assert alert.explanation.en.endswith(f": {alert.highest_severity}")
        assert alert.peak_value == alert.highest_severity * 10.0
        assert alert.finding_count == len(order) + 1
    same = ["id", "state", "severity", "highest_severity", "sensors", "started_at", "detected_at", "last_at"]
    same += ["finding_count", "open_rules", "cleared_at", "peak_value", "threshold"]
    assert {name: getattr(one, name) for name in same} == {name: getattr(other, name) for name in same}
    worst = [each for each in orders[0] if each.severity == one.highest_severity]
    if len(worst) == 1 and one.highest_severity > opening.severity:
        assert one == other, "only a tie for the worst leaves the words to the order"


@settings(deadline=None)
@given(_two_orders())
def test_an_episode_is_over_exactly_when_every_rule_has_cleared(orders: tuple[list[Finding], list[Finding]]) -> None:
    order = sorted(orders[0], key=lambda each: each.time)
    alert = merged(order[0])
    for position, each in enumerate(order[1:], start=2):
        if alert.state is AlertState.CLEARED:
            break
        alert = merge(alert, each)
        open_now = {(seen.rule, seen.target) for seen in order[:position] if seen.state is not CLEARED} - {
            (seen.rule, seen.target) for seen in order[:position] if seen.state is CLEARED
        }
        assert (alert.cleared_at is None) == bool(open_now)
        assert alert.cleared_at is None or alert.cleared_at - alert.started_at >= timedelta(0)
