"""Each channel of a plant explained by the others, by the row before, and by which pumps and valves are on."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from math import isfinite, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.detectors.contract import State
from services.alerts.detectors.running_covariance import Array

_TOGETHER = 96
"""Pairs of rows learnt together: the regressions are computed anew after them, eight hours at five minutes."""
_PATTERNS = 8
"""Regressions kept for different sets of channels that have a value."""
_ROWS_PER_CHANNEL = 8
"""Rows collected for each channel before the first regression."""
_RARE = 0.02
"""A switch that is on, or off, in a smaller share of the rows has not shown what the relations are then."""
_MOST_FEATURES = 480
"""Products of switches and channels are left out beyond this: the moments grow with the square."""


class GatedRegression:
    """Ridge regressions of every channel on the present values of all others and on all values of the row before.

    Pumps and valves change the relations: what a pump delivers depends on the levels it lifts between only while it
    runs. So the products of each switch (``gates`` says which channels are switches) with each other channel explain
    too, except those that contain the channel to be explained. With ``P`` the inverse of the features' correlation
    matrix plus ``ridge``, the residual of channel ``i`` is ``(P d)_i / P_ii`` for the standardised deviations ``d``,
    after ``P`` was reduced to the features that may explain (Schur complement); features that have no value now are
    left out the same way. Moments fade over ``memory_rows``.

    Sources: Hoerl & Kennard (1970) for ridge regression; Whittaker (1990), section 5.7, for all regressions from one
    inverse; regime-dependent coefficients as in switching regression (Quandt 1958), the regime being known here.
    """

    def __init__(self, gates: Sequence[bool], *, ridge: float, memory_rows: int) -> None:
        self._size = size = len(gates)
        self._ridge = ridge
        self._memory_rows = memory_rows
        self.warm_up = _ROWS_PER_CHANNEL * size
        switches = [column for column, gate in enumerate(gates) if gate]
        others = [column for column, gate in enumerate(gates) if not gate]
        most = max(_MOST_FEATURES - 2 * size, 0) // max(len(others), 1)
        pairs = [(switch, other) for switch in switches[:most] for other in others]
        self._switch: NDArray[np.intp] = np.array([switch for switch, _ in pairs], dtype=np.intp)
        self._other: NDArray[np.intp] = np.array([other for _, other in pairs], dtype=np.intp)
        features = 2 * size + len(pairs)
        self._centre: Array = np.zeros(size)
        self._spread: Array = np.ones(size)
        self._centred = False
        self._rows = 0.0
        self._mean: Array = np.zeros(features)
        self._covariance: Array = np.zeros((features, features))
        self._waiting: list[tuple[Array, Array]] = []
        self.low: Array = np.full(size, nan)
        """The least value of each channel that was learnt."""
        self.high: Array = np.full(size, nan)
        self._inverse: Array | None = None
        self._usable: NDArray[np.bool_] = np.zeros(features, dtype=bool)
        self._models: dict[bytes, Array] = {}

    def residual(self, values: Array, before: Array) -> Array:
        """What each value differs from its regression, NaN where that cannot be said."""
        if not self._rows:
            return np.full(self._size, nan)
        if self._inverse is None:
            self._fit()
        features = self._features(values, before)
        present = self._usable & np.isfinite(features)
        deviation = np.sqrt(np.maximum(np.diag(self._covariance), 0.0))
        standard = np.where(present, features - self._mean, 0.0) / np.where(deviation > 0, deviation, 1.0)
        residual = self._model_of(present) @ standard * deviation[: self._size] * self._spread
        return np.where(present[: self._size], residual, nan)

    def _features(self, values: Array, before: Array) -> Array:
        now, then = (values - self._centre) / self._spread, (before - self._centre) / self._spread
        return np.concatenate([now, then, now[self._switch] * now[self._other]])

    def _fit(self) -> None:
        variance = np.diag(self._covariance)
        span = np.where(self.high > self.low, self.high - self.low, 1.0)
        on = (self._mean[: self._size] * self._spread + self._centre - self.low) / span
        settled = (on >= _RARE) & (on <= 1 - _RARE)
        self._usable = variance > 0
        self._usable[2 * self._size :] &= settled[self._switch]
        deviation = np.where(self._usable, np.sqrt(np.maximum(variance, 0.0)), np.inf)
        correlation = self._covariance / np.outer(deviation, deviation)
        np.fill_diagonal(correlation, 1.0)
        self._inverse = np.linalg.inv(correlation + self._ridge * np.eye(len(correlation)))

    def _model_of(self, present: NDArray[np.bool_]) -> Array:
        """The weights with which the features make the residuals, a row for each channel."""
        key = present.tobytes()
        if key not in self._models:
            if len(self._models) >= _PATTERNS:
                self._models.clear()
            self._models[key] = self._model(present)
        return self._models[key]

    def _model(self, present: NDArray[np.bool_]) -> Array:
        inverse = self._inverse
        assert inverse is not None  # noqa: S101  # fitted before any model is asked for
        weights = np.zeros((self._size, len(inverse)))
        for channel in np.flatnonzero(present[: self._size]):
            left_out = ~present
            left_out[2 * self._size :] |= (self._switch == channel) | (self._other == channel)
            out = np.flatnonzero(left_out & self._usable)
            row = inverse[channel].copy()
            if len(out):
                row -= inverse[channel, out] @ np.linalg.solve(inverse[np.ix_(out, out)], inverse[out])
                row[out] = 0.0
            weights[channel] = row / row[channel]
        return weights

    def learn(self, values: Array, before: Array) -> None:
        """Take a row and the one before; a value that is missing counts as an ordinary one."""
        self.low = np.fmin(self.low, values)
        self.high = np.fmax(self.high, values)
        if not np.isfinite(before).any():
            return
        self._waiting.append((values.copy(), before.copy()))
        if not self._centred:
            if len(self._waiting) < self.warm_up:
                return
            self._centre, self._spread = _centre_and_spread(np.array([row for row, _ in self._waiting]))
            self._centred = True
        if len(self._waiting) >= _TOGETHER:
            self._take_together()

    def _take_together(self) -> None:
        taken = np.array([self._features(values, before) for values, before in self._waiting])
        self._waiting.clear()
        taken = np.where(np.isfinite(taken), taken, self._mean)
        share = len(taken) / (self._rows + len(taken))
        step = taken.mean(axis=0) - self._mean
        apart = taken - taken.mean(axis=0)
        within = apart.T @ apart / len(taken)
        self._covariance = (1 - share) * self._covariance + share * (within + (1 - share) * np.outer(step, step))
        self._mean = self._mean + share * step
        self._rows = min(self._rows + len(taken), float(self._memory_rows))
        self._inverse = None
        self._models.clear()

    def state(self) -> dict[str, Any]:
        """The moments and the rows that wait to be learnt."""
        upper = self._covariance[np.triu_indices(len(self._mean))]
        return {
            "centre": _text(self._centre) if self._centred else None,
            "spread": _text(self._spread),
            "rows": self._rows,
            "mean": _text(self._mean),
            "covariance": _text(upper) if self._rows else None,
            "waiting": [_text(np.concatenate(pair)) for pair in self._waiting],
            "low": [value if isfinite(value) else None for value in self.low.tolist()],
            "high": [value if isfinite(value) else None for value in self.high.tolist()],
        }

    def restore(self, state: State) -> None:
        """Take up moments and waiting rows."""
        self._centred = state["centre"] is not None
        self._centre = _array(state["centre"]) if self._centred else np.zeros(self._size)
        self._spread = _array(state["spread"])
        self._rows = state["rows"]
        self._mean = _array(state["mean"])
        self._covariance = np.zeros((len(self._mean), len(self._mean)))
        if state["covariance"] is not None:
            upper = np.triu_indices(len(self._mean))
            self._covariance[upper] = _array(state["covariance"])
            self._covariance.T[upper] = self._covariance[upper]
        pairs = [_array(text) for text in state["waiting"]]
        self._waiting = [(pair[: self._size], pair[self._size :]) for pair in pairs]
        self.low = np.array([nan if value is None else value for value in state["low"]])
        self.high = np.array([nan if value is None else value for value in state["high"]])
        self._inverse = None
        self._models.clear()


def _centre_and_spread(rows: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of what there is, so that products of channels tell something of their own."""
    known = np.isfinite(rows)
    counts = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, rows, 0.0).sum(axis=0) / counts
    spread = np.sqrt(np.where(known, (rows - centre) ** 2, 0.0).sum(axis=0) / counts)
    return centre, np.where(spread > 0, spread, 1.0)


def _text(values: Array) -> str:
    """Numbers without loss in a quarter of the room that JSON would need."""
    return b64encode(values.astype("<f8").tobytes()).decode("ascii")


def _array(text: str) -> Array:
    return np.frombuffer(b64decode(text), dtype="<f8").astype(np.float64)
