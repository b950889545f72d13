"""How much methane a space usually shows at its temperature, its humidity and this hour. Pure.

Every space has its own: sewers breathe with the day, and devices answer a little to heat and damp. A linear model with
the first two daily waves, fitted by least squares with a small ridge, forgets over two weeks.
"""

from collections.abc import Mapping, Sequence
from math import cos, sin, tau
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.gas.readings import HUMIDITY, METHANE, TEMPERATURE, Array, packed, unpacked

_TERMS = 8
_FEWEST_SEWERS = 4
"""Of fewer manholes of sewers nothing is said about what all of them do."""
_LEVEL_S = 3 * 86_400.0
_LEAST_LEVEL_LEL = 0.3
_DAY_S = 86_400.0
_FORGETS_S = 14 * _DAY_S
_RIDGE = 20.0
_INTERCEPT_RIDGE = 0.02
_COMMON_RIDGE = 2.0
_MIDDLE_DEGC, _SCALE_DEGC = 15.0, 10.0
_MIDDLE_PERCENT, _SCALE_PERCENT = 75.0, 20.0
_BEYOND = 0.2
"""What a space has not met yet is taken as little more than the most it has met (shares of the scales above)."""
_NOISE_FLOOR_LEL = 0.15
_FIRST_NOISE_LEL = 0.5
_NOISE_S = 2 * _DAY_S
_CLIPPED = 4.0
"""Residuals count up to so many of the present spreads, so that one jump does not widen what is usual."""
_SOLVED_EVERY_S = 1800.0


class Habits:
    """The habits of several spaces side by side."""

    def __init__(self, sewers: Sequence[bool]) -> None:
        """``sewers`` says of each space whether it belongs to a sewer: these breathe together, all over a town."""
        count = len(sewers)
        self._sewers: NDArray[np.bool_] = np.array(sewers, dtype=bool)
        self._level: Array = np.full(count, np.nan)
        self._gram: Array = np.zeros((count, _TERMS, _TERMS))
        self._moment: Array = np.zeros((count, _TERMS))
        self._weights: Array = np.zeros((count, _TERMS))
        self._least: Array = np.zeros((2, count))
        self._most: Array = np.zeros((2, count))
        self._solved_s = -np.inf
        self.rows: Array = np.zeros(count)
        self.spread_lel: Array = np.full(count, _FIRST_NOISE_LEL)
        """How far a space usually is from its habit."""
        self.step_lel: Array = np.full(count, _FIRST_NOISE_LEL)
        """The usual noise of a value: steps from one value to the next, divided by the root of two."""

    def expected(self, time_s: float, values: Array) -> Array:
        """What each space should show (%LEL), never below zero."""
        usual: Array = np.maximum((self._terms(time_s, values) * self._weights).sum(axis=1), 0.0)
        return usual

    def _terms(self, time_s: float, values: Array) -> Array:
        count = values.shape[1]
        warm = (values[TEMPERATURE] - _MIDDLE_DEGC) / _SCALE_DEGC
        damp = (values[HUMIDITY] - _MIDDLE_PERCENT) / _SCALE_PERCENT
        terms = np.empty((count, _TERMS))
        terms[:, 0] = 1.0
        for place, given in enumerate((warm, damp)):
            known = np.where(np.isnan(given), 0.0, given)
            terms[:, 1 + place] = np.clip(known, self._least[place] - _BEYOND, self._most[place] + _BEYOND)
        turn = tau * time_s / _DAY_S
        terms[:, 3:7] = (sin(turn), cos(turn), sin(2 * turn), cos(2 * turn))
        terms[:, 7] = np.where(self._sewers, self._common(values[METHANE]), 0.0)
        return terms

    def _common(self, methane: Array) -> float:
        """How much the sewers of the town show now, as a share of what each of them shows on average; less one.

        A median: a leak into one of them does not move it.
        """
        known = self._sewers & np.isfinite(methane) & np.isfinite(self._level)
        if known.sum() < _FEWEST_SEWERS:
            return 0.0
        return float(np.median(methane[known] / np.maximum(self._level[known], _LEAST_LEVEL_LEL))) - 1.0

    def _follow_level(self, seconds: float, methane: Array, quiet: NDArray[np.bool_]) -> None:
        known = quiet & np.isfinite(methane)
        share = np.maximum(1.0 - np.exp(-seconds / _LEVEL_S), 1.0 / (self.rows + 1.0))
        begun = np.where(np.isnan(self._level), methane, self._level + share * (methane - self._level))
        self._level = np.where(known, begun, self._level)

    def learn(self, time_s: float, seconds: float, values: Array, quiet: NDArray[np.bool_]) -> None:
        """Take what quiet spaces show into their habits."""
        methane = values[METHANE]
        known = quiet & np.isfinite(methane)
        self._follow_level(seconds, methane, quiet)
        if known.any():
            self._widen(values, known)
            terms = self._terms(time_s, values)
            keep = np.where(known, np.exp(-seconds / _FORGETS_S), 1.0)
            taken = known.astype(float)
            shown = np.where(known, methane, 0.0)
            self._gram = self._gram * keep[:, None, None] + np.asarray(
                taken[:, None, None] * terms[:, :, None] * terms[:, None, :]
            )
            self._moment = self._moment * keep[:, None] + (taken * shown)[:, None] * terms
            self.rows += taken
        if time_s - self._solved_s >= _SOLVED_EVERY_S:
            self._solve()
            self._solved_s = time_s

    def _widen(self, values: Array, known: NDArray[np.bool_]) -> None:
        scaled = (
            (values[TEMPERATURE] - _MIDDLE_DEGC) / _SCALE_DEGC,
            (values[HUMIDITY] - _MIDDLE_PERCENT) / _SCALE_PERCENT,
        )
        for place, given in enumerate(scaled):
            met = known & np.isfinite(given)
            first = met & (self.rows == 0)
            self._least[place] = np.where(
                first, given, np.where(met, np.fmin(self._least[place], given), self._least[place])
            )
            self._most[place] = np.where(
                first, given, np.where(met, np.fmax(self._most[place], given), self._most[place])
            )

    def _solve(self) -> None:
        ridge = np.full(_TERMS, _RIDGE)
        ridge[0] = _INTERCEPT_RIDGE
        ridge[7] = _COMMON_RIDGE
        self._weights = np.asarray(
            np.linalg.solve(self._gram + np.diag(ridge), self._moment[:, :, None])[:, :, 0], dtype=np.float64
        )

    def learn_noise(self, seconds: float, excess: Array, step: Array, quiet: NDArray[np.bool_]) -> None:
        """Take how far quiet spaces are from their habit, and how far they moved since the value before."""
        share = 1.0 - np.exp(-seconds / np.minimum(_NOISE_S, 300.0 * (self.rows + 12.0)))
        for spread, news, scale in ((self.spread_lel, excess, 1.0), (self.step_lel, step, 0.5)):
            known = quiet & np.isfinite(news)
            limited = np.minimum(np.where(known, news, 0.0) ** 2 * scale, (_CLIPPED * spread) ** 2)
            squared = spread**2
            spread[:] = np.where(known, np.sqrt(squared + share * (limited - squared)), spread)
        np.maximum(self.spread_lel, _NOISE_FLOOR_LEL, out=self.spread_lel)
        np.maximum(self.step_lel, _NOISE_FLOOR_LEL / 3, out=self.step_lel)

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "gram": packed(self._gram),
            "level": packed(self._level),
            "moment": packed(self._moment),
            "weights": packed(self._weights),
            "least": packed(self._least),
            "most": packed(self._most),
            "solved_s": None if np.isinf(self._solved_s) else self._solved_s,
            "rows": packed(self.rows),
            "spread": packed(self.spread_lel),
            "step": packed(self.step_lel),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self._gram = unpacked(state["gram"])
        self._level = unpacked(state["level"])
        self._moment = unpacked(state["moment"])
        self._weights = unpacked(state["weights"])
        self._least = unpacked(state["least"])
        self._most = unpacked(state["most"])
        self._solved_s = -np.inf if state["solved_s"] is None else state["solved_s"]
        self.rows = unpacked(state["rows"])
        self.spread_lel = unpacked(state["spread"])
        self.step_lel = unpacked(state["step"])
