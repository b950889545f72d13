"""Errors of forecast peaks, and how well the crossing of a depth is foretold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from tests.benchmarks.drainage.floodnet import CROSSED_CM, Foretold

Peak = Callable[[Foretold], float]
_MM = 10.0
_TIMELY_MIN = 18.0
"""A quarter of an hour is wanted; a fifth more is kept for a year that rises faster."""
_LEVELS = tuple(level / 50 for level in range(5, 46))


def persistence(told: Foretold) -> float:
    """It stays as deep as it was, cm."""
    return told.max_cm


def extrapolation(minutes: float) -> Peak:
    """It rises for so many more minutes as in the last ten."""
    return lambda told: told.max_cm + max(told.rise_cm, 0.0) * minutes / 10


def forecast(told: Foretold) -> float:
    """The median of the forecast; where nothing was said, as deep as it was."""
    return told.max_cm if told.peak_cm is None else max(told.peak_cm[1], told.max_cm)


@dataclass(frozen=True, slots=True)
class PeakErrors:
    """Mean error of the peak in mm, over all floodings, of the median day, and without the two fullest days."""

    all_mm: float
    median_day_mm: float
    other_days_mm: float


def peak_errors(all_told: Sequence[Foretold], peak: Peak) -> PeakErrors:
    """How far peaks lie off."""
    by_day: dict[str, list[float]] = {}
    for told in all_told:
        by_day.setdefault(told.day, []).append(abs(peak(told) - told.flooding.peak_cm) * _MM)
    days = sorted(by_day.values(), key=len, reverse=True)
    return PeakErrors(
        all_mm=fmean(error for day in days for error in day),
        median_day_mm=median(fmean(day) for day in days),
        other_days_mm=fmean(error for day in days[2:] for error in day),
    )


def f1(said: Sequence[bool], true: Sequence[bool]) -> float:
    """Twice the hits over all that was said and all that was true."""
    hits = sum(map(lambda one, other: one and other, said, true))
    return 2 * hits / max(sum(said) + sum(true), 1)


def crosses(all_told: Sequence[Foretold]) -> list[bool]:
    """Which floodings pass the depth."""
    return [told.flooding.peak_cm > CROSSED_CM for told in all_told]


def f1_at_ten_minutes(all_told: Sequence[Foretold], level: float) -> float:
    """Floodings said to pass the depth, at ten minutes, with a probability of ``level`` or more."""
    said = [told.max_cm > CROSSED_CM or told.crossing >= level for told in all_told]
    return f1(said, crosses(all_told))


def first_warning_s(told: Foretold, level: float) -> float | None:
    """When the probability to cross first reached a level, before it was crossed."""
    return next((time_s for time_s, crossing in told.warnings if crossing >= level), None)


def early_f1(all_told: Sequence[Foretold], level: float) -> float:
    """Floodings warned of before they crossed; one that was crossed without a warning is missed."""
    said = [first_warning_s(told, level) is not None for told in all_told]
    return f1(said, crosses(all_told))


def lead_min(all_told: Sequence[Foretold], level: float) -> float | None:
    """The median of the minutes between a warning and the crossing it foretold."""
    leads = [
        (told.crossed_s - warned_s) / 60
        for told in all_told
        if told.crossed_s is not None and (warned_s := first_warning_s(told, level)) is not None
    ]
    return median(leads) if leads else None


def early_level(all_told: Sequence[Foretold]) -> float:
    """The probability that serves early warnings best, among those that leave time to act."""
    timely = [level for level in _LEVELS if (lead_min(all_told, level) or 0.0) >= _TIMELY_MIN]
    return max(timely, key=lambda level: early_f1(all_told, level), default=_LEVELS[0])


def best_level(all_told: Sequence[Foretold], measure: Callable[[Sequence[Foretold], float], float]) -> float:
    """The probability from which to warn that serves a measure best, midway between those that serve it alike."""
    values = {level: measure(all_told, level) for level in _LEVELS}
    # Neighbouring levels are averaged: the best of many single ones is often luck.
    smooth = {level: fmean(_near(values, level)) for level in values}
    most = max(smooth.values())
    return median(level for level, value in smooth.items() if value == most)


def _near(values: Mapping[float, float], level: float) -> list[float]:
    return [value for other, value in values.items() if abs(other - level) < 0.05]


def coverage(all_told: Sequence[Foretold]) -> float:
    """Share of peaks within the 80 % range that was told."""
    ranges = [(told, told.peak_cm) for told in all_told if told.peak_cm is not None]
    return fmean(peak[0] <= told.flooding.peak_cm + 1e-9 and told.flooding.peak_cm <= peak[2] for told, peak in ranges)
