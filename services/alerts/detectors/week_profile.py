"""What a sensor usually reads at an hour of the week, holidays included, learnt value by value."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from services.alerts.detectors.contract import State
from services.alerts.detectors.day_profile import MAD_TO_SIGMA

_HOUR_S = 3600.0
_DAY_S = 86400.0
_CLIP = 3.0
"""Robust z beyond which a value teaches no more than one at this distance (Huber)."""
_SATURDAY = 5
_WEEK = 7
_DIGITS = 7
"""Significant digits that are remembered; what is learnt in one step is larger."""
_EPOCH = date(1970, 1, 1).toordinal()

_Bin = tuple[int, int]
"""A day of the week, 0 for Monday, and a bin of the day."""


class _Stretch(NamedTuple):
    """Half a bin: the means at the bin centres around it, that of its bin, and the scale."""

    first: int
    low: float
    high: float
    middle: float
    sigma: float
    scaled: bool
    """Whether the scale was learnt at all."""


class WeekProfile:
    """Means of ``bins`` parts of the day for working days and for weekends, refined to each day of the week.

    What a bin of one day teaches is its mean, entered when the bin is over, each value weighing at most three
    deviations and never less than ``floor``. The mean of a day of the week is drawn towards that of all working days
    or all weekend days, as if ``pooled_weeks`` weeks of these had been seen for it; old weeks fade over
    ``memory_weeks``. A level, common to all bins, follows the bins' departures over ``level_days``: what the year does
    to the sensor. The scale is the mean absolute deviation of the working days' or the weekend's bin.

    A date in ``holidays`` (ISO 8601) counts as the day of the week that it names, 0 for Monday, so that holidays can be
    Sundays and worked Sundays Mondays. Days begin at midnight in ``timezone``. Nothing is usual in a bin before
    ``warm_up_days`` working or weekend days taught it and one more its scale.

    Source: running Huber estimates after Huber (1964); shrinkage towards a pool after Efron & Morris (1975).
    """

    __slots__ = (
        "_bin",
        "_clock",
        "_counts",
        "_deviation_sum",
        "_deviations",
        "_floor",
        "_holidays",
        "_last",
        "_level_days",
        "_means",
        "_memory_weeks",
        "_offset",
        "_open",
        "_pooled",
        "_pooled_counts",
        "_pooled_weeks",
        "_step_sum",
        "_taken",
        "_warm_up_days",
        "bins",
        "level",
    )

    def __init__(
        self,
        *,
        bins: int,
        floor: float,
        timezone: str,
        holidays: Mapping[str, int],
        pooled_weeks: float,
        memory_weeks: int,
        level_days: float,
        warm_up_days: int,
    ) -> None:
        """Know nothing yet.

        Raises:
            ValueError: a holiday is no date, or names no day of the week.
            zoneinfo.ZoneInfoNotFoundError: there is no such time zone.
        """
        if not all(0 <= day < _WEEK for day in holidays.values()):
            raise ValueError("a holiday counts as a day of the week from 0 (Monday) to 6 (Sunday)")
        self.bins = bins
        self.level = 0.0
        self._floor = floor
        self._clock = ZoneInfo(timezone)
        self._holidays = {date.fromisoformat(each).toordinal() - _EPOCH: day for each, day in holidays.items()}
        self._pooled_weeks = pooled_weeks
        self._memory_weeks = memory_weeks
        self._level_days = level_days
        self._warm_up_days = warm_up_days
        self._offset = (-1, 0.0)
        self._means = [[0.0] * bins for _ in range(_WEEK)]
        self._counts = [[0] * bins for _ in range(_WEEK)]
        # Working days first, then weekend days.
        self._pooled = [[0.0] * bins, [0.0] * bins]
        self._deviations = [[0.0] * bins, [0.0] * bins]
        self._pooled_counts = [[0] * bins, [0] * bins]
        self._open: int | None = None
        self._last: tuple[int, _Stretch | None] | None = None
        self._begin()

    def _begin(self) -> None:
        self._taken = 0
        self._step_sum = 0.0
        self._deviation_sum = 0.0

    def _bins_since_epoch(self, time_s: float) -> float:
        """Local time in bins since the midnight that began 1970."""
        hour = int(time_s // _HOUR_S)
        if hour != self._offset[0]:
            offset = datetime.fromtimestamp(hour * _HOUR_S, UTC).astimezone(self._clock).utcoffset()
            self._offset = (hour, offset.total_seconds() if offset else 0.0)
        return (time_s + self._offset[1]) / _DAY_S * self.bins

    def _bin_of(self, number: int) -> _Bin:
        day, position = divmod(number, self.bins)
        # The first of January 1970 was a Thursday.
        return self._holidays.get(day, (day + 3) % _WEEK), position

    def _mean(self, number: int) -> float:
        day, position = self._bin_of(number)
        pooled = self._pooled[day >= _SATURDAY][position]
        weeks = self._counts[day][position]
        return pooled + (self._means[day][position] - pooled) * weeks / (weeks + self._pooled_weeks)

    def _known(self, number: int) -> bool:
        day, position = self._bin_of(number)
        return self._pooled_counts[day >= _SATURDAY][position] >= self._warm_up_days

    def usual(self, time_s: float) -> tuple[float, float] | None:
        """Mean and standard deviation at a moment; ``None`` before the warm-up."""
        stretch = self._stretch(self._bins_since_epoch(time_s))
        if stretch is None or not stretch.scaled:
            return None
        return self._mean_at(time_s, stretch), stretch.sigma

    def _mean_at(self, time_s: float, stretch: _Stretch) -> float:
        weight = self._bins_since_epoch(time_s) - 0.5 - stretch.first
        return stretch.low * (1 - weight) + stretch.high * weight + self.level

    def _stretch(self, at: float) -> _Stretch | None:
        """The half bin around a moment; nearly always the one that was asked for last."""
        half = int(2 * at // 1)
        if self._last is None or self._last[0] != half:
            self._last = (half, self._computed_stretch(half // 2, (half - 1) // 2))
        return self._last[1]

    def _computed_stretch(self, now: int, first: int) -> _Stretch | None:
        if not self._known(now):
            return None
        # On the first known day of its sort the day beside it may be unknown: the present bin then speaks alone.
        low, high = (self._mean(each if self._known(each) else now) for each in (first, first + 1))
        day, position = self._bin_of(now)
        pool = int(day >= _SATURDAY)
        return _Stretch(
            first=first,
            low=low,
            high=high,
            middle=self._mean(now),
            sigma=self._deviations[pool][position] * MAD_TO_SIGMA,
            scaled=self._pooled_counts[pool][position] > self._warm_up_days,
        )

    def learn(self, time_s: float, value: float) -> None:
        """Take a normal value; what is no number teaches nothing."""
        if not isfinite(value):
            return
        at = self._bins_since_epoch(time_s)
        number = int(at // 1)
        if number != self._open:
            self._enter()
            self._open = number
        stretch = self._stretch(at)
        if stretch is None:
            step, departure = value, 0.0
        else:
            departure = value - self._mean_at(time_s, stretch)
            if stretch.scaled:
                most = _CLIP * max(stretch.sigma, self._floor)
                departure = max(-most, min(most, departure))
            # Against the middle of the bin, so that the slope within it is not taken for noise.
            step = stretch.middle + self.level + departure
        self._taken += 1
        self._step_sum += step
        self._deviation_sum += abs(departure)

    def _enter(self) -> None:
        """Enter the bin that is over."""
        if self._open is None or not self._taken:
            return
        day, position = self._bin_of(self._open)
        pool = int(day >= _SATURDAY)
        if self._known(self._open):
            departure = self._step_sum / self._taken - self._mean(self._open) - self.level
            self.level = _remembered(self.level + departure / (self._level_days * self.bins))
        mean = self._step_sum / self._taken - self.level
        deviation = self._deviation_sum / self._taken
        days_a_week = _WEEK - _SATURDAY if pool else _SATURDAY
        counts, pooled_counts = self._counts[day], self._pooled_counts[pool]
        counts[position] = min(counts[position] + 1, self._memory_weeks)
        pooled_counts[position] = min(pooled_counts[position] + 1, self._memory_weeks * days_a_week)
        _move(self._means[day], position, mean, counts[position])
        _move(self._pooled[pool], position, mean, pooled_counts[position])
        # Before the warm-up there was nothing to deviate from.
        scaled = pooled_counts[position] - self._warm_up_days
        if scaled > 0:
            _move(self._deviations[pool], position, deviation, scaled)
        self._last = None
        self._begin()

    def state(self) -> dict[str, Any]:
        """The profile, its level and the bin that is being filled."""
        return {
            "means": [list(day) for day in self._means],
            "counts": [list(day) for day in self._counts],
            "pooled": [list(pool) for pool in self._pooled],
            "deviations": [list(pool) for pool in self._deviations],
            "pooled_counts": [list(pool) for pool in self._pooled_counts],
            "level": self.level,
            "open": [self._open, self._taken, self._step_sum, self._deviation_sum],
        }

    def restore(self, state: State) -> None:
        """Take up profile, level and bin."""
        self._means = [list(day) for day in state["means"]]
        self._counts = [list(day) for day in state["counts"]]
        self._pooled = [list(pool) for pool in state["pooled"]]
        self._deviations = [list(pool) for pool in state["deviations"]]
        self._pooled_counts = [list(pool) for pool in state["pooled_counts"]]
        self.level = state["level"]
        self._open, self._taken, self._step_sum, self._deviation_sum = state["open"]
        self._last = None


def _move(means: list[float], position: int, seen: float, count: int) -> None:
    means[position] = _remembered(means[position] + (seen - means[position]) / count)


def _remembered(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
