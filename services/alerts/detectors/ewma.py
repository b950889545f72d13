"""Small lasting shifts, seen in a weighted mean of recent deviations."""

from math import sqrt
from typing import Any, ClassVar

from services.alerts.detectors.contract import Score, State
from services.alerts.detectors.control_chart import ControlChart


class Ewma(ControlChart):
    """Scores an exponentially weighted mean of the deviations, in its own standard deviations.

    The newest deviation weighs ``smoothing``, each one before it ``1 - smoothing`` of its successor. The mean of
    ``n`` independent deviations has variance ``smoothing / (2 - smoothing) * (1 - (1 - smoothing)**(2n))``; the
    score is the mean over the root of that. Successive values that resemble one another make it larger than the
    textbook's limit of 3 expects: a rule's grades allow for that, or a small ``smoothing`` does.

    Source: Roberts (1959); limits as in Montgomery, Introduction to Statistical Quality Control, chapter 9.
    """

    name: ClassVar[str] = "ewma"
    version: ClassVar[str] = "1"

    __slots__ = ("_fading", "_mean", "smoothing")

    def __init__(
        self,
        floor: float,
        *,
        smoothing: float = 0.1,
        bins: int = 24,
        clip: float = 8.0,
        memory_days: float = 14.0,
        warm_up_days: int = 2,
    ) -> None:
        super().__init__(floor, bins=bins, clip=clip, memory_days=memory_days, warm_up_days=warm_up_days)
        self.smoothing = smoothing
        self._mean = 0.0
        self._fading = 1.0

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().configuration(), "smoothing": self.smoothing}

    def _chart(self, time_s: float, deviation: float, expected: float) -> Score:  # noqa: ARG002  # a chart that keeps onsets needs the time
        self._mean += self.smoothing * (deviation - self._mean)
        self._fading *= (1 - self.smoothing) ** 2
        sigma = sqrt(self.smoothing / (2 - self.smoothing) * (1 - self._fading))
        return Score(self._mean / sigma, expected, {"mean_deviation": self._mean, "last_deviation": deviation})

    def state(self) -> dict[str, Any]:
        """Level, scale and the weighted mean."""
        return {**super().state(), "mean": self._mean, "fading": self._fading}

    def restore(self, state: State) -> None:
        """Take up level, scale and the weighted mean."""
        super().restore(state)
        self._mean = state["mean"]
        self._fading = state["fading"]
