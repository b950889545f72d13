"""Lasting shifts of a known size, and when they began."""

from typing import Any, ClassVar

from services.alerts.detectors.contract import Score, State
from services.alerts.detectors.control_chart import ControlChart


class Cusum(ControlChart):
    """Scores the log-likelihood ratio of "shifted by ``shift`` standard deviations since some moment" to "normal".

    For normally distributed deviations ``z`` a value adds ``shift * (z - shift / 2)`` to the sum for a rise and
    ``shift * (-z - shift / 2)`` to the one for a fall; neither falls below 0 or rises above ``ceiling``, so that an
    end is soon seen. The score is the larger sum, negative for a fall. The shift is likeliest to have begun with the
    first value after the sum last stood at 0, and ``since_s`` says so.

    Source: Page (1954); likelihood ratio and estimate of the onset in Basseville & Nikiforov, Detection of Abrupt
    Changes (1993), section 2.2.
    """

    name: ClassVar[str] = "cusum"
    version: ClassVar[str] = "1"

    __slots__ = ("_fall", "_fallen_s", "_rise", "_risen_s", "ceiling", "shift")

    def __init__(
        self,
        floor: float,
        *,
        shift: float = 1.5,
        ceiling: float = 60.0,
        bins: int = 24,
        clip: float = 8.0,
        memory_days: float = 14.0,
        warm_up_days: int = 2,
    ) -> None:
        super().__init__(floor, bins=bins, clip=clip, memory_days=memory_days, warm_up_days=warm_up_days)
        self.shift = shift
        self.ceiling = ceiling
        self._rise = self._fall = 0.0
        self._risen_s: float | None = None
        self._fallen_s: float | None = None

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().configuration(), "shift": self.shift, "ceiling": self.ceiling}

    def _chart(self, time_s: float, deviation: float, expected: float) -> Score:
        self._rise = self._added(self._rise, deviation)
        self._fall = self._added(self._fall, -deviation)
        self._risen_s = _begun(self._risen_s, time_s, self._rise)
        self._fallen_s = _begun(self._fallen_s, time_s, self._fall)
        rising = self._rise >= self._fall
        return Score(
            self._rise if rising else -self._fall,
            expected,
            {"rise": self._rise, "fall": self._fall, "last_deviation": deviation},
            since_s=self._risen_s if rising else self._fallen_s,
        )

    def _added(self, total: float, deviation: float) -> float:
        return min(self.ceiling, max(0.0, total + self.shift * (deviation - self.shift / 2)))

    def state(self) -> dict[str, Any]:
        """Level, scale, both sums and since when they stand above 0."""
        return {
            **super().state(),
            "rise": self._rise,
            "risen_s": self._risen_s,
            "fall": self._fall,
            "fallen_s": self._fallen_s,
        }

    def restore(self, state: State) -> None:
        """Take up level, scale and sums."""
        super().restore(state)
        self._rise, self._risen_s = state["rise"], state["risen_s"]
        self._fall, self._fallen_s = state["fall"], state["fallen_s"]


def _begun(since_s: float | None, time_s: float, total: float) -> float | None:
    if total <= 0:
        return None
    return time_s if since_s is None else since_s
