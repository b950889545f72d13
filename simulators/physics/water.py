"""Water: EPANET solves the network at every step, tanks are integrated between steps.

Customers draw less where pressure fails (pressure-driven demand: Wagner, Shamir and Marks, Journal of Water Resources
Planning and Management 114, 1988), and holes lose by the orifice formula, flow = C·A·√(2·g·h).
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from simulators.city import City, Sensor
from simulators.noise import Noise
from simulators.physics.daily import WATER, DailyPattern
from simulators.physics.epanet_network import EpanetNetwork, Hole, epanet_input
from simulators.scenario import (
    HydrantUse,
    PipeLeak,
    PumpSchedule,
    Scenario,
    ValveShut,
    WaterLeak,
    ends_at,
    starts_at,
)

KPA_PER_M = 9.80665
_STREAM = 1
_WARM_UP = timedelta(hours=24)
_WARM_UP_STEP = timedelta(minutes=30)
_ERROR = {"pressure": 0.6, "flow": 0.5, "tank_level": 0.004}
_NEEDED_M = 14.0
"""Pressure below which customers do not get all they want; a usual minimum service pressure, 0.14 MPa."""
_DISCHARGE = 0.6
"""Discharge coefficient of a sharp-edged hole, a textbook value."""
_GRAVITY_M_S2 = 9.80665
_DECIMALS = {"pressure": 1, "flow": 1, "tank_level": 3}


class WaterPhysics:
    """Pressures (kPa), flows (m3/h) and tank levels (m) of one city's water network."""

    lifeline = "water"

    def __init__(self, city: City, scenario: Scenario, origin: datetime, seed: int) -> None:
        self._origin = origin
        self._leaks = [i for i in scenario.injections if isinstance(i, WaterLeak)]
        holed = [i for i in scenario.injections if isinstance(i, PipeLeak)]
        holes = [Hole(f"hole-{n}", leak.asset, leak.position) for n, leak in enumerate(holed, start=1)]
        self._network = EpanetNetwork(epanet_input(city, holes))
        self._network.draw_by_pressure(_NEEDED_M)
        self._holes = {self._network.node(hole.node): leak for hole, leak in zip(holes, holed, strict=True)}
        self._taken = [i for i in scenario.injections if isinstance(i, HydrantUse)]
        self._shut = [i for i in scenario.injections if isinstance(i, ValveShut)]
        self._pumped = [i for i in scenario.injections if isinstance(i, PumpSchedule)]
        self._heads_m = {a.id: a.number("head_m") for a in city.assets_of("water", "reservoir")}
        self._sensors = city.sensors_of("water")
        self._pattern = DailyPattern(WATER, ZoneInfo(city.timezone), weekend_delay_h=1.2)
        self._demands = {
            self._network.node(a.id): a.number("base_demand_m3h")
            for a in city.assets_of("water")
            if "base_demand_m3h" in a.facts
        }
        self._noise = Noise(seed, _STREAM, len(self._demands) + len(self._sensors))
        self._drawn: dict[int, float] = {}
        self._reservoirs = [self._network.node(a.id) for a in city.assets_of("water", "reservoir")]
        self._tanks = {self._network.node(a.id): a for a in city.assets_of("water", "tank")}
        self.levels_m = {node: tank.number("normal_level_m") for node, tank in self._tanks.items()}
        self._ends = {k.source: k.target for k in city.flow_links("water")}
        self._behind = {i.asset: self._links_behind(city, i.asset) for i in self._shut}
        self._place = {s.id: self._number(s) for s in self._sensors}
        self._time: datetime | None = None
        self._coefficients = self._leak_coefficients()

    def step(self, time: datetime) -> dict[str, float]:
        """Readings of all water sensors at ``time``, which must not go back."""
        if self._time is None:
            warm = time - _WARM_UP
            while warm < time:
                self._advance(warm)
                warm += _WARM_UP_STEP
        self._advance(time)
        errors = self._noise.white(time)[len(self._demands) :]
        return {s.id: self._measure(s, float(e)) for s, e in zip(self._sensors, errors, strict=True)}

    def state(self) -> dict[str, Any]:
        """Time and tank levels; flows follow from them."""
        return {"time": self._time.isoformat() if self._time else None, "levels_m": list(self.levels_m.values())}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state: the network is solved once more for the saved instant."""
        if state["time"] is not None:
            self.levels_m = dict(zip(self.levels_m, state["levels_m"], strict=True))
            self._time = None
            self._advance(datetime.fromisoformat(state["time"]))

    def leak_m3h(self) -> float:
        """What all bursts and holes together lose at the present step."""
        nodes = {self._network.node(self._ends[leak.asset]) for leak in self._leaks}
        return sum(self._network.leak_m3h(node) for node in (*nodes, *self._holes))

    def hole_m3h(self, leak: str) -> tuple[float, float]:
        """What one hole loses at the present step, by the id of its injection, and the pressure in metres there."""
        node = next(node for node, hole in self._holes.items() if hole.id == leak)
        return self._network.leak_m3h(node), self._network.pressure_m(node)

    def supplied_m3h(self) -> float:
        """What reservoirs and tanks together give at the present step."""
        return -sum(self._network.outflow_m3h(node) for node in (*self._reservoirs, *self._tanks))

    def demanded_m3h(self) -> float:
        """What customers, fire-fighters among them, want to draw at the present step."""
        return sum(self._drawn.values())

    def missing_m3h(self) -> float:
        """What customers do not get of it because the pressure is too low."""
        return sum(self._network.missing_m3h(node) for node in self._drawn)

    def _links_behind(self, city: City, valve: str) -> list[int]:
        """What a shut valve closes: the pipes that lead away from it, or its joint with a tank."""
        return [
            self._network.link(k.target if city.asset[k.target].kind == "pipe" else f"{k.source}_{k.target}")
            for k in city.flow_links("water")
            if k.source == valve
        ]

    def _number(self, sensor: Sensor) -> int:
        return self._network.link(sensor.asset) if sensor.quantity == "flow" else self._network.node(sensor.asset)

    def _advance(self, time: datetime) -> None:
        if self._time is not None:
            self._fill_tanks((time - self._time).total_seconds() / 3600)
        self._time = time
        share = self._pattern.at(time)
        count = len(self._demands)
        slow, quick = self._noise.slow(time, 7200)[:count], self._noise.slow(time, 1200)[:count]
        factors = (share * (1 + 0.05 * slow + 0.03 * quick)).clip(0.05)
        self._drawn = {n: b * float(f) for (n, b), f in zip(self._demands.items(), factors, strict=True)}
        for use in self._taken:
            node = self._network.node(use.asset)
            fought = use.flow_m3h if self._lasts(use, time) else 0.0
            self._drawn[node] = self._drawn.get(node, 0.0) + fought
        self._network.set_demands(self._drawn)
        for leak in self._leaks:
            node = self._network.node(self._ends[leak.asset])
            self._network.set_emitter(node, self._coefficients[leak.id] if self._lasts(leak, time) else 0.0)
        for node, hole in self._holes.items():
            self._network.set_emitter(node, emitter_coefficient(self._hole_m2(hole, time)))
        self._operate(time)
        for tank, level_m in self.levels_m.items():
            self._network.set_level(tank, level_m)
        self._network.solve()

    def _lasts(self, injection: WaterLeak | PipeLeak | HydrantUse | ValveShut, time: datetime) -> bool:
        return starts_at(injection, self._origin) <= time < ends_at(injection, self._origin)

    def _hole_m2(self, leak: PipeLeak, time: datetime) -> float:
        """The area of a hole, which grows evenly."""
        if not self._lasts(leak, time):
            return 0.0
        since_min = (time - starts_at(leak, self._origin)).total_seconds() / 60
        grown = 1.0 if leak.growth_min == 0 else min(1.0, since_min / leak.growth_min)
        return grown * math.pi * (leak.hole_mm / 1000) ** 2 / 4

    def _operate(self, time: datetime) -> None:
        """Valves and pumps as they are at an instant."""
        for valve in self._shut:
            for link in self._behind[valve.asset]:
                self._network.open(link)
        for valve in self._shut:
            for link in self._behind[valve.asset] if self._lasts(valve, time) else ():
                self._network.shut(link)
        for reservoir in {schedule.asset for schedule in self._pumped}:
            changes = (self._head_change_m(each, time) for each in self._pumped if each.asset == reservoir)
            self._network.set_head(self._network.node(reservoir), self._heads_m[reservoir] + sum(changes))

    def _head_change_m(self, schedule: PumpSchedule, time: datetime) -> float:
        """Reached and left evenly within the ramp."""
        since_min = (time - starts_at(schedule, self._origin)).total_seconds() / 60
        left_min = (ends_at(schedule, self._origin) - time).total_seconds() / 60
        nearest_min = min(since_min, left_min)
        share = (
            float(nearest_min > 0) if schedule.ramp_min == 0 else min(1.0, max(0.0, nearest_min / schedule.ramp_min))
        )
        return share * schedule.head_change_m

    def _fill_tanks(self, hours: float) -> None:
        for node, tank in self._tanks.items():
            level_m = self.levels_m[node] + self._network.outflow_m3h(node) * hours / tank.number("area_m2")
            low, high = tank.number("minimum_level_m"), tank.number("maximum_level_m")
            self.levels_m[node] = min(high, max(low, level_m))

    def _leak_coefficients(self) -> dict[str, float]:
        """Emitter coefficients with which the bursts lose about the flow their scenario states."""
        self._network.solve()
        return {leak.id: self._coefficient(leak) for leak in self._leaks}

    def _coefficient(self, leak: WaterLeak) -> float:
        pressure_m = self._network.pressure_m(self._network.node(self._ends[leak.asset]))
        return float(leak.flow_m3h / (0.95 * pressure_m) ** 0.5)

    def _measure(self, sensor: Sensor, error: float) -> float:
        number, decimals = self._place[sensor.id], _DECIMALS[sensor.quantity]
        if sensor.quantity == "pressure":
            # A gauge shows no vacuum.
            value = max(0.0, self._network.pressure_m(number) * KPA_PER_M)
        elif sensor.quantity == "flow":
            value = self._network.flow_m3h(number)
            error *= 1 + 0.01 * abs(value)
        else:
            value = self.levels_m[number]
        return round(value + error * _ERROR[sensor.quantity], decimals)


def emitter_coefficient(area_m2: float) -> float:
    """What a hole loses in m3/h at one metre of pressure: C·A·√(2·g)."""
    return _DISCHARGE * area_m2 * math.sqrt(2 * _GRAVITY_M_S2) * 3600
