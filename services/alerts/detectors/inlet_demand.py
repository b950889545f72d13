"""What usually flows into a district at each half hour of the week, and what it says about a leak if more does."""

from math import exp, isfinite, log, nan
from typing import Any, NamedTuple

import numpy as np

from services.alerts.detectors.contract import State
from services.alerts.detectors.half_hours import HALF_HOUR_S
from services.alerts.detectors.inlet_history import INFLOW_PARTS
from services.alerts.detectors.running_covariance import Array

_WEEK_ROWS = 336
_DAY_ROWS = 48
_MEMORY_WEEKS = 8
"""The usual week is the mean of about so many."""
_FIRST_NOISE = 0.05
"""Standard deviation of the logarithm of a half hour's flow before anything is known about it."""
_NOISE_STEP = 0.005
_QUARTILE = 0.6745
"""Half of all normal values lie within so many standard deviations."""
_CUT = 4.0
_ORDINARY = 3.0
"""Mean square of what flowed less than usual in a day, as a multiple of the noise, up to which the day is ordinary."""
_STRANGEST = 100.0
_MOST_CHANGE = log(2.0)
"""A half hour moves the level by no more than if the flow had doubled."""
_SEASON_ROWS = 14 * _DAY_ROWS
_LEVEL_ROWS = 2 * _DAY_ROWS
"""The level before a span is that of two days at least."""
_SEASON_A_DAY = 0.1 / 30
"""By how much a season changes the demand: a tenth in a month."""
_CHANGE_ROWS = 30 * _DAY_ROWS
"""Customers change their habits at once, for a heat wave or a holiday, about once a month."""
_SMALL = 1e-12


class Inflow(NamedTuple):
    """What the inlet flow of several spans says about a leak in them, whatever the pressures say.

    The log-likelihood of a leak is ``moment`` x flow - ``precision`` x flow² / 2, and never beyond ``most`` in either
    direction, because the customers may have changed just then.
    """

    moment: Array
    precision: Array
    most: Array

    def evidence(self, flow: Array) -> Array:
        """For a leak of a flow in each span (first axis) and at each place."""
        said = self.moment[:, None] * flow - self.precision[:, None] * flow**2 / 2
        bound: Array = np.clip(said, -self.most[:, None], self.most[:, None])
        return bound


class InletDemand:
    """The usual logarithm of the flow in each half hour of the week.

    A value moves what is usual by how far it is from the level of the last day, so that seasons do not blur the shape.
    ``noise`` is the variance about both, followed as a quantile, which a few wild values do not move; ``level`` is that
    of the last day or so, ``season`` that of the last two weeks. ``trust`` is by how much a row counts: less on days of
    other habits, on which the customers share the flow otherwise than on those from which the head losses were learnt.
    They show by hours in which less flows than usual; more may be a leak.
    """

    __slots__ = ("_counts", "_rows", "_strange", "_usual", "level", "noise", "season")

    def __init__(self) -> None:
        self._usual = [0.0] * _WEEK_ROWS
        self._counts = [0] * _WEEK_ROWS
        self._rows = 0
        self._strange = 0.0
        self.level = 0.0
        self.season = 0.0
        self.noise = _FIRST_NOISE**2

    @property
    def knows_seasons(self) -> bool:
        """Whether there have been weeks enough without a leak to say what is more than usual."""
        return self._rows >= _WEEK_ROWS + _SEASON_ROWS

    @property
    def day_flow(self) -> float:
        """The mean flow of a week at the level of the last day."""
        return exp(self.level) * float(np.exp(self._usual).mean())

    @property
    def trust(self) -> float:
        """By how much a row counts now."""
        return min(1.0, _ORDINARY / max(self._strange, _ORDINARY))

    def excess(self, time_s: float, flow: float) -> tuple[float, float]:
        """The logarithm of flow over usual flow, and its weight; NaN and 0 for a half hour never seen."""
        slot = _slot(time_s)
        count = self._counts[slot]
        return (log(flow) - self._usual[slot], count / (count + 1)) if count else (nan, 0.0)

    def take(self, time_s: float, flow: float, *, ordinary: bool) -> None:
        """Follow the level; take what is ``ordinary``, because no leak is open, into what is usual as well."""
        excess, weight = self.excess(time_s, flow)
        # A leak is in the levels for as long as they look back.
        self._rows = self._rows + 1 if ordinary else min(self._rows, _WEEK_ROWS)
        if isfinite(excess):
            left = max(-_MOST_CHANGE, min(_MOST_CHANGE, excess - self.level))
            less = min(left, 0.0) ** 2 * weight / self.noise
            self._strange += (min(less, _STRANGEST) - self._strange) / _DAY_ROWS
            self.level += left / _DAY_ROWS
            self.season += (self.level - self.season) / _SEASON_ROWS
            if ordinary:
                self._learn(_slot(time_s), left, weight)
        elif ordinary:
            self._usual[_slot(time_s)] = log(flow) - self.level
            self._counts[_slot(time_s)] = 1

    def _learn(self, slot: int, left: float, weight: float) -> None:
        most = _CUT * (self.noise / weight) ** 0.5
        left = max(-most, min(most, left))
        inside = left**2 * weight < _QUARTILE**2 * self.noise
        self.noise *= exp(-_NOISE_STEP if inside else _NOISE_STEP)
        self._counts[slot] = min(self._counts[slot] + 1, _MEMORY_WEEKS)
        self._usual[slot] += left / self._counts[slot]

    def sums_of_row(self, time_s: float, flow: float, mean_flow: float) -> Array:
        """What ``inflow`` needs of a row, to be added up over rows."""
        excess, weight = self.excess(time_s, flow)
        if not weight:
            return np.zeros(INFLOW_PARTS)
        by_flow = mean_flow / flow
        return weight * np.array([1.0, excess, excess**2, by_flow, by_flow**2, excess * by_flow])

    def inflow(self, lengths: Array, totals: Array, spans: int, mean_flow: float) -> Inflow:
        """What the first ``spans`` spans say, beside the level in the rows before each.

        ``lengths`` (rows) and ``totals`` (sums) reach from each span's begin until now, shortest first. The logarithm
        of the flow is the level, plus leak / flow, plus noise: a leak shows most by night, when little else flows.
        """
        own, begun = totals[:spans], lengths[:spans]
        reach = np.searchsorted(lengths, begun + np.maximum(begun, _LEVEL_ROWS))
        reach = np.minimum(reach, len(lengths) - 1)
        before, rows = totals[reach] - own, lengths[reach] - begun
        enough = (rows >= _DAY_ROWS) & (before[:, 0] > rows / 4)
        count = np.where(enough, before[:, 0], 1.0)
        level = np.where(enough, before[:, 1] / count, 0.0)
        season = (_SEASON_A_DAY * (begun + rows) / 2 / _DAY_ROWS) ** 2
        doubt = np.where(enough, self.noise / count + season, 1.0)
        weight, first, second, by_flow, by_flow_2, mixed = (own[:, part] for part in range(INFLOW_PARTS))
        square = second - 2 * level * first + weight * level**2
        first = first - weight * level
        mixed = mixed - by_flow * level
        shared = weight + self.noise / doubt
        precision = np.maximum(by_flow_2 - by_flow**2 / shared, 0.0)
        moment = mixed - by_flow * first / shared
        explained = first**2 / shared + moment**2 / np.maximum(precision, _SMALL)
        unit = self.noise * np.maximum((square - explained) / self.noise / begun, 1.0)
        most = np.log(np.maximum(_CHANGE_ROWS / begun, 1.0))
        return Inflow(moment / unit / mean_flow, precision / unit / mean_flow**2, most)

    def state(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "usual": list(self._usual),
            "counts": list(self._counts),
            "rows": self._rows,
            "strange": self._strange,
            "level": self.level,
            "season": self.season,
            "noise": self.noise,
        }

    def restore(self, state: State) -> None:
        """Take up what was learnt."""
        self._usual, self._counts = list(state["usual"]), list(state["counts"])
        self._rows, self._strange, self.level, self.season = (
            state["rows"],
            state["strange"],
            state["level"],
            state["season"],
        )
        self.noise = state["noise"]


def _slot(time_s: float) -> int:
    return int(time_s // HALF_HOUR_S) % _WEEK_ROWS
