"""Gas: pressures and flows of the medium-pressure network, and methane in the spaces beside it."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from simulators.city import City
from simulators.geometry import Point, Projection, distance, nearest_on_line
from simulators.noise import Noise, Vector
from simulators.physics.daily import GAS, DailyPattern
from simulators.physics.gas_network import GasNetwork
from simulators.physics.gas_soil import PAVED_FARTHER, PAVED_FASTER
from simulators.scenario import GasLeak, Scenario, SewerGas, ends_at, starts_at

_STREAM = 2
REACH_M = 40.0
"""No gas is carried further under paving; in open ground it goes less far by ``PAVED_FARTHER``."""
SOIL_M_PER_MIN = 6.0
"""How fast gas creeps under paving once it has found its way; chosen for a leak that shows within minutes."""
_ATTENUATION_M = 16.0
_BESIDE_M = 4.0
_FILLING_MIN = 10.0
_SOIL_MIN = 1.0
_VENTILATION_MIN = 9.0
_FERMENTING_MIN = 60.0
"""Sewage needs an hour for two thirds of what it gives off in the end, and as long to be aired out again; assumed."""


class GasPhysics:
    """Methane (%LEL), gas pressure (kPa) and gas flow (m3/h) of one city."""

    lifeline = "gas"

    def __init__(self, city: City, scenario: Scenario, origin: datetime, seed: int) -> None:
        self._network = GasNetwork(city)
        self._leaks = [i for i in scenario.injections if isinstance(i, GasLeak)]
        self._spread = [_spread(city, leak) for leak in self._leaks]
        self._open = [city.asset[leak.asset].facts.get("surface") == "green" for leak in self._leaks]
        self._fermenting = [i for i in scenario.injections if isinstance(i, SewerGas)]
        self._origin = origin
        self._sensors = city.sensors_of("gas")
        self._ids = [sensor.id for sensor in self._sensors]
        self._spaces = [sensor.asset for sensor in self._sensors]
        self._pattern = DailyPattern(GAS, ZoneInfo(city.timezone), weekend_delay_h=0.8)
        self._noise = Noise(seed, _STREAM, len(self._sensors))
        self._districts = Noise(seed, _STREAM + 100, self._network.districts)
        self._background = self._noise.constant().uniform(0.12, 0.4, len(self._sensors))
        self._breathing = np.array([float(city.asset[a].facts.get("sewer_gas_lel", 0.0)) for a in self._spaces])
        self._methane = self._numbers("methane")
        self._pressure = self._numbers("gas_pressure")
        self._flow = self._numbers("gas_flow")
        self._nodes = [self._network.node[self._spaces[i]] for i in self._pressure]
        self._pipes = [self._network.pipe[self._spaces[i]] for i in self._flow]

    def step(self, time: datetime) -> dict[str, float]:
        """Readings of all gas sensors at ``time``; nothing depends on earlier steps."""
        self._network.solve(self._demand_factors(time), self._leaking(time))
        error = self._noise.white(time)
        values = np.zeros(len(self._ids))
        values[self._methane] = self._methane_lel(time, error)[self._methane].round(2)
        pressures = self._network.pressures_kpa()[self._nodes]
        values[self._pressure] = (pressures + 0.15 * error[self._pressure]).round(2)
        flows = self._network.flows_m3h()[self._pipes]
        values[self._flow] = np.maximum(0.0, flows * (1 + 0.004 * error[self._flow])).round(1)
        return dict(zip(self._ids, values.tolist(), strict=True))

    def state(self) -> dict[str, Any]:
        """Nothing: every step stands alone."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing to do."""

    def supplied_m3h(self) -> float:
        """What all regulators together feed at the present step."""
        return self._network.supplied_m3h()

    def demanded_m3h(self) -> float:
        """What customers draw and leaks lose at the present step."""
        return self._network.demanded_m3h()

    def space_lel(self, space: str, time: datetime) -> float:
        """What leaks and cases of sewer gas add to the methane of an underground space, %LEL."""
        leaked = sum(
            _concentration(leak, spread[space], time, self._origin, is_open=is_open)
            for leak, spread, is_open in zip(self._leaks, self._spread, self._open, strict=True)
            if space in spread
        )
        return leaked + sum(_fermented(gas, time, self._origin) for gas in self._fermenting if gas.asset == space)

    def _numbers(self, quantity: str) -> list[int]:
        return [i for i, sensor in enumerate(self._sensors) if sensor.quantity == quantity]

    def _demand_factors(self, time: datetime) -> Vector:
        slow, quick = self._districts.slow(time, 5400), self._districts.slow(time, 600)
        factors: Vector = (self._pattern.at(time) * (1 + 0.04 * slow + 0.02 * quick)).clip(0.05)
        return factors

    def _leaking(self, time: datetime) -> dict[str, float]:
        return {
            leak.asset: leak.flow_m3h
            for leak in self._leaks
            if starts_at(leak, self._origin) <= time < ends_at(leak, self._origin)
        }

    def _methane_lel(self, time: datetime, error: Vector) -> Vector:
        """Near zero; sewer gas breathes slowly, at most about 2 %LEL; a leak adds to it and fluctuates."""
        sewer = self._breathing * (1 + 0.3 * np.tanh(self._noise.slow(time, 10800)))
        leaked = np.zeros(len(self._ids))
        reached = {space for spread in self._spread for space in spread} | {gas.asset for gas in self._fermenting}
        for i in self._methane:
            if self._spaces[i] in reached:
                leaked[i] = self.space_lel(self._spaces[i], time)
        background = self._background + sewer + 0.03 * self._noise.slow(time, 3600)
        values: Vector = (background + leaked + error * (0.05 + 0.02 * leaked)).clip(0.0, 100.0)
        return values


def _spread(city: City, leak: GasLeak) -> Mapping[str, float]:
    """Metres from the leak to every underground space within reach."""
    projection = Projection(city.centre, (0.0, 0.0))
    line = [projection.metres(p) for p in city.asset[leak.asset].points]
    hole: Point = nearest_on_line(projection.metres(city.asset[leak.near].points[0]), line)
    spaces = {a.id: distance(hole, projection.metres(a.points[0])) for a in city.assets_of("gas", "underground-space")}
    reach_m = REACH_M / (PAVED_FARTHER if city.asset[leak.asset].facts.get("surface") == "green" else 1.0)
    # The space that the scenario names is reached in any case: the scenario says what would settle there.
    return {space: metres for space, metres in spaces.items() if metres <= reach_m or space == leak.near}


def _fermented(gas: SewerGas, time: datetime, origin: datetime) -> float:
    """Smoothly towards the plateau, and smoothly back."""
    since_min = (time - starts_at(gas, origin)).total_seconds() / 60
    over_min = (time - ends_at(gas, origin)).total_seconds() / 60
    if since_min <= 0:
        return 0.0
    grown = gas.lel * (1 - math.exp(-min(since_min, since_min - max(0.0, over_min)) / _FERMENTING_MIN))
    return grown * math.exp(-max(0.0, over_min) / _FERMENTING_MIN)


def _concentration(leak: GasLeak, metres: float, time: datetime, origin: datetime, *, is_open: bool) -> float:
    """Filling towards a plateau after a delay by distance; ventilation after the repair."""
    delay_min = metres / SOIL_M_PER_MIN * (PAVED_FASTER if is_open else 1.0)
    attenuation_m = _ATTENUATION_M / (PAVED_FARTHER if is_open else 1.0)
    since_min = (time - starts_at(leak, origin)).total_seconds() / 60 - delay_min
    lasted_min = (ends_at(leak, origin) - starts_at(leak, origin)).total_seconds() / 60
    plateau = leak.lel * math.exp((_BESIDE_M - metres) / attenuation_m)
    reached = plateau * _filled(min(since_min, lasted_min))
    return reached * math.exp(-max(0.0, since_min - lasted_min) / _VENTILATION_MIN)


def _filled(minutes: float) -> float:
    """Two stores in series, soil and space: the share of the plateau reached."""
    if minutes <= 0:
        return 0.0
    slow, quick = math.exp(-minutes / _FILLING_MIN), math.exp(-minutes / _SOIL_MIN)
    return 1 - (_FILLING_MIN * slow - _SOIL_MIN * quick) / (_FILLING_MIN - _SOIL_MIN)
