"""The first days of a district, from which its reference is learnt."""

from collections.abc import Sequence
from math import isfinite, nan
from typing import Any

from services.alerts.detectors.contract import State
from services.alerts.detectors.inlet_reference import InletReference, usable
from services.alerts.detectors.running_covariance import Array

_DAY_ROWS = 48
_LEARN_AT = (5 * _DAY_ROWS, 7 * _DAY_ROWS, 10 * _DAY_ROWS, 14 * _DAY_ROWS)
"""After how many rows the reference is learnt, ever better, as long as no leak is open."""
_LEAST_ROWS = _LEARN_AT[0] // 2
"""Complete rows without which nothing is learnt."""


class InletLessons:
    """Keeps the rows of the first days; ``datum_m`` is what ``InletReference.learnt`` asks for."""

    __slots__ = ("_datum_m", "_kept", "_passed", "_rows")

    def __init__(self, datum_m: float) -> None:
        self._datum_m = datum_m
        self._rows = 0
        self._passed = 0
        self._kept: list[list[float]] = []

    def add(self, time_s: float, flow: float, loss_m: Array) -> InletReference | None:
        """Keep a row; the reference, learnt from all rows so far, when it is time."""
        if self._rows >= _LEARN_AT[-1]:
            return None
        self._rows += 1
        self._passed = 0
        self._kept.append([time_s, flow, *loss_m.tolist()])
        if self._rows not in _LEARN_AT:
            return None
        table = usable(self._kept)
        if self._rows == _LEARN_AT[-1]:
            self._kept = []
        if len(table) < _LEAST_ROWS:
            return None
        return InletReference.learnt(table[:, 0], table[:, 1], table[:, 2:], self._datum_m)

    def let_pass(self) -> None:
        """A row beside an open leak teaches nothing; after too many of them what was kept is too old to go on with."""
        self._passed += 1
        if self._rows + self._passed >= _LEARN_AT[-1]:
            self._rows = _LEARN_AT[-1]
            self._kept = []

    def state(self) -> dict[str, Any]:
        """The rows kept and how many there were, as JSON."""
        kept = [[value if isfinite(value) else None for value in row] for row in self._kept]
        return {"rows": self._rows, "passed": self._passed, "kept": kept}

    def restore(self, state: State) -> None:
        """Take up the rows."""
        self._rows, self._passed = state["rows"], state["passed"]
        self._kept = [_numbers(row) for row in state["kept"]]


def _numbers(row: Sequence[float | None]) -> list[float]:
    return [nan if value is None else value for value in row]
