"""A measured value."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class Quality(IntEnum):
    """How far a value may be trusted. Everything is stored; only good and suspect values are judged."""

    GOOD = 0
    SUSPECT = 1
    BAD = 2


class QualityReason(StrEnum):
    """Why a stored reading is marked. The words are published; the tables hold ``code``."""

    OUT_OF_RANGE = "out-of-range"
    """Outside what a working device can report; bad."""
    DEVICE = "device"
    """The device itself called it suspect or bad."""
    CLOCK_AHEAD = "clock-ahead"
    """Measured after it was received, within the tolerance: the device's clock is wrong; suspect."""
    LATE = "late"
    """Came long after it was measured. The value is as good as any."""
    CHANGED = "changed"
    """The device gave another value for this moment before; the older one is kept beside it; suspect."""

    @property
    def code(self) -> int:
        """The number under which the tables hold the reason; 0 is none."""
        return _CODES[self]

    @classmethod
    def of_code(cls, code: int) -> "QualityReason | None":
        """The reason of a number from the tables."""
        return _REASONS.get(code)


_CODES = {
    QualityReason.OUT_OF_RANGE: 1,
    QualityReason.DEVICE: 2,
    QualityReason.CLOCK_AHEAD: 3,
    QualityReason.LATE: 4,
    QualityReason.CHANGED: 5,
}
_REASONS = {code: reason for reason, code in _CODES.items()}


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one sensor.

    ``time`` is when it was measured (event time, UTC), ``received_at`` when the service got it. ``value`` is in
    the sensor's declared unit. ``reason`` says why the quality is not good.
    """

    sensor: str
    time: datetime
    value: float
    quality: Quality
    received_at: datetime
    reason: QualityReason | None = None
