"""All lifelines of a city on one clock."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Protocol

from simulators.city import City
from simulators.physics.bridge import BridgePhysics
from simulators.physics.gas import GasPhysics
from simulators.physics.swmm_drainage import SwmmDrainage
from simulators.physics.water import WaterPhysics
from simulators.scenario import Scenario


class Physics(Protocol):
    """One lifeline's physics."""

    lifeline: str

    def step(self, time: datetime) -> dict[str, float]:
        """Readings of all its sensors at ``time``; times must not go back."""

    def state(self) -> dict[str, Any]:
        """What the past has left behind, fit for JSON; empty where nothing depends on it."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""


LIFELINES: Mapping[str, Callable[[City, Scenario, datetime, int], Physics]] = {
    "water": WaterPhysics,
    "gas": GasPhysics,
    "drainage": SwmmDrainage,
    "bridge": BridgePhysics,
}


class World:
    """The whole city from ``origin`` on. The same city, scenario, origin, seed and times give the same values."""

    def __init__(
        self,
        city: City,
        scenario: Scenario,
        origin: datetime,
        seed: int,
        lifelines: Sequence[str] = tuple(LIFELINES),
    ) -> None:
        self._origin = origin
        self._physics: list[Physics] = [LIFELINES[name](city, scenario, origin, seed) for name in lifelines]
        self._sensors = {name: city.sensors_of(name) for name in lifelines}

    def step(self, time: datetime, intervals_s: Mapping[str, int] = MappingProxyType({})) -> dict[str, float]:
        """Values of the sensors whose interval ends at ``time``; a lifeline with none due is not computed.

        ``intervals_s`` are those of the sensors that report at another interval than the registered.
        """
        since_s = round((time - self._origin) / timedelta(seconds=1))
        values: dict[str, float] = {}
        for physics in self._physics:
            sensors = self._sensors[physics.lifeline]
            due = [s.id for s in sensors if since_s % intervals_s.get(s.id, s.interval_s) == 0]
            if due:
                measured = physics.step(time)
                values.update((ident, measured[ident]) for ident in due)
        return values

    def state(self) -> dict[str, Any]:
        """The state of every lifeline."""
        return {physics.lifeline: physics.state() for physics in self._physics}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        for physics in self._physics:
            physics.restore(state[physics.lifeline])
