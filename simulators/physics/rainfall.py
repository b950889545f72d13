"""Rain over the catchments and in the gauges of one city."""

import zlib
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from simulators.city import City
from simulators.geometry import Point, Projection, beside
from simulators.noise import Vector
from simulators.physics.storms import StormCell, StormFormula, chicago_mm_h, observed_like_mm_h
from simulators.physics.weather import Weather
from simulators.scenario import Cloudburst, DesignStorm, MovingStorm, Scenario, ends_at, starts_at

_STREAM = 7
_SHARES = (0.92, 1.0, 0.95, 0.88)
"""A cloudburst is not equally strong over all catchments; the second lies in its middle."""
_LAG = timedelta(seconds=90)
"""It reaches each next catchment a little later."""
_EVERY = 3
"""The rain over a catchment is the mean over every third of its manholes."""


class Rainfall:
    """Rain in mm/h; the same city, scenario, origin and seed give the same rain."""

    def __init__(self, city: City, scenario: Scenario, origin: datetime, seed: int) -> None:
        self._weather = Weather(scenario, origin, ZoneInfo(city.timezone), seed)
        self._order = {z.id: i for i, z in enumerate(z for z in city.zones if z.lifeline == "drainage")}
        projection = Projection(city.centre, (0.0, 0.0))
        drained = [a for a in city.assets_of("drainage") if len(a.points) == 1]
        self._place = {a.id: projection.metres(a.points[0]) for a in drained}
        self._zone = {a.id: a.zone for a in drained}
        self._sample = {
            zone: [self._place[a.id] for a in drained if (a.zone, a.kind) == (zone, "manhole")][::_EVERY]
            for zone in self._order
        }
        self._everywhere = [
            (starts_at(storm, origin), design_storm_mm_h(storm, seed))
            for storm in scenario.injections
            if isinstance(storm, DesignStorm)
        ]
        falls = [i for i in scenario.injections if isinstance(i, Cloudburst | DesignStorm | MovingStorm)]
        self._wet = [(starts_at(i, origin), ends_at(i, origin) + len(self._order) * _LAG) for i in falls]
        moving = [storm for storm in scenario.injections if isinstance(storm, MovingStorm)]
        self._cells = [(starts_at(storm, origin), storm_cell(storm)) for storm in moving]

    def zone_mm_h(self, zone: str, time: datetime) -> float:
        """Mean rain over one catchment."""
        if self._is_dry(time):
            return 0.0
        places = self._sample[zone]
        cells = sum(self._cells_mm_h(place, time) for place in places) / len(places) if self._cells else 0.0
        return self._widespread_mm_h(zone, time) + cells

    def gauge_mm_h(self, asset: str, time: datetime) -> float:
        """Rain at one asset of the drainage."""
        if self._is_dry(time):
            return 0.0
        return self._widespread_mm_h(self._zone[asset], time) + self._cells_mm_h(self._place[asset], time)

    def _is_dry(self, time: datetime) -> bool:
        return not any(start <= time <= end for start, end in self._wet)

    def _widespread_mm_h(self, zone: str, time: datetime) -> float:
        index = self._order[zone]
        rain = _SHARES[index % len(_SHARES)] * self._weather.rain_mm_h(time - index * _LAG)
        for start, intensity in self._everywhere:
            minute = (time - start) // timedelta(minutes=1)
            rain += float(intensity[minute]) if 0 <= minute < len(intensity) else 0.0
        return rain

    def _cells_mm_h(self, place: Point, time: datetime) -> float:
        return sum(cell.mm_h(place, (time - start) / timedelta(minutes=1)) for start, cell in self._cells)


def design_storm_mm_h(storm: DesignStorm, seed: int) -> Vector:
    """Intensity of each minute of a design storm; a storm without a drawn shape does not depend on the seed."""
    formula = StormFormula(storm.a_mm_min, storm.c, storm.b_min, storm.n)
    duration_min = round(storm.end_min - storm.start_min)
    if storm.shape == "chicago":
        return chicago_mm_h(formula, storm.return_period_years, duration_min, storm.peak_at)
    depth_mm = formula.depth_mm(storm.return_period_years, duration_min)
    rng = np.random.default_rng([seed, _STREAM, zlib.crc32(storm.id.encode())])
    return observed_like_mm_h(storm.shape, depth_mm, duration_min, rng)


def storm_cell(storm: MovingStorm) -> StormCell:
    """The cell of a moving storm, in metres from the city's centre."""
    lasts_min = storm.end_min - storm.start_min
    heading = np.radians(storm.heading_deg)
    ahead = (float(np.sin(heading)), float(np.cos(heading)))
    return StormCell(
        peak_mm_h=storm.peak_mm_h,
        radius_m=storm.radius_km * 1000,
        speed_m_min=storm.speed_km_h * 1000 / 60,
        heading_deg=storm.heading_deg,
        middle=beside((0.0, 0.0), ahead, 0.0, -storm.beside_km * 1000),
        passes_min=lasts_min / 2,
        lasts_min=lasts_min,
    )
