"""How the rain over the sewers may go on: like storms that began like it, or as somebody knows."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from services.alerts.forecast.rain_record import RainRecord
from services.alerts.forecast.storm_futures import STEP_MIN, futures_of
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
        self._mean = RainRecord()

    def take(self, time_s: float, rain_mm_h: Mapping[str, float]) -> None:
        """The rain of a row."""
        for gauge, record in self._records.items():
            record.observe(time_s, rain_mm_h.get(gauge, 0.0))
        if self._records:
            self._mean.observe(time_s, sum(rain_mm_h.get(gauge, 0.0) for gauge in self._records) / len(self._records))

    def fell_mm(self, time_s: float, minutes: float) -> float:
        """What fell in the last minutes, as a mean of all gauges."""
        return self._mean.sum_mm(time_s, minutes)

    def ways(self, time_s: float, rows: int) -> RainWays:
        """How it may go on for so many rows."""
        futures = futures_of(self._mean, time_s)
        minutes = np.repeat(futures.mm_min, STEP_MIN, axis=1)[:, : rows * ROW_MIN]
        mean_mm_h = 60 * minutes.reshape(len(minutes), rows, ROW_MIN).mean(axis=2)
        mean_mm_h, weights = _bundled(mean_mm_h, futures.weights)
        ratio = np.array([self._ratio(record, time_s) for record in self._records.values()])
        return RainWays(mean_mm_h[:, :, None] * ratio, weights)

    def _ratio(self, record: RainRecord, time_s: float) -> float:
        mean_mm_h = 60 / _LATELY_MIN * self._mean.sum_mm(time_s, _LATELY_MIN)
        if mean_mm_h < _LEAST_MM_H:
            return 1.0
        return min(60 / _LATELY_MIN * record.sum_mm(time_s, _LATELY_MIN) / mean_mm_h, _MOST_RATIO)

    def state(self) -> dict[str, Any]:
        """The rain that fell, as JSON."""
        return {
            "records": {gauge: record.state() for gauge, record in self._records.items()},
            "mean": self._mean.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        for gauge, record in self._records.items():
            record.restore(state["records"][gauge])
        self._mean.restore(state["mean"])


def _bundled(mm_h: Array, weights: Array) -> tuple[Array, Array]:
    """Ways in bundles of about equal weight, by what falls soon: the mean of each bundle, and its weight."""
    order = np.argsort(mm_h[:, : _SOON_MIN // ROW_MIN].sum(axis=1), kind="stable")
    share = np.cumsum(weights[order]) - weights[order] / 2
    bundle = np.minimum((share * _WAYS).astype(np.int64), _WAYS - 1)
    told = np.unique(bundle)
    heavy = np.array([weights[order][bundle == k].sum() for k in told])
    means = [(mm_h[order] * weights[order][:, None])[bundle == k].sum(axis=0) for k in told]
    return np.array(means) / heavy[:, None], heavy / heavy.sum()
