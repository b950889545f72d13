"""Sums over rows of head loss residuals, kept in spans that get longer the older they are."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from services.alerts.detectors.inlet_reference import Residual
from services.alerts.detectors.running_covariance import Array

INFLOW_PARTS = 6
"""Numbers kept of what the inlet flow of a row says by itself."""
_ALIKE = 3
"""Spans of one length that are kept before the two oldest are joined."""


class Sums(NamedTuple):
    """What a normal model needs of a span of rows, for each whitened coordinate, after the powers of the flow.

    A shifted logger leaves the same residual at every flow (power 0), a leak one that grows with the flow factor
    (power 1), changed customers or a changed meter one that grows with the loss factor (power 2). ``weight_01`` is the
    sum of weight x power 0 x power 1, ``moment_1`` that of weight x power 1 x residual. ``square`` is the weighted sum
    of squares over all coordinates. ``inflow`` are the sums of the inlet flow itself (``InletDemand``). Arrays may have
    a leading axis for several spans.
    """

    weight_00: Array
    weight_02: Array
    weight_11: Array
    weight_12: Array
    weight_22: Array
    moment_0: Array
    moment_1: Array
    moment_2: Array
    rows: Array
    square: Array
    inflow: Array


def sums_of_row(residual: Residual, mood: Array, inflow: Array | None = None, trust: float = 1.0) -> Array:
    """The sums of one row, which counts as ``trust`` rows, as one vector; ``sums`` takes it apart."""
    loss, flow, left = residual
    weight = trust / (1 + loss**2 * mood)
    parts = (
        weight,
        loss * weight,
        flow**2 * weight,
        flow * loss * weight,
        loss**2 * weight,
        weight * left,
        flow * weight * left,
        loss * weight * left,
        np.array([1.0, float(weight @ left**2)]),
        np.zeros(INFLOW_PARTS) if inflow is None else inflow,
    )
    return np.concatenate(parts)


def sums(vectors: Array) -> Sums:
    """The parts of one vector, or of several along the leading axes."""
    size = (vectors.shape[-1] - 2 - INFLOW_PARTS) // 8
    parts = [vectors[..., part * size : (part + 1) * size] for part in range(8)]
    return Sums._make([*parts, vectors[..., 8 * size], vectors[..., 8 * size + 1], vectors[..., 8 * size + 2 :]])


class History:
    """The last ``longest`` rows or so: single rows first, then spans of 2, 4, 8 … rows, three or so of each."""

    __slots__ = ("_spans", "longest")

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._spans: list[tuple[int, Array]] = []

    def __len__(self) -> int:
        return sum(length for length, _ in self._spans)

    def add(self, vector: Array, length: int = 1) -> list[Array]:
        """Take a row or a later span, and give back the sums of spans that are too old now."""
        self._spans.append((length, vector))
        while (first := self._crowded(length)) is not None:
            _, older = self._spans[first]
            _, newer = self._spans.pop(first + 1)
            self._spans[first] = (2 * length, older + newer)
            length *= 2
        dropped = []
        while len(self) - self._spans[0][0] >= self.longest:
            dropped.append(self._spans.pop(0)[1])
        return dropped

    def _crowded(self, length: int) -> int | None:
        alike = [position for position, (each, _) in enumerate(self._spans) if each == length]
        return alike[0] if len(alike) > _ALIKE else None

    def since(self, newest: int | None = None) -> tuple[Array, Array]:
        """How many rows, and their sums, from each span's beginning until now, shortest first."""
        spans = self._spans[::-1][:newest]
        lengths = np.cumsum([length for length, _ in spans])
        return lengths, np.cumsum(np.array([vector for _, vector in spans]), axis=0)

    def cut(self, rows: int) -> tuple[list[Array], "History"]:
        """The sums of the spans before the last ``rows`` rows, and a history of those rows alone."""
        recent = History(self.longest)
        position, counted = len(self._spans), 0
        while position and counted + self._spans[position - 1][0] <= rows:
            position -= 1
            counted += self._spans[position][0]
        recent._spans = self._spans[position:]
        return [vector for _, vector in self._spans[:position]], recent

    def copy(self) -> "History":
        """The same spans, to go their own way."""
        other = History(self.longest)
        other._spans = list(self._spans)
        return other

    def last(self, rows: int) -> Array:
        """The sums of the last ``rows`` rows, as nearly as the spans allow, and of one span at least."""
        lengths, totals = self.since()
        fitting = int(np.searchsorted(lengths, rows, side="right"))
        total: Array = totals[max(0, fitting - 1)]
        return total

    def state(self) -> list[list[Any]]:
        """All spans, as JSON."""
        return [[length, vector.tolist()] for length, vector in self._spans]

    def restore(self, state: Sequence[Sequence[Any]]) -> None:
        """Take up the spans."""
        self._spans = list(_restored(state))


def _restored(state: Sequence[Sequence[Any]]) -> Iterator[tuple[int, Array]]:
    for length, vector in state:
        yield int(length), np.array(vector, dtype=np.float64)
