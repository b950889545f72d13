"""What a leak or fermenting sewage brings into the underground spaces of a city, minute by minute."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import hypot
from typing import NamedTuple

import numpy as np

from simulators.city import Asset, City
from simulators.geometry import Point, Projection, distance, nearest_on_line
from simulators.noise import Vector, wandering
from simulators.physics.gas_release import into_soil_m3h
from simulators.physics.gas_soil import Ground, arrived_share, left_share, seeping_share, settled_share
from simulators.physics.gas_spaces import (
    LEL_PER_SHARE,
    Spaces,
    air_changes_per_h,
    eddying,
    exchanged_m3h,
    fermenting,
    filled,
    met_by_sensors,
    seeping_m3h,
)
from simulators.scenario import GasLeak, SewerGas, ends_at, starts_at

REACH_M = 60.0
"""Soil gas from farther off is not followed."""
_OLD_WALLS = 2.0
"""The manholes of the city are old: they take twice the soil air of the median, which is one in six in drawn towns."""
_CROOKED = 1.15
"""Ways through the ground are longer than straight ones; assumed."""
_SEALED_PER_H, _VENTED_PER_H = 0.2, 0.9
_WIND_M_S, _WARMER_K = 2.0, 4.0
"""What airs spaces; one usual day for all of them."""
_BLOWN_PER_H = 30.0
"""After the repair the crew blows the spaces out: a blower of 100 m3/h in a manhole, a small one."""
_STEP_H = 1 / 60
_AFTER_H = 6.0
_RESTLESS_MIN, _EDDIES_MIN = 40.0, 15.0
_RISING_SHARE, _FADING_SHARE = 0.4, 0.25
"""Of a case of sewer gas: it comes up and fades."""


class GasCase:
    """%LEL by space and minute since a case began; ``leaks_m3h`` is what its main loses while it lasts."""

    def __init__(self, begins: datetime, lel: Mapping[str, Vector], leaks_m3h: float = 0.0) -> None:
        self._begins = begins
        self._lel = lel
        self.leaks_m3h = leaks_m3h

    @property
    def spaces(self) -> frozenset[str]:
        """The spaces it reaches."""
        return frozenset(self._lel)

    def lel(self, space: str, time: datetime) -> float:
        """What it adds to the methane of a space."""
        minute = (time - self._begins).total_seconds() / 60
        if space not in self._lel or minute <= 0:
            return 0.0
        levels = self._lel[space]
        return float(np.interp(minute, np.arange(len(levels)), levels, right=0.0))


def leak_case(city: City, leak: GasLeak, origin: datetime, pressure_kpa: float, rng: np.random.Generator) -> GasCase:
    """Follow gas from the hole through the ground into every space within reach.

    What leaks is held for as long as it lasts: the pressure of the mains changes it by some percent only.
    """
    main = city.asset[leak.asset]
    ground = Ground(str(main.facts["soil"]), main.facts["surface"] == "paved")
    rate_m3h = float(into_soil_m3h(np.array([pressure_kpa]), leak.hole_mm, ground.soil)[0])
    lasts_h = (leak.end_min - leak.start_min) / 60
    hours = np.arange(0.0, lasts_h + _AFTER_H, _STEP_H)
    released = _Released(ground, rate_m3h, lasts_h, leak.purged)
    reached = _ways(city, leak)
    ways = np.array(list(reached.values()))
    volumes = np.array([city.asset[space].number("volume_m3") for space in reached])
    shares = np.stack([_arriving(way, released, hours, rng) for way in ways.tolist()], axis=1)
    aired = np.stack([_aired(city.asset[space], hours, lasts_h) for space in reached], axis=1)
    entering = (shares * _OLD_WALLS * seeping_m3h(volumes))[:, :, None]
    joined = Spaces(volumes, _joints(city, list(reached)))
    levels = filled(joined, entering, aired, _STEP_H)[:, :, 0] * LEL_PER_SHARE
    eddies = np.stack([wandering(len(hours), _EDDIES_MIN, rng) for _ in reached], axis=1)
    met = np.minimum(100.0, met_by_sensors(levels, eddying(ways), eddies))
    return GasCase(starts_at(leak, origin), dict(zip(reached, met.T, strict=True)), rate_m3h)


def sewage_case(city: City, gas: SewerGas, origin: datetime) -> GasCase:
    """Sewage that ferments in one space, up to the peak the scenario asks for."""
    space = city.asset[gas.asset]
    lasts_h = (ends_at(gas, origin) - starts_at(gas, origin)).total_seconds() / 3600
    hours = np.arange(0.0, lasts_h + _AFTER_H, _STEP_H)
    shape = fermenting(hours, 0.0, lasts_h, lasts_h * _RISING_SHARE, fades_h=lasts_h * _FADING_SHARE)
    alone = Spaces(np.array([space.number("volume_m3")]), np.zeros((1, 1)))
    aired = _aired(space, hours, lasts_h)[:, None]
    levels = filled(alone, shape[:, None, None] * 1e-3, aired, _STEP_H)[:, 0, 0]
    return GasCase(starts_at(gas, origin), {gas.asset: levels * gas.lel / levels.max()})


class _Released(NamedTuple):
    ground: Ground
    rate_m3h: float
    lasts_h: float
    purged: bool


def _ways(city: City, leak: GasLeak) -> dict[str, float]:
    """Metres through the ground to every space within reach; the hole is where the main is nearest to ``near``."""
    projection = Projection(city.centre, (0.0, 0.0))
    main = city.asset[leak.asset]
    line = [projection.metres(point) for point in main.points]
    hole: Point = nearest_on_line(projection.metres(city.asset[leak.near].points[0]), line)
    found = {}
    for space in city.assets_of("gas", "underground-space"):
        deeper_m = abs(main.number("depth_m") - space.number("depth_m"))
        way_m = hypot(distance(hole, projection.metres(space.points[0])), 0.5 * deeper_m)
        if way_m <= REACH_M:
            found[space.id] = way_m * _CROOKED
    return found


def _joints(city: City, spaces: Sequence[str]) -> Vector:
    """Air that spaces exchange where an open duct or a sewer joins them."""
    place = {space: number for number, space in enumerate(spaces)}
    joints = np.zeros((len(spaces), len(spaces)))
    for link in city.links:
        if link.kind == "adjacent" and link.source in place and link.target in place:
            in_sewer = city.asset[link.source].facts["space"] == "sewer-manhole"
            one, other = place[link.source], place[link.target]
            joints[one, other] = joints[other, one] = exchanged_m3h(link.length_m, in_sewer=in_sewer)
    return joints


def _arriving(way_m: float, released: _Released, hours: Vector, rng: np.random.Generator) -> Vector:
    """Share of gas in the soil air beside a space."""
    ground, rate, dry = released.ground, np.full(len(hours), released.rate_m3h), np.zeros(len(hours))
    since_s, after_s = np.minimum(hours, released.lasts_h) * 3600, (hours - released.lasts_h) * 3600
    settled = np.minimum(1.0, settled_share(way_m, rate, ground, dry))
    arriving = settled * arrived_share(way_m, since_s, ground) * left_share(after_s, purged=released.purged)
    return seeping_share(way_m, arriving, wandering(len(hours), _RESTLESS_MIN, rng))


def _aired(space: Asset, hours: Vector, lasts_h: float) -> Vector:
    base = _VENTED_PER_H if space.facts["cover"] == "vented" else _SEALED_PER_H
    calm = air_changes_per_h(base, np.full(len(hours), _WIND_M_S), np.full(len(hours), _WARMER_K))
    return np.where(hours > lasts_h, np.maximum(calm, _BLOWN_PER_H), calm)
