"""What the weather explains of each gauge, learnt day by day, and what it leaves unexplained.

One regression a gauge on the same features, so that one matrix of their products serves all. What is left is told in
units in which a usual day is about one, widened where the weather is outside what was learnt: a first hard frost is
told with less certainty and does not ring.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from services.alerts.structures.weather import FEATURES, FROST, Array

_RIDGE = 1e-3
_REMEMBERED_DAYS = 200.0
_FROST_VARIES = 60.0
"""Variance that a frost of 10 K adds to frequencies, in usual days: how stiff it makes asphalt and ground depends on
water that nobody measures, so that no two frosts are alike. Set on simulated bridges."""
_FIRST_JUDGED_DAY = FEATURES + 10


class Compensation:
    """Regressions of day means on the day's weather, for all gauges at once.

    Source: ridge regression with its predictive variance (Hoerl and Kennard 1970).
    """

    def __init__(self, size: int, swinging: Sequence[int] = ()) -> None:
        """``swinging`` are the positions of the frequencies among the gauges."""
        self._swinging = np.zeros(size)
        self._swinging[list(swinging)] = 1.0
        self._gram = _RIDGE * np.eye(FEATURES)
        self._moments = np.zeros((FEATURES, size))
        self._origin = np.zeros(size)
        self._known = np.zeros(size)
        self._variance = np.zeros(size)
        self._weight = np.zeros(size)
        self.days = 0

    @property
    def spread(self) -> Array:
        """Usual size of what is left unexplained in a day, in each gauge's unit."""
        return np.asarray(np.sqrt(np.maximum(self._variance, 1e-18)))

    @property
    def is_settled(self) -> bool:
        """Whether enough days were learnt for anything to be said."""
        return self.days >= _FIRST_JUDGED_DAY

    def expected(self, features: Array) -> Array:
        """What each gauge shows under this weather, in its unit."""
        return np.asarray(features @ np.linalg.solve(self._gram, self._moments) + self._origin)

    def unexplained(self, features: Array, means: Array) -> Array:
        """What is left, in usual days; NaN where a gauge said too little or nothing is known of it yet."""
        left = means - self.expected(features)
        widened = np.sqrt(self._widened(features))
        known = (self._weight >= FEATURES) & (self._variance > 0)
        return np.where(known, left / np.where(known, widened * self.spread, 1.0), np.nan)

    def _widened(self, features: Array) -> Array:
        """Variance of a day under this weather, beside that of a usual day."""
        new = float(features @ np.linalg.solve(self._gram, features))
        return np.asarray(1 + new + _FROST_VARIES * self._swinging * features[FROST] ** 2)

    def learn(self, features: Array, means: Array) -> None:
        """Take a healthy day; a gauge that was silent is taken to have shown what was expected of it."""
        present = np.isfinite(means)
        fresh = present & (self._known == 0)
        self._origin = np.where(fresh, np.where(present, means, 0.0), self._origin)
        expected = self.expected(features)
        if self.is_settled:
            widened = self._widened(features)
            square = np.where(present, (np.where(present, means, 0.0) - expected) ** 2 / widened, 0.0)
            self._weight = np.minimum(self._weight + present, _REMEMBERED_DAYS)
            share = np.where(present, 1 / np.maximum(self._weight, 1.0), 0.0)
            self._variance = self._variance + share * (square - self._variance)
        told = np.where(present, means, expected) - self._origin
        self._gram = self._gram + np.outer(features, features)
        self._moments = self._moments + np.outer(features, told)
        self._known = self._known + present
        self.days += 1

    def shift(self, by: Array) -> None:
        """Take what each gauge shows beside what is expected, in its unit, as its new usual level."""
        self._origin = self._origin + np.where(np.isfinite(by), by, 0.0)

    def state(self) -> dict[str, Any]:
        """The products of the days."""
        return {
            "gram": self._gram.tolist(),
            "moments": self._moments.tolist(),
            "origin": self._origin.tolist(),
            "known": self._known.tolist(),
            "variance": self._variance.tolist(),
            "weight": self._weight.tolist(),
            "days": self.days,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the products."""
        self._gram, self._moments = np.array(state["gram"]), np.array(state["moments"])
        self._origin, self._known = np.array(state["origin"]), np.array(state["known"])
        self._variance, self._weight = np.array(state["variance"]), np.array(state["weight"])
        self.days = state["days"]
