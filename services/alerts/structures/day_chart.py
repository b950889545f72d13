"""Charts of what is left unexplained: means over one, three and seven days, all gauges together.

How gauges err together and how long errors last are learnt from healthy days, and so is the limit: the largest values
of healthy days are extrapolated to one that so many days reach by chance.
"""

from collections.abc import Sequence
from math import log
from typing import Any, NamedTuple

import numpy as np

from services.alerts.structures.gaps import packed, unpacked
from services.alerts.structures.weather import Array

WINDOWS = (1, 3, 7)
_KEPT_LARGEST = 24
_FIRST_LIMIT_DAY = 40
_REMEMBERED_DAYS = 365.0
_UNSURE_DAYS = 150
"""A limit from less than all seasons is itself uncertain: it is doubled at so many days and near its own after a year.
Set on simulated bridges."""
_MARGIN = 1.4
"""The largest days of a past come in runs, so fewer of them are independent than were counted. Set on simulated
bridges."""
_LEAST_SHARE = 0.6
"""Share of a window's days that a gauge must have spoken on."""


class Shift(NamedTuple):
    """What a window of days says: the means of all gauges in usual means of such a window, all of them beside a limit.

    ``alone`` is how much of ``square`` each gauge takes away with it when it is left out, others as they are.
    """

    days: int
    means: Array
    square: float
    limit: float
    alone: Array

    @property
    def ratio(self) -> float:
        """1 at the limit."""
        return self.square / self.limit


class DayChart:
    """Judges the last days of all gauges and learns from healthy ones how large what is left becomes by itself.

    Source: Hotelling (1947); tails of exceedances after Pickands (1975) with an exponential excess.
    """

    def __init__(self, size: int, days_between_false_alarms: float) -> None:
        self._size = size
        self._chance = 1 / (days_between_false_alarms * len(WINDOWS))
        self._recent: list[Array] = []
        self._products = np.eye(size)
        self._together = 0.0
        self._lasting = np.ones((len(WINDOWS), size))
        self._largest: list[list[float]] = [[] for _ in WINDOWS]
        self._counted = [0] * len(WINDOWS)

    @property
    def is_ready(self) -> bool:
        """Whether there is a limit."""
        return min(self._counted) >= _FIRST_LIMIT_DAY

    @property
    def learnt_days(self) -> int:
        """Days from which the limits stem."""
        return min(self._counted)

    def add(self, left: Array) -> None:
        """A day's unexplained rest of each gauge, NaN where unknown."""
        self._recent = [*self._recent[-(max(WINDOWS) - 1) :], left]

    def shifts(self, leaving_out: frozenset[int]) -> list[Shift]:
        """What the windows that are full say, without some gauges."""
        found = []
        for place, days in enumerate(WINDOWS):
            means = self._means(days)
            if means is None:
                continue
            means[list(leaving_out)] = np.nan
            units = means / np.sqrt(self._lasting[place])
            square, alone = self._square(units)
            found.append(Shift(days, units, square, self._limit(place), alone))
        return found

    def learn(self, windows: Sequence[Array | None]) -> None:
        """Take the windows that ended with a healthy day, as ``windows_now`` gave them then."""
        for place, means in enumerate(windows):
            if means is None:
                continue
            known = np.isfinite(means)
            filled = np.where(known, means, 0.0)
            if self._together >= max(WINDOWS):
                square, _ = self._square(np.where(known, means, np.nan) / np.sqrt(self._lasting[place]))
                self._count(place, square)
            weight = min(self._together + 1, _REMEMBERED_DAYS)
            change = np.where(known, filled**2 - self._lasting[place], 0.0) / weight
            # Nothing is believed to be better than twice as good as its first days promise.
            self._lasting[place] = np.maximum(self._lasting[place] + change, 0.25 / WINDOWS[place] ** 2)
            if place == 0:
                both = np.outer(known, known)
                self._products = (
                    self._products + np.where(both, np.outer(filled, filled) - self._products, 0.0) / weight
                )
        self._together = min(self._together + 1, _REMEMBERED_DAYS)

    def windows_now(self) -> list[Array | None]:
        """The means over each window that ends today."""
        return [self._means(days) for days in WINDOWS]

    def forget_recent(self) -> None:
        """Begin the windows afresh, as after a change of the level that is compared with."""
        self._recent = []

    def _means(self, days: int) -> Array | None:
        if len(self._recent) < days:
            return None
        window = np.array(self._recent[-days:])
        known = np.isfinite(window)
        counted = known.sum(axis=0)
        sums = np.where(known, window, 0.0).sum(axis=0)
        return np.where(counted >= _LEAST_SHARE * days, sums / np.maximum(counted, 1), np.nan)

    def _square(self, units: Array) -> tuple[float, Array]:
        known = np.flatnonzero(np.isfinite(units))
        alone = np.zeros(self._size)
        if not len(known):
            return 0.0, alone
        part = self._products[np.ix_(known, known)]
        spread = np.sqrt(np.maximum(part.diagonal(), 1e-9))
        correlated = part / np.outer(spread, spread)
        blurred = len(known) / (len(known) + max(self._together, 1.0))
        precision = np.linalg.inv((1 - blurred) * correlated + blurred * np.eye(len(known)))
        weighed = precision @ units[known]
        alone[known] = weighed**2 / precision.diagonal()
        return float(units[known] @ weighed) / len(known), alone / len(known)

    def _count(self, place: int, square: float) -> None:
        self._counted[place] += 1
        self._largest[place] = sorted([*self._largest[place], square], reverse=True)[:_KEPT_LARGEST]

    def _limit(self, place: int) -> float:
        largest, counted = self._largest[place], self._counted[place]
        if counted < _FIRST_LIMIT_DAY:
            return float("inf")
        used = largest[: min(_KEPT_LARGEST, max(8, counted // 8))]
        base = used[-1]
        excess = sum(used) / len(used) - base
        exceeded = len(used) / counted
        # Days that follow one another are no independent witnesses of what chance does, so the largest counts too.
        limit = max(base + excess * max(0.0, log(exceeded / self._chance)), 1.15 * largest[0])
        return _MARGIN * limit * (1 + (_UNSURE_DAYS / counted) ** 2)

    def state(self) -> dict[str, Any]:
        """Recent days and what was learnt."""
        upper = np.triu_indices(self._size)
        return {
            "recent": [packed(day) for day in self._recent],
            "products": self._products[upper].tolist(),
            "together": self._together,
            "lasting": self._lasting.tolist(),
            "largest": [list(each) for each in self._largest],
            "counted": list(self._counted),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take them up."""
        self._recent = [unpacked(day) for day in state["recent"]]
        upper = np.triu_indices(self._size)
        products = np.zeros((self._size, self._size))
        products[upper] = state["products"]
        self._products = products + np.triu(products, 1).T
        self._together = state["together"]
        self._lasting = np.array(state["lasting"])
        self._largest = [list(each) for each in state["largest"]]
        self._counted = list(state["counted"])
