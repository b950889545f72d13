"""What a part of a network draws at night, when nearly nobody does: slow leaks that no row shows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from services.alerts.detectors.contract import State
from services.alerts.detectors.night_flow import NightFlow
from services.core.severity import Severity

NIGHT_BEGINS_S = 18 * 3600.0
NIGHT_ENDS_S = 20 * 3600.0
"""02:00 to 04:00 in China, which has one time zone; seconds after midnight UTC."""
NIGHT_GRADES: Sequence[tuple[Severity, float, float]] = ((Severity.MINOR, 4.0, 2.0), (Severity.MODERATE, 20.0, 10.0))
"""Grade, m3/h above the nights before from which and until which it holds: a leak worth listening for, and five times
as much."""


class NightChange(NamedTuple):
    """A part that drew ``excess_m3h`` more last night than in the nights before, or as before again (``NORMAL``)."""

    severity: Severity
    excess_m3h: float
    expected_m3h: float | None


class NightDraw:
    """One part's night, by the flow that leaves it: what only passes its meters, or fills a tank, does not count."""

    def __init__(self) -> None:
        self._nights = NightFlow(NIGHT_BEGINS_S, NIGHT_ENDS_S)
        self.severity = Severity.NORMAL

    def take(self, time_s: float, draw_m3h: float) -> NightChange | None:
        """Judge what the part draws now, NaN where unknown; what there is to tell."""
        score = self._nights.score(time_s, draw_m3h)
        before = self.severity
        if score.value is not None:
            self.severity = _graded(before, score.value)
        if self.severity is Severity.NORMAL:
            self._nights.learn(time_s, draw_m3h)
        if self.severity is before or score.value is None:
            return None
        return NightChange(self.severity, score.value, score.expected)

    def state(self) -> dict[str, Any]:
        """The nights, and what was told."""
        return {"nights": self._nights.state(), "severity": int(self.severity)}

    def restore(self, state: State) -> None:
        """Go on where ``state`` was taken."""
        self._nights.restore(state["nights"])
        self.severity = Severity(state["severity"])


def _graded(before: Severity, excess_m3h: float) -> Severity:
    found = Severity.NORMAL
    for grade, raise_at, clear_at in NIGHT_GRADES:
        if excess_m3h >= (clear_at if before >= grade else raise_at):
            found = grade
    return found
