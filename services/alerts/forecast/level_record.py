"""A water level beside a low point: a manhole up or down the sewer, the river, the tide."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

_KEPT_S = 3600.0
_MOST = 120
_SILENT_S = 1800.0
_USUAL_S = 7 * 86400.0
"""Over how long the usual level is a mean: long enough for tides and dry-weather flow to even out."""


class LevelRecord:
    """The levels of the last hour, in the sensor's unit, and the usual one."""

    __slots__ = ("_levels", "_times_s", "_usual")

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._levels: list[float] = []
        self._usual = 0.0

    def observe(self, time_s: float, level: float) -> None:
        """Take a reading; one that is not newer than the last is left out."""
        if self._times_s and time_s <= self._times_s[-1]:
            return
        share = min((time_s - self._times_s[-1]) / _USUAL_S, 1.0) if self._times_s else 1.0
        self._usual += share * (level - self._usual)
        self._times_s.append(time_s)
        self._levels.append(level)
        while len(self._times_s) > _MOST or time_s - self._times_s[0] > _KEPT_S:
            del self._times_s[0], self._levels[0]

    def is_silent(self, time_s: float) -> bool:
        """Whether nothing was heard for half an hour."""
        return not self._times_s or time_s - self._times_s[-1] > _SILENT_S

    @property
    def above_usual(self) -> float:
        """How much higher than usual the level is."""
        return self._levels[-1] - self._usual

    def rise(self, time_s: float, minutes: float) -> float:
        """How much higher the level is than ``minutes`` ago, or than at the begin of what is kept."""
        before = bisect_right(self._times_s, time_s - 60 * minutes) - 1
        return self._levels[-1] - self._levels[max(before, 0)]

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {"times_s": list(self._times_s), "levels": list(self._levels), "usual": self._usual}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where the record that returned ``state`` stood."""
        self._times_s, self._levels, self._usual = list(state["times_s"]), list(state["levels"]), state["usual"]
