"""When and where each reading leaves the field: gateways batch, hold back during an outage and send late."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from simulators.city import City
from simulators.devices import Devices
from simulators.physics.world import World
from simulators.scenario import GatewayOutage, Scenario, ends_at, starts_at

STEP = timedelta(seconds=60)
"""The grid of measuring instants."""
LARGEST_BATCH = 1000
"""Readings in one message at the most, about 80 kB; the wire contract allows 256 KiB."""
SINGLE_QUANTITIES = frozenset({"rain_intensity", "vehicle_weight"})
"""Such devices have their own modem and publish one reading a message on their own topic."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One reading."""

    sensor: str
    time: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings that leave together at ``due``: a gateway's (``gateway`` set), or one sensor's own."""

    due: datetime
    gateway: str | None
    readings: tuple[Measured, ...]


class Field:
    """Everything between the sensors and the broker, one measuring instant at a time."""

    def __init__(
        self, city: City, scenario: Scenario, origin: datetime, seed: int, lifelines: tuple[str, ...] | None = None
    ) -> None:
        parts = (city, scenario, origin, seed)
        self._world = World(*parts) if lifelines is None else World(*parts, lifelines)
        self._devices = Devices(scenario, origin, seed)
        self._city = city
        self._outages = [i for i in scenario.injections if isinstance(i, GatewayOutage)]
        self._origin = origin
        self._held: dict[str, list[Measured]] = defaultdict(list)
        self._delay = {s.gateway: _delay(s.gateway) for s in city.sensors}
        self._delay |= {s.id: _delay(s.id) for s in city.sensors if s.quantity in SINGLE_QUANTITIES}

    def step(self, time: datetime, intervals_s: Mapping[str, int] = MappingProxyType({})) -> list[Batch]:
        """The batches that this measuring instant causes, in the order in which they leave.

        ``intervals_s`` are those of the sensors that report at another interval than the registered.
        """
        values = self._devices.report(time, self._world.step(time, intervals_s))
        gathered: dict[str, list[Measured]] = defaultdict(list)
        batches = []
        for ident, value in values.items():
            sensor = self._city.sensor[ident]
            reading = Measured(ident, time, value)
            if sensor.quantity in SINGLE_QUANTITIES:
                batches.append(Batch(time + self._delay[ident], None, (reading,)))
            else:
                gathered[sensor.gateway].append(reading)
        for gateway, readings in gathered.items():
            batches += self._send(gateway, time, readings)
        return sorted(batches, key=lambda batch: batch.due)

    def state(self) -> dict[str, Any]:
        """Everything the past has left behind, fit for JSON."""
        held = {g: [[r.sensor, r.time.isoformat(), r.value] for r in kept] for g, kept in self._held.items()}
        return {"world": self._world.state(), "devices": self._devices.state(), "held": held}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as if the last step had left ``state``."""
        self._world.restore(state["world"])
        self._devices.restore(state["devices"])
        for gateway, kept in state["held"].items():
            self._held[gateway] = [Measured(s, datetime.fromisoformat(t), v) for s, t, v in kept]

    def _send(self, gateway: str, time: datetime, readings: list[Measured]) -> Iterator[Batch]:
        due = time + self._delay[gateway]
        if self._silent(gateway, time):
            self._held[gateway] += readings
            return
        held = self._held.pop(gateway, [])
        for first in range(0, len(held), LARGEST_BATCH):
            yield Batch(due, gateway, tuple(held[first : first + LARGEST_BATCH]))
        yield Batch(due + timedelta(milliseconds=1), gateway, tuple(readings))

    def _silent(self, gateway: str, time: datetime) -> bool:
        return any(
            outage.gateway == gateway and starts_at(outage, self._origin) <= time < ends_at(outage, self._origin)
            for outage in self._outages
        )


def measuring_instants(origin: datetime, step: timedelta = STEP) -> Iterator[datetime]:
    """``origin`` and every step after it, without end."""
    time = origin
    while True:
        yield time
        time += step


def _delay(sender: str) -> timedelta:
    """Each sender takes its own fraction of a second up to eight seconds, always the same."""
    digest = hashlib.blake2b(sender.encode(), digest_size=2).digest()
    return timedelta(milliseconds=200 + int.from_bytes(digest) % 7800)
