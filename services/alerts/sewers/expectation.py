"""How far each gauge usually is from the sound model, and how far it is now."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.twin import packed, unpacked

_BIAS_WEIGHT = 0.01
_FIRST_SHARE, _FIRST_ROWS = 0.2, 40.0
"""Before anything is learnt a model of sewers is taken to err by a fifth of what rain adds, with the weight of rows."""
_LEAST_SHARE, _MOST_SHARE = 0.08, 0.8
TIMING = 0.25
"""Share of the change within its reach in time by which a model errs beside that."""
_STIRS = 4.0
"""Rain shows at a gauge when it adds so many floors."""
_RUNS_OFF = 0.85
"""Share of what rain has added that is still in doubt a row later: half an hour until a third."""
_SMOOTH = 0.5
_FORGETS = 0.9995


def reach(before: Array, last: Array, now: Array) -> tuple[Array, Array]:
    """What a model that is a row late, or half a row early, shows at the moment of ``last``: lowest and highest."""
    ahead = (last + now) / 2
    return np.minimum(np.minimum(before, last), ahead), np.maximum(np.maximum(before, last), ahead)


class Expectation:
    """Bias and spread of every gauge, in m or m3/s, and how many spreads it is off, smoothed over a few rows.

    A row is judged when the next one is known: in a cloudburst a model that is minutes late is no trouble.
    """

    def __init__(self, floors: Array) -> None:
        self._floors = floors
        count = len(floors)
        self.bias = np.zeros(count)
        self._seen = np.zeros(count)
        self._dry = np.zeros(count)
        self._dry_known = np.zeros(count)
        self._noise2 = np.square(floors)
        self._missed2 = np.zeros(count)
        self._added2 = np.zeros(count)
        self._last = np.full(count, np.nan)
        self._before = np.full(count, np.nan)
        self._late = np.full(count, np.nan)
        self._added = np.zeros(count)
        self.spread = floors.copy()
        self.off = np.zeros(count)
        self.apart = np.zeros(count)

    def compare(self, now: Array, values: Array) -> None:
        """Compare what the sound model shows with what the gauges show (NaN where silent)."""
        last = np.where(np.isnan(self._last), now, self._last)
        before = np.where(np.isnan(self._before), last, self._before)
        low, high = reach(before, last, now)
        values, self._late = self._late, values.copy()
        added = np.abs(last - np.where(self._dry_known > 0, self._dry, last))
        # What a wave was too high or too low by shows in how long it takes to run off.
        self._added = added = np.maximum(added, _RUNS_OFF * self._added)
        share2 = (self._missed2 + _FIRST_ROWS * _FIRST_SHARE**2 * self._floors**2) / (
            self._added2 + _FIRST_ROWS * self._floors**2
        )
        share = np.clip(np.sqrt(share2), _LEAST_SHARE, _MOST_SHARE)
        timing = TIMING * (high - low)
        self.spread = np.sqrt(np.maximum(self._noise2, self._floors**2) + (share * added) ** 2 + timing**2)
        seen = values - self.bias
        heard = ~np.isnan(values)
        self.apart = np.where(heard, seen - np.clip(seen, low, high), 0.0)
        scaled = np.clip(self.apart / self.spread, -10, 10)
        self.off = np.where(heard, self.off + _SMOOTH * (scaled - self.off), self.off)
        self._before, self._last = last, now.copy()

    def learn(self, now: Array, values: Array, *, dry: bool) -> None:
        """Take the row that was compared last as sound."""
        heard = ~np.isnan(values)
        if dry:
            self._seen[heard] += 1
            weight = np.maximum(_BIAS_WEIGHT, 1 / np.maximum(self._seen, 1))
            self.bias = np.where(heard, self.bias + weight * (values - now - self.bias), self.bias)
            rest2 = np.square(values - now - self.bias)
            self._noise2 = np.where(heard, self._noise2 + weight * (rest2 - self._noise2), self._noise2)
            self._dry = np.where(self._dry_known > 0, self._dry + _BIAS_WEIGHT * (now - self._dry), now)
            self._dry_known[:] = 1
            return
        added = self._added
        wet = heard & (added > _STIRS * self._floors) & (self._dry_known > 0)
        self._missed2 = np.where(wet, _FORGETS * self._missed2 + np.square(self.apart), self._missed2)
        self._added2 = np.where(wet, _FORGETS * self._added2 + np.square(added), self._added2)

    _PARTS = (
        "bias",
        "_seen",
        "_dry",
        "_dry_known",
        "_noise2",
        "_missed2",
        "_added2",
        "_last",
        "_before",
        "_late",
        "_added",
        "spread",
        "off",
        "apart",
    )

    def state(self) -> Mapping[str, Any]:
        """What was learnt and what is off, as JSON."""
        return {part.strip("_"): packed(getattr(self, part)) for part in self._PARTS}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        for part in self._PARTS:
            setattr(self, part, unpacked(state[part.strip("_")]))
