"""Randomness as a function of seed and time, so that any moment can be computed again without its past."""

import math
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Vector = NDArray[np.float64]


class Noise:
    """Independent noise for ``size`` things; ``stream`` keeps two users of one seed apart."""

    def __init__(self, seed: int, stream: int, size: int) -> None:
        self._seed, self._stream, self._size = seed, stream, size
        self._knots: dict[tuple[int, int], Vector] = {}

    def white(self, time: datetime) -> Vector:
        """Standard normal numbers, new at every second."""
        return self._generator(0, int(time.timestamp())).standard_normal(self._size)

    def uniform(self, time: datetime) -> Vector:
        """Numbers between 0 and 1, new at every second."""
        return self._generator(1, int(time.timestamp())).random(self._size)

    def slow(self, time: datetime, period_s: int) -> Vector:
        """Standard normal numbers drawn every ``period_s`` and joined smoothly in between."""
        knot, rest = divmod(time.timestamp(), period_s)
        share = rest / period_s
        weight = share * share * (3 - 2 * share)
        return self._knot(period_s, int(knot)) * (1 - weight) + self._knot(period_s, int(knot) + 1) * weight

    def constant(self) -> np.random.Generator:
        """A generator for what differs from device to device but never changes."""
        return self._generator(2, 0)

    def _generator(self, use: int, moment: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, self._stream, use, moment])

    def _knot(self, period_s: int, index: int) -> Vector:
        key = (period_s, index)
        if key not in self._knots:
            if len(self._knots) > 64:  # noqa: PLR2004 - enough for the few periods in use, bounded for long runs
                self._knots.clear()
            self._knots[key] = self._generator(period_s, index).standard_normal(self._size)
        return self._knots[key]


def wandering(count: int, keeps_steps: float, rng: np.random.Generator) -> Vector:
    """Standard normal noise that remembers itself for about so many steps (first-order autoregression)."""
    kept = math.exp(-1 / keeps_steps)
    fresh = rng.standard_normal(count) * math.sqrt(1 - kept * kept)
    walked: Vector = lfilter([1.0], [1.0, -kept], fresh, zi=[kept * float(rng.standard_normal())])[0]
    return walked
