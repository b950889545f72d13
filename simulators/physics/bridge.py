"""Bridges: temperature moves them slowly, traffic loads them quickly."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from simulators.city import Asset, City, Sensor
from simulators.noise import Noise
from simulators.physics.bridge_damage import BridgeDamage
from simulators.physics.daily import TRAFFIC, DailyPattern
from simulators.physics.weather import Weather
from simulators.scenario import Overload, Scenario, ends_at, starts_at

_STREAM = 4
_REFERENCE_C = 18.0
_STRAIN_UE_PER_K = 1.9
_STRAIN_UE_PER_T = 1.75
_DEFLECTION_MM_PER_K = 0.22
_DEFLECTION_MM_PER_T = 0.29
_PASSING = 0.12
"""Share of a passing truck's effect left in a one-minute mean; a standing truck has all of it."""
_LIGHTEST_T = 1.1
_NORMAL_SHARE = 0.7
"""Ordinary trucks stay below this share of a bridge's capacity."""
_VEHICLES = ((0.86, 1.1, 2.6), (0.97, 2.6, 16.0), (1.0, 16.0, 44.0))
"""Cumulated share of vehicles, lightest and heaviest, t: cars, vans and light trucks, heavy trucks."""
_DECK_LAG = timedelta(minutes=90)


class BridgePhysics:
    """Strain (µε), deflection (mm), vehicle weight (t), deck temperature (degC), acceleration (m/s2)."""

    lifeline = "bridge"

    def __init__(self, city: City, scenario: Scenario, origin: datetime, seed: int) -> None:
        zone = ZoneInfo(city.timezone)
        self._weather = Weather(scenario, origin, zone, seed)
        self._pattern = DailyPattern(TRAFFIC, zone, weekend_delay_h=1.5)
        self._origin = origin
        self._overloads = [i for i in scenario.injections if isinstance(i, Overload)]
        self._damage = BridgeDamage(city, scenario, origin)
        self._sensors = city.sensors_of("bridge")
        self._bridges = city.assets_of("bridge", "bridge")
        self._zone = {a.id: a.zone for a in city.assets_of("bridge")}
        self._noise = Noise(seed, _STREAM, len(self._sensors))
        self._traffic = Noise(seed, _STREAM + 100, len(self._bridges))
        constant = self._noise.constant()
        self._gain = constant.uniform(0.85, 1.15, len(self._sensors))
        self._offset = constant.uniform(-4, 4, len(self._sensors))

    def step(self, time: datetime) -> dict[str, float]:
        """Readings of all bridge sensors at ``time``; nothing depends on earlier steps."""
        deck_c = deck_temperature_c(self._weather, time)
        heaviest = self._heaviest_t(time)
        white = self._noise.white(time)
        values = {}
        for i, sensor in enumerate(self._sensors):
            passing, standing = heaviest[self._zone[sensor.asset]]
            error, gain = float(white[i]), float(self._gain[i])
            value = self._value(sensor, time, deck_c, (passing, standing, gain)) + self._damage.change(sensor, time)
            values[sensor.id] = _noisy(sensor.quantity, value + _offset(sensor, float(self._offset[i])), error)
        return values

    def state(self) -> dict[str, Any]:
        """Nothing: every step stands alone."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing to do."""

    def _value(self, sensor: Sensor, time: datetime, deck_c: float, load: tuple[float, float, float]) -> float:
        passing, standing, gain = load
        loaded_t = _PASSING * passing + standing
        warmer_k = deck_c - _REFERENCE_C
        if sensor.quantity == "strain":
            return gain * (_STRAIN_UE_PER_K * warmer_k + _STRAIN_UE_PER_T * loaded_t)
        if sensor.quantity == "deflection":
            return gain * (_DEFLECTION_MM_PER_T * loaded_t - 0.3 * _DEFLECTION_MM_PER_K * warmer_k)
        if sensor.quantity == "deck_temperature":
            return deck_c
        if sensor.quantity == "vehicle_weight":
            return max(passing, standing)
        return 0.004 + gain * (0.011 * self._pattern.at(time) + 0.00018 * passing + 0.0012 * standing)

    def _heaviest_t(self, time: datetime) -> dict[str, tuple[float, float]]:
        """For each bridge: the heaviest vehicle of the last minute, and what stands on the deck."""
        vehicles = 9.0 * self._pattern.at(time)
        chances = self._traffic.uniform(time)
        standing = {o.asset: o.weight_t for o in self._overloads if self._lasts(o, time)}
        return {
            bridge.zone: (self._heaviest(bridge, float(chance), vehicles), standing.get(bridge.id, 0.0))
            for bridge, chance in zip(self._bridges, chances, strict=True)
        }

    def _lasts(self, overload: Overload, time: datetime) -> bool:
        return starts_at(overload, self._origin) <= time < ends_at(overload, self._origin)

    @staticmethod
    def _heaviest(bridge: Asset, chance: float, vehicles: float) -> float:
        """The heaviest of so many vehicles: their weights' quantile function at ``chance`` to the power 1/n."""
        quantile, below = chance ** (1 / max(1.0, vehicles)), 0.0
        weight = _LIGHTEST_T
        for share, lightest, heaviest in _VEHICLES:
            if quantile <= share:
                weight = lightest + (heaviest - lightest) * ((quantile - below) / (share - below)) ** 2
                break
            below = share
        return min(weight, _NORMAL_SHARE * bridge.number("capacity_t") * (0.97 + 0.03 * math.sin(40 * chance)))


def deck_temperature_c(weather: Weather, time: datetime) -> float:
    """The deck follows the air an hour and a half later and warms in the sun."""
    sun = sum(weather.sunshine(time - k * _DECK_LAG / 3) for k in range(4)) / 4
    air = sum(weather.air_c(time - k * _DECK_LAG / 3) for k in range(4)) / 4
    return air + 9.0 * sun


def _offset(sensor: Sensor, offset: float) -> float:
    return {"strain": offset, "deflection": 0.1 * offset, "deck_temperature": 0.08 * offset}.get(sensor.quantity, 0.0)


def _noisy(quantity: str, value: float, error: float) -> float:
    spread, decimals = {
        "strain": (0.9, 2),
        "deflection": (0.06, 3),
        "deck_temperature": (0.05, 2),
        "vehicle_weight": (0.02, 2),
    }.get(quantity, (0.0008, 4))
    noisy = value + spread * error
    return round(max(noisy, 0.001) if quantity == "acceleration_rms" else noisy, decimals)
