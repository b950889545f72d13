"""A sensor measures one quantity of one asset in one unit."""

from dataclasses import dataclass
from datetime import timedelta

from services.core.lifeline import Lifeline
from services.core.threshold import Threshold

TOLERATED_INTERVALS = 3.0
TOLERATED_AT_LEAST_S = 900.0
"""One lost message is no silence: the missed-heartbeat rule of telemetry (default: three intervals, 15 minutes)."""


def tolerated_silence_s(interval_s: float) -> float:
    """How long whoever reports at an interval may say nothing before that is silence."""
    return max(TOLERATED_INTERVALS * interval_s, TOLERATED_AT_LEAST_S)


@dataclass(frozen=True, slots=True)
class Sensor:
    """A registered sensor (监测点).

    ``key`` is the small number under which readings are stored. ``interval`` is how often the device is
    expected to report. ``thresholds`` are the sensor's own or, where it declares none, its quantity's defaults.
    """

    id: str
    key: int
    lifeline: Lifeline
    quantity: str
    unit: str
    asset: str
    zone: str
    longitude: float
    latitude: float
    interval: timedelta
    gateway: str | None
    plausible: tuple[float, float]
    thresholds: tuple[Threshold, ...] = ()

    @property
    def tolerated_silence_s(self) -> float:
        """How long it may say nothing until what was seen before does not count as lasting."""
        return tolerated_silence_s(self.interval.total_seconds())
