"""Lasting shifts of any size among the last values, and when they began."""

from typing import Any, ClassVar

import numpy as np

from services.alerts.detectors.contract import Score, State
from services.alerts.detectors.control_chart import ControlChart


class ChangePoint(ControlChart):
    """Scores the generalised likelihood ratio of "the level changed at some moment of the window" to "normal".

    For every moment ``k`` of the last ``window`` values, the deviations since then have the sum ``S`` and are ``n``;
    a new level fits them best by their own mean and its log-likelihood ratio is ``S**2 / (2 n)``. The score is the
    largest of them with at least ``fewest`` values, negative when the new level is lower, ``since_s`` the moment where
    it is reached and ``seen`` the size of the shift. Unlike ``Cusum`` no size has to be known; it costs the window.

    Source: Willsky & Jones (1976), limited to a window after Lai (1995); Basseville & Nikiforov (1993), section 2.4.
    """

    name: ClassVar[str] = "change-point"
    version: ClassVar[str] = "1"

    __slots__ = ("_deviations", "_times_s", "_twice", "fewest", "window")

    def __init__(
        self,
        floor: float,
        *,
        window: int = 72,
        fewest: int = 3,
        bins: int = 24,
        clip: float = 8.0,
        memory_days: float = 14.0,
        warm_up_days: int = 2,
    ) -> None:
        super().__init__(floor, bins=bins, clip=clip, memory_days=memory_days, warm_up_days=warm_up_days)
        self.window = window
        self.fewest = fewest
        # Newest first: the sums since each moment are then plain running sums.
        self._deviations = np.zeros(window)
        self._times_s: list[float] = []
        self._twice = 2.0 * np.arange(1, window + 1)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().configuration(), "window": self.window, "fewest": self.fewest}

    def _chart(self, time_s: float, deviation: float, expected: float) -> Score:
        self._deviations[1:] = self._deviations[:-1]
        self._deviations[0] = deviation
        self._times_s.insert(0, time_s)
        del self._times_s[self.window :]
        known = len(self._times_s)
        if known < self.fewest:
            return Score(0.0, expected)
        sums = self._deviations.cumsum()
        ratios = sums * sums / self._twice
        best = int(ratios[self.fewest - 1 : known].argmax()) + self.fewest - 1
        ratio, total = float(ratios[best]), float(sums[best])
        seen = {"shift": total / (best + 1), "values": best + 1}
        return Score(ratio if total >= 0 else -ratio, expected, seen, since_s=self._times_s[best])

    def state(self) -> dict[str, Any]:
        """Level, scale and the deviations of the window, newest first."""
        known = len(self._times_s)
        return {**super().state(), "times_s": list(self._times_s), "deviations": self._deviations[:known].tolist()}

    def restore(self, state: State) -> None:
        """Take up level, scale and window."""
        super().restore(state)
        self._times_s = list(state["times_s"])
        self._deviations = np.zeros(self.window)
        self._deviations[: len(self._times_s)] = state["deviations"]
