"""Natural frequencies beside those of every healthy hour, for bridges of which nobody measures the temperature."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.detectors.contract import UNKNOWN, Claim, Score, SearchDetector, State, Suspect
from services.core.finding import FindingState
from services.core.severity import Severity

Array = NDArray[np.float64]

_DAY_S, _LEARN_EVERY_S = 86_400.0, 1800.0
_NEIGHBOURS = 5
_HEALTHY_BELOW = 0.99
"""Share of healthy hours below the limit: one in a hundred rings by chance."""
_FIRST_ROWS, _FEWEST_DAYS = 72, 3
_KEPT_ROWS = 720
_GRAVE = 1.5
_CLEARS_BELOW = 0.9
_DOUBTFUL_SHARE = 0.2
"""A day with more unusual hours than this is not learnt from."""


class ModeNovelty(SearchDetector):
    """Distance to the fifth nearest healthy hour, each frequency in its own usual deviations.

    The limit is reached by one in a hundred healthy hours when they are compared with the hours of all other days:
    hours of one day are alike, so that a limit from hours left out one by one would be far too low. Days without many
    unusual hours are learnt when they are over.

    Source: k-nearest-neighbour novelty (Ramaswamy et al. 2000) with a limit by leaving out whole days.
    """

    name = "mode-novelty"
    version = "1"

    def __init__(self, modes: Sequence[Sequence[str]], outcome: str, learn_until_s: float | None = None) -> None:
        """``modes`` are (sensor, asset)."""
        self._modes = tuple((sensor, asset) for sensor, asset in modes)
        self.columns = tuple(sensor for sensor, _ in self._modes)
        self._outcome = outcome
        self._learn_until_s = learn_until_s
        self._rows: list[tuple[int, list[float]]] = []
        self._today: list[tuple[int, list[float], bool]] = []
        self._learnt_s: float | None = None
        self._limit: float | None = None
        self._since_s: float | None = None
        self._severity = Severity.NORMAL
        self._told = 0
        self._claims: list[Claim] = []

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "modes": [list(mode) for mode in self._modes],
            "outcome": self._outcome,
            "learn_until_s": self._learn_until_s,
        }

    def claims(self) -> Sequence[Claim]:
        """What changed with the row scored last."""
        return tuple(self._claims)

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """The distance beside its limit."""
        self._claims = []
        if not all(isfinite(value) for value in row):
            return UNKNOWN
        number = int((time_s - 1) // _DAY_S)
        if self._today and self._today[0][0] != number:
            self._learn_today()
        taught = self._learn_until_s is not None and time_s <= self._learn_until_s
        told = UNKNOWN
        if self._limit is not None:
            distance, nearest = self._distance(row)
            told = Score(distance / self._limit)
            if not taught:
                self._follow(time_s, row, told.value, nearest)
        if self._learnt_s is None or time_s - self._learnt_s >= _LEARN_EVERY_S:
            self._learnt_s = time_s
            unusual = not taught and told.value >= 1
            self._today.append((number, [float(value) for value in row], unusual))
        return told

    def _distance(self, row: Sequence[float]) -> tuple[float, Array]:
        """To the fifth nearest healthy hour, and the nearest one itself."""
        known = np.array([values for _, values in self._rows])
        apart = np.sqrt((((known - np.array(row)) / _spread(known)) ** 2).sum(axis=1))
        order = np.argsort(apart, kind="stable")
        return float(apart[order[_NEIGHBOURS - 1]]), known[order[0]]

    def _learn_today(self) -> None:
        unusual = sum(doubtful for _, _, doubtful in self._today)
        if unusual <= _DOUBTFUL_SHARE * len(self._today):
            fresh = [(number, values) for number, values, doubtful in self._today if not doubtful]
            self._rows = [*self._rows, *fresh][-_KEPT_ROWS:]
            self._set_limit()
        self._today = []

    def _set_limit(self) -> None:
        numbers = np.array([number for number, _ in self._rows])
        days = np.unique(numbers)
        if len(self._rows) < _FIRST_ROWS or len(days) < _FEWEST_DAYS:
            return
        known = np.array([values for _, values in self._rows])
        apart_of: list[Array] = []
        for day in days:
            others, mine = known[numbers != day], known[numbers == day]
            spread = _spread(others)
            apart = np.sqrt((((mine[:, None, :] - others[None, :, :]) / spread) ** 2).sum(axis=2))
            apart_of.append(np.partition(apart, _NEIGHBOURS - 1, axis=1)[:, _NEIGHBOURS - 1])
        self._limit = float(np.quantile(np.concatenate(apart_of), _HEALTHY_BELOW))

    def _follow(self, time_s: float, row: Sequence[float], ratio: float, nearest: Array) -> None:
        if ratio >= 1:
            severity = Severity.MAJOR if ratio >= _GRAVE else Severity.MODERATE
            if self._severity is Severity.NORMAL:
                self._told += 1
                self._since_s, self._severity = time_s, severity
                self._claims.append(self._claim(FindingState.RAISED, row, ratio, nearest))
            elif severity > self._severity:
                self._severity = severity
                self._claims.append(self._claim(FindingState.CHANGED, row, ratio, nearest))
        elif self._severity is not Severity.NORMAL and ratio < _CLEARS_BELOW:
            self._severity = Severity.NORMAL
            self._claims.append(self._claim(FindingState.CLEARED, row, ratio, nearest))

    def _claim(self, state: FindingState, row: Sequence[float], ratio: float, nearest: Array) -> Claim:
        spread = _spread(np.array([values for _, values in self._rows]))
        order = [int(each) for each in np.argsort(-np.abs((np.array(row) - nearest) / spread), kind="stable")]
        first, asset = self._modes[order[0]]
        seen = {
            "apart_hz": {self.columns[each]: round(float(row[each] - nearest[each]), 5) for each in order},
            "healthy_rows": len(self._rows),
            "limit": round(self._limit or 0.0, 3),
        }
        return Claim(
            self._outcome,
            f"modes-{self._told}",
            state,
            self._severity,
            ratio,
            0.0 if self._since_s is None else self._since_s,
            tuple(self.columns[each] for each in order),
            (Suspect(asset, 1.0),),
            value=float(row[order[0]]),
            expected=float(nearest[order[0]]),
            seen={**seen, "clearest": first},
            fields={"place": asset},
        )

    def state(self) -> dict[str, Any]:
        """The healthy hours and what is told."""
        return {
            "rows": [[number, list(values)] for number, values in self._rows],
            "today": [[number, list(values), doubtful] for number, values, doubtful in self._today],
            "learnt_s": self._learnt_s,
            "limit": self._limit,
            "since_s": self._since_s,
            "severity": int(self._severity),
            "told": self._told,
        }

    def restore(self, state: State) -> None:
        """Take them up."""
        self._rows = [(number, list(values)) for number, values in state["rows"]]
        self._today = [(number, list(values), doubtful) for number, values, doubtful in state["today"]]
        self._learnt_s, self._limit, self._since_s = state["learnt_s"], state["limit"], state["since_s"]
        self._severity, self._told = Severity(state["severity"]), state["told"]
        self._claims = []


def _spread(known: Array) -> Array:
    spread: Array = np.maximum(known.std(axis=0), 1e-9)
    return spread
