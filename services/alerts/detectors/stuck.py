"""A value that stands still although the sensor normally moves."""

from math import isfinite, log10
from typing import Any, ClassVar

from services.alerts.detectors.contract import UNKNOWN, Detector, Score, State

_FULL_WEIGHT = 2000
"""Steps after which older habits fade: a week at five minutes."""


class Stuck(Detector):
    """Scores how improbable the present run of unchanged values is, as a power of ten.

    Learnt are the share ``p`` of steps on which a moving sensor repeats its value, and the longest run it ever had.
    A run of ``n`` unchanged steps has probability ``p**n``; the score is ``-n*log10(p)``. It is 0 before ``warm_up``
    steps, for runs shorter than ``minimum_s`` or than three times the longest learnt run, and at the quantity's
    resting value, where standing still is normal (no methane, dry road, pump off).

    Source: persistence test of WMO-No. 8 and QARTOD (flat line test), with the tolerance learnt from the sensor.
    """

    name: ClassVar[str] = "stuck"
    version: ClassVar[str] = "1"

    __slots__ = (
        "_anchor",
        "_began_s",
        "_ended",
        "_longest",
        "_repeats",
        "_run",
        "_steps",
        "minimum_s",
        "resolution",
        "rest",
        "warm_up",
    )

    def __init__(
        self, resolution: float = 0.0, rest: float | None = None, minimum_s: float = 3600.0, warm_up: int = 48
    ) -> None:
        self.resolution = resolution
        self.rest = rest
        self.minimum_s = minimum_s
        self.warm_up = warm_up
        self._anchor: float | None = None
        self._began_s = 0.0
        self._run = 0
        self._steps = 0.0
        self._repeats = 0.0
        self._longest = 0.0
        self._ended = 0

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "resolution": self.resolution,
            "rest": self.rest,
            "minimum_s": self.minimum_s,
            "warm_up": self.warm_up,
        }

    def score(self, time_s: float, value: float) -> Score:
        """The improbability of the run that ``value`` continues, as a power of ten."""
        if not isfinite(value):
            return UNKNOWN
        anchor = self._anchor
        if anchor is None or abs(value - anchor) > self.resolution:
            self._ended = 0 if anchor is None or self._rests(anchor) else self._run
            self._anchor, self._began_s, self._run = value, time_s, 0
            return _MOVES
        self._run += 1
        lasting_s = time_s - self._began_s
        if lasting_s < self.minimum_s or self._steps < self.warm_up or self._run < 3 * self._longest:
            return _MOVES
        if self._rests(value):
            return _MOVES
        chance = (self._repeats + 1) / (self._steps + 2)
        seen = {"unchanged_s": lasting_s, "repeats": self._run, "usual_share": chance, "longest": self._longest}
        return Score(-self._run * log10(chance), seen=seen, since_s=self._began_s)

    def _rests(self, value: float) -> bool:
        return self.rest is not None and abs(value - self.rest) <= self.resolution

    def learn(self, time_s: float, value: float) -> None:  # noqa: ARG002  # a run counts as a whole, when it has ended
        """Take a run into the sensor's habits once a different value has ended it."""
        if self._run:
            return
        fade = 1 - 1 / _FULL_WEIGHT
        self._repeats = self._repeats * fade + self._ended
        self._steps = self._steps * fade + self._ended + 1
        self._longest = max(self._longest * fade, float(self._ended))
        self._ended = 0

    def state(self) -> dict[str, Any]:
        """The present run and the habits."""
        return {
            "anchor": self._anchor,
            "began_s": self._began_s,
            "run": self._run,
            "ended": self._ended,
            "steps": self._steps,
            "repeats": self._repeats,
            "longest": self._longest,
        }

    def restore(self, state: State) -> None:
        """Take up the run and the habits."""
        self._anchor = state["anchor"]
        self._began_s = state["began_s"]
        self._run = state["run"]
        self._ended = state["ended"]
        self._steps = state["steps"]
        self._repeats = state["repeats"]
        self._longest = state["longest"]


_MOVES = Score(0.0)
