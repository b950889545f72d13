"""Rows of any frequency, averaged over half hours."""

from collections.abc import Sequence
from math import ceil, isfinite, nan
from typing import Any

from services.alerts.detectors.contract import State

HALF_HOUR_S = 1800.0


class HalfHours:
    """Hands over the mean row of each half hour, NaN for a column without a value in it.

    A half hour ends with the row exactly at its end, at the latest with the first row after it.
    """

    __slots__ = ("_counts", "_end_s", "_sums")

    def __init__(self, size: int) -> None:
        self._end_s: float | None = None
        self._sums = [0.0] * size
        self._counts = [0] * size

    def add(self, time_s: float, row: Sequence[float]) -> list[tuple[float, list[float]]]:
        """The half hours, end and mean row, that ``row`` completes."""
        done = []
        end_s = ceil(time_s / HALF_HOUR_S) * HALF_HOUR_S
        if self._end_s is not None and end_s > self._end_s:
            done.append(self._taken(self._end_s))
        self._end_s = end_s
        for column, value in enumerate(row):
            if isfinite(value):
                self._sums[column] += value
                self._counts[column] += 1
        if time_s == end_s:
            done.append(self._taken(end_s))
        return done

    def _taken(self, end_s: float) -> tuple[float, list[float]]:
        means = [total / count if count else nan for total, count in zip(self._sums, self._counts, strict=True)]
        self._end_s = None
        self._sums = [0.0] * len(means)
        self._counts = [0] * len(means)
        return end_s, means

    def state(self) -> dict[str, Any]:
        """The open half hour."""
        return {"end_s": self._end_s, "sums": list(self._sums), "counts": list(self._counts)}

    def restore(self, state: State) -> None:
        """Take up the open half hour."""
        self._end_s = state["end_s"]
        self._sums = list(state["sums"])
        self._counts = list(state["counts"])
