"""A trial of limits tells what the live judge tells of the same readings."""

from dataclasses import replace
from datetime import timedelta
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.lifelines import gas
from services.alerts.lifelines.contract import limits_of
from services.alerts.sensor_watch import SensorWatch
from services.core.finding import Finding, FindingState
from services.core.lifeline import Lifeline
from services.core.reading import Quality
from services.core.sensor import Sensor
from services.core.severity import Severity
from services.core.threshold import Side, Threshold
from services.core.threshold_trial import TrialReading, compared, exceedances

Told = tuple[Side, float, float | None, Severity]


def limit(
    severity: Severity, side: Side, raise_at: float, clear_at: float, *, on_s: float = 0, off_s: float = 0
) -> Threshold:
    return Threshold(severity, side, raise_at, clear_at, timedelta(seconds=on_s), timedelta(seconds=off_s))


LIMITS = (
    limit(Severity.MINOR, Side.ABOVE, 5.0, 4.0, on_s=60, off_s=120),
    limit(Severity.CRITICAL, Side.ABOVE, 8.0, 7.0),
    limit(Severity.MODERATE, Side.BELOW, 1.0, 2.0, off_s=60),
)
SENSOR = Sensor("S", 1, Lifeline.GAS, "methane", "%", "A", "Z", 0, 0, timedelta(minutes=1), None, (0, 10), LIMITS)
RULES = {side: replace(gas.METHANE_LEVEL, name=str(side), quantities=(), grades=limits_of(side)) for side in Side}
steps = st.tuples(
    st.sampled_from([10.0, 60.0, 100.0, 899.0, 901.0]),
    st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 4.5, 5.0, 7.0, 7.5, 8.0, 9.0]),
    st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.GOOD, Quality.SUSPECT, Quality.BAD]),
)


def live(readings: list[tuple[float, float, Quality]]) -> list[Told]:
    """What the judge told while the readings came: each episode with its highest severity."""
    watch = SensorWatch("Z", SENSOR, RULES.values())
    findings: list[Finding] = []
    for time_s, value, quality in readings:
        watch.judge(time_s, value, int(quality), findings)
    told: list[Told] = []
    for side in Side:
        worst = Severity.NORMAL
        for finding in (each for each in findings if each.rule == str(side)):
            worst = max(worst, finding.severity)
            if finding.state is FindingState.CLEARED:
                told.append((side, finding.started_at.timestamp(), finding.time.timestamp(), worst))
                worst = Severity.NORMAL
        if worst is not Severity.NORMAL:
            told.append((side, finding.started_at.timestamp(), None, worst))
    return sorted(told, key=lambda each: each[1])


def graded(readings: list[tuple[float, float, Quality]]) -> list[TrialReading]:
    return [TrialReading(time_s, None if quality is Quality.BAD else value) for time_s, value, quality in readings]


@given(st.lists(steps, max_size=60))
def test_a_trial_tells_what_was_told_when_the_readings_came(drawn: list[tuple[float, float, Quality]]) -> None:
    times_s = accumulate((after_s for after_s, _, _ in drawn), initial=1_700_000_000.0)
    readings = [(time_s, value, quality) for time_s, (_, value, quality) in zip(times_s, drawn, strict=False)]
    tried = exceedances(graded(readings), LIMITS, SENSOR.tolerated_silence_s)
    assert [(each.side, each.began_s, each.ended_s, each.severity) for each in tried] == live(readings)


def series(*values: float) -> list[TrialReading]:
    return [TrialReading(60.0 * minute, value) for minute, value in enumerate(values)]


def test_each_severity_has_the_time_in_which_it_held() -> None:
    (told,) = exceedances(series(3, 5, 5, 8, 9, 6, 3, 3, 3), LIMITS, 900)
    assert (told.severity, told.peak, told.peak_s) == (Severity.CRITICAL, 9, 240)
    assert (told.began_s, told.ended_s) == (60, 480)
    assert dict(told.spent_s) == {Severity.MINOR: 60 + 180, Severity.CRITICAL: 120}


def test_what_both_limits_tell_is_shared_and_what_one_tells_is_not() -> None:
    readings = series(3, 6, 3, 3, 3, 9, 3, 3, 0.5, 3, 3)
    now = (limit(Severity.MINOR, Side.ABOVE, 5, 5),)
    then = (limit(Severity.MINOR, Side.ABOVE, 8, 8), limit(Severity.MINOR, Side.BELOW, 1, 1))
    in_force, tried = compared(readings, now, then, 900)
    assert [each.began_s for each in in_force.told] == [60, 300]
    assert in_force.shared == [False, True]
    assert [(each.began_s, each.side) for each in tried.told] == [(300, Side.ABOVE), (480, Side.BELOW)]
    assert tried.shared == [True, False]


def test_what_holds_at_the_end_has_none() -> None:
    (told,) = exceedances(series(3, 9, 9), LIMITS, 900)
    assert (told.ended_s, told.severity) == (None, Severity.CRITICAL)
