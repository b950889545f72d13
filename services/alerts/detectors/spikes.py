"""Isolated jumps there and back."""

from collections import deque
from math import isfinite
from statistics import median
from typing import Any, ClassVar

from services.alerts.detectors.contract import UNKNOWN, Detector, Score, State


class Spikes(Detector):
    """Scores how many of the last ``window`` values stuck out from both their neighbours.

    A value is a spike when it lies above both neighbours, or below both, by more than ``factor`` usual steps of the
    sensor and by at least ``floor`` in its unit. The usual step is the median of the recent steps that are no spikes'.

    Source: spike test of QARTOD and of WMO-No. 8, counted over a window.
    """

    name: ClassVar[str] = "spikes"
    version: ClassVar[str] = "1"

    __slots__ = ("_count", "_flags", "_last", "_steps", "factor", "floor", "window")

    def __init__(self, floor: float, factor: float = 12.0, window: int = 36) -> None:
        self.floor = floor
        self.factor = factor
        self.window = window
        self._last: deque[float] = deque(maxlen=3)
        self._flags: deque[bool] = deque(maxlen=window)
        self._steps: deque[float] = deque(maxlen=window)
        self._count = 0

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"floor": self.floor, "factor": self.factor, "window": self.window}

    def score(self, time_s: float, value: float) -> Score:  # noqa: ARG002  # the contract passes the time to all
        """The number of spikes among the last values; the newest one can be told only after its successor."""
        if not isfinite(value):
            return UNKNOWN
        last = self._last
        last.append(value)
        if len(last) < 3:  # noqa: PLR2004  # a value and its two neighbours
            return _NONE
        before, middle, after = last
        rise, fall = middle - before, middle - after
        height = min(abs(rise), abs(fall)) if rise * fall > 0 else 0.0
        spike = height >= self.floor and height > self.factor * self._usual_step()
        if len(self._flags) == self.window:
            self._count -= self._flags[0]
        self._count += spike
        self._flags.append(spike)
        if not spike and not (len(self._flags) > 1 and self._flags[-2]):
            self._steps.append(abs(rise))
        if not self._count:
            return _NONE
        return Score(float(self._count), seen={"spikes": self._count, "of": len(self._flags)})

    def _usual_step(self) -> float:
        # A sensor of coarse resolution mostly repeats its value; how far it goes when it moves is what is usual.
        moves = [step for step in self._steps if step > 0]
        return median(moves) if moves else 0.0

    def state(self) -> dict[str, Any]:
        """The last values, steps and spikes."""
        return {
            "last": list(self._last),
            "flags": [int(flag) for flag in self._flags],
            "steps": list(self._steps),
        }

    def restore(self, state: State) -> None:
        """Take up the last values, steps and spikes."""
        self._last = deque(state["last"], maxlen=3)
        self._flags = deque((bool(flag) for flag in state["flags"]), maxlen=self.window)
        self._steps = deque(state["steps"], maxlen=self.window)
        self._count = sum(self._flags)


_NONE = Score(0.0)
