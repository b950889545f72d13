"""From a score to a severity: grades with hysteresis, on-delay and off-delay."""

from collections.abc import Mapping, Sequence
from math import inf, isnan
from typing import Any

from services.core.severity import Severity
from services.core.threshold import Side, Threshold


class _Grade:
    """One threshold and how long its limit has been reached or left."""

    __slots__ = ("active", "key", "leaving_s", "off_delay_s", "on_delay_s", "since_s", "threshold")

    def __init__(self, threshold: Threshold) -> None:
        self.threshold = threshold
        self.key = f"{threshold.severity.name} {threshold.side} {threshold.raise_at!r}"
        self.on_delay_s = threshold.on_delay.total_seconds()
        self.off_delay_s = threshold.off_delay.total_seconds()
        self.active = False
        self.since_s: float | None = None
        self.leaving_s: float | None = None

    def observe(self, time_s: float, value: float) -> None:
        if self.active:
            self._leave(time_s, value)
        elif not self.threshold.reached(value):
            self.since_s = None
        else:
            self.since_s = time_s if self.since_s is None else self.since_s
            self.active = time_s - self.since_s >= self.on_delay_s

    def _leave(self, time_s: float, value: float) -> None:
        if not self.threshold.left(value):
            self.leaving_s = None
            return
        self.leaving_s = time_s if self.leaving_s is None else self.leaving_s
        if time_s - self.leaving_s >= self.off_delay_s:
            self.active, self.since_s, self.leaving_s = False, None, None

    def interrupt(self) -> None:
        self.leaving_s = None
        if not self.active:
            self.since_s = None


class Grading:
    """The severity of a score over event time.

    Every grade is watched for itself, so a jump over several limits raises the highest one at once; the severity is
    that of the worst grade that holds. A NaN changes nothing: unknown is not recovered.

    While it is ``idle``, no grade holds or is pending, and a score between ``low`` and ``high`` changes nothing: who
    judges very many scores may leave those out.
    """

    __slots__ = ("_grades", "high", "idle", "low", "severity")

    def __init__(self, grades: Sequence[Threshold]) -> None:
        self._grades = [_Grade(threshold) for threshold in grades]
        above = [grade.raise_at for grade in grades if grade.side is Side.ABOVE]
        below = [grade.raise_at for grade in grades if grade.side is Side.BELOW]
        self.high = min(above, default=inf)
        self.low = max(below, default=-inf)
        self.idle = True
        self.severity = Severity.NORMAL

    def observe(self, time_s: float, value: float) -> Severity:
        """Take the score at ``time_s`` (seconds since 1970, never decreasing) and return the severity since then."""
        # Nearly every value ends here: nothing is pending and no limit is reached.
        if self.idle and self.low < value < self.high:
            return Severity.NORMAL
        if isnan(value):
            return self.severity
        for grade in self._grades:
            grade.observe(time_s, value)
        self._settle()
        return self.severity

    def interrupt(self) -> None:
        """Forget running delays after a time without values: what was not seen has not lasted."""
        for grade in self._grades:
            grade.interrupt()
        self._settle()

    def _settle(self) -> None:
        holding = [grade.threshold.severity for grade in self._grades if grade.active]
        self.severity = max(holding, default=Severity.NORMAL)
        self.idle = all(grade.since_s is None for grade in self._grades)

    @property
    def started_s(self) -> float | None:
        """When the exceedance began that holds or is pending, seconds since 1970."""
        return min((grade.since_s for grade in self._grades if grade.since_s is not None), default=None)

    @property
    def holding(self) -> Threshold | None:
        """The worst threshold that holds."""
        reached = self.reached
        return reached[-1] if reached else None

    @property
    def reached(self) -> tuple[Threshold, ...]:
        """Every threshold that holds, mildest first: those a jump skipped stay on record."""
        active = (grade.threshold for grade in self._grades if grade.active)
        return tuple(sorted(active, key=lambda threshold: threshold.severity))

    def state(self) -> dict[str, Any]:
        """The grades that are not at rest, as JSON."""
        return {
            grade.key: [grade.active, grade.since_s, grade.leaving_s]
            for grade in self._grades
            if grade.since_s is not None
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a state; grades that were redefined since start afresh.

        It is not idle then: whoever told of a grade that is gone has to look at the next score to tell its end.
        """
        for grade in self._grades:
            grade.active, grade.since_s, grade.leaving_s = state.get(grade.key, (False, None, None))
        self._settle()
        self.idle = self.idle and not state
