"""Silence against the expected interval."""

from math import inf
from typing import Any, ClassVar

from services.alerts.detectors.contract import Detector, Score, State
from services.core.sensor import TOLERATED_AT_LEAST_S, TOLERATED_INTERVALS


class Gap(Detector):
    """Scores how long nothing was heard, as a multiple of the silence that is still tolerated.

    Tolerated are ``intervals`` expected intervals and at least ``minimum_s``: one lost message is no outage.
    Source: the missed-heartbeat rule of telemetry (default: three intervals, 15 minutes).
    """

    name: ClassVar[str] = "gap"
    version: ClassVar[str] = "1"

    __slots__ = ("_heard_s", "interval_s", "intervals", "minimum_s", "tolerated_s")

    def __init__(
        self, interval_s: float, intervals: float = TOLERATED_INTERVALS, minimum_s: float = TOLERATED_AT_LEAST_S
    ) -> None:
        self.interval_s = interval_s
        self.intervals = intervals
        self.minimum_s = minimum_s
        self.tolerated_s = max(intervals * interval_s, minimum_s)
        self._heard_s: float | None = None

    @property
    def due_s(self) -> float:
        """When the silence stops being tolerable, seconds since 1970; infinite before anything was heard."""
        return inf if self._heard_s is None else self._heard_s + self.tolerated_s

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"interval_s": self.interval_s, "intervals": self.intervals, "minimum_s": self.minimum_s}

    def score(self, time_s: float, value: float) -> Score:
        """Elapsed silence over tolerated silence; a finite ``value`` ends it, NaN stands for "still nothing"."""
        elapsed_s = 0.0 if self._heard_s is None else max(0.0, time_s - self._heard_s)
        if value == value:  # noqa: PLR0124  # the quickest test for NaN; every reading passes here
            self.hear(time_s)
        return Score(elapsed_s / self.tolerated_s, seen={"silent_s": elapsed_s, "tolerated_s": self.tolerated_s})

    def hear(self, time_s: float) -> None:
        """Something was heard; an older moment changes nothing."""
        if self._heard_s is None or time_s > self._heard_s:
            self._heard_s = time_s

    def state(self) -> dict[str, Any]:
        """When something was last heard."""
        return {"heard_s": self._heard_s}

    def restore(self, state: State) -> None:
        """Take up the last sign of life."""
        self._heard_s = state["heard_s"]
