"""Devices that do not report what they should."""

from collections.abc import Mapping
from datetime import datetime
from statistics import NormalDist

from simulators.noise import Noise
from simulators.scenario import Scenario, SensorFault, ends_at, starts_at

_STREAM = 6
_SPIKE_CHANCE = 0.35
_NORMAL = NormalDist()


class Devices:
    """Turns true values into what failing sensors report."""

    def __init__(self, scenario: Scenario, origin: datetime, seed: int) -> None:
        self._faults = [i for i in scenario.injections if isinstance(i, SensorFault)]
        self._origin = origin
        self._noise = Noise(seed, _STREAM, max(1, len(self._faults)))
        self._stuck: dict[str, float] = {}

    def report(self, time: datetime, values: Mapping[str, float]) -> dict[str, float]:
        """The values as the devices send them at ``time``; times must not go back."""
        reported = dict(values)
        chances = self._noise.uniform(time)
        for fault, chance in zip(self._faults, chances, strict=False):
            started = starts_at(fault, self._origin)
            if fault.sensor in reported and started <= time < ends_at(fault, self._origin):
                if fault.fault == "outage":
                    del reported[fault.sensor]
                    continue
                hours = (time - started).total_seconds() / 3600
                reported[fault.sensor] = self._reported(fault, reported[fault.sensor], hours, float(chance))
        return reported

    def state(self) -> dict[str, float]:
        """The values at which devices are stuck, by injection."""
        return dict(self._stuck)

    def restore(self, state: Mapping[str, float]) -> None:
        """Go on from a saved state."""
        self._stuck = dict(state)

    def _reported(self, fault: SensorFault, value: float, hours: float, chance: float) -> float:
        if fault.fault == "stuck":
            return self._stuck.setdefault(fault.id, value)
        if fault.fault == "drift":
            return round(value + fault.size * hours, 3)
        if fault.fault == "out-of-range":
            return fault.size
        if fault.fault == "fouling":
            return round(value * max(0.0, 1 - fault.size * hours), 3)
        if fault.fault == "noise":
            # A uniform number through the inverse of the normal distribution.
            return round(value + fault.size * _NORMAL.inv_cdf(min(max(chance, 1e-9), 1 - 1e-9)), 3)
        return round(value + fault.size, 3) if chance < _SPIKE_CHANCE else value
