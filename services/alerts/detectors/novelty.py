"""What detectors share that compare a row with a sample of normal rows."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from random import Random
from typing import Any, ClassVar

import numpy as np

from services.alerts.detectors.contract import UNKNOWN, RowDetector, Score, State, Trainable
from services.alerts.detectors.running_covariance import Array

Oddness = Callable[[Array], Array]
"""How little each row of a table resembles the sample, one number a row, larger is odder."""

_MAD_TO_SIGMA = 1.4826
_DIGITS = 6
"""Significant digits of a remembered value: more than any instrument has, and half the memory."""
_WORTH_NAMING = 3.0
"""Score from which the column is looked for; below, nobody asks."""
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A sample's centre and spread by column, its centred rows, its oddness, and how odd its own rows usually are."""

    centre: Array
    spread: Array
    rows: Array
    oddness: Oddness
    usual: float
    scale: float


class Novelty(Trainable, RowDetector):
    """A detector that keeps a bounded sample of learnt rows and is fitted anew to it now and then.

    The sample holds ``sample`` rows, each learnt row equally likely among the last ``memory_rows`` or so; which ones is
    drawn from ``seed`` and the row's number alone. It changes only when the detector is fitted: first after ``warm_up``
    learnt rows, then after every ``refit``. Fitting is repeated when a state is restored, with the same result.

    Columns are centred by their median and divided by their robust standard deviation, never less than their one of
    ``floors`` in their unit. A missing value is taken from the row of the sample that is most alike (hot deck); with
    less than half of the values nothing can be said. The score is the oddness of a row beyond the median of the
    sample's own, in its robust standard deviations. The column named is the one without whose deviation the row would
    be least odd.

    Sources: Vitter (1985) for the sample, fading after Aggarwal (2006).
    """

    learnt: ClassVar[tuple[str, ...]] = ("count", "fitted", "sample", "waiting")

    def __init__(
        self,
        columns: Sequence[str],
        floors: Sequence[float],
        *,
        sample: int,
        warm_up: int,
        refit: int,
        memory_rows: int,
        seed: int,
    ) -> None:
        self.columns = tuple(columns)
        self.floors = tuple(floors)
        self.sample = sample
        self.warm_up = warm_up
        self.refit = refit
        self.memory_rows = memory_rows
        self.seed = seed
        self._count = 0
        self._fitted_at = 0
        self._sample: list[list[float | None]] = []
        self._waiting: dict[int, list[float | None]] = {}
        self._fitted: _Fitted | None = None

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "columns": list(self.columns),
            "floors": list(self.floors),
            "sample": self.sample,
            "warm_up": self.warm_up,
            "refit": self.refit,
            "memory_rows": self.memory_rows,
            "seed": self.seed,
        }

    @abstractmethod
    def _fit(self, rows: Array) -> Oddness:
        """Describe a sample of centred rows."""

    def score(self, time_s: float, row: Sequence[float]) -> Score:  # noqa: ARG002  # the contract passes the time to all
        """How much odder the row is than the rows of the sample."""
        values: Array = np.array(row, dtype=np.float64)
        present = np.isfinite(values)
        if not self._fitted_at or 2 * int(present.sum()) < len(values):
            return UNKNOWN
        fitted = self._fitted = self._fitted or self._fit_sample()
        centred = (values - fitted.centre) / fitted.spread
        if not present.all():
            distances = ((fitted.rows[:, present] - centred[present]) ** 2).sum(axis=1)
            centred = np.where(present, centred, fitted.rows[int(distances.argmin())])
        score = (float(fitted.oddness(centred[np.newaxis])[0]) - fitted.usual) / fitted.scale
        if score < _WORTH_NAMING:
            return Score(score)
        without = np.tile(centred, (len(values), 1))
        np.fill_diagonal(without, 0.0)
        order = np.argsort(fitted.oddness(without), kind="stable")[:_SHOWN]
        worst = int(order[0])
        seen = {
            "order": [self.columns[column] for column in order],
            "departures": [round(float(centred[column]), 3) for column in order],
        }
        return Score(score, expected=float(fitted.centre[worst]), seen=seen, column=self.columns[worst])

    def _fit_sample(self) -> _Fitted:
        rows: Array = np.array(self._sample, dtype=np.float64)
        # A column that never had a value has no median; it stays at its centre and says nothing.
        seen = np.isfinite(rows).any(axis=0)
        rows[:, ~seen] = 0.0
        centre = np.nanmedian(rows, axis=0)
        spread = np.nanmedian(np.abs(rows - centre), axis=0) * _MAD_TO_SIGMA
        spread = np.maximum(spread, np.array(self.floors, dtype=np.float64))
        centred = np.where(np.isfinite(rows), rows - centre, 0.0) / spread
        oddness = self._fit(centred)
        own = oddness(centred)
        usual = float(np.median(own))
        scale = float(np.median(np.abs(own - usual))) * _MAD_TO_SIGMA
        return _Fitted(centre, spread, centred, oddness, usual, max(scale, np.finfo(np.float64).eps))

    def learn(self, time_s: float, row: Sequence[float]) -> None:  # noqa: ARG002  # the contract passes the time to all
        """Let a normal row take part in the draw for the sample."""
        self._count += 1
        known = len(self._sample) + sum(position >= len(self._sample) for position in self._waiting)
        position = known
        if known == self.sample:
            draw = Random(f"{self.seed} {self._count}")  # noqa: S311  # a sample, not a secret
            position = draw.randrange(min(self._count, self.memory_rows))
        if position < self.sample:
            self._waiting[position] = [float(f"{value:.{_DIGITS}g}") if isfinite(value) else None for value in row]
        due = self._fitted_at + self.refit if self._fitted_at else self.warm_up
        if self._count >= due:
            self._renew()

    def _renew(self) -> None:
        for position, row in sorted(self._waiting.items()):
            self._sample[position : position + 1] = [row]
        self._waiting.clear()
        self._fitted_at = self._count
        self._fitted = None

    def state(self) -> dict[str, Any]:
        """The sample as it was fitted, and the rows that will take part in the next fit."""
        return {
            "count": self._count,
            "fitted": self._fitted_at,
            "sample": [list(row) for row in self._sample],
            "waiting": [[position, list(row)] for position, row in self._waiting.items()],
        }

    def restore(self, state: State) -> None:
        """Take up the sample; it is fitted when the next row is scored."""
        self._count = state["count"]
        self._fitted_at = state["fitted"]
        self._sample = [list(row) for row in state["sample"]]
        self._waiting = {position: list(row) for position, row in state["waiting"]}
        self._fitted = None
