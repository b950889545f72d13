"""What is usual at this hour of the week, at this time of the year, on a holiday."""

from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import Any, ClassVar

from services.alerts.detectors.contract import UNKNOWN, Detector, Score, State, Trainable
from services.alerts.detectors.week_profile import WeekProfile

_NO_HOLIDAYS: Mapping[str, int] = MappingProxyType({})


class WeeklySeasonal(Trainable, Detector):
    """Scores the residual from a learnt profile of the week, in robust standard deviations.

    ``WeekProfile`` keeps the profile: working days and weekend days first, days of the week once their weeks were
    seen, ``holidays`` as the day of the week they are lived like, a slow level for the year. A residual counts in
    units of the local scale, which is never less than ``relative_floor`` of the expected value or ``floor`` in the
    value's unit. Where the sensor has no week (a tank, a pump on a timer), ``Seasonal`` forgives more.

    Source: profiles by day type as in short-term demand forecasting (Alvisi, Franchini & Marinelli 2007), with
    running Huber estimates after Huber (1964).
    """

    name: ClassVar[str] = "weekly-seasonal"
    version: ClassVar[str] = "1"
    learnt: ClassVar[tuple[str, ...]] = (
        "means",
        "counts",
        "pooled",
        "deviations",
        "pooled_counts",
        "level",
        "open",
    )

    __slots__ = (
        "_profile",
        "bins",
        "floor",
        "holidays",
        "level_days",
        "memory_weeks",
        "pooled_weeks",
        "relative_floor",
        "timezone",
        "warm_up_days",
    )

    def __init__(
        self,
        floor: float,
        *,
        relative_floor: float = 0.05,
        bins: int = 24,
        timezone: str = "UTC",
        holidays: Mapping[str, int] = _NO_HOLIDAYS,
        pooled_weeks: float = 2.0,
        memory_weeks: int = 8,
        level_days: float = 7.0,
        warm_up_days: int = 2,
    ) -> None:
        self.floor = floor
        self.relative_floor = relative_floor
        self.bins = bins
        self.timezone = timezone
        self.holidays = dict(holidays)
        self.pooled_weeks = pooled_weeks
        self.memory_weeks = memory_weeks
        self.level_days = level_days
        self.warm_up_days = warm_up_days
        self._profile = WeekProfile(
            bins=bins,
            floor=floor,
            timezone=timezone,
            holidays=holidays,
            pooled_weeks=pooled_weeks,
            memory_weeks=memory_weeks,
            level_days=level_days,
            warm_up_days=warm_up_days,
        )

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "floor": self.floor,
            "relative_floor": self.relative_floor,
            "bins": self.bins,
            "timezone": self.timezone,
            "holidays": dict(self.holidays),
            "pooled_weeks": self.pooled_weeks,
            "memory_weeks": self.memory_weeks,
            "level_days": self.level_days,
            "warm_up_days": self.warm_up_days,
        }

    def score(self, time_s: float, value: float) -> Score:
        """The residual from what is usual now, in robust standard deviations."""
        if not isfinite(value):
            return UNKNOWN
        usual = self._profile.usual(time_s)
        if usual is None:
            return UNKNOWN
        mean, sigma = usual
        scale = max(sigma, self.floor, abs(mean) * self.relative_floor)
        return Score((value - mean) / scale, mean, {"expected": mean, "scale": scale, "level": self._profile.level})

    def learn(self, time_s: float, value: float) -> None:
        """Take a normal value into the profile."""
        self._profile.learn(time_s, value)

    def state(self) -> dict[str, Any]:
        """The profile."""
        return self._profile.state()

    def restore(self, state: State) -> None:
        """Take up the profile."""
        self._profile.restore(state)
