"""Windows of raw vibration that the gateways of bridges keep: by the clock, and when something hits a bridge."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from simulators.city import RAW_VIBRATION, City, Sensor
from simulators.noise import Vector
from simulators.physics.bridge import deck_temperature_c
from simulators.physics.bridge_damage import BridgeDamage
from simulators.physics.bridge_model import DeckModel
from simulators.physics.bridge_vibration import Shaking, accelerations
from simulators.physics.weather import Weather
from simulators.scenario import Scenario

_STREAM = 6
LENGTH = timedelta(minutes=5)
_REFERENCE_C, _SOFTER_PER_K = 18.0, 0.0028
"""Stiffness that a warmer deck loses, mostly of its asphalt; the frequencies follow its root. Assumed."""
_BLOW_NS = 60_000.0
"""A barge of some hundred tonnes that grazes; assumed."""


@dataclass(frozen=True, slots=True)
class Window:
    """What a gateway keeps: m/s2 with a row for each sensor, from ``start`` on; ``event`` is its word for why."""

    gateway: str
    sensors: tuple[str, ...]
    start: datetime
    rate_hz: float
    samples: Vector
    event: str | None


class VibrationWindows:
    """What the accelerometers of a city record. The same seed and time give the same, whatever was asked before."""

    def __init__(self, city: City, scenario: Scenario, origin: datetime, seed: int) -> None:
        self._weather = Weather(scenario, origin, ZoneInfo(city.timezone), seed)
        self._damage = BridgeDamage(city, scenario, origin)
        self._origin = origin
        self._seed = seed
        bridge_in = {bridge.zone: bridge.id for bridge in city.assets_of("bridge", "bridge")}
        self._on: dict[str, list[Sensor]] = defaultdict(list)
        for sensor in city.sensors:
            if sensor.quantity == RAW_VIBRATION:
                self._on[bridge_in[city.asset[sensor.asset].zone]].append(sensor)

    def ending(self, since: datetime, time: datetime) -> list[Window]:
        """The windows whose last sample is taken after ``since`` and up to ``time``."""
        found = []
        for number, (bridge, sensors) in enumerate(self._on.items()):
            interval = timedelta(seconds=sensors[0].interval_s)
            if (time - self._origin) % interval == timedelta(0):
                found.append(self._window((number, bridge), sensors, time - LENGTH, None))
            for moment, part in self._damage.blows(bridge, since - LENGTH, time - LENGTH):
                found.append(self._window((number, bridge), sensors, moment, part))
        return found

    def _window(
        self, bridge: tuple[int, str], sensors: Sequence[Sensor], start: datetime, struck: int | None
    ) -> Window:
        model = DeckModel(self._damage.design(bridge[1], start))
        # Each accelerometer hangs below the middle of the span whose number its asset ends with.
        nodes = [model.middles[int(sensor.asset[-1]) - 1] for sensor in sensors]
        warmer_k = deck_temperature_c(self._weather, start) - _REFERENCE_C
        shaking = Shaking(
            seconds=LENGTH.total_seconds(),
            softening=float(np.sqrt(1 - _SOFTER_PER_K * warmer_k)),
            blow_ns=0.0 if struck is None else _BLOW_NS,
            blow_node=0 if struck is None else model.middles[min(struck, len(model.middles) - 1)],
        )
        rng = np.random.default_rng([self._seed, _STREAM, bridge[0], int(start.timestamp())])
        return Window(
            gateway=sensors[0].gateway,
            sensors=tuple(sensor.id for sensor in sensors),
            start=start,
            rate_hz=shaking.rate_hz,
            samples=accelerations(model, nodes, shaking, rng),
            event=None if struck is None else "collision",
        )
