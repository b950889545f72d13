"""Gas: pressures and flows of the medium-pressure network, and methane in the spaces beside it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from simulators.city import City
from simulators.noise import Noise, Vector
from simulators.physics.daily import GAS, DailyPattern
from simulators.physics.gas_cases import leak_case, sewage_case
from simulators.physics.gas_network import GasNetwork
from simulators.scenario import GasLeak, Scenario, SewerGas, ends_at, starts_at

_STREAM = 2


class GasPhysics:
    """Methane (%LEL), gas pressure (kPa) and gas flow (m3/h) of one city."""

    lifeline = "gas"

    def __init__(self, city: City, scenario: Scenario, origin: datetime, seed: int) -> None:
        self._network = GasNetwork(city)
        self._leaks = [i for i in scenario.injections if isinstance(i, GasLeak)]
        leaks = [
            leak_case(city, leak, origin, self._network.pressure_at_kpa(leak.asset), _generator(seed, leak.id))
            for leak in self._leaks
        ]
        self._rates_m3h = [leak.leaks_m3h for leak in leaks]
        fermenting = [sewage_case(city, i, origin) for i in scenario.injections if isinstance(i, SewerGas)]
        self._cases = [*leaks, *fermenting]
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
        return min(100.0, sum(case.lel(space, time) for case in self._cases))

    def _numbers(self, quantity: str) -> list[int]:
        return [i for i, sensor in enumerate(self._sensors) if sensor.quantity == quantity]

    def _demand_factors(self, time: datetime) -> Vector:
        slow, quick = self._districts.slow(time, 5400), self._districts.slow(time, 600)
        factors: Vector = (self._pattern.at(time) * (1 + 0.04 * slow + 0.02 * quick)).clip(0.05)
        return factors

    def _leaking(self, time: datetime) -> dict[str, float]:
        return {
            leak.asset: rate_m3h
            for leak, rate_m3h in zip(self._leaks, self._rates_m3h, strict=True)
            if starts_at(leak, self._origin) <= time < ends_at(leak, self._origin)
        }

    def _methane_lel(self, time: datetime, error: Vector) -> Vector:
        """Near zero; sewer gas breathes slowly, at most about 2 %LEL; a leak adds to it and fluctuates."""
        sewer = self._breathing * (1 + 0.3 * np.tanh(self._noise.slow(time, 10800)))
        leaked = np.zeros(len(self._ids))
        reached = frozenset[str]().union(*(case.spaces for case in self._cases))
        for i in self._methane:
            if self._spaces[i] in reached:
                leaked[i] = self.space_lel(self._spaces[i], time)
        background = self._background + sewer + 0.03 * self._noise.slow(time, 3600)
        values: Vector = (background + leaked + error * (0.05 + 0.02 * leaked)).clip(0.0, 100.0)
        return values


def _generator(seed: int, injection: str) -> np.random.Generator:
    """Drawn for each injection by itself, so that another one beside it changes nothing."""
    return np.random.default_rng([seed, _STREAM, *injection.encode()])
