"""A reading that comes after its moment was judged still rings, and nothing that was said is taken back."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.late_readings import late_trouble
from services.core.finding import Finding, FindingState
from services.core.lifeline import Lifeline
from services.core.reading import Quality
from services.core.severity import Severity
from services.core.threshold import Side, Threshold
from tests.unit.alerts.stream import at, engine, reading, restarted, sensor, series, told

AT_ONCE = Threshold(Severity.MAJOR, Side.ABOVE, 20, 16)
LASTING = Threshold(Severity.MINOR, Side.ABOVE, 5, 4, on_delay=timedelta(minutes=2))


def _late(findings: list[Finding]) -> list[Finding]:
    return [each for each in findings if each.target.endswith(":late")]


def _calm(minutes: int = 60) -> Any:
    watched = engine([sensor("m1")])
    assert watched.observe(series("m1", [1.0] * minutes)) == []
    return watched


def test_a_late_concentration_above_the_limit_rings_at_its_own_time_and_is_over_at_once() -> None:
    watched = _calm()
    raised, cleared = watched.observe([reading("m1", 30.5, 30.0)])
    assert (raised.state, raised.severity, raised.time, raised.value) == (FindingState.RAISED, 3, at(30.5), 30.0)
    assert (cleared.state, cleared.severity, cleared.time) == (FindingState.CLEARED, 0, at(41))
    assert raised.explanation.en.startswith("Came late: ")
    assert raised.explanation.zh.startswith("迟到数据：")
    assert raised.evidence["came_late"] is True
    assert raised.kind == "methane-high"
    assert watched.counts.late == 1


def test_what_is_judged_in_time_does_not_change_by_a_late_reading() -> None:
    undisturbed, disturbed = _calm(), _calm()
    disturbed.observe([reading("m1", 30.5, 30.0)])
    rest = series("m1", [1.0, 30.0, 1.0, *[1.0] * 20], start=60)
    later = [each for each in disturbed.observe(rest) + disturbed.release() if not each.target.endswith(":late")]
    assert later == undisturbed.observe(rest) + undisturbed.release()


def test_a_late_value_below_the_limits_says_nothing() -> None:
    assert _calm().observe([reading("m1", 30.5, 4.0)]) == []


def test_one_value_does_not_meet_a_limit_that_has_to_last_but_neighbours_do() -> None:
    watched = _calm(30)
    assert watched.observe([reading("m1", 20.2, 6.0)]) == []
    calm = engine([sensor("m1")])
    calm.observe(series("m1", [*[1.0] * 20, *[1.0] * 20], step=5))
    late = [reading("m1", 100.0 + minute, 6.0) for minute in range(1, 5)]
    findings = [finding for each in late for finding in calm.observe([each])]
    assert [(str(each.state), int(each.severity)) for each in findings] == [("raised", 1), ("cleared", 0)]
    assert findings[0].started_at == at(101)
    assert findings[0].time == at(103)


def test_an_outage_that_is_sent_backwards_is_told_once_for_each_level() -> None:
    watched = engine([sensor("m1")])
    watched.observe(series("m1", [1.0] * 5))
    watched.observe(series("m1", [1.0] * 5, start=120))
    backwards = [reading("m1", minute, 30.0 if 60 <= minute < 90 else 1.0) for minute in range(119, 5, -1)]
    findings = [finding for each in backwards for finding in watched.observe([each])]
    assert [each.state for each in findings if each.state is FindingState.RAISED] == [FindingState.RAISED]
    assert findings[0].severity == Severity.MAJOR


def test_a_late_trouble_that_lasts_ends_when_the_present_is_quiet() -> None:
    watched = engine([sensor("p1", Lifeline.WATER, "pressure")])
    watched.observe(series("p1", [300.0] * 10))
    watched.observe([reading("p1", 30, 60.0)])
    watched.observe([reading("p1", 34, 60.0)])  # not long enough by itself
    findings = [each for minute in (31, 20, 25, 26) for each in watched.observe([reading("p1", minute, 60.0)])]
    assert [each.state for each in _late(findings)] == [FindingState.RAISED]
    kept: dict[str, Any] = {}
    watched = restarted(watched, kept, [sensor("p1", Lifeline.WATER, "pressure")])
    after = watched.observe(series("p1", [300.0] * 30, start=36)) + watched.release()
    assert [each.state for each in _late(after)] == [FindingState.CLEARED]


def test_repetitions_bad_values_and_history_say_nothing() -> None:
    watched = _calm(3000)
    assert watched.observe([reading("m1", 2990, 1.0)]) == []
    assert watched.observe([reading("m1", 2990.5, 60.0, Quality.BAD)]) == []
    assert watched.observe([reading("m1", 1000.5, 60.0)]) == [], "more than a day ago"
    assert (watched.counts.late, watched.counts.historic) == (3, 1)


points = st.dictionaries(st.integers(0, 30).map(lambda m: m * 60.0), st.sampled_from([0.0, 6.0, 25.0]), max_size=12)


@settings(deadline=None, max_examples=200)
@given(points, st.integers(0, 30), st.sampled_from([0.0, 6.0, 25.0]))
def test_a_late_reading_never_makes_anything_better(known: dict[float, float], minute: int, value: float) -> None:
    found = late_trouble(known.items(), (minute * 60.0, value), (LASTING, AT_ONCE), 900.0)
    if found is None:
        return
    assert found.severity > Severity.NORMAL
    assert found.since_s <= found.known_s
    assert found.over is None or found.over[0] > found.known_s
    with_it = {**known, minute * 60.0: value}
    assert late_trouble(with_it.items(), (minute * 60.0, value), (LASTING, AT_ONCE), 900.0) is None, "told once"


def test_the_kinds_are_told_apart_from_what_is_said_of_the_present() -> None:
    watched = _calm()
    found = watched.observe([reading("m1", 30.5, 30.0)]) + watched.observe(series("m1", [30.0] * 3, start=60))
    found += watched.release()
    assert told(found, "methane-high")[0] == ("raised", 3, 30.5)
    live = [each for each in found if each not in _late(found)]
    assert live
    assert {each.target for each in live} == {"m1"}
