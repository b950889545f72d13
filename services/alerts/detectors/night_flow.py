"""The flow of a district at night, when nearly nobody draws water."""

from collections import deque
from math import inf, isfinite
from statistics import median
from typing import Any, ClassVar

from services.alerts.detectors.contract import UNKNOWN, Detector, Score, State

_DAY_S = 86400.0
_MAD_TO_SIGMA = 1.4826
_SMOOTHED_S = 1800.0
_COMPLETE = 0.5
"""Share of a night that has to be covered for the night to count."""


class NightFlow(Detector):
    """Scores by how much last night's minimum flow exceeds what earlier nights explain, in the flow's unit.

    A night's minimum is the least mean of half an hour between ``start_s`` and ``end_s`` (seconds after midnight UTC,
    may wrap). It is compared with the median of up to ``nights`` learnt nights, less ``tolerance`` robust standard
    deviations of them, and counts only beyond the highest of them. The excess is known when the window is over and
    stays the score until the next night. A night is learnt only if the rule was quiet when it ended. Unknown before
    ``warm_up`` nights.

    Source: minimum night flow analysis (IWA Water Loss Task Force; window 02:00 to 04:00 is the usual choice).
    """

    name: ClassVar[str] = "night-flow"
    version: ClassVar[str] = "1"

    __slots__ = (
        "_excess",
        "_expected",
        "_first_s",
        "_half_hour",
        "_last_s",
        "_least",
        "_night",
        "_nights",
        "_unlearnt",
        "end_s",
        "nights",
        "start_s",
        "tolerance",
        "warm_up",
    )

    def __init__(
        self,
        start_s: float,
        end_s: float,
        *,
        nights: int = 28,
        warm_up: int = 3,
        tolerance: float = 3.0,
    ) -> None:
        self.start_s = start_s
        self.end_s = end_s
        self.nights = nights
        self.warm_up = warm_up
        self.tolerance = tolerance
        self._nights: deque[float] = deque(maxlen=nights)
        self._half_hour: deque[tuple[float, float]] = deque()
        self._night: int | None = None
        self._least = inf
        self._first_s = 0.0
        self._last_s = 0.0
        self._excess: float | None = None
        self._expected: float | None = None
        self._unlearnt: float | None = None

    @property
    def _length_s(self) -> float:
        return (self.end_s - self.start_s) % _DAY_S

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "start_s": self.start_s,
            "end_s": self.end_s,
            "nights": self.nights,
            "warm_up": self.warm_up,
            "tolerance": self.tolerance,
        }

    def score(self, time_s: float, value: float) -> Score:
        """Last night's excess over the nights before."""
        if not isfinite(value):
            return UNKNOWN
        night, into_s = divmod(time_s - self.start_s, _DAY_S)
        if self._night is not None and (into_s >= self._length_s or night != self._night):
            self._end_night()
        if into_s < self._length_s:
            self._watch_night(int(night), time_s, value)
        if self._excess is None:
            return UNKNOWN
        return Score(self._excess, expected=self._expected, seen={"excess": self._excess, "usual": self._expected})

    def _watch_night(self, night: int, time_s: float, value: float) -> None:
        if self._night is None:
            self._night, self._least, self._first_s = night, inf, time_s
            self._half_hour.clear()
        self._last_s = time_s
        self._half_hour.append((time_s, value))
        while time_s - self._half_hour[0][0] >= _SMOOTHED_S:
            self._half_hour.popleft()
        if time_s - self._first_s >= _SMOOTHED_S:
            mean = sum(value for _, value in self._half_hour) / len(self._half_hour)
            self._least = min(self._least, mean)

    def _end_night(self) -> None:
        least, covered_s = self._least, self._last_s - self._first_s
        self._night, self._least = None, inf
        self._half_hour.clear()
        if covered_s < _COMPLETE * self._length_s or not isfinite(least):
            return
        self._unlearnt = least
        if len(self._nights) >= self.warm_up:
            usual = median(self._nights)
            spread = median(abs(each - usual) for each in self._nights) * _MAD_TO_SIGMA
            self._expected = usual
            beyond = least > max(self._nights)
            self._excess = max(0.0, least - usual - self.tolerance * spread) if beyond else 0.0

    def learn(self, time_s: float, value: float) -> None:  # noqa: ARG002  # a night counts as a whole, once it is over
        """Take the last night into the history, if it was not taken yet."""
        if self._unlearnt is not None:
            self._nights.append(self._unlearnt)
            self._unlearnt = None

    def state(self) -> dict[str, Any]:
        """The nights, and what is known of the present one."""
        return {
            "nights": list(self._nights),
            "half_hour": [list(point) for point in self._half_hour],
            "night": self._night,
            "least": self._least if isfinite(self._least) else None,
            "first_s": self._first_s,
            "last_s": self._last_s,
            "excess": self._excess,
            "expected": self._expected,
            "unlearnt": self._unlearnt,
        }

    def restore(self, state: State) -> None:
        """Take up the nights."""
        self._nights = deque(state["nights"], maxlen=self.nights)
        self._half_hour = deque((time_s, value) for time_s, value in state["half_hour"])
        self._night = state["night"]
        self._least = inf if state["least"] is None else state["least"]
        self._first_s = state["first_s"]
        self._last_s = state["last_s"]
        self._excess = state["excess"]
        self._expected = state["expected"]
        self._unlearnt = state["unlearnt"]
