"""How the methane of each space behaves while it is above the space's habit. Pure.

Means that forget: over half an hour, three hours and a day, of the excess, of its restlessness, of how it goes with the
damp and the warmth of the space, and of the ethane and the odorant beside it. Bounded whatever comes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.gas.readings import ETHANE, HUMIDITY, ODORANT, TEMPERATURE, Array, packed, unpacked

_MEANS: Mapping[str, float] = {
    "now": 1500.0,
    "hours": 10_800.0,
    "day": 86_400.0,
    "restless": 7200.0,
    "wandering": 7200.0,
    "square": 21_600.0,
    "damp": 43_200.0,
    "damp_square": 43_200.0,
    "damp_with": 43_200.0,
    "excess_slow": 43_200.0,
    "excess_slow_square": 43_200.0,
    "warm": 86_400.0,
    "warm_square": 86_400.0,
    "warm_with": 86_400.0,
    "excess_day_square": 86_400.0,
    "ethane": 5400.0,
    "odorant": 5400.0,
    "ethane_excess": 5400.0,
    "odorant_excess": 5400.0,
}
_SLACK_LEL, _SLACK_SPREADS = 0.4, 1.2
_ALERT_LEL, _ALERT_SPREADS = 3.0, 8.0
_CAP = 12.0
"""The sum of excesses counts up to so many times what makes a space active, so that it comes back to rest in time."""
_ROW_S = 300.0
_JUMP, _JUMP_LEL = 4.0, 0.3
_RESTS_LEL, _RESTS_SPREADS = 0.7, 2.0
_HABIT_S = 5 * 86_400.0


class Behaviour:
    """The running means of several spaces, and since when each is above its habit."""

    def __init__(self, count: int) -> None:
        self.mean: dict[str, Array] = {name: np.zeros(count) for name in _MEANS}
        self.onset_s: Array = np.full(count, np.nan)
        """When the present excess began; NaN at rest."""
        self.active: NDArray[np.bool_] = np.zeros(count, dtype=bool)
        self.peak_lel: Array = np.zeros(count)
        self.usual: Array = np.full((2, count), np.nan)
        """Usual ethane (ppm) and odorant (mg/m3) of the space."""
        self.usual_noise: Array = np.full((2, count), np.nan)
        self.level: Array = np.zeros(count)
        """Methane over about the last two hours, the habit included."""
        self.last: Array = np.zeros(count)
        """The last excess."""
        self._sum: Array = np.zeros(count)
        self._before: Array = np.full(count, np.nan)

    def step(self, methane: Array) -> Array:
        """How far each space has moved since its value before (%LEL)."""
        return methane - self._before

    def take(self, time_s: float, seconds: float, values: Array, excess: Array, spread: Array) -> None:
        """Take the excess of each space (%LEL, NaN where nothing was heard) and what else is known of it."""
        methane = values[0]
        known = np.isfinite(excess)
        step = self.step(methane)
        self._follow("now", seconds, excess, known)
        self._follow("hours", seconds, excess, known)
        self._follow("day", seconds, excess, known)
        # One jump up and one down, when fumes pass, are no restlessness.
        most = _JUMP * self.mean["restless"] + _JUMP_LEL
        self._follow("restless", seconds, np.minimum(np.abs(step), most), known & np.isfinite(step))
        self.last = np.where(known, excess, self.last)
        heard = np.isfinite(methane)
        share = 1.0 - np.exp(-seconds / _MEANS["restless"])
        self.level = np.where(heard, self.level + share * (methane - self.level), self.level)
        self._follow("wandering", seconds, np.minimum(np.abs(excess - self.mean["now"]), most * 2), known)
        self._follow("square", seconds, excess**2, known)
        self._go_with(seconds, excess, values[HUMIDITY] / 20.0, "damp", "excess_slow")
        self._go_with(seconds, excess, values[TEMPERATURE] / 10.0, "warm", "day")
        for place, (role, name) in enumerate(((ETHANE, "ethane"), (ODORANT, "odorant"))):
            self._trace_gas(place, seconds, values[role], excess, name)
        self._count(time_s, seconds, excess, spread, known)
        self._before = np.where(np.isfinite(methane), methane, self._before)

    def _follow(self, name: str, seconds: float, value: Array, known: NDArray[np.bool_]) -> None:
        share = 1.0 - np.exp(-seconds / _MEANS[name])
        mean = self.mean[name]
        mean[:] = np.where(known, mean + share * (np.where(known, value, 0.0) - mean), mean)

    def _go_with(self, seconds: float, excess: Array, other: Array, name: str, slow: str) -> None:
        known = np.isfinite(excess) & np.isfinite(other)
        mean = self.mean[name]
        fresh = known & (self.mean[f"{name}_square"] == 0)
        mean[:] = np.where(fresh, np.where(known, other, 0.0), mean)
        self._follow(name, seconds, other, known)
        if slow == "excess_slow":
            self._follow("excess_slow", seconds, excess, known)
        away, deviation = excess - self.mean[slow], other - mean
        self._follow(f"{name}_with", seconds, away * deviation, known)
        self._follow(f"{name}_square", seconds, deviation**2 + 1e-9, known)
        self._follow("excess_slow_square" if slow == "excess_slow" else "excess_day_square", seconds, away**2, known)

    def _trace_gas(self, place: int, seconds: float, value: Array, excess: Array, name: str) -> None:
        """Learn the usual trace gas at rest; average it, and the excess beside it, while it is heard."""
        known = np.isfinite(value) & np.isfinite(excess)
        resting = known & ~self.active & (self._sum <= 0)
        first = resting & np.isnan(self.usual[place])
        self.usual[place] = np.where(first, value, self.usual[place])
        self.usual_noise[place] = np.where(first, np.maximum(np.abs(value), 1.0) * 0.2, self.usual_noise[place])
        share = 1.0 - np.exp(-seconds / _HABIT_S)
        away = np.where(resting, value - self.usual[place], 0.0)
        self.usual[place] += share * away
        squared = self.usual_noise[place] ** 2
        self.usual_noise[place] = np.where(
            resting, np.sqrt(np.maximum(squared + 4 * share * (away**2 - squared), 1e-12)), self.usual_noise[place]
        )
        both = known & np.isfinite(self.usual[place])
        self._follow(name, seconds, value - self.usual[place], both)
        self._follow(f"{name}_excess", seconds, excess, both)

    def _count(self, time_s: float, seconds: float, excess: Array, spread: Array, known: NDArray[np.bool_]) -> None:
        """Sum what is above the habit; a space is active from a limit on until its means have come back."""
        slack = np.maximum(_SLACK_LEL, _SLACK_SPREADS * spread)
        limit = np.maximum(_ALERT_LEL, _ALERT_SPREADS * spread)
        gained = np.where(known, (np.where(known, excess, 0.0) - slack) * (seconds / _ROW_S), 0.0)
        before = self._sum
        self._sum = np.clip(before + gained, 0.0, _CAP * limit)
        self.onset_s = np.where((before <= 0) & (self._sum > 0), time_s, self.onset_s)
        self.active |= self._sum >= limit
        rests = np.maximum(_RESTS_LEL, _RESTS_SPREADS * spread)
        over = self.active & (self.mean["now"] < rests) & (self.mean["hours"] < rests)
        self.active &= ~over
        self._sum = np.where(over, 0.0, self._sum)
        at_rest = ~self.active & (self._sum <= 0)
        self.onset_s = np.where(at_rest, np.nan, self.onset_s)
        self.peak_lel = np.where(at_rest, 0.0, np.fmax(self.peak_lel, np.where(known, excess, 0.0)))

    def calm(self) -> None:
        """Take what came so far as usual: nothing is active while habits are learnt."""
        self._sum[:] = 0.0
        self.active[:] = False
        self.onset_s[:] = np.nan
        self.peak_lel[:] = 0.0

    @property
    def quiet(self) -> NDArray[np.bool_]:
        """The spaces that show what they usually show."""
        return ~self.active & (self._sum < _ALERT_LEL / 2)

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "mean": {name: packed(values) for name, values in self.mean.items()},
            "onset_s": packed(self.onset_s),
            "active": self.active.tolist(),
            "peak": packed(self.peak_lel),
            "last": packed(self.last),
            "level": packed(self.level),
            "usual": packed(self.usual),
            "usual_noise": packed(self.usual_noise),
            "sum": packed(self._sum),
            "before": packed(self._before),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self.mean = {name: unpacked(values) for name, values in state["mean"].items()}
        self.onset_s = unpacked(state["onset_s"])
        self.active = np.array(state["active"], dtype=bool)
        self.peak_lel = unpacked(state["peak"])
        self.last = unpacked(state["last"])
        self.level = unpacked(state["level"])
        self.usual = unpacked(state["usual"])
        self.usual_noise = unpacked(state["usual_noise"])
        self._sum = unpacked(state["sum"])
        self._before = unpacked(state["before"])
