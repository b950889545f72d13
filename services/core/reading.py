"""A measured value."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Quality(IntEnum):
    """How far a value may be trusted. Everything is stored; only good and suspect values are judged."""

    GOOD = 0
    SUSPECT = 1
    BAD = 2


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
    reason: str | None = None
