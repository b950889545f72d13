"""What is usual at a low point: how high its floodings get, how long they rise, and whether they follow the tide."""

from dataclasses import dataclass
from math import exp, log, sqrt

from services.alerts.forecast.depth_track import PastFlooding, log_depth
from services.alerts.forecast.tide_clock import TidePhase

_PRIOR = 3
"""A point's own floodings weigh as much as the city's when there are so many of them."""
_PRIOR_VARIANCE = 0.5
_USUAL_PEAK_CM = 10.0
_USUAL_RISE_MIN = 50.0
_SHORTEST_MIN = 5.0
_LIKENESS = 0.25
"""Logarithm of depth by which a past flooding may differ at the same age and still be taken as alike."""


@dataclass(frozen=True, slots=True)
class Habit:
    """Logarithms of peaks (mean, deviation, least, greatest), of minutes to the peak, and the tide's phase."""

    log_peak: float
    spread: float
    least: float
    greatest: float
    log_rise_min: float
    tide: TidePhase


class CityHabit:
    """The running mean of the logarithms of all peaks in the city, from which points without a past begin."""

    __slots__ = ("count", "total")

    def __init__(self) -> None:
        self.total = 0.0
        self.count = 0

    def observe(self, ended: PastFlooding) -> None:
        """Count a flooding that has ended."""
        self.total += log_depth(ended.peak_cm)
        self.count += 1

    @property
    def log_peak(self) -> float:
        """The mean; a peak of 10 cm counts for five floodings."""
        return (self.total + 5 * log_depth(_USUAL_PEAK_CM)) / (self.count + 5)


def habit_of(past: list[PastFlooding], city_log_peak: float) -> Habit:
    """The habit of a point, drawn towards the city's while its own past is short."""
    peaks = [log_depth(each.peak_cm) for each in past]
    share = len(peaks) + _PRIOR
    mean = (sum(peaks) + _PRIOR * city_log_peak) / share
    variance = (sum((peak - mean) ** 2 for peak in peaks) + _PRIOR * _PRIOR_VARIANCE) / share
    rises = [log((each.peak_s - each.start_s) / 60 + _SHORTEST_MIN) for each in past]
    return Habit(
        log_peak=mean,
        spread=sqrt(variance),
        least=min(peaks, default=city_log_peak),
        greatest=max(peaks, default=city_log_peak),
        log_rise_min=(sum(rises) + _PRIOR * log(_USUAL_RISE_MIN)) / share,
        tide=TidePhase(past),
    )


def alike(past: list[PastFlooding], mark_min: int, depth_cm: float, habit: Habit) -> tuple[float, float, float]:
    """How many past floodings were about as deep at the same age, and how high they got and how long they rose."""
    now = log_depth(depth_cm)
    kept = [each for each in past if mark_min in each.marks_cm]
    weights = [exp(-(((log_depth(each.marks_cm[mark_min]) - now) / _LIKENESS) ** 2) / 2) for each in kept]
    total = sum(weights)
    peak = sum(w * log_depth(each.peak_cm) for w, each in zip(weights, kept, strict=True))
    rise = sum(
        w * log((each.peak_s - each.start_s) / 60 + _SHORTEST_MIN) for w, each in zip(weights, kept, strict=True)
    )
    return total, (peak + habit.log_peak) / (total + 1), (rise + habit.log_rise_min) / (total + 1)
