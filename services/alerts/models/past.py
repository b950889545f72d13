"""The readings a detector is taught from: good ones, outside the times of trouble, as live judging would see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.lifelines.contract import SearchRule, ZoneRule
from services.alerts.models.subject import Subject
from services.alerts.row_grid import RowGrid
from services.core.finding import Finding

Series = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Event times in seconds since 1970, in order, and the values of one sensor."""
Span = tuple[float, float]
"""From and to, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Past:
    """Values, or rows, with their times in order, and what tells them from any other past."""

    rows: Sequence[tuple[float, Any]]
    fingerprint: str

    @classmethod
    def joined(cls, parts: Sequence["Past"]) -> "Past":
        """Several pasts, one after the other."""
        digest = sha256("".join(part.fingerprint for part in parts).encode())
        return cls([row for part in parts for row in part.rows], digest.hexdigest())

    def before(self, time_s: float) -> list[tuple[float, Any]]:
        """The part to be taught."""
        return [row for row in self.rows if row[0] < time_s]

    def since(self, time_s: float) -> list[tuple[float, Any]]:
        """The part that is held back."""
        return [row for row in self.rows if row[0] >= time_s]


def past(subject: Subject, series: Mapping[str, Series], troubles: Sequence[Span]) -> Past:
    """The past of a subject from the good readings of its sensors, without what overlaps one of the ``troubles``."""
    calm = {sensor: _calm(*points, troubles) for sensor, points in series.items()}
    together = isinstance(subject.rule, ZoneRule | SearchRule)
    rows = _rows(subject, calm) if together else _values(calm[subject.target])
    return Past(rows, _fingerprint(calm))


def _calm(times_s: NDArray[np.float64], values: NDArray[np.float64], troubles: Sequence[Span]) -> Series:
    calm = np.isfinite(values)
    for start_s, end_s in troubles:
        calm &= (times_s < start_s) | (times_s > end_s)
    return times_s[calm], values[calm]


def _values(series: Series) -> list[tuple[float, Any]]:
    return list(zip(series[0].tolist(), series[1].tolist(), strict=True))


def _rows(subject: Subject, series: Mapping[str, Series]) -> list[tuple[float, Any]]:
    """Rows from the grid that the live zone uses."""
    rows: list[tuple[float, Any]] = []

    def take(time_s: float, row: list[float], clean: bool, into: list[Finding]) -> None:  # noqa: ARG001  # the grid tells more than teaching needs
        rows.append((time_s, row))

    if not isinstance(subject.rule, ZoneRule | SearchRule):
        raise TypeError("only a zone has rows")
    seldom = subject.rule.seldom if isinstance(subject.rule, SearchRule) else frozenset[str]()
    grid = RowGrid(subject.sensors, subject.rule.step.total_seconds(), take, seldom)
    names = [name for name, (times_s, _) in series.items() for _ in range(len(times_s))]
    times_s = np.concatenate([points[0] for points in series.values()])
    values = np.concatenate([points[1] for points in series.values()])
    for position in np.argsort(times_s, kind="stable").tolist():
        grid.take(names[position], float(times_s[position]), float(values[position]), good=True, into=[])
    if len(times_s):
        grid.pass_time(np.inf, [])
    return rows


def _fingerprint(series: Mapping[str, Series]) -> str:
    digest = sha256()
    for sensor, (times_s, values) in sorted(series.items()):
        digest.update(sensor.encode())
        digest.update(times_s.astype("<f8").tobytes())
        digest.update(values.astype("<f8").tobytes())
    return digest.hexdigest()
