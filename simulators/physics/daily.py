"""How a city breathes through the day."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

_HOURS = np.arange(25.0)
_WEEKEND = 5
"""Monday is 0, so Saturday and Sunday are 5 and 6."""


class DailyPattern:
    """A multiplier by local hour, 24 values joined by straight lines; weekends wake ``weekend_delay_h`` later."""

    def __init__(self, hourly: Sequence[float], zone: ZoneInfo, weekend_delay_h: float = 0.0) -> None:
        mean = sum(hourly) / len(hourly)
        self._values = np.array([value / mean for value in (*hourly, hourly[0])])
        self._zone = zone
        self._delay_h = weekend_delay_h

    def at(self, time: datetime) -> float:
        """The multiplier at one instant; its mean over a day is 1."""
        local = time.astimezone(self._zone)
        hour = local.hour + local.minute / 60 + local.second / 3600
        if local.weekday() >= _WEEKEND:
            hour = (hour - self._delay_h * max(0.0, 1 - abs(hour - 12) / 12)) % 24
        return float(np.interp(hour, _HOURS, self._values))


WATER = (
    0.50, 0.42, 0.38, 0.37, 0.42, 0.70, 1.20, 1.52, 1.42, 1.22, 1.12, 1.12,
    1.18, 1.08, 0.98, 0.98, 1.08, 1.26, 1.45, 1.48, 1.36, 1.18, 0.92, 0.68,
)  # fmt: skip
GAS = (
    0.35, 0.28, 0.25, 0.25, 0.32, 0.65, 1.30, 1.45, 1.05, 0.85, 1.05, 1.60,
    1.55, 0.95, 0.75, 0.78, 1.10, 1.75, 2.05, 1.65, 1.20, 0.95, 0.70, 0.48,
)  # fmt: skip
SEWAGE = (
    0.60, 0.50, 0.45, 0.43, 0.45, 0.60, 0.95, 1.35, 1.45, 1.30, 1.20, 1.15,
    1.20, 1.15, 1.05, 1.00, 1.05, 1.15, 1.30, 1.40, 1.40, 1.25, 1.00, 0.78,
)  # fmt: skip
TRAFFIC = (
    0.20, 0.14, 0.12, 0.12, 0.20, 0.45, 1.00, 1.75, 1.85, 1.40, 1.25, 1.25,
    1.20, 1.20, 1.25, 1.30, 1.50, 1.85, 1.75, 1.30, 1.00, 0.85, 0.60, 0.35,
)  # fmt: skip
"""Multipliers by local hour; believable shapes, not taken from any city."""
