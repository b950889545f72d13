"""A graded limit with hysteresis and delays."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from services.core.severity import Severity


class Side(StrEnum):
    """On which side of the limit the trouble lies."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One grade of a limit, in the sensor's declared unit.

    The grade is reached when the value has been at or beyond ``raise_at`` for ``on_delay`` and is left when it
    has been back behind ``clear_at`` for ``off_delay``. ``source`` says where the number comes from; the word
    ``default`` in it marks a value to be confirmed on site.
    """

    severity: Severity
    side: Side
    raise_at: float
    clear_at: float
    on_delay: timedelta = timedelta(0)
    off_delay: timedelta = timedelta(0)
    source: str = "default"

    def __post_init__(self) -> None:
        """Refuse a threshold that would clear before it raises.

        Raises:
            ValueError: ``clear_at`` lies on the trouble side of ``raise_at``.
        """
        wrong = self.clear_at > self.raise_at if self.side is Side.ABOVE else self.clear_at < self.raise_at
        if wrong:
            raise ValueError(
                f"clear_at {self.clear_at} lies on the trouble side of raise_at {self.raise_at} ({self.side})"
            )

    def reached(self, value: float) -> bool:
        """Whether the value is at or beyond the limit."""
        return value >= self.raise_at if self.side is Side.ABOVE else value <= self.raise_at

    def left(self, value: float) -> bool:
        """Whether the value is back behind the clearing limit."""
        return value < self.clear_at if self.side is Side.ABOVE else value > self.clear_at
