"""A wave of falling pressure that passes the gauges of a feeder one after the other: when each of them met it. Pure."""

from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from services.alerts.gas.readings import Array, packed, unpacked

WAVE_M_S, WAVE_SPREAD_M_S = 390.0, 20.0
"""How fast a wave runs in natural gas: 360 m/s if its heat were given off at once, 420 m/s if none were (from the gas
constant at 17.4 g/mol and 10 degC); ours lies between."""
_KEPT = 180
_SIDE = 6
"""Rows before and after a moment that are compared by their means."""
_FRONT_SHARE = 0.35
"""The front of a wave is where the fall first comes to so much of its greatest: friction smears what follows it."""
_SEEN_SPREADS = 6.0
_SPREAD_FORGETS = 20_000.0
_SETTLES_S = 30.0
_PICK_S = 2.0
"""Seconds by which the moment of a front is uncertain, beside half of what passes between two rows."""


class Wave(NamedTuple):
    """``arrivals`` are (gauge by number, seconds since 1970), at two gauges or more; ``pick_s`` is their spread."""

    first_s: float
    arrivals: tuple[tuple[int, float], ...]
    pick_s: float


class WaveWatch:
    """Follows the pressures of one feeder row by row."""

    def __init__(self, gauges: int, length_m: float) -> None:
        self._times_s: deque[float] = deque(maxlen=_KEPT)
        self._rows: deque[Array] = deque(maxlen=_KEPT)
        self._spread_kpa: Array = np.zeros(gauges)
        self._met = 0.0
        self._crosses_s = length_m / WAVE_M_S + _SETTLES_S
        self._due_s: float | None = None

    def take(self, time_s: float, pressures_kpa: Array) -> Wave | None:
        """A row of pressures; answers a wave once it has had time to pass all gauges."""
        self._times_s.append(time_s)
        self._rows.append(pressures_kpa)
        if len(self._rows) < 2 * _SIDE:
            return None
        rows = np.array([self._rows[-k] for k in range(2 * _SIDE, 0, -1)])
        falls = rows[:_SIDE].mean(axis=0) - rows[_SIDE:].mean(axis=0)
        seen = bool(np.any(falls > _SEEN_SPREADS * self._spread_kpa)) and self._met > _KEPT
        if self._due_s is None and not seen:
            self._learn(falls)
        if self._due_s is None and seen:
            self._due_s = time_s + self._crosses_s
        if self._due_s is None or time_s < self._due_s:
            return None
        self._due_s = None
        return self._wave()

    def _learn(self, falls: Array) -> None:
        self._met += 1
        share = max(1.0 / self._met, 1.0 / _SPREAD_FORGETS)
        self._spread_kpa = np.sqrt(self._spread_kpa**2 + share * (np.nan_to_num(falls) ** 2 - self._spread_kpa**2))

    def _wave(self) -> Wave | None:
        rows, times = np.array(self._rows), np.array(self._times_s)
        sums = np.vstack([np.zeros(rows.shape[1]), np.cumsum(rows, axis=0)])
        middle = np.arange(_SIDE, len(rows) - _SIDE + 1)
        before = (sums[middle] - sums[middle - _SIDE]) / _SIDE
        after = (sums[middle + _SIDE] - sums[middle]) / _SIDE
        falls = before - after
        arrivals = []
        for gauge in range(rows.shape[1]):
            own = np.nan_to_num(falls[:, gauge], nan=-np.inf)
            if own.max() > _SEEN_SPREADS * self._spread_kpa[gauge]:
                begun = own[: int(np.argmax(own)) + 1] < _FRONT_SHARE * own.max()
                front = int(np.flatnonzero(begun)[-1]) + 1 if begun.any() else 0
                arrivals.append((gauge, float(times[middle[front]])))
        if len(arrivals) < 2:  # noqa: PLR2004 - one arrival alone has no direction
            return None
        apart_s = float(np.median([later - earlier for earlier, later in pairwise(times.tolist())]))
        return Wave(min(at_s for _, at_s in arrivals), tuple(arrivals), float(np.hypot(_PICK_S, apart_s / 2)))

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "times": list(self._times_s),
            "rows": [packed(row) for row in self._rows],
            "spread": packed(self._spread_kpa),
            "met": self._met,
            "due_s": self._due_s,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self._times_s = deque(state["times"], maxlen=_KEPT)
        self._rows = deque((unpacked(row) for row in state["rows"]), maxlen=_KEPT)
        self._spread_kpa, self._met, self._due_s = unpacked(state["spread"]), state["met"], state["due_s"]


def misfit(wave: Wave, gauges_m: Array, positions_m: Array) -> Array:
    """Minus twice the logarithm of how likely a wave's arrivals are if it began at each of the positions.

    The moment at which it began is not known: it is the mean that fits best.
    """
    at_m = np.array([gauges_m[gauge] for gauge, _ in wave.arrivals])
    times = np.array([at_s for _, at_s in wave.arrivals])
    ways_m = np.abs(positions_m[:, None] - at_m[None, :])
    spread_s = np.hypot(wave.pick_s, ways_m / WAVE_M_S * (WAVE_SPREAD_M_S / WAVE_M_S))
    away_s = times[None, :] - ways_m / WAVE_M_S
    weights = 1 / spread_s**2
    mean = (weights * away_s).sum(axis=1) / weights.sum(axis=1)
    worse: Array = (weights * (away_s - mean[:, None]) ** 2).sum(axis=1)
    return worse
