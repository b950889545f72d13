"""How the rain over the sewers may go on: as a weather service expects, like storms that began like it, or as known."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from services.alerts.forecast.expected_rain import ExpectedRain
from services.alerts.forecast.rain_record import RainRecord
from services.alerts.forecast.storm_futures import STEP_MIN, Futures, futures_of
from services.alerts.sewers.pipe_sections import Array

ROW_MIN = 5
"""The rain ahead is told in rows of so many minutes."""
_WAYS = 8
"""So many ways to go on are routed, each the mean of storms with about as much rain."""
_SOON_MIN = 30
"""They are told apart by what falls within so many minutes."""
_LATELY_MIN = 20.0
_LEAST_MM_H = 0.2
_MOST_RATIO = 3.0
"""A gauge has at most so many times the mean rain: a cell that is over one now moves on."""


class RainWays(NamedTuple):
    """Rain in mm/h by way, row of minutes ahead and gauge; the weights of the ways add up to 1."""

    mm_h: Array
    weights: Array


class RainAhead:
    """The rain of the last hours by gauge, and the ways in which it may go on."""

    def __init__(self, gauges: Sequence[str]) -> None:
        self._records = {gauge: RainRecord() for gauge in gauges}
        self._expected = {gauge: ExpectedRain() for gauge in gauges}
        self._mean = RainRecord()

    def take(
        self,
        time_s: float,
        rain_mm_h: Mapping[str, float],
        expected_mm: Mapping[str, Mapping[int, float]] = MappingProxyType({}),
    ) -> None:
        """The rain of a row, and what is expected from it on within so many minutes, where that is told."""
        for gauge, record in self._records.items():
            record.observe(time_s, rain_mm_h.get(gauge, 0.0))
        if self._records:
            self._mean.observe(time_s, sum(rain_mm_h.get(gauge, 0.0) for gauge in self._records) / len(self._records))

        for gauge, told in expected_mm.items():
            for minutes, sum_mm in sorted(told.items()):
                self._expected[gauge].observe(time_s, minutes, sum_mm, self._records[gauge])

    def comes_mm(self, time_s: float, minutes: float) -> float:
        """What is expected to fall within some minutes, as a mean of all gauges; none where nothing is told."""
        told = [each.sum_mm(time_s, minutes) for each in self._expected.values() if not each.is_silent(time_s)]
        return sum(told) / len(told) if told else 0.0

    def fell_mm(self, time_s: float, minutes: float) -> float:
        """What fell in the last minutes, as a mean of all gauges."""
        return self._mean.sum_mm(time_s, minutes)

    def ways(self, time_s: float, rows: int) -> RainWays:
        """How it may go on for so many rows."""
        alike = futures_of(self._mean, time_s)
        if not all(expected.is_silent(time_s) for expected in self._expected.values()):
            return self._expected_ways(time_s, rows, alike)
        mean_mm_h, weights = _bundled(_rows_mm_h(alike, rows)[:, :, None], alike.weights)
        ratio = np.array([self._ratio(record, time_s) for record in self._records.values()])
        return RainWays(mean_mm_h * ratio, weights)

    def _expected_ways(self, time_s: float, rows: int, alike: Futures) -> RainWays:
        """As much as is expected at each gauge, more or less at all alike; where nothing is told, as elsewhere."""
        heard = [each for each in self._expected.values() if not each.is_silent(time_s)]
        told = [heard[0] if each.is_silent(time_s) else each for each in self._expected.values()]
        ways = [each.futures(time_s, alike) for each in told]
        by_gauge = np.stack([_rows_mm_h(each, rows) for each in ways], axis=2)
        return RainWays(*_bundled(by_gauge, ways[0].weights))

    def _ratio(self, record: RainRecord, time_s: float) -> float:
        mean_mm_h = 60 / _LATELY_MIN * self._mean.sum_mm(time_s, _LATELY_MIN)
        if mean_mm_h < _LEAST_MM_H:
            return 1.0
        return min(60 / _LATELY_MIN * record.sum_mm(time_s, _LATELY_MIN) / mean_mm_h, _MOST_RATIO)

    def state(self) -> dict[str, Any]:
        """The rain that fell, as JSON."""
        return {
            "records": {gauge: record.state() for gauge, record in self._records.items()},
            "expected": {gauge: expected.state() for gauge, expected in self._expected.items()},
            "mean": self._mean.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        for gauge, record in self._records.items():
            record.restore(state["records"][gauge])
        for gauge, expected in self._expected.items():
            expected.restore(state["expected"][gauge])
        self._mean.restore(state["mean"])


def _rows_mm_h(futures: Futures, rows: int) -> Array:
    """The mean of each row of the ways in which rain goes on."""
    minutes = np.repeat(futures.mm_min, STEP_MIN, axis=1)[:, : rows * ROW_MIN]
    means: Array = 60 * minutes.reshape(len(minutes), rows, ROW_MIN).mean(axis=2)
    return means


def _bundled(mm_h: Array, weights: Array) -> tuple[Array, Array]:
    """Ways in bundles of about equal weight, by what falls soon: the mean of each bundle, and its weight."""
    order = np.argsort(mm_h[:, : _SOON_MIN // ROW_MIN].sum(axis=(1, 2)), kind="stable")
    share = np.cumsum(weights[order]) - weights[order] / 2
    bundle = np.minimum((share * _WAYS).astype(np.int64), _WAYS - 1)
    told = np.unique(bundle)
    heavy = np.array([weights[order][bundle == k].sum() for k in told])
    means = [(mm_h[order] * weights[order][:, None, None])[bundle == k].sum(axis=0) for k in told]
    return np.array(means) / heavy[:, None, None], heavy / heavy.sum()
