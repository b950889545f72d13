"""What the instruments of the drainage show of its true state."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from simulators.city import City, Sensor
from simulators.noise import Noise
from simulators.physics.rain_radar import HORIZONS_MIN, RainRadar
from simulators.physics.rainfall import Rainfall
from simulators.physics.sewer_events import SewerEvents

_STREAM = 3
_IDLE_A = 0.4
_RUNNING_SHARE = 0.005
"""A pump that delivers less than this share of its capacity stands still."""


class DrainageState(Protocol):
    """What is true at one instant, by asset."""

    def road_depth_cm(self, low_point: str) -> float:
        """Depth of water on the road."""

    def level_m(self, manhole: str) -> float:
        """Water level in a manhole above its invert."""

    def flow_m3s(self, pipe: str) -> float:
        """Flow along a sewer."""

    def pump_share(self, pump: str) -> float:
        """What a pump delivers, as a share of its capacity."""


class DrainageGauges:
    """The instruments of one city; their noise is a function of seed and time."""

    def __init__(self, city: City, rain: Rainfall, events: SewerEvents, seed: int) -> None:
        self._city, self._rain, self._events = city, rain, events
        self._sensors = city.sensors_of("drainage")
        self._noise = Noise(seed, _STREAM, len(self._sensors))
        self._of: Mapping[str, Callable[[str, DrainageState, datetime, float], float]] = {
            "rain_intensity": self._rain_intensity,
            "road_depth": self._road_depth,
            "manhole_level": self._manhole_level,
            "pump_current": self._pump_current,
            "pump_state": self._pump_state,
            "sewer_flow": self._sewer_flow,
            "gate_position": self._gate_position,
            "river_level": self._river_level,
            "cover_tilt": self._cover_tilt,
        }
        foretold = {s.asset for s in self._sensors if s.quantity in HORIZONS_MIN}
        self._radar = RainRadar(sorted(foretold), rain.gauge_mm_h, seed)

    def read(self, state: DrainageState, time: datetime) -> dict[str, float]:
        """Readings of all sensors."""
        errors = self._noise.white(time)
        return {s.id: self._shown(s, state, time, float(e)) for s, e in zip(self._sensors, errors, strict=True)}

    def _shown(self, sensor: Sensor, state: DrainageState, time: datetime, error: float) -> float:
        if sensor.quantity in HORIZONS_MIN:
            return self._radar.expected_mm(sensor.asset, time, HORIZONS_MIN[sensor.quantity])
        return self._of[sensor.quantity](sensor.asset, state, time, error)

    def _rain_intensity(self, asset: str, _: DrainageState, time: datetime, error: float) -> float:
        return round(max(0.0, self._rain.gauge_mm_h(asset, time) * (1 + 0.04 * error)), 1)

    def _road_depth(self, asset: str, state: DrainageState, _: datetime, error: float) -> float:
        return round(abs(state.road_depth_cm(asset) + 0.15 * error), 2)

    def _manhole_level(self, asset: str, state: DrainageState, _: datetime, error: float) -> float:
        return round(max(0.0, state.level_m(asset) + 0.006 * error), 3)

    def _pump_current(self, asset: str, state: DrainageState, _: datetime, error: float) -> float:
        return round(max(0.0, self._current_a(asset, state.pump_share(asset)) + 0.25 * error), 2)

    def _pump_state(self, asset: str, state: DrainageState, _: datetime, __: float) -> float:
        return float(state.pump_share(asset) > _RUNNING_SHARE)

    def _sewer_flow(self, asset: str, state: DrainageState, _: datetime, error: float) -> float:
        return round(3600 * state.flow_m3s(asset) * (1 + 0.02 * error), 1)

    def _gate_position(self, asset: str, _: DrainageState, time: datetime, error: float) -> float:
        stands_open = self._events.stands_open(time).get(asset, 1.0)
        return round(min(100.0, max(0.0, 100 * stands_open + 0.3 * error)), 1)

    def _river_level(self, asset: str, _: DrainageState, time: datetime, error: float) -> float:
        return round(self._river_m(asset, time) + 0.01 * error, 3)

    def _cover_tilt(self, asset: str, _: DrainageState, time: datetime, error: float) -> float:
        return round(abs(self._events.tilt_deg(asset, time) + 0.4 * error), 1)

    def _current_a(self, pump: str, share: float) -> float:
        rated_a = self._city.asset[pump].number("rated_current_a")
        return rated_a * (0.35 + 0.65 * share) if share > _RUNNING_SHARE else _IDLE_A

    def _river_m(self, outfall: str, time: datetime) -> float:
        """Above the invert of the outfall."""
        asset = self._city.asset[outfall]
        return asset.number("river_m") - asset.number("invert_m") + self._events.rise_m(outfall, time)
