"""The value itself."""

from math import isfinite
from typing import Any, ClassVar

from services.alerts.detectors.contract import UNKNOWN, Detector, Score, State


class Value(Detector):
    """Scores a value by itself, so that a graded limit works on it.

    Source: limit checking as in every alarm system (ISA-18.2, IEC 62682); delays and hysteresis are the grading's.
    """

    name: ClassVar[str] = "value"
    version: ClassVar[str] = "1"

    __slots__ = ()

    def configuration(self) -> dict[str, Any]:
        """No arguments."""
        return {}

    def score(self, time_s: float, value: float) -> Score:  # noqa: ARG002  # the contract passes the time to all
        """The value."""
        return Score(value) if isfinite(value) else UNKNOWN

    def state(self) -> dict[str, Any]:
        """Nothing is remembered."""
        return {}

    def restore(self, state: State) -> None:
        """Nothing was remembered."""
