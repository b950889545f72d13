"""All that is known of a city's low points up to now, and the features of each at a moment."""

from collections.abc import Mapping, Sequence
from math import hypot
from statistics import fmean
from typing import Any

from services.alerts.forecast.depth_track import DepthTrack, PastFlooding
from services.alerts.forecast.event_features import (
    calendar,
    habit_features,
    level_features,
    rain_features,
    shape_of,
    tide_features,
)
from services.alerts.forecast.expected_rain import ExpectedRain
from services.alerts.forecast.flooding_now import HEARD_S, FloodingNow
from services.alerts.forecast.habits import CityHabit, Habit, habit_of
from services.alerts.forecast.level_record import LevelRecord
from services.alerts.forecast.low_points import Gauge, LowPoint, Nowcast, place_km
from services.alerts.forecast.rain_record import RainRecord
from services.alerts.forecast.tide_clock import TideClock


class CityWater:
    """Takes depths (cm), rain (mm/h), expected rain (mm) and levels; every source's readings in order of their times.

    Raises:
        KeyError: a reading or a question is about a source that was not named to the constructor.
    """

    __slots__ = (
        "_city",
        "_city_when_learnt",
        "_clock",
        "_expected",
        "_expected_order",
        "_gauge_order",
        "_habits",
        "_nearest_gauge",
        "_now",
        "_nowcasts",
        "_places_km",
        "_rain",
        "levels",
        "points",
        "tracks",
    )

    def __init__(
        self,
        points: Sequence[LowPoint],
        gauges: Sequence[Gauge] = (),
        nowcasts: Sequence[Nowcast] = (),
        *,
        dry_cm: float = 0.0,
    ) -> None:
        self.points = {point.id: point for point in sorted(points)}
        middle = fmean(point.lat for point in points)
        self._places_km = {point.id: place_km(point.lon, point.lat, middle) for point in self.points.values()}
        gauges_km = {gauge.id: place_km(gauge.lon, gauge.lat, middle) for gauge in sorted(gauges)}
        self._gauge_order = {point: _nearest_first(gauges_km, place) for point, place in self._places_km.items()}
        self._nowcasts = {nowcast.id: nowcast for nowcast in sorted(nowcasts)}
        expected_km = {
            _place_of(nowcast): place_km(nowcast.lon, nowcast.lat, middle) for nowcast in self._nowcasts.values()
        }
        self._expected = {place: ExpectedRain() for place in sorted(expected_km)}
        self._expected_order = {point: _nearest_first(expected_km, place) for point, place in self._places_km.items()}
        self._nearest_gauge = {
            name: next(iter(_nearest_first(gauges_km, place)), None) for name, place in expected_km.items()
        }
        self.tracks = {point: DepthTrack(dry_cm=dry_cm) for point in self.points}
        self._rain = {gauge: RainRecord() for gauge in gauges_km}
        names = {name for point in points for name in (*point.upstream, *point.downstream)}
        self.levels = {name: LevelRecord() for name in sorted(names)}
        self._city = CityHabit()
        self._clock = TideClock()
        # A habit stays as it was learnt until the next flooding there, whatever the rest of the city does meanwhile.
        self._city_when_learnt: dict[str, float] = {}
        self._habits: dict[str, Habit] = {}
        self._now: FloodingNow | None = None

    def observe_depth(self, time_s: float, point: str, depth_cm: float) -> PastFlooding | None:
        """Take the depth at a point; returns the flooding that ended with it, if one did."""
        ended = self.tracks[point].observe(time_s, depth_cm)
        self._now = None
        if ended is not None:
            usual = self._habit_before(point)
            self._clock.observe(ended, usual.tide, usual.log_peak)
            self._city.observe(ended)
            self._city_when_learnt[point] = self._city.log_peak
            self._habits[point] = habit_of(self.tracks[point].past, self._city.log_peak)
        return ended

    def observe_rain(self, time_s: float, gauge: str, intensity_mm_h: float) -> None:
        """Take the intensity at a gauge."""
        self._rain[gauge].observe(time_s, intensity_mm_h)

    def observe_expected(self, time_s: float, nowcast: str, sum_mm: float) -> None:
        """Take what is expected to fall from a moment on; that moment is when it became known."""
        series = self._nowcasts[nowcast]
        gauge = self._nearest_gauge[_place_of(series)]
        beside = None if gauge is None else self._rain[gauge]
        self._expected[_place_of(series)].observe(time_s, series.minutes, sum_mm, beside)

    def observe_level(self, time_s: float, name: str, level: float) -> None:
        """Take a level beside a low point."""
        self.levels[name].observe(time_s, level)

    def gauge_of(self, point: str, time_s: float) -> RainRecord | None:
        """The nearest gauge that is heard."""
        records = (self._rain[gauge] for gauge in self._gauge_order[point])
        return next((record for record in records if not record.is_silent(time_s)), None)

    def expected_at(self, point: str, time_s: float) -> ExpectedRain | None:
        """The forecast of rain of the nearest place of which one is heard."""
        found = (self._expected[place] for place in self._expected_order[point])
        return next((each for each in found if not each.is_silent(time_s)), None)

    def features(self, point: str, time_s: float) -> list[float]:
        """The numbers named in ``event_features.NAMES`` of a point that has been heard."""
        track, habit, place = self.tracks[point], self._habit(point), self.points[point]
        return [
            *shape_of(track, time_s),
            *habit_features(track, habit, time_s),
            *calendar(time_s),
            *tide_features(track, habit, self._clock, time_s),
            *self._flooding(time_s).around(point, self._places_km[point]),
            *rain_features(self.gauge_of(point, time_s), time_s),
            *level_features(
                [self.levels[name] for name in place.upstream], [self.levels[name] for name in place.downstream], time_s
            ),
        ]

    def _habit(self, point: str) -> Habit:
        if not self.tracks[point].past:
            return habit_of([], self._city.log_peak)
        if point not in self._habits:
            self._habits[point] = habit_of(self.tracks[point].past, self._city_when_learnt[point])
        return self._habits[point]

    def _habit_before(self, point: str) -> Habit:
        """The habit as it was before the flooding that ended just now."""
        before = self.tracks[point].past[:-1]
        return habit_of(before, self._city_when_learnt.get(point, self._city.log_peak))

    def _flooding(self, time_s: float) -> FloodingNow:
        if self._now is None or self._now.time_s != time_s:
            heard = [
                (point, self._places_km[point], track, self._habit(point))
                for point, track in self.tracks.items()
                if track.last_s is not None and time_s - track.last_s <= HEARD_S
            ]
            self._now = FloodingNow.of(time_s, heard)
        return self._now

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "tracks": {point: track.state() for point, track in self.tracks.items()},
            "rain": {gauge: record.state() for gauge, record in self._rain.items()},
            "expected": {place: expected.state() for place, expected in self._expected.items()},
            "levels": {name: record.state() for name, record in self.levels.items()},
            "city": [self._city.total, self._city.count],
            "clock": self._clock.state(),
            "city_when_learnt": dict(self._city_when_learnt),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where the water that returned ``state`` stood."""
        for point, track in self.tracks.items():
            track.restore(state["tracks"][point])
        for gauge, rain in self._rain.items():
            rain.restore(state["rain"][gauge])
        for place, expected in self._expected.items():
            expected.restore(state["expected"][place])
        for name, level in self.levels.items():
            level.restore(state["levels"][name])
        self._city.total, self._city.count = state["city"]
        self._clock.restore(state["clock"])
        self._city_when_learnt = dict(state["city_when_learnt"])
        self._habits.clear()
        self._now = None


def _place_of(nowcast: Nowcast) -> str:
    return f"{nowcast.lon:.6f} {nowcast.lat:.6f}"


def _nearest_first(places_km: Mapping[str, tuple[float, float]], around_km: tuple[float, float]) -> list[str]:
    return sorted(places_km, key=lambda name: _apart(places_km[name], around_km))


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])
