"""High water is foretold from floodings alone."""

from math import cos, pi

from services.alerts.forecast.depth_track import PastFlooding, log_depth
from services.alerts.forecast.tide_clock import TideClock, TidePhase

M2_S = 44714.16
S2_S = 43200.0
HOUR_S = 3600.0


def tide_cm(time_s: float) -> float:
    """Above the street at spring tides only."""
    return 40 * cos(2 * pi * time_s / M2_S) + 12 * cos(2 * pi * time_s / S2_S) - 34


def floodings(tides: int) -> list[PastFlooding]:
    found = []
    for tide in range(tides):
        high_s = max((tide * M2_S + 60 * minute for minute in range(-120, 121)), key=tide_cm)
        if tide_cm(high_s) > 1:
            found.append(PastFlooding(high_s - HOUR_S, high_s, tide_cm(high_s), {}))
    return found


def test_the_phase_of_the_tide_is_found_from_the_times_of_peaks() -> None:
    usual = TidePhase(floodings(120))
    assert usual.concentration > 0.8
    assert abs(usual.hours_until(1000 * M2_S - HOUR_S) - 1) < 0.5


def test_floodings_at_any_hour_show_no_tide() -> None:
    usual = TidePhase([PastFlooding(0, number * 100_000.0, 10, {}) for number in range(60)])
    assert usual.concentration < 0.3


def test_spring_tides_are_foretold_to_be_higher() -> None:
    clock, past = TideClock(), floodings(700)
    for number, flooding in enumerate(past):
        before = past[max(number - 60, 0) : number]
        usual = TidePhase(before)
        clock.observe(flooding, usual, sum(log_depth(each.peak_cm) for each in before) / max(len(before), 1))
    lowest, highest = (choose(past[-60:], key=lambda each: each.peak_cm) for choose in (min, max))
    assert clock.height(highest.peak_s) > clock.height(lowest.peak_s) + 0.2


def test_a_surge_fades_within_days() -> None:
    clock = TideClock()
    usual = TidePhase(floodings(120))
    clock.observe(PastFlooding(0, 500 * M2_S, 60, {}), usual, log_depth(15))
    after_hours = [clock.surge(500 * M2_S + hours * HOUR_S) for hours in (1, 24, 71, 73)]
    assert after_hours == sorted(after_hours, reverse=True)
    assert after_hours[0] > 0.5
    assert after_hours[-1] == 0
