"""What the devices of a drawn town report: each with its own offset, noise, gain and cross-sensitivities."""

import math
from dataclasses import dataclass

import numpy as np

from simulators.gas_benchmark.case import Case, place_of
from simulators.gas_benchmark.methane import SpaceRun
from simulators.gas_benchmark.pressures import NetworkRun
from simulators.gas_benchmark.scene import Scene
from simulators.gas_benchmark.town import position_on
from simulators.geometry import Point, distance
from simulators.noise import Vector, wandering
from simulators.physics.gas_release import ETHANE_SHARE
from simulators.physics.gas_spaces import LEL_PER_SHARE

SPACE_MIN, NETWORK_MIN, BATTERY_MIN = 5, 1, 60
_EQUIPPED = (
    ("space_temperature", 0.8),
    ("space_humidity", 0.6),
    ("space_water_level", 0.5),
    ("ethane", 1 / 3),
    ("odorant", 0.15),
    ("cover_tilt", 0.3),
)
"""Share of the devices that measure it too; assumed, ethane as the makers of this set agreed."""
_UNITS = {
    "methane": "%LEL",
    "space_temperature": "degC",
    "space_humidity": "%",
    "space_water_level": "cm",
    "ethane": "ppm",
    "odorant": "mg/m3",
    "cover_tilt": "deg",
    "battery": "%",
    "ground_vibration": "mm/s",
    "gas_pressure": "kPa",
    "gas_flow": "m3/h",
    "regulator_inlet_pressure": "kPa",
    "regulator_outlet_pressure": "kPa",
    "cut_off_valve_open": "1",
    "cathodic_potential": "mV",
}
_DIGITS = {"odorant": 3, "cut_off_valve_open": 0, "cathodic_potential": 0, "ethane": 0, "battery": 0}
_LOST = 0.006
"""Share of reports that never arrive."""
_ODORANT_MG_M3 = (15.0, 25.0)
"""In the gas itself; soil holds some of it back."""
_GUARDS_HEAR_M = 70.0
_VIBRATION_FALLS = 1.4
"""Peak velocity falls with distance to this power: that of ground vibration in building practice; assumed."""
_GAUGED_NODES = 4


@dataclass(frozen=True, slots=True)
class Channel:
    """A sensor and what it reports, a value for each of its intervals; NaN where a report is lost."""

    id: str
    quantity: str
    asset: str
    place: Point
    interval_min: int
    values: Vector

    @property
    def unit(self) -> str:
        """The unit of its quantity."""
        return _UNITS[self.quantity]


def report_spaces(scene: Scene, gas: SpaceRun, rng: np.random.Generator) -> list[Channel]:
    """All channels of the devices in spaces."""
    ethane_ppm_per_lel = _ethane_ppm_per_lel(rng)
    channels: list[Channel] = []
    for number in scene.town.devices:
        device = _Device(scene, number, rng)
        channels += device.channels(gas, ethane_ppm_per_lel)
    return channels


def _ethane_ppm_per_lel(rng: np.random.Generator) -> float:
    """Ethane that comes with one %LEL of methane, by this town's gas."""
    share = float(rng.uniform(*ETHANE_SHARE))
    return share / (1 - share) / LEL_PER_SHARE * 1e6


class _Device:
    """One device with its flaws, drawn once."""

    def __init__(self, scene: Scene, number: int, rng: np.random.Generator) -> None:
        weather, hours = scene.weather, scene.hours
        self._space, self._number, self._hours, self._rng = scene.town.spaces[number], number, hours, rng
        self._wet = [case for case in scene.of_kind("humidity-error") if case.number == number]
        self._drifts = [case for case in scene.of_kind("sensor-drift") if case.number == number]
        self._has = {quantity: bool(rng.random() < share) for quantity, share in _EQUIPPED}
        steps = len(hours)
        self._temperature = weather.below_c + float(rng.normal(0, 1.0)) + 0.2 * wandering(steps, 60, rng)
        moist = 72 + 20 * weather.wet + float(rng.normal(0, 6)) + 6 * wandering(steps, 140, rng)
        moist = moist - 0.8 * (weather.air_c - weather.below_c)
        self._wetted = [self._condensing(case) for case in self._wet]
        for share in self._wetted:
            moist = moist + (100 - moist) * share
        self._humidity = np.clip(moist, 25, 100)
        floods = float(rng.uniform(0, 40)) if rng.random() < 0.5 else 0.0  # noqa: PLR2004 - half of the spaces drain
        self._water_cm = floods * weather.wet**1.5

    def channels(self, gas: SpaceRun, ethane_ppm_per_lel: float) -> list[Channel]:
        """Methane always, and what else the device measures."""
        leaked, sewer = gas.leaked_lel[:, self._number], gas.sewer_lel[:, self._number]
        told = {"methane": self._methane(leaked + sewer)}
        if self._has["space_temperature"]:
            told["space_temperature"] = self._temperature + 0.1 * self._white()
        if self._has["space_humidity"]:
            told["space_humidity"] = self._humidity_told()
        if self._has["space_water_level"]:
            told["space_water_level"] = np.maximum(0.0, self._water_cm + 0.3 * self._white())
        if self._has["ethane"]:
            told["ethane"] = self._ethane(leaked * ethane_ppm_per_lel)
        if self._has["odorant"]:
            kept = float(self._rng.uniform(0.2, 0.7)) * float(self._rng.uniform(*_ODORANT_MG_M3)) / LEL_PER_SHARE
            told["odorant"] = np.maximum(0.0, leaked * kept + 0.004 * self._white() + 0.003 * self._slow(40))
        if self._has["cover_tilt"]:
            told["cover_tilt"] = np.abs(0.4 + 0.15 * self._white())
        made = [self._channel(quantity, values, SPACE_MIN) for quantity, values in told.items()]
        begun, falls = float(self._rng.uniform(40, 100)), float(self._rng.uniform(0.1, 0.8))
        battery = np.maximum(1.0, begun - falls * self._hours[:: BATTERY_MIN // SPACE_MIN] / 24)
        return [*made, self._channel("battery", battery, BATTERY_MIN)]

    def _channel(self, quantity: str, values: Vector, interval_min: int) -> Channel:
        told = np.round(values, _DIGITS.get(quantity, 2))
        if interval_min == SPACE_MIN:
            told = np.where(self._rng.random(len(told)) < _LOST, np.nan, told)
        ident = f"{self._space.id}-{quantity.replace('_', '-')}"
        return Channel(ident, quantity, self._space.id, self._space.place, interval_min, told)

    def _methane(self, lel: Vector) -> Vector:
        """The device's answer in %LEL: gain, offset, temperature, humidity, noise, passing fumes, and its faults."""
        rng = self._rng
        poisoned = float(rng.uniform(0.4, 0.7)) if rng.random() < 0.06 else 1.0  # noqa: PLR2004 - a catalytic head
        gain = float(rng.uniform(0.88, 1.1)) * poisoned
        per_kelvin, per_humidity = float(rng.normal(0, 0.04)), max(0.0, float(rng.normal(0.01, 0.02)))
        told = gain * lel + float(rng.uniform(0, 0.7)) + per_kelvin * (self._temperature - self._temperature.mean())
        told = told + per_humidity * np.maximum(0.0, self._humidity - 80)
        told = told + float(rng.uniform(0.03, 0.2)) * self._white() + float(rng.uniform(0.02, 0.25)) * self._slow(150)
        told = told + self._fumes()
        for case, share in zip(self._wet, self._wetted, strict=True):
            told = told + case.size * share * np.exp(0.15 * self._slow(12))
        for case in self._drifts:
            grown = np.clip((self._hours - case.begins_h) / (case.ends_h - case.begins_h), 0, 1)
            told = told + np.where(case.running(self._hours), case.size * grown, 0.0)
        coarse = 1.0 if rng.random() < 0.2 else 0.1  # noqa: PLR2004 - some tell whole %LEL
        answered: Vector = np.clip(np.round(told / coarse) * coarse, 0.0, 100.0)
        return answered

    def _condensing(self, case: Case) -> Vector:
        """How wet the head is: soaked within hours, dry again within hours."""
        soaks_h = float(self._rng.uniform(1.5, 10))
        rising = np.clip((self._hours - case.begins_h) / soaks_h, 0, 1)
        drying = np.clip((case.ends_h - self._hours) / 4, 0, 1)
        smooth: Vector = (rising * rising * (3 - 2 * rising)) * drying
        return smooth

    def _humidity_told(self) -> Vector:
        """Humidity sensors fail too: some say 100 % for ever, some read low."""
        chance = float(self._rng.random())
        if chance < 0.12:  # noqa: PLR2004 - soaked for good
            return np.full(len(self._hours), 100.0)
        low = 0.8 if chance < 0.24 else 1.0  # noqa: PLR2004 - as many read low
        return np.clip(low * self._humidity + 0.8 * self._white(), 0, 100)

    def _ethane(self, true_ppm: Vector) -> Vector:
        """Slow, noisy, with a wandering zero; some heads have lost half of their answer."""
        gain = 0.5 if self._rng.random() < 0.1 else float(self._rng.uniform(0.8, 1.15))  # noqa: PLR2004
        zero = float(self._rng.uniform(0, 8)) + 5 * self._slow(200)
        return np.maximum(0.0, gain * true_ppm + zero + 4 * self._white())

    def _fumes(self) -> Vector:
        """Exhaust, an opened cover, paint: a few %LEL for some minutes, once a month."""
        told = np.zeros(len(self._hours))
        for _ in range(int(self._rng.poisson(self._hours[-1] / 720))):
            begin, lasts = int(self._rng.integers(len(told))), int(self._rng.integers(1, 6))
            told[begin : begin + lasts] += float(self._rng.uniform(1.5, 8.0))
        return told

    def _white(self) -> Vector:
        return self._rng.standard_normal(len(self._hours))

    def _slow(self, steps: float) -> Vector:
        return wandering(len(self._hours), steps, self._rng)


def report_guards(scene: Scene, rng: np.random.Generator) -> list[Channel]:
    """Ground vibration at the guarded mains: traffic by day, now and then a lorry, and digging."""
    town, hours = scene.town, scene.hours
    local = (hours + 8) % 24
    traffic = 0.08 + 0.15 * np.clip(np.sin(2 * math.pi * (local - 6) / 24), 0, 1)
    channels = []
    for count, number in enumerate(town.guarded, start=1):
        main = town.mains[number]
        place = position_on(main, 0.5)
        told = traffic * float(rng.uniform(0.5, 2.0)) * np.exp(0.5 * rng.standard_normal(len(hours)))
        lorries = rng.random(len(hours)) < 0.01 * (traffic > 0.1)  # noqa: PLR2004 - by day
        told = told + lorries * rng.uniform(0.5, 2.5, len(hours))
        for case in scene.of_kind("works"):
            away_m = max(3.0, distance(place, place_of(case, town)))
            if away_m > _GUARDS_HEAR_M:
                continue
            at_work = case.running(hours) & (wandering(len(hours), 4.0, rng) > -0.4)  # noqa: PLR2004 - breaks
            strength = case.size * (5.0 / away_m) ** _VIBRATION_FALLS
            told = told + at_work * strength * np.exp(0.4 * rng.standard_normal(len(hours)))
        values = np.where(rng.random(len(hours)) < _LOST, np.nan, np.round(told, 3))
        channels.append(Channel(f"GV-{count:02d}", "ground_vibration", main.id, place, SPACE_MIN, values))
    return channels


def report_network(scene: Scene, run: NetworkRun, rng: np.random.Generator) -> list[Channel]:
    """Regulators, gauges at some nodes, and corrosion protection of some mains of steel."""
    town, minutes = scene.town, len(run.pressures_kpa)
    channels: list[Channel] = []

    def add(
        ident: str, quantity: str, where: tuple[str, Point], values: Vector, interval_min: int = NETWORK_MIN
    ) -> None:
        told = np.round(values, _DIGITS.get(quantity, 2))
        channels.append(Channel(ident, quantity, where[0], where[1], interval_min, told))

    for number, node in enumerate(town.regulators):
        where = (f"RS-{number + 1}", town.nodes[node])
        flow = run.supplied_m3h[:, number] * float(rng.uniform(0.985, 1.015))
        inlet = town.outlet_kpa + 200 + 8 * wandering(minutes, 600, rng) - 0.02 * flow
        outlet = run.pressures_kpa[:, node]
        add(f"{where[0]}-inlet", "regulator_inlet_pressure", where, inlet + 0.3 * rng.standard_normal(minutes))
        add(f"{where[0]}-outlet", "regulator_outlet_pressure", where, outlet + _noise(rng, minutes))
        add(f"{where[0]}-flow", "gas_flow", where, np.maximum(0.0, flow * (1 + 0.006 * rng.standard_normal(minutes))))
        add(f"{where[0]}-valve", "cut_off_valve_open", where, run.is_open[:, number])
    others = [n for n in range(len(town.nodes)) if n not in town.regulators]
    for node in sorted(int(k) for k in rng.permutation(others)[:_GAUGED_NODES]):
        where = (f"GJ-{node + 1:02d}", town.nodes[node])
        add(f"{where[0]}-pressure", "gas_pressure", where, run.pressures_kpa[:, node] + _noise(rng, minutes))
    steel = [main for main in town.mains if main.material == "steel"][:2]
    hourly = len(scene.hours) * SPACE_MIN // BATTERY_MIN
    for main in steel:
        where = (main.id, position_on(main, 0.5))
        potential = -float(rng.uniform(950, 1100)) + 12 * wandering(hourly, 30, rng)
        add(f"{main.id}-potential", "cathodic_potential", where, potential, BATTERY_MIN)
    return channels


def _noise(rng: np.random.Generator, minutes: int) -> Vector:
    """A gauge's offset, its slow wander and its noise, kPa."""
    offset = float(rng.normal(0, 0.3))
    return offset + 0.1 * wandering(minutes, 2000, rng) + 0.15 * rng.standard_normal(minutes)
