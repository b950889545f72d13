"""How deep water will stand at low points in the next hour, how high it will get, and which grades it will pass."""

from collections.abc import Iterable, Mapping, Sequence
from math import exp, isfinite
from typing import Any, ClassVar

import numpy as np

from services.alerts.forecast.city_water import CityWater
from services.alerts.forecast.course_outlook import outlook_of
from services.alerts.forecast.depth_track import DepthTrack, depth_of, log_depth
from services.alerts.forecast.event_features import NAMES
from services.alerts.forecast.expected_rain import ExpectedRain
from services.alerts.forecast.hollow import FILM_CM, Hollow, HollowModel
from services.alerts.forecast.low_points import Gauge, LowPoint, Nowcast
from services.alerts.forecast.outlook import AHEAD_MIN, Basis, Outlook, Spread
from services.alerts.forecast.quantile_forest import Array, QuantileForest
from services.alerts.forecast.rain_record import RainRecord
from services.alerts.forecast.reservoir import Reservoir
from services.alerts.forecast.storm_futures import AHEAD_MIN as RAIN_AHEAD_MIN
from services.alerts.forecast.storm_futures import BEHIND_MIN, Futures, futures_of

GRADES_CM = (15.0, 27.0, 40.0)
"""The grades of ``lifelines/drainage.py``."""
_LOW, _HIGH = 0.1, 0.9
_RATE_MIN = 10.0
_RAIN_MIN = 15.0
_PROMISE_MIN = 30
_SILENT_S = 1800.0
_BOUNDED_BY = ("depth", "max", "rise_10min", "age_min")
"""Features that have to lie within what the forest has seen: beyond, trees answer as at their edge."""
_SOONEST_MIN = 5.0
_RAINS_MM = 1.0
"""Less than this in the last hour is no rain that a radar could have foretold."""


class DepthForecast:
    """Forecasts for all low points of a city.

    Works at once with a default for any point (``Reservoir``: the rise fades or the rain is stored, the water drains),
    whose numbers each point learns for itself. A forest grown from past floodings (``forecast_lessons``,
    ``grow_forest``), taken up by ``adopt``, speaks instead for flooded points, unless one is deeper, rises faster or
    has lasted longer than anything the forest has seen. Without a reading for half an hour nothing is said, and of a
    dry point only where rain is heard.

    ``nowcasts`` are forecasts of rain, where there are any: while one is heard near a point the default speaks for it,
    with as much rain as is expected, for a forest has not been taught what comes from the sky.

    ``reports_when_dry`` is false for sensors that send only while there is water: then a lone dry reading after
    silence says that a flooding begins. Depths in cm, rain in mm/h, levels in any unit; times in seconds since 1970
    UTC, for each source in order. Deterministic; memory is bounded by the numbers of points, gauges and levels.
    """

    name: ClassVar[str] = "depth-forecast"
    version: ClassVar[str] = "1"
    learnt: ClassVar[tuple[str, ...]] = ("forest",)

    __slots__ = (
        "_falling",
        "_forest",
        "_hollows",
        "_reservoirs",
        "dry_cm",
        "gauges",
        "grades_cm",
        "hollows",
        "model",
        "nowcasts",
        "points",
        "reports_when_dry",
        "water",
    )

    def __init__(
        self,
        points: Sequence[LowPoint],
        gauges: Sequence[Gauge] = (),
        nowcasts: Sequence[Nowcast] = (),
        *,
        grades_cm: Sequence[float] = GRADES_CM,
        dry_cm: float = 0.0,
        reports_when_dry: bool = True,
        hollows: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        self.points = tuple(sorted(points))
        self.gauges = tuple(sorted(gauges))
        self.nowcasts = tuple(sorted(nowcasts))
        self.grades_cm = tuple(grades_cm)
        self.dry_cm = dry_cm
        self.reports_when_dry = reports_when_dry
        self.water = CityWater(self.points, self.gauges, self.nowcasts, dry_cm=dry_cm)
        self._reservoirs = {point.id: Reservoir() for point in self.points}
        self.hollows = {point: Hollow(*known) for point, known in sorted((hollows or {}).items())}
        self._hollows = {point.id: HollowModel(self.hollows.get(point.id)) for point in self.points}
        self._falling: dict[tuple[int, int], tuple[float, Array, Futures]] = {}
        self._forest: QuantileForest | None = None
        self.model: str | None = None

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON."""
        return {
            "points": [[*point[:3], list(point.upstream), list(point.downstream)] for point in self.points],
            "gauges": [list(gauge) for gauge in self.gauges],
            "nowcasts": [list(nowcast) for nowcast in self.nowcasts],
            "grades_cm": list(self.grades_cm),
            "dry_cm": self.dry_cm,
            "reports_when_dry": self.reports_when_dry,
            "hollows": {point: list(known) for point, known in self.hollows.items()},
        }

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> "DepthForecast":
        """An equal forecast that has seen nothing, from what ``configuration`` returned."""
        points = [
            LowPoint(id_, lon, lat, tuple(up), tuple(down)) for id_, lon, lat, up, down in configuration["points"]
        ]
        gauges = [Gauge(*gauge) for gauge in configuration["gauges"]]
        nowcasts = [Nowcast(*nowcast) for nowcast in configuration["nowcasts"]]
        rest = {name: value for name, value in configuration.items() if name not in {"points", "gauges", "nowcasts"}}
        return cls(points, gauges, nowcasts, **rest)

    def adopt(self, parameters: Mapping[str, Any], model: str | None = None) -> None:
        """Take up a forest; ``model`` is the name under which it is kept.

        Raises:
            KeyError: a part of the forest is missing.
            ValueError: it was grown from other features than these.
        """
        self._forest = QuantileForest(parameters["forest"], NAMES)
        self.model = model

    def observe_depth(self, time_s: float, point: str, depth_cm: float) -> None:
        """Take the depth at a point; what is no number is left out."""
        track = self.water.tracks[point]
        if not isfinite(depth_cm) or (track.last_s is not None and time_s <= track.last_s):
            return
        self.water.observe_depth(time_s, point, depth_cm)
        self._reservoirs[point].learn(time_s, depth_cm, self._rate(track), self._rain(point, time_s))
        gauge = self.water.gauge_of(point, time_s)
        if gauge is not None:
            self._hollows[point].observe(time_s, depth_cm, gauge.minutes_mm(time_s, BEHIND_MIN))
        if track.is_open:
            inflow = self._inflow(point, time_s)
            spread = self._reservoirs[point].spread(depth_cm, inflow, _PROMISE_MIN)
            self._reservoirs[point].promise(time_s + 60 * _PROMISE_MIN, spread)

    def observe_rain(self, time_s: float, gauge: str, intensity_mm_h: float) -> None:
        """Take the intensity at a gauge; what is no number is left out."""
        if isfinite(intensity_mm_h):
            self.water.observe_rain(time_s, gauge, intensity_mm_h)

    def observe_expected(self, time_s: float, nowcast: str, sum_mm: float) -> None:
        """Take the rain that is expected from a moment on, known at that moment; what is no number is left out."""
        if isfinite(sum_mm):
            self.water.observe_expected(time_s, nowcast, sum_mm)

    def observe_level(self, time_s: float, name: str, level: float) -> None:
        """Take a level beside a low point; what is no number is left out."""
        if isfinite(level):
            self.water.observe_level(time_s, name, level)

    def forecasts(self, time_s: float, points: Iterable[str] | None = None) -> list[Outlook]:
        """The outlook of every point (or of those named) of which something can be said, by point."""
        wanted = sorted(self.water.points if points is None else points)
        told: dict[str, Outlook] = {}
        flooded = [
            point
            for point in wanted
            if self._is_flooded(point, time_s) and self.water.expected_at(point, time_s) is None
        ]
        if self._forest is not None and flooded:
            rows = np.array([self.water.features(point, time_s) for point in flooded], dtype=np.float64)
            known = self._forest.covers(rows, _BOUNDED_BY)
            found = self._forest.outcomes(rows)
            for index in np.flatnonzero(known):
                point = flooded[index]
                told[point] = self._by_forest(point, time_s, {name: each[index] for name, each in found.items()})
        for point in wanted:
            if point not in told and self._can_be_told(point, time_s):
                gauge = self.water.gauge_of(point, time_s)
                told[point] = (
                    self._by_reservoir(point, time_s) if gauge is None else self._by_rain(point, time_s, gauge)
                )
        return [told[point] for point in wanted if point in told]

    def is_beginning(self, point: str) -> bool:
        """Whether the last reading is the lone dry one with which sensors that are silent when dry begin."""
        track = self.water.tracks[point]
        return not self.reports_when_dry and not track.is_open and track.begins_after_silence

    def rains_as_told(self, point: str, time_s: float) -> bool:
        """Whether it rains at a point for which a forecast of rain is heard."""
        gauge, expected = self.water.gauge_of(point, time_s), self.water.expected_at(point, time_s)
        return gauge is not None and expected is not None and gauge.sum_mm(time_s, BEHIND_MIN) >= _RAINS_MM

    def _is_flooded(self, point: str, time_s: float) -> bool:
        track = self.water.tracks[point]
        return self._is_heard(track, time_s) and (track.is_open or self.is_beginning(point))

    def _can_be_told(self, point: str, time_s: float) -> bool:
        track = self.water.tracks[point]
        return self._is_heard(track, time_s) and (track.is_open or self._rain(point, time_s) is not None)

    @staticmethod
    def _is_heard(track: DepthTrack, time_s: float) -> bool:
        return track.last_s is not None and 0 <= time_s - track.last_s <= _SILENT_S

    @staticmethod
    def _rate(track: DepthTrack) -> float:
        last_s = track.last_s
        if last_s is None or not track.readings[0]:
            return 0.0
        minutes = min(_RATE_MIN, max((last_s - track.readings[0][0]) / 60, 1.0))
        return track.rise_cm(last_s, minutes) / minutes

    def _rain(self, point: str, time_s: float) -> float | None:
        """Rain of the last quarter of an hour at the nearest gauge, in mm/min."""
        gauge = self.water.gauge_of(point, time_s)
        return None if gauge is None else gauge.sum_mm(time_s, _RAIN_MIN) / _RAIN_MIN

    def _inflow(self, point: str, time_s: float) -> float:
        track = self.water.tracks[point]
        return self._reservoirs[point].inflow_cm_min(track.depth_cm, self._rate(track), self._rain(point, time_s))

    def _by_forest(self, point: str, time_s: float, outcomes: Mapping[str, Array]) -> Outlook:
        track = self.water.tracks[point]
        highest, now = log_depth(track.max_cm), log_depth(track.depth_cm)
        low, likely, high = (max(depth_of(highest + each), track.max_cm) for each in _levels(outcomes["peak"]))
        left_min = exp(_at(outcomes["left"], 0.5)) - _SOONEST_MIN
        ahead = {
            minutes: Spread(*(depth_of(now + each) for each in _levels(outcomes[f"in_{minutes}"])))
            for minutes in AHEAD_MIN
        }
        return Outlook(
            point=point,
            issued_s=time_s,
            depth_cm=track.depth_cm,
            ahead=ahead,
            peak=Spread(low, likely, high),
            peak_s=time_s + 60 * max(left_min, 0.0),
            passing={grade: _share(outcomes["peak"], log_depth(grade) - highest) for grade in self.grades_cm},
            basis=Basis.FOREST,
        )

    def _by_rain(self, point: str, time_s: float, gauge: RainRecord) -> Outlook:
        track = self.water.tracks[point]
        expected = self.water.expected_at(point, time_s)
        comes = expected is not None and expected.sum_mm(time_s, RAIN_AHEAD_MIN) > 0
        if track.depth_cm <= FILM_CM and not comes and not gauge.sum_mm(time_s, BEHIND_MIN):
            return self._dry(point, time_s)
        behind_mm, futures = self._rain_around(time_s, gauge, expected)
        courses = self._hollows[point].courses(track.depth_cm, behind_mm, futures, self.grades_cm)
        return outlook_of(point, time_s, track, courses, self.grades_cm)

    def _rain_around(self, time_s: float, gauge: RainRecord, expected: ExpectedRain | None) -> tuple[Array, Futures]:
        """What fell minute by minute, and how it may go on; the same for all points with the same sources."""
        sources = id(gauge), id(expected)
        kept = self._falling.get(sources)
        if kept is None or kept[0] != time_s:
            alike = futures_of(gauge, time_s)
            futures = alike if expected is None else expected.futures(time_s, alike)
            kept = self._falling[sources] = (time_s, gauge.minutes_mm(time_s, BEHIND_MIN), futures)
        return kept[1], kept[2]

    def _dry(self, point: str, time_s: float) -> Outlook:
        """What is said where nothing stands and nothing fell: that it stays so."""
        track = self.water.tracks[point]
        now = Spread(*([track.depth_cm] * 3))
        return Outlook(
            point=point,
            issued_s=time_s,
            depth_cm=track.depth_cm,
            ahead=dict.fromkeys(AHEAD_MIN, now),
            peak=Spread(*([max(track.max_cm, track.depth_cm)] * 3)),
            peak_s=time_s,
            passing={grade: float(track.max_cm >= grade) for grade in self.grades_cm},
            basis=Basis.RAIN,
        )

    def _by_reservoir(self, point: str, time_s: float) -> Outlook:
        track, reservoir = self.water.tracks[point], self._reservoirs[point]
        inflow = self._inflow(point, time_s)
        peak, minutes = reservoir.peak(track.depth_cm, inflow, track.max_cm)
        ahead = {each: Spread(*reservoir.spread(track.depth_cm, inflow, each)) for each in AHEAD_MIN}
        return Outlook(
            point=point,
            issued_s=time_s,
            depth_cm=track.depth_cm,
            ahead=ahead,
            peak=Spread(*peak),
            peak_s=time_s + 60 * minutes,
            passing={grade: _passing(peak, grade, track.max_cm) for grade in self.grades_cm},
            basis=Basis.RESERVOIR,
        )

    def state(self) -> dict[str, Any]:
        """All that was seen, as JSON; not the forest, which is kept as a model."""
        return {
            "water": self.water.state(),
            "reservoirs": {point: reservoir.state() for point, reservoir in self._reservoirs.items()},
            "hollows": {point: hollow.state() for point, hollow in self._hollows.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where the forecast that returned ``state`` stood; a forest that was adopted stays."""
        self.water.restore(state["water"])
        for point, reservoir in self._reservoirs.items():
            reservoir.restore(state["reservoirs"][point])
        for point, hollow in self._hollows.items():
            hollow.restore(state["hollows"][point])


def _levels(outcomes: Array) -> tuple[float, float, float]:
    return _at(outcomes, _LOW), _at(outcomes, 0.5), _at(outcomes, _HIGH)


def _at(outcomes: Array, level: float) -> float:
    """The quantile of values in rising order, straight between two of them."""
    place = level * (len(outcomes) - 1)
    below = int(place)
    above = min(below + 1, len(outcomes) - 1)
    return float(outcomes[below] + (place - below) * (outcomes[above] - outcomes[below]))


def _share(outcomes: Array, limit: float) -> float:
    """The share of values in rising order that reach a limit; all where it has been reached."""
    return 1.0 if limit <= 0 else 1.0 - float(np.searchsorted(outcomes, limit)) / len(outcomes)


def _passing(peak: Sequence[float], grade_cm: float, max_cm: float) -> float:
    """The probability to pass a grade, straight between the three depths that are known, and past them by as much."""
    if max_cm >= grade_cm:
        return 1.0
    low, likely, high = peak
    return float(
        np.interp(grade_cm, [2 * low - likely, low, likely, high, 2 * high - likely], [1.0, 0.9, 0.5, 0.1, 0.0])
    )
