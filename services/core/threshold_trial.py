"""What limits would have told of readings that are known, graded as they are when they come."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from services.core.grading import Grading
from services.core.severity import Severity
from services.core.threshold import Side, Threshold


@dataclass(frozen=True, slots=True)
class TrialReading:
    """A reading as the limits see it: ``value`` is absent where it is bad, which is heard of and not graded."""

    time_s: float
    value: float | None


@dataclass(frozen=True, slots=True)
class Exceedance:
    """A stretch of time in which a grade of one side holds; ``ended_s`` is absent where it holds still.

    As an alert it begins when the first of its grades was reached, where it stayed so for the on-delay, and ends when
    the last has been left for its off-delay. ``peak`` is the worst value in it, in the sensor's unit, and ``spent_s``
    how long each severity was the worst that held. All times are seconds since 1970.
    """

    side: Side
    began_s: float
    ended_s: float | None
    severity: Severity
    peak: float
    peak_s: float
    spent_s: tuple[tuple[Severity, float], ...]


@dataclass(frozen=True, slots=True)
class TrialSide:
    """What some limits tell, and of each whether the other limits tell of it too: at that time on that side."""

    told: list[Exceedance]
    shared: list[bool]


class _Watch:
    """The grades of one side, and the exceedance that holds now."""

    def __init__(self, side: Side, grades: Sequence[Threshold], tolerated_silence_s: float) -> None:
        self._side = side
        self._grading = Grading(grades)
        self._tolerated_s = tolerated_silence_s
        self._heard_s: float | None = None
        self._began_s = 0.0
        self._peak = (0.0, 0.0)
        self._worst = Severity.NORMAL
        self._spent_s: dict[Severity, float] = {}
        self.told: list[Exceedance] = []

    def take(self, reading: TrialReading) -> None:
        heard_s, self._heard_s = self._heard_s, reading.time_s
        if heard_s is not None and reading.time_s - heard_s > self._tolerated_s:
            self._grading.interrupt()
        before = self._grading.severity
        if before is not Severity.NORMAL and heard_s is not None:
            self._spent_s[before] = self._spent_s.get(before, 0.0) + reading.time_s - heard_s
        if reading.value is None:
            return
        severity = self._grading.observe(reading.time_s, reading.value)
        if before is Severity.NORMAL and severity is not Severity.NORMAL:
            self._begin(reading.time_s, reading.value)
        elif severity is Severity.NORMAL and before is not Severity.NORMAL:
            self._end(reading.time_s)
        if severity is not Severity.NORMAL:
            self._worst = max(self._worst, severity)
            if self._is_worse(reading.value):
                self._peak = (reading.value, reading.time_s)

    def _begin(self, time_s: float, value: float) -> None:
        pending_s = self._grading.started_s
        self._began_s = time_s if pending_s is None else pending_s
        self._peak = (value, time_s)
        self._worst, self._spent_s = Severity.NORMAL, {}

    def _end(self, time_s: float | None) -> None:
        spent_s = tuple(sorted(self._spent_s.items()))
        self.told.append(Exceedance(self._side, self._began_s, time_s, self._worst, *self._peak, spent_s))

    def _is_worse(self, value: float) -> bool:
        return value > self._peak[0] if self._side is Side.ABOVE else value < self._peak[0]

    def close(self) -> None:
        if self._grading.severity is not Severity.NORMAL:
            self._end(None)


def exceedances(
    readings: Iterable[TrialReading], thresholds: Sequence[Threshold], tolerated_silence_s: float
) -> list[Exceedance]:
    """What the limits of both sides would have told of ``readings``, in order of time; by when it began.

    What holds before the first reading is not known: it is told from the first reading on, after its on-delay.
    """
    graded = [(side, [each for each in thresholds if each.side is side]) for side in Side]
    watches = [_Watch(side, grades, tolerated_silence_s) for side, grades in graded if grades]
    for reading in readings:
        for watch in watches:
            watch.take(reading)
    for watch in watches:
        watch.close()
    return sorted((told for watch in watches for told in watch.told), key=lambda told: told.began_s)


def compared(
    readings: Sequence[TrialReading],
    in_force: Sequence[Threshold],
    tried: Sequence[Threshold],
    tolerated_silence_s: float,
) -> tuple[TrialSide, TrialSide]:
    """What the limits that count and those that are tried tell of the same readings."""
    now = exceedances(readings, in_force, tolerated_silence_s)
    then = exceedances(readings, tried, tolerated_silence_s)
    return TrialSide(now, _shared(now, then)), TrialSide(then, _shared(then, now))


def _shared(told: Sequence[Exceedance], others: Sequence[Exceedance]) -> list[bool]:
    """Whether any of ``others`` overlaps; those of one side never overlap one another and are in order of time."""
    theirs = {side: [each for each in others if each.side is side] for side in Side}
    begun_s = {side: [each.began_s for each in theirs[side]] for side in Side}
    shared = []
    for each in told:
        begun_by_end = bisect_right(begun_s[each.side], inf if each.ended_s is None else each.ended_s)
        last = theirs[each.side][begun_by_end - 1] if begun_by_end else None
        shared.append(last is not None and (last.ended_s is None or last.ended_s >= each.began_s))
    return shared
