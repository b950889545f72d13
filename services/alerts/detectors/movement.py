"""How far a value has moved within one reporting interval."""

from collections import deque
from math import isfinite
from typing import Any, ClassVar

from services.alerts.detectors.contract import UNKNOWN, Detector, Score, State

_MOST = 64


class Movement(Detector):
    """Scores the distance between the highest and the lowest of the values of the last ``window_s``.

    The value before the window counts too, so that a device which reports once in the window has something to be
    compared with; one older than two windows does not. Sixty-four values are remembered at the most.

    Source: devices for road water that report faster once the level moves by more than two centimetres between two
    readings, as their makers describe it.
    """

    name: ClassVar[str] = "movement"
    version: ClassVar[str] = "1"

    __slots__ = ("_points", "window_s")

    def __init__(self, window_s: float) -> None:
        self.window_s = window_s
        self._points: deque[tuple[float, float]] = deque(maxlen=_MOST)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"window_s": self.window_s}

    def score(self, time_s: float, value: float) -> Score:
        """The movement up to this value, in its unit; unknown where nothing recent came before it."""
        if not isfinite(value):
            return UNKNOWN
        points = self._points
        points.append((time_s, value))
        while len(points) > 1 and points[1][0] <= time_s - self.window_s:
            points.popleft()
        if points[0][0] < time_s - 2 * self.window_s:
            points.popleft()
        if len(points) < 2:  # noqa: PLR2004  # a movement has two ends
            return UNKNOWN
        values = [seen for _, seen in points]
        return Score(max(values) - min(values), since_s=points[0][0])

    def state(self) -> dict[str, Any]:
        """The recent values."""
        return {"points": [list(point) for point in self._points]}

    def restore(self, state: State) -> None:
        """Take up the recent values."""
        self._points = deque(((time_s, value) for time_s, value in state["points"]), maxlen=_MOST)
