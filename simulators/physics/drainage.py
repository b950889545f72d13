"""Drainage: rain runs off, sewers fill and surcharge, water stands on the road and drains."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from simulators.city import City, Sensor
from simulators.noise import Noise
from simulators.physics.daily import SEWAGE, DailyPattern
from simulators.physics.sewers import Sewers
from simulators.physics.weather import Weather
from simulators.scenario import Scenario

_STREAM = 3
_WARM_UP = timedelta(hours=3)
_WARM_UP_STEP = timedelta(minutes=5)
_DRY_WEATHER_M3S_HA = 0.008
_SHARES = (0.92, 1.0, 0.95, 0.88)
"""A storm is not equally strong over all catchments; the second lies in its middle."""
_LAG = timedelta(seconds=90)
"""It reaches each next catchment a little later."""


class DrainagePhysics:
    """Road depth (cm), manhole level (m), rain (mm/h) and pump current (A) of one city."""

    lifeline = "drainage"

    def __init__(self, city: City, scenario: Scenario, origin: datetime, seed: int) -> None:
        zone = ZoneInfo(city.timezone)
        self.sewers = Sewers(city)
        self._weather = Weather(scenario, origin, zone, seed)
        self._pattern = DailyPattern(SEWAGE, zone, weekend_delay_h=1.0)
        self._sensors = city.sensors_of("drainage")
        self._noise = Noise(seed, _STREAM, len(self._sensors))
        self._areas = Noise(seed, _STREAM + 100, 1)
        zones = [z.id for z in city.zones if z.lifeline == "drainage"]
        self._order = {z: i for i, z in enumerate(zones)}
        self._zone = {a.id: a.zone for a in city.assets_of("drainage")}
        self._catchment = np.array([self._order[self._zone[ident]] for ident in self.sewers.surfaces], dtype=int)
        self._time: datetime | None = None

    def step(self, time: datetime) -> dict[str, float]:
        """Readings of all drainage sensors at ``time``, which must not go back."""
        if self._time is None:
            self._time = time - _WARM_UP
            while self._time < time:
                self._advance(self._time + _WARM_UP_STEP)
        self._advance(time)
        errors = self._noise.white(time)
        return {s.id: self._measure(s, time, float(e)) for s, e in zip(self._sensors, errors, strict=True)}

    def state(self) -> dict[str, Any]:
        """Time and everything that stands or runs in the catchments."""
        return {"time": self._time.isoformat() if self._time else None, "sewers": self.sewers.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        if state["time"] is not None:
            self._time = datetime.fromisoformat(state["time"])
            self.sewers.restore(state["sewers"])

    def rain_mm_h(self, zone: str, time: datetime) -> float:
        """Rain over one catchment."""
        index = self._order[zone]
        return _SHARES[index % len(_SHARES)] * self._weather.rain_mm_h(time - index * _LAG)

    def _advance(self, time: datetime) -> None:
        seconds = (time - self._time).total_seconds() if self._time else 0.0
        self._time = time
        if seconds <= 0:
            return
        middle = time - timedelta(seconds=seconds / 2)
        rain = np.array([self.rain_mm_h(zone, middle) for zone in self._order])
        variation = 1 + 0.04 * float(self._areas.slow(time, 3600)[0])
        dry = _DRY_WEATHER_M3S_HA * self._pattern.at(middle) * variation
        self.sewers.advance(seconds, rain[self._catchment], dry)

    def _measure(self, sensor: Sensor, time: datetime, error: float) -> float:
        if sensor.quantity == "rain_intensity":
            rain = self.rain_mm_h(self._zone[sensor.asset], time)
            return round(max(0.0, rain * (1 + 0.04 * error)), 1)
        if sensor.quantity == "road_depth":
            return round(abs(self.sewers.road_depth_cm(sensor.asset) + 0.15 * error), 2)
        if sensor.quantity == "manhole_level":
            return round(max(0.0, self.sewers.level_m(sensor.asset) + 0.006 * error), 3)
        return round(max(0.0, self.sewers.pump_current_a(sensor.asset) + 0.25 * error), 2)
