"""Floodings that come with the tide: when the next high water is due, and how high it usually gets."""

from collections.abc import Mapping
from math import atan2, cos, hypot, pi, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.forecast.depth_track import PastFlooding, log_depth

Array = NDArray[np.float64]

_M2_S = 44714.16
"""Half a lunar day: the period of the main tide."""
_CONSTITUENTS_S = (43200.0, 45570.05, 86164.09, 92949.63)
"""Periods of S2, N2, K1 and O1, the next largest constituents of tides (Doodson 1921)."""
_YEAR_S = 31556952.0
_HOUR_S = 3600.0
_DAY_S = 86400.0
_TIDAL = 0.5
"""Concentration of the times of peaks about one phase of the tide, from which a point is taken to flood with it."""
_FEW = 4
_STRAY_HOURS = 2.5
_SURGES = 12
_PRIOR_SURGE = 0.3
_RIDGE = 5.0


def _angles(time_s: float, periods_s: tuple[float, ...]) -> list[float]:
    return [2 * pi * (time_s % period_s) / period_s for period_s in periods_s]


def _circle(angles: list[float]) -> Array:
    return np.array([part(angle) for angle in angles for part in (cos, sin)])


def _height_terms(time_s: float) -> Array:
    return _circle(_angles(time_s, (*_CONSTITUENTS_S, _YEAR_S)))


def _time_terms(time_s: float) -> Array:
    main = _angles(time_s, (_M2_S,))[0]
    return _circle([angle - main for angle in _angles(time_s, _CONSTITUENTS_S)])


class _Ridge:
    """Least squares that can be continued, drawn towards nought as if ``_RIDGE`` values had said so."""

    __slots__ = ("_moment", "_normal", "weights")

    def __init__(self, terms: int) -> None:
        self._normal: Array = np.eye(terms) * _RIDGE
        self._moment: Array = np.zeros(terms)
        self.weights: Array = np.zeros(terms)

    def add(self, terms: Array, value: float, weight: float) -> None:
        self._normal += weight * np.outer(terms, terms)
        self._moment += weight * value * terms
        self.weights[:] = np.linalg.solve(self._normal, self._moment)

    def state(self) -> dict[str, Any]:
        return {"normal": self._normal.tolist(), "moment": self._moment.tolist()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._normal, self._moment = np.array(state["normal"]), np.array(state["moment"])
        self.weights[:] = np.linalg.solve(self._normal, self._moment)


class TidePhase:
    """At which phase of the main tide the floodings of one point peaked, and how much they agree in it."""

    __slots__ = ("concentration", "count", "phase")

    def __init__(self, past: list[PastFlooding]) -> None:
        angles = [2 * pi * (each.peak_s % _M2_S) / _M2_S for each in past]
        east, north = sum(map(cos, angles)), sum(map(sin, angles))
        self.count = len(past)
        # Two floodings that agreed with nothing keep a few from looking like a rule.
        self.concentration = hypot(east, north) / (len(past) + 2)
        self.phase = atan2(north, east)

    def hours_until(self, time_s: float) -> float:
        """Hours from a moment to the nearest high water, negative after it, by the main tide alone."""
        ahead = self.phase - 2 * pi * (time_s % _M2_S) / _M2_S
        return ((ahead + pi) % (2 * pi) - pi) * _M2_S / (2 * pi) / _HOUR_S


class TideClock:
    """What all points that flood with the tide teach about its times and heights, beyond each one's own habit.

    The phases of the smaller constituents shift high water by up to an hour and lift or lower it; how much is learnt
    over all tidal points together by ridge regression. What the last floodings stood above that (a storm surge lasts
    for several tides) is carried forward and fades over a day. No tide table is needed, and on points that know no
    tide it says nothing.
    """

    __slots__ = ("_heights", "_surges", "_times")

    def __init__(self) -> None:
        self._heights = _Ridge(2 * len(_CONSTITUENTS_S) + 2)
        self._times = _Ridge(2 * len(_CONSTITUENTS_S))
        self._surges: list[tuple[float, float]] = []

    def observe(self, ended: PastFlooding, usual: TidePhase, usual_log_peak: float) -> None:
        """Learn from a flooding that has ended at a point, given what was usual there before it."""
        if usual.count < _FEW or usual.concentration < _TIDAL:
            return
        late_hours = -usual.hours_until(ended.peak_s)
        if abs(late_hours) > _STRAY_HOURS:
            return
        terms = _height_terms(ended.peak_s)
        above = log_depth(ended.peak_cm) - usual_log_peak
        self._surges.append((ended.peak_s, above - float(terms @ self._heights.weights)))
        del self._surges[:-_SURGES]
        # Points that flood every week would else speak for all.
        weight = usual.count**-0.5
        self._heights.add(terms, above, weight)
        self._times.add(_time_terms(ended.peak_s), late_hours, weight)

    def next_high_s(self, usual: TidePhase, time_s: float) -> float:
        """When the high water that is due now, or was within the last hours, comes."""
        ahead_hours = usual.hours_until(time_s)
        main_s = time_s + ahead_hours * _HOUR_S + (_M2_S if ahead_hours < -_STRAY_HOURS else 0.0)
        return main_s + _HOUR_S * float(_time_terms(main_s) @ self._times.weights)

    def height(self, high_s: float) -> float:
        """How much the logarithm of the peak at a high water differs from the usual one, by the tide alone."""
        return float(_height_terms(high_s) @ self._heights.weights)

    def surge(self, time_s: float) -> float:
        """What the last floodings stood above the tide, in logarithms of depth."""
        recent = [
            (np.exp((at_s - time_s) / _DAY_S), above) for at_s, above in self._surges if time_s - at_s < 3 * _DAY_S
        ]
        return float(sum(w * above for w, above in recent) / (sum(w for w, _ in recent) + _PRIOR_SURGE))

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "heights": self._heights.state(),
            "times": self._times.state(),
            "surges": [list(each) for each in self._surges],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where the clock that returned ``state`` stood."""
        self._heights.restore(state["heights"])
        self._times.restore(state["times"])
        self._surges = [(at_s, above) for at_s, above in state["surges"]]
