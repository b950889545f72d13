"""The heads at which the sources of a network stand: what is usual, and when one is run otherwise."""

from collections.abc import Sequence
from math import sqrt
from typing import Any, NamedTuple

_MEMORY_ROWS = 4032
_WARM_UP = 288
"""Two weeks of rows at five minutes are remembered, a day is learnt before anything is told."""
_DEVIATIONS = 6.0
_LEAST_M = 1.5
"""How far a head has to be off its mean: the pumps of a station are switched in steps of several metres."""
_BACK = 0.5
"""Share of that at which it counts as usual again."""
_ROWS = 3
"""So many rows in a row decide, fifteen minutes at five."""
_ACCEPTED_ROWS = 864
"""What has lasted for three days is how the source is run now."""


class SourceChange(NamedTuple):
    """A source whose head has changed by ``off_m`` metres since ``since_s``, or is as usual again."""

    source: int
    since_s: float
    off_m: float
    is_over: bool


class SourceWatch:
    """One source's fitted head, compared with its own mean; learning stops while it is off."""

    def __init__(self, source: int) -> None:
        self.source = source
        self.since_s: float | None = None
        self._count = 0
        self._mean_m = 0.0
        self._variance_m2 = 0.0
        self._streak = 0
        self._streak_since_s = 0.0
        self._told_rows = 0

    def take(self, time_s: float, head_m: float) -> SourceChange | None:
        """Judge a fitted head, then learn it; what there is to tell."""
        off_m = head_m - self._mean_m
        limit_m = max(_LEAST_M, _DEVIATIONS * sqrt(self._variance_m2))
        is_told = self.since_s is not None
        is_off = self._count >= _WARM_UP and abs(off_m) > (limit_m * _BACK if is_told else limit_m)
        if is_off == is_told:
            self._streak = 0
        elif self._streak == 0:
            self._streak, self._streak_since_s = 1, time_s
        else:
            self._streak += 1
        if not is_off and not is_told:
            self._learn(head_m)
        return self._told(head_m, off_m)

    def _told(self, head_m: float, off_m: float) -> SourceChange | None:
        if self.since_s is None:
            if self._streak < _ROWS:
                return None
            self.since_s, self._streak, self._told_rows = self._streak_since_s, 0, 0
            return SourceChange(self.source, self.since_s, off_m, is_over=False)
        self._told_rows += 1
        if self._streak < _ROWS and self._told_rows < _ACCEPTED_ROWS:
            return None
        if self._told_rows >= _ACCEPTED_ROWS:
            self._mean_m, self._variance_m2, self._count = head_m, 0.0, _WARM_UP
        change = SourceChange(self.source, self.since_s, off_m, is_over=True)
        self.since_s, self._streak = None, 0
        return change

    def _learn(self, head_m: float) -> None:
        self._count = min(self._count + 1, _MEMORY_ROWS)
        step_m = head_m - self._mean_m
        self._mean_m += step_m / self._count
        self._variance_m2 += (step_m * (head_m - self._mean_m) - self._variance_m2) / self._count

    def state(self) -> list[Any]:
        """All that is remembered."""
        usual = [self._count, self._mean_m, self._variance_m2]
        return [self.since_s, *usual, self._streak, self._streak_since_s, self._told_rows]

    def restore(self, state: Sequence[Any]) -> None:
        """Go on where ``state`` was taken."""
        self.since_s, self._count, self._mean_m, self._variance_m2, *rest = state
        self._streak, self._streak_since_s, self._told_rows = rest
