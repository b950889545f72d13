"""Single hits: a peak of acceleration far beyond what traffic ever made."""

from collections.abc import Sequence
from math import inf, isfinite, sqrt
from typing import Any

_FIRST_ROWS = 240
_REMEMBERED_ROWS = 4000
_BEYOND_LARGEST, _DEVIATIONS = 2.5, 12.0


class Shocks:
    """Judges each row by itself, so that a hit is told with the reading that shows it.

    Source: a Shewhart chart (Shewhart 1931) whose limit is also far above the largest healthy value.
    """

    def __init__(self, places: Sequence[int]) -> None:
        self._places = list(places)
        self._seen = [[0.0, 0.0, 0.0, 0.0] for _ in places]
        self.last_s: float | None = None

    def take(self, row: Sequence[float]) -> tuple[float, int]:
        """The largest value beside its limit, and its position in the row; a healthy row is learnt."""
        ratio, position = 0.0, self._places[0] if self._places else 0
        for place, seen in zip(self._places, self._seen, strict=True):
            value = abs(row[place])
            if not isfinite(value):
                continue
            beside = value / self._limit(seen)
            if beside > ratio:
                ratio, position = beside, place
            if beside < 1:
                _learn(seen, value)
        return ratio, position

    def usual(self, position: int) -> float:
        """The largest healthy value at a position of the row."""
        return self._seen[self._places.index(position)][3]

    @staticmethod
    def _limit(seen: Sequence[float]) -> float:
        counted, mean, square, largest = seen
        if counted < _FIRST_ROWS:
            return inf
        return max(_BEYOND_LARGEST * largest, mean + _DEVIATIONS * sqrt(square), 1e-9)

    def state(self) -> dict[str, Any]:
        """What was learnt of each sensor."""
        return {"seen": [list(seen) for seen in self._seen], "last_s": self.last_s}

    def restore(self, state: dict[str, Any]) -> None:
        """Take it up."""
        self._seen = [list(seen) for seen in state["seen"]]
        self.last_s = state["last_s"]


def _learn(seen: list[float], value: float) -> None:
    """Count, mean, variance and largest value."""
    seen[0] = min(seen[0] + 1, _REMEMBERED_ROWS)
    step = value - seen[1]
    seen[1] += step / seen[0]
    seen[2] = (1 - 1 / seen[0]) * (seen[2] + step * step / seen[0])
    seen[3] = max(seen[3], value)
