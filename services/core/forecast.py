"""What is expected of a sensor."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Forecast:
    """One value expected at ``target_time`` as it looked at ``issued_at``, both event time, in the sensor's unit.

    Eight times of ten the value will lie between ``low`` and ``high`` if the detector knows its trade. ``detector`` and
    ``detector_version`` say who expects it, ``model`` by what it was taught, if by anything.
    """

    sensor: str
    issued_at: datetime
    target_time: datetime
    value: float
    low: float
    high: float
    detector: str
    detector_version: str
    model: str | None = None
