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
_TIMING = 0.5
"""Share of the change within a row by which a model that is a little early or late errs."""
_STIRS = 4.0
"""Rain shows at a gauge when it adds so many floors."""
_SMOOTH = 0.5
_FORGETS = 0.9995


class Expectation:
    """Bias and spread of every gauge, in m or m3/s, and how many spreads it is off, smoothed over a few rows."""

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
        self.spread = floors.copy()
        self.off = np.zeros(count)
        self.apart = np.zeros(count)

    def compare(self, now: Array, values: Array) -> None:
        """Compare what the sound model shows with what the gauges show (NaN where silent)."""
        last = np.where(np.isnan(self._last), now, self._last)
        low, high = np.minimum(now, last), np.maximum(now, last)
        added = np.abs(now - np.where(self._dry_known > 0, self._dry, now))
        share2 = (self._missed2 + _FIRST_ROWS * _FIRST_SHARE**2 * self._floors**2) / (
            self._added2 + _FIRST_ROWS * self._floors**2
        )
        share = np.clip(np.sqrt(share2), _LEAST_SHARE, _MOST_SHARE)
        timing = _TIMING * (high - low)
        self.spread = np.sqrt(np.maximum(self._noise2, self._floors**2) + (share * added) ** 2 + timing**2)
        seen = values - self.bias
        heard = ~np.isnan(values)
        self.apart = np.where(heard, seen - np.clip(seen, low, high), 0.0)
        scaled = np.clip(self.apart / self.spread, -10, 10)
        self.off = np.where(heard, self.off + _SMOOTH * (scaled - self.off), self.off)
        self._last = now.copy()

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
        added = np.abs(now - self._dry)
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
