"""How fast a value moves."""

from collections import deque
from math import isfinite, nan
from statistics import median
from typing import Any, ClassVar

from services.alerts.detectors.contract import UNKNOWN, Detector, Score, State

_FEWEST = 5
"""With five values, one wrong one makes fewer than half of the slopes."""
_MOST = 12


class Rate(Detector):
    """Scores the slope of the recent values, per minute, wherever the value itself is at least ``floor``.

    The slope is the median of the slopes between all pairs of the values of the last ``window_s`` (at least five, at
    most the last twelve): a single wrong value does not move it. Below ``floor`` the score is 0.

    Source: Theil (1950), Sen (1968).
    """

    name: ClassVar[str] = "rate"
    version: ClassVar[str] = "1"

    __slots__ = ("_points", "floor", "window_s")

    def __init__(self, window_s: float, floor: float) -> None:
        self.window_s = window_s
        self.floor = floor
        self._points: deque[tuple[float, float]] = deque(maxlen=_MOST)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"window_s": self.window_s, "floor": self.floor}

    def score(self, time_s: float, value: float) -> Score:
        """The slope up to this value, in its unit per minute; unknown with fewer than five values."""
        if not isfinite(value):
            return UNKNOWN
        points = self._points
        points.append((time_s, value))
        while time_s - points[0][0] > self.window_s:
            points.popleft()
        if value < self.floor:
            return _STEADY
        if len(points) < _FEWEST:
            return UNKNOWN
        slope = self._slope()
        return Score(slope, seen={"per_minute": slope, "values": len(points)}, since_s=self._onset_s(value))

    def _onset_s(self, value: float) -> float:
        """When the rise left the ground: the last time the value was within a tenth of its way from the lowest."""
        lowest = min(seen for _, seen in self._points)
        ground = lowest + _ON_THE_GROUND * (value - lowest)
        return max(time_s for time_s, seen in self._points if seen <= ground)

    def _slope(self) -> float:
        points = list(self._points)
        slopes = [
            (later - earlier) / (later_s - earlier_s)
            for position, (earlier_s, earlier) in enumerate(points)
            for later_s, later in points[position + 1 :]
            if later_s > earlier_s
        ]
        return median(slopes) * 60 if slopes else nan

    def state(self) -> dict[str, Any]:
        """The recent values."""
        return {"points": [list(point) for point in self._points]}

    def restore(self, state: State) -> None:
        """Take up the recent values."""
        self._points = deque(((time_s, value) for time_s, value in state["points"]), maxlen=_MOST)


_STEADY = Score(0.0)
_ON_THE_GROUND = 0.1
