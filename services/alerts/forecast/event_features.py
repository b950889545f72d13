"""A low point at one moment, in the numbers a forecast is learnt from. Unknown ones are NaN."""

from collections.abc import Sequence
from itertools import pairwise
from math import cos, nan, pi, sin, tan

from services.alerts.forecast import flooding_now
from services.alerts.forecast.depth_track import DepthTrack, log_depth
from services.alerts.forecast.habits import Habit, alike
from services.alerts.forecast.level_record import LevelRecord
from services.alerts.forecast.rain_record import WINDOWS_MIN, RainRecord
from services.alerts.forecast.tide_clock import TideClock

_DAY_S = 86400.0
_YEAR_S = 31556952.0
_HOUR_S = 3600.0
_M2_MIN = 745.236
_SPRING_S = 29.530588 / 2 * _DAY_S
_PERIGEE_S = 27.554550 * _DAY_S
_RISES_MIN = (3, 5, 10, 20, 30, 60)
_MARKS_MIN = (5, 10, 20, 30, 45, 60, 90)
_TIDAL = 0.3
_TIDE_AGO_HOURS = (12.42, 24.84)
_TIDE_HOURS = 2.5
_LONG_AGO_HOURS = 200.0
_LATELY_S = 4 * _DAY_S
_HIGHEST_CM = 200.0

_SHAPE = (
    "age_min",
    "depth",
    "max",
    "silent_min",
    "readings",
    *(f"rise_{minutes}min" for minutes in _RISES_MIN),
    "last_rise_2min",
    "last_rise_5min",
    "curvature",
    "since_max_min",
    "drop",
    "mean",
    "slope",
    "greatest_step",
    "roughness",
    "first",
    "first_min",
)
_HABIT = (
    "habit_peak",
    "habit_spread",
    "habit_rise",
    "habit_tidal",
    "habit_count",
    "habit_greatest",
    "habit_least",
    "unusual",
    "alike",
    "alike_peak",
    "alike_rise",
    "last_peak",
    "last_hours",
    "peak_a_tide_ago",
    "peak_two_tides_ago",
    "floodings_4d",
    "greatest_4d",
)
_CALENDAR = (
    "hour_cos",
    "hour_sin",
    "season_cos",
    "season_sin",
    "spring_cos",
    "spring_sin",
    "perigee_cos",
    "perigee_sin",
)
_TIDE = (
    "tide_hours",
    "tide_start_hours",
    "high_hours",
    "high_start_hours",
    "tide_height",
    "surge",
    "tide_peak",
    "tide_reach",
)
_RAIN = (*(f"rain_{minutes}min" for minutes in WINDOWS_MIN), "rain_now", "wetness")
_LEVELS = tuple(
    f"{side}_{name}" for side in ("upstream", "downstream") for name in ("level", "rise_10min", "rise_30min")
)

NAMES: tuple[str, ...] = (*_SHAPE, *_HABIT, *_CALENDAR, *_TIDE, *flooding_now.NAMES, *_RAIN, *_LEVELS)


def shape_of(track: DepthTrack, time_s: float) -> list[float]:
    """How the open flooding went so far."""
    last_s = track.last_s if track.last_s is not None else time_s
    times_s, depths_cm = track.readings
    start_s = track.start_s
    age_min = (time_s - start_s) / 60
    rises = [track.rise_cm(time_s, minutes) for minutes in _RISES_MIN]
    steps = [after - before for before, after in pairwise(depths_cm)]
    turns = [abs(after - before) for before, after in pairwise(steps)]
    wet = next((index for index, depth_cm in enumerate(depths_cm) if depth_cm > 0), None)
    return [
        age_min,
        track.depth_cm,
        track.max_cm,
        (time_s - last_s) / 60,
        float(len(times_s)),
        *rises,
        track.rise_cm(last_s, 2),
        track.rise_cm(last_s, 5),
        rises[1] - (rises[2] - rises[1]),
        (time_s - track.max_s) / 60,
        track.max_cm - track.depth_cm,
        track.area_cm_s / max(last_s - start_s, 60.0),
        track.max_cm / max(age_min, 1.0),
        max(steps, default=0.0),
        sum(turns) / len(turns) if turns else nan,
        depths_cm[wet] if wet is not None else 0.0,
        (times_s[wet] - start_s) / 60 if wet is not None else nan,
    ]


def habit_features(track: DepthTrack, habit: Habit, time_s: float) -> list[float]:
    """How this flooding stands beside the earlier ones here."""
    start_s, past = track.start_s, track.past
    age_min = (time_s - start_s) / 60
    mark = max((each for each in _MARKS_MIN if each <= age_min), default=_MARKS_MIN[0])
    last = past[-1] if past else None
    ago = [
        next((log_depth(each.peak_cm) for each in reversed(past[-6:]) if _was(each.peak_s, time_s, hours)), nan)
        for hours in _TIDE_AGO_HOURS
    ]
    lately = [log_depth(each.peak_cm) for each in past[-20:] if time_s - each.peak_s < _LATELY_S]
    return [
        habit.log_peak,
        habit.spread,
        habit.log_rise_min,
        habit.tide.concentration,
        float(habit.tide.count),
        habit.greatest,
        habit.least,
        (log_depth(track.max_cm) - habit.log_peak) / habit.spread,
        *alike(past, mark, track.at(start_s + 60 * mark), habit),
        log_depth(last.peak_cm) if last else nan,
        min((time_s - last.peak_s) / _HOUR_S, _LONG_AGO_HOURS) if last else nan,
        *ago,
        float(len(lately)),
        max(lately, default=nan),
    ]


def _was(peak_s: float, time_s: float, hours: float) -> bool:
    return abs((time_s - peak_s) / _HOUR_S - hours) < _TIDE_HOURS


def calendar(time_s: float) -> list[float]:
    """Hour of the day, season, and the moon's two cycles that lift tides, each as a point on a circle."""
    angles = (2 * pi * (time_s % period_s) / period_s for period_s in (_DAY_S, _YEAR_S, _SPRING_S, _PERIGEE_S))
    return [part(angle) for angle in angles for part in (cos, sin)]


def tide_features(track: DepthTrack, habit: Habit, clock: TideClock, time_s: float) -> list[float]:
    """When high water comes, how high it should get, and what a sinusoidal tide makes of the rise so far."""
    usual, start_s = habit.tide, track.start_s
    if not usual.count:
        return [nan] * len(_TIDE)
    main = [usual.hours_until(time_s), usual.hours_until(start_s)]
    if usual.count < 2 or usual.concentration <= _TIDAL:  # noqa: PLR2004  # one flooding shows no habit
        return [*main, *([nan] * (len(_TIDE) - 2))]
    high_s = clock.next_high_s(usual, time_s)
    height, surge = clock.height(high_s), clock.surge(time_s)
    last_s = track.last_s if track.last_s is not None else time_s
    # A tide A (1 - cos) that rises by r now, at the angle a before its top, rises by r / w tan(a / 2) more.
    pulse = 2 * pi / _M2_MIN
    left_min = min(max((high_s - time_s) / 60, 0.0), 200.0)
    rate = max(track.rise_cm(last_s, 10), 0.0) / 10
    reach_cm = min(track.max_cm + rate * tan(pulse * left_min / 2) / pulse, _HIGHEST_CM)
    ahead = [(high_s - time_s) / _HOUR_S, (high_s - start_s) / _HOUR_S]
    return [*main, *ahead, height, surge, habit.log_peak + height + surge, reach_cm]


def rain_features(gauge: RainRecord | None, time_s: float) -> list[float]:
    """Sums of rain, intensity and wetness of the ground; all unknown without a gauge."""
    if gauge is None or gauge.is_silent(time_s):
        return [nan] * len(_RAIN)
    sums = [gauge.sum_mm(time_s, minutes) for minutes in WINDOWS_MIN]
    return [*sums, gauge.intensity_mm_h(time_s), gauge.wetness_mm(time_s)]


def level_features(upstream: Sequence[LevelRecord], downstream: Sequence[LevelRecord], time_s: float) -> list[float]:
    """The highest and the fastest of the levels on either side; unknown where none is heard."""
    found: list[float] = []
    for side in (upstream, downstream):
        heard = [record for record in side if not record.is_silent(time_s)]
        found.append(max((record.above_usual for record in heard), default=nan))
        found += [max((record.rise(time_s, minutes) for record in heard), default=nan) for minutes in (10, 30)]
    return found
