"""Drainage as a chain of stores: rain runs off, sewers fill and surcharge, water stands on the road and drains.

It is light and good enough for a cloudburst. What backwater decides (blockages, gates, pumps, a river that rises) is
left to SWMM, and so are design storms and moving ones.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from simulators.city import City
from simulators.noise import Noise
from simulators.physics.daily import SEWAGE, DailyPattern
from simulators.physics.drainage_gauges import DrainageGauges
from simulators.physics.rainfall import Rainfall
from simulators.physics.sewer_events import SewerEvents, needs_hydraulics
from simulators.physics.sewers import Sewers
from simulators.physics.swmm_drainage import SwmmDrainage
from simulators.scenario import Scenario

_STREAM = 3
_WARM_UP = timedelta(hours=3)
_WARM_UP_STEP = timedelta(minutes=5)
_DRY_WEATHER_M3S_HA = 0.008


class DrainagePhysics:
    """Road depth (cm), manhole level (m), rain (mm/h) and pump current (A) of one city."""

    lifeline = "drainage"

    def __init__(self, city: City, scenario: Scenario, origin: datetime, seed: int) -> None:
        zone = ZoneInfo(city.timezone)
        self.sewers = Sewers(city)
        self._rain = Rainfall(city, scenario, origin, seed)
        self._pattern = DailyPattern(SEWAGE, zone, weekend_delay_h=1.0)
        self._gauges = DrainageGauges(city, self._rain, SewerEvents(scenario, origin), seed)
        self._areas = Noise(seed, _STREAM + 100, 1)
        zones = [z.id for z in city.zones if z.lifeline == "drainage"]
        self._order = {z: i for i, z in enumerate(zones)}
        self._catchment = np.array([self._order[city.asset[i].zone] for i in self.sewers.surfaces], dtype=int)
        self._source = {k.target: k.source for k in city.flow_links("drainage") if city.asset[k.target].kind == "pipe"}
        self._time: datetime | None = None

    def step(self, time: datetime) -> dict[str, float]:
        """Readings of all drainage sensors at ``time``, which must not go back."""
        if self._time is None:
            self._time = time - _WARM_UP
            while self._time < time:
                self._advance(self._time + _WARM_UP_STEP)
        self._advance(time)
        return self._gauges.read(self, time)

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
        return self._rain.zone_mm_h(zone, time)

    def road_depth_cm(self, low_point: str) -> float:
        """Depth of water on the road, without instrument noise."""
        return self.sewers.road_depth_cm(low_point)

    def level_m(self, manhole: str) -> float:
        """Water level in a manhole above its invert."""
        return self.sewers.level_m(manhole)

    def flow_m3s(self, pipe: str) -> float:
        """Flow along a sewer: what leaves the manhole before it."""
        return self.sewers.flow_m3s(self._source[pipe])

    def pump_share(self, pump: str) -> float:
        """What a pump delivers, as a share of its capacity."""
        return self.sewers.pump_share(pump)

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


def drainage_physics(city: City, scenario: Scenario, origin: datetime, seed: int) -> "DrainagePhysics | SwmmDrainage":
    """The drainage of a city, by SWMM where the scenario needs it."""
    physics = SwmmDrainage if needs_hydraulics(scenario) else DrainagePhysics
    return physics(city, scenario, origin, seed)
