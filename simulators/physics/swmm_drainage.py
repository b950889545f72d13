"""Drainage as SWMM computes it: dynamic waves, backwater, surcharge, pumps, gates and a river that rises.

SWMM cannot be turned back and keeps one network per process, so it computes an hour at a time ahead, from the state at
the begin of the hour. The hours are those of the scenario's clock, cut where the network itself changes; a saved state
is the state at the begin of the hour, and going on from it gives the same readings.
"""

import math
from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from simulators.city import City
from simulators.noise import Noise, Vector
from simulators.physics.city_sewers import city_sewers
from simulators.physics.daily import SEWAGE, DailyPattern
from simulators.physics.drainage_gauges import DrainageGauges
from simulators.physics.rainfall import Rainfall
from simulators.physics.sewer_events import SewerEvents, knots
from simulators.physics.sewer_model import Forcing, SewerModel, Steps
from simulators.physics.swmm_run import SewerSeries, run_swmm
from simulators.physics.swmm_text import swmm_input
from simulators.scenario import Scenario

_STREAM = 103
_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)
_WARM_UP = timedelta(hours=3)
_EVERY_S = 60
_SEWAGE_EVERY = timedelta(minutes=15)
_DRY_WEATHER_M3S_HA = 0.008
_RUNOFF_SHARE, _FILM_CM, _FILM_MM_H = 0.75, 1.1, 50.0
"""Depth of the water that runs along the kerb at such an intensity of runoff; it goes with its power 0.6 (Manning)."""


class SwmmDrainage:
    """Road depth (cm), levels (m), flows (m3/h), rain (mm/h), currents (A), positions of one city."""

    lifeline = "drainage"

    def __init__(self, city: City, scenario: Scenario, origin: datetime, seed: int) -> None:
        self._city, self._origin = city, origin
        self._model = city_sewers(city)
        self._events = SewerEvents(scenario, origin)
        self._changes = self._events.changes()
        self._rain = Rainfall(city, scenario, origin, seed)
        self._gauges = DrainageGauges(city, self._rain, self._events, seed)
        self._pattern = DailyPattern(SEWAGE, ZoneInfo(city.timezone), weekend_delay_h=1.0)
        self._sewage = Noise(seed, _STREAM, 1)
        self._capacity_m3s = {p.id: p.capacity_m3s for p in self._model.pumps}
        self._river_m = {o.id: o.level_m for o in self._model.outfalls}
        self._time: datetime | None = None
        self._start = origin
        self._before = self._after = b""
        self._series: SewerSeries | None = None

    def step(self, time: datetime) -> dict[str, float]:
        """Readings of all drainage sensors at ``time``, which must not go back."""
        self.advance(time)
        return self._gauges.read(self, time)

    def advance(self, time: datetime) -> None:
        """Go on to ``time`` without asking an instrument."""
        if self._time is None:
            self._start = self._hour_of(time - _WARM_UP)
        self._time = time
        while self._series is None or time > self._end_of(self._start):
            self._compute_next()

    def state(self) -> dict[str, Any]:
        """Time, and what SWMM knew at the begin of the present stretch."""
        return {
            "time": self._time.isoformat() if self._time else None,
            "start": self._start.isoformat(),
            "before": b64encode(self._before).decode(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state: its stretch is computed once more."""
        if state["time"] is None:
            return
        self._time = datetime.fromisoformat(state["time"])
        self._start, self._before = datetime.fromisoformat(state["start"]), b64decode(state["before"])
        self._series, self._after = self._computed(self._start, self._before)

    def road_depth_cm(self, low_point: str) -> float:
        """Depth of water on the road: what stands in the hollow and what runs along the kerb."""
        time = self._now()
        runoff_mm_h = _RUNOFF_SHARE * self._rain.zone_mm_h(self._city.asset[low_point].zone, time)
        film_cm = _FILM_CM * math.pow(runoff_mm_h / _FILM_MM_H, 0.6)
        return 100 * self._at(self._computed_series().depth_m[low_point]) + film_cm

    def level_m(self, manhole: str) -> float:
        """Water level in a manhole above its invert; above its rim it stands on the street."""
        return self._at(self._computed_series().depth_m[manhole])

    def flow_m3s(self, pipe: str) -> float:
        """Flow along a sewer, positive in its nominal direction."""
        return self._at(self._computed_series().flow_m3s[pipe])

    def pump_share(self, pump: str) -> float:
        """What a pump delivers, as a share of its capacity."""
        return self._at(self._computed_series().flow_m3s[pump]) / self._capacity_m3s[pump]

    def _now(self) -> datetime:
        if self._time is None:
            raise ValueError("nothing has been computed yet")
        return self._time

    def _computed_series(self) -> SewerSeries:
        if self._series is None:
            raise ValueError("nothing has been computed yet")
        return self._series

    def _at(self, values: Vector) -> float:
        since_s = (self._now() - self._start).total_seconds()
        return float(np.interp(since_s, self._computed_series().seconds, values))

    def _hour_of(self, time: datetime) -> datetime:
        return self._origin + (time - self._origin) // _HOUR * _HOUR

    def _end_of(self, start: datetime) -> datetime:
        """The next hour, or the next change of the network if that comes first."""
        hour = self._hour_of(start) + _HOUR
        index = bisect_right(self._changes, start)
        return min(hour, self._changes[index]) if index < len(self._changes) else hour

    def _compute_next(self) -> None:
        if self._series is not None:
            self._start, self._before = self._end_of(self._start), self._after
        self._series, self._after = self._computed(self._start, self._before)

    def _computed(self, start: datetime, before: bytes) -> tuple[SewerSeries, bytes]:
        events = self._events
        model = self._model.silted(events.silted(start)).tripped(events.tripped(start)).gated(events.stands_open(start))
        forcing = self._forcing(model, start, self._end_of(start))
        return run_swmm(partial(swmm_input, model, forcing), _EVERY_S, before)

    def _forcing(self, model: SewerModel, start: datetime, end: datetime) -> Forcing:
        rain = {zone: self._rain_over(zone, start, end) for zone in sorted({s.gauge for s in model.surfaces})}
        sewage = tuple((t, self._sewage_m3s_ha(t)) for t in knots(start, end, _SEWAGE_EVERY))
        sewered_ha = {s.node: s.area_ha for s in model.surfaces if self._city.asset[s.node].kind == "manhole"}
        foreign = {
            manhole: tuple(
                (t, self._events.foreign_m3s(manhole, t) + sewered_ha[manhole] * self._sewage_m3s_ha(t))
                for t in knots(start, end, _MINUTE)
            )
            for manhole in self._events.fed()
        }
        rivers = {
            outfall: tuple(
                (t, self._river_m[outfall] + self._events.rise_m(outfall, t)) for t in knots(start, end, _MINUTE)
            )
            for outfall in self._events.raised()
        }
        return Forcing(start, end, rain, sewage, sewered_ha, foreign, rivers, _EVERY_S)

    def _rain_over(self, zone: str, start: datetime, end: datetime) -> Steps:
        """The rain of each minute; what is not stated is dry."""
        minutes = [t for t in knots(start, end, _MINUTE) if t < end]
        rain = [(t, self._rain.zone_mm_h(zone, t + _MINUTE / 2)) for t in minutes]
        return ((start, rain[0][1]), *(step for step in rain[1:] if step[1] > 0))

    def _sewage_m3s_ha(self, time: datetime) -> float:
        variation = 1 + 0.04 * float(self._sewage.slow(time, 3600)[0])
        return _DRY_WEATHER_M3S_HA * self._pattern.at(time) * variation
