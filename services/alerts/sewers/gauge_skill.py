"""What will show at the gauges: the model, the model set right by its error now, or what shows now, by recent skill.

Something is out of order that nobody has named, or the model errs: then it goes on erring, and what a gauge shows now
says more about the next half hour than the model does. Each of the three answers weighs as it would have done in the
last hours, half an hour ahead, with the rain that fell.
Source: combination of forecasts by the inverse of their squared errors (Bates & Granger 1969).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.twin import packed, unpacked

_AHEAD_S = 1800.0
_FADES_S = 2 * 3600.0
"""Errors of so long ago weigh a third."""
_STIRS = 2.0
"""A gauge says who was right when it, or the model, moved by so many floors, or they are so far apart."""
_FIRST = (4.0, 4.0, 9.0)
"""Squared errors in floors before anything is known: in a storm what stands now is the worst of the three."""
_TRUST = (3.0, 1.0, 1.0)
"""The model knows what the rain brings next: the others have to have been so many times better. Chosen on simulated
storms."""
_SHARP = 2
"""The better one counts most: errors of half an hour ago say much about those of the next."""
_FIRST_S = 1800.0


class GaugeSkill:
    """Squared errors of the three answers at every gauge, fading while something moves there."""

    def __init__(self, floors: Array) -> None:
        self._floors = floors
        self._squares = np.tile(np.array(_FIRST), (len(floors), 1))
        self._weighed_s = np.full(len(floors), _FIRST_S)
        self._rows: deque[tuple[float, Array, Array]] = deque()
        self.seen = np.full(len(floors), np.nan)

    def take(self, time_s: float, seen: Array, model: Array) -> None:
        """What the gauges show, NaN where silent, and what the model would have them show."""
        before_s = self._rows[-1][0] if self._rows else time_s
        self.seen = seen.copy()
        self._rows.append((time_s, seen.copy(), model.copy()))
        if time_s - self._rows[0][0] < _AHEAD_S:
            return
        while len(self._rows) > 1 and time_s - self._rows[1][0] >= _AHEAD_S:
            self._rows.popleft()
        then_s, then, model_then = self._rows[0]
        if time_s - then_s > 2 * _AHEAD_S:
            return
        apart, was_apart, moved = seen - model, then - model_then, seen - then
        errors = np.abs(np.stack((apart, apart - was_apart, moved), axis=1)) / self._floors[:, None]
        # A silent gauge makes the greatest error no number, which reaches nothing.
        stirred: NDArray[np.bool_] = errors.max(axis=1) >= _STIRS
        seconds = time_s - before_s
        keeps = np.where(stirred, np.exp(-seconds / _FADES_S), 1.0)
        weighed_s = self._weighed_s * keeps + np.where(stirred, seconds, 0.0)
        share = np.where(stirred, seconds / weighed_s, 0.0)[:, None]
        self._squares += share * (np.where(stirred[:, None], errors, 0.0) ** 2 - self._squares)
        self._weighed_s = weighed_s

    @property
    def weights(self) -> Array:
        """By gauge, the shares of the model, of the model set right, and of what shows now; they add up to 1."""
        better = (np.array(_TRUST) / (1 + self._squares)) ** _SHARP
        shares: Array = better / better.sum(axis=1, keepdims=True)
        return shares

    def ahead(self, gauge: int, model_now: Array, model_ahead: Array) -> Array:
        """What a gauge is going to show, by way, from what the model has there now and then."""
        seen = float(self.seen[gauge])
        if np.isnan(seen):
            return model_ahead
        model, right, stays = self.weights[gauge]
        told: Array = model * model_ahead + right * (model_ahead + seen - model_now) + stays * seen
        return told

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "squares": packed(self._squares),
            "weighed_s": packed(self._weighed_s),
            "seen": packed(self.seen),
            "rows": [[time_s, packed(seen), packed(model)] for time_s, seen, model in self._rows],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self._squares, self._weighed_s = unpacked(state["squares"]), unpacked(state["weighed_s"])
        self.seen = unpacked(state["seen"])
        rows: Sequence[Sequence[Any]] = state["rows"]
        self._rows = deque((time_s, unpacked(seen), unpacked(model)) for time_s, seen, model in rows)
