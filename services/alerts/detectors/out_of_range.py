"""Values that a working device cannot report."""

from collections import deque
from math import isfinite
from typing import Any, ClassVar

from services.alerts.detectors.contract import Detector, Score, State


class OutOfRange(Detector):
    """Scores how many of the last ``window`` values were implausible or no number at all.

    One implausible value is a transmission error, several are a fault. Source: range test of WMO-No. 8 and of the
    QARTOD manuals (gross range test), counted over a window.
    """

    name: ClassVar[str] = "out-of-range"
    version: ClassVar[str] = "1"

    __slots__ = ("_count", "_recent", "high", "low", "window")

    def __init__(self, low: float, high: float, window: int = 5) -> None:
        self.low = low
        self.high = high
        self.window = window
        self._recent: deque[bool] = deque(maxlen=window)
        self._count = 0

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"low": self.low, "high": self.high, "window": self.window}

    def score(self, time_s: float, value: float) -> Score:  # noqa: ARG002  # the contract passes the time to all
        """The number of implausible values among the last ones, this one included."""
        wrong = not self.low <= value <= self.high
        recent = self._recent
        if self._count or wrong:
            if len(recent) == self.window:
                self._count -= recent[0]
            self._count += wrong
        recent.append(wrong)
        if not self._count:
            return _NONE
        seen = {"low": self.low, "high": self.high, "of": len(recent), "last": value if isfinite(value) else None}
        return Score(float(self._count), seen=seen)

    def state(self) -> dict[str, Any]:
        """Which of the last values were implausible."""
        return {"recent": [int(wrong) for wrong in self._recent]}

    def restore(self, state: State) -> None:
        """Take up the last values."""
        self._recent = deque((bool(wrong) for wrong in state["recent"]), maxlen=self.window)
        self._count = sum(self._recent)


_NONE = Score(0.0)
