"""Gas in the spaces of a drawn town: from leaks, through soil and ducts, and from sewage."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators.gas_benchmark.case import Case, place_of
from simulators.gas_benchmark.scene import Scene
from simulators.gas_benchmark.town import Town
from simulators.gas_benchmark.weather import TownWeather
from simulators.geometry import distance
from simulators.noise import Vector, wandering
from simulators.physics.daily import SEWAGE
from simulators.physics.gas_soil import arrived_share, left_share, seeping_share, settled_share
from simulators.physics.gas_spaces import (
    CALMEST,
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

REACH_M = 60.0
"""Soil gas from farther off is not followed."""
_SEALED_PER_H, _VENTED_PER_H = (0.10, 0.35), (0.5, 1.5)
"""Air changes of a space under a sealed and a vented cover at 2.5 m/s of wind; assumed."""
_PER_KELVIN = 1.07
"""Fermentation speeds up by so much for a degree; as growth rates of methane-making bacteria do."""
_FLUSHES_MM_H = 0.5


@dataclass(frozen=True, slots=True)
class SpaceRun:
    """By step and space: %LEL from leaks as their sensors meet it, %LEL from sewage, and what ``aired_per_h`` was.

    ``settled_lel`` is the well-mixed level from leaks, without the eddies that a sensor meets.
    """

    leaked_lel: Vector
    settled_lel: Vector
    sewer_lel: Vector
    aired_per_h: Vector


def run_spaces(scene: Scene, leak_m3h: Sequence[Vector], rng: np.random.Generator) -> SpaceRun:
    """Follow gas into every space, watched or not."""
    town, hours = scene.town, scene.hours
    spaces = _spaces(town)
    aired = _aired(scene, rng)
    takes_m3h = seeping_m3h(spaces.volumes_m3) * np.exp(0.7 * rng.standard_normal(len(town.spaces)))
    seeping = np.zeros((len(hours), len(town.spaces)))
    flicker = np.full(len(town.spaces), CALMEST)
    for case, rate in zip(scene.of_kind("gas-leak"), leak_m3h, strict=True):
        shares, way_m = _in_soil(scene, case, rate, rng)
        seeping += shares * takes_m3h
        flicker = np.maximum(flicker, eddying(way_m))
    sewage = _sewage(scene, aired.mean(axis=0) * spaces.volumes_m3, rng)
    entering = np.stack([seeping, *sewage], axis=2)
    levels = filled(spaces, entering, aired, scene.step_h) * LEL_PER_SHARE
    leaked = levels[:, :, 0]
    eddies = np.stack([wandering(len(hours), 3.0, rng) for _ in town.spaces], axis=1)
    met = met_by_sensors(leaked, flicker, eddies)
    return SpaceRun(met, leaked, _sewer_lel(scene, levels[:, :, 1:], rng), aired)


def _spaces(town: Town) -> Spaces:
    joints = np.zeros((len(town.spaces), len(town.spaces)))
    for one, other, metres, is_open in town.ducts:
        if is_open:
            in_sewer = town.spaces[one].sort == "sewer-manhole"
            joints[one, other] = joints[other, one] = exchanged_m3h(metres, in_sewer=in_sewer)
    return Spaces(np.array([s.volume_m3 for s in town.spaces]), joints)


def _aired(scene: Scene, rng: np.random.Generator) -> Vector:
    weather, columns = scene.weather, []
    for space in scene.town.spaces:
        base = float(rng.uniform(*(_VENTED_PER_H if space.is_vented else _SEALED_PER_H)))
        aired = air_changes_per_h(base, weather.wind_m_s, weather.below_c - weather.air_c)
        # A sewer that runs full of rain draws air along.
        flushed = 1 + 2.0 * (weather.rain_mm_h > _FLUSHES_MM_H) * (space.sort == "sewer-manhole")
        columns.append(aired * flushed)
    return np.stack(columns, axis=1)


def _in_soil(scene: Scene, case: Case, rate: Vector, rng: np.random.Generator) -> tuple[Vector, Vector]:
    """Share of gas in the soil air at every space over time, and the way to it (infinite beyond reach).

    Ground is not even: ways are up to a third longer than straight, and some spots take more gas than others.
    """
    town, hours = scene.town, scene.hours
    main, at = town.mains[case.number], place_of(case, town)
    running = np.flatnonzero(rate > 0)
    # What leaks on average decides how far gas goes; its ups and downs come along with the pressure.
    level = rate.copy()
    if len(running):
        level[running[-1] + 1 :] = float(rate[running[-1]])
    since_s = np.minimum(hours - case.begins_h, case.ends_h - case.begins_h) * 3600
    left = left_share((hours - case.ends_h) * 3600)
    shares = np.zeros((len(hours), len(town.spaces)))
    ways = np.full(len(town.spaces), np.inf)
    for number, space in enumerate(town.spaces):
        crooked, taking = 1 + 0.35 * float(rng.random()), math.exp(0.4 * float(rng.standard_normal()))
        restless = wandering(len(hours), 8.0, rng)
        straight_m = math.hypot(distance(at, space.place), 0.5 * abs(main.depth_m - space.depth_m))
        if straight_m > REACH_M:
            continue
        ways[number] = straight_m * crooked
        share = settled_share(ways[number], np.maximum(level, 1e-6), main.ground, scene.weather.wet) * taking
        share = np.minimum(1.0, share) * arrived_share(ways[number], since_s, main.ground) * left
        shares[:, number] = seeping_share(ways[number], share, restless)
    return shares, ways


def _sewage(scene: Scene, airing_m3h: Vector, rng: np.random.Generator) -> list[Vector]:
    """What ferments, m3/h by step and space: a little in every sewer, and more in each case of sewer gas."""
    hours, lively = scene.hours, _liveliness(scene.weather, scene.hours)
    quiet = np.array([_quiet_lel(space.sort, rng) for space in scene.town.spaces]) / LEL_PER_SHARE
    made = [lively[:, None] / lively.mean() * quiet * airing_m3h]
    for case in scene.of_kind("sewer-gas"):
        rises_h = float(rng.uniform(0.3, 1.5)) if case.mode == "stirred" else float(rng.uniform(5, 14))
        shape = fermenting(hours, case.begins_h, case.ends_h, rises_h)
        source = np.zeros_like(made[0])
        source[:, case.number] = shape * lively * airing_m3h[case.number] / LEL_PER_SHARE
        made.append(source)
    return made


def _sewer_lel(scene: Scene, levels: Vector, rng: np.random.Generator) -> Vector:
    """The usual level, and each case brought to the peak that it is to have; the balances are linear."""
    told = levels[:, :, 0]
    for number, case in enumerate(scene.of_kind("sewer-gas"), start=1):
        highest = float(levels[:, case.number, number].max())
        wanted = max(0.5, case.size - float(told[case.running(scene.hours), case.number].mean()))
        told = told + levels[:, :, number] * (wanted / max(highest, 1e-9))
    waver = np.stack([wandering(len(scene.hours), 20.0, rng) for _ in scene.town.spaces], axis=1)
    rough = rng.uniform(0.02, 0.18, len(scene.town.spaces))
    lel: Vector = told * np.exp(rough * waver - rough**2 / 2)
    return lel


def _quiet_lel(sort: str, rng: np.random.Generator) -> float:
    """What a space shows on a usual day: sewers some, a stagnant telecom manhole now and then, basements none."""
    drawn, level = float(rng.random()), min(2.0, 0.08 + float(rng.lognormal(-0.8, 0.8)))
    if sort == "sewer-manhole":
        return level
    return 0.4 * level if sort != "basement" and drawn < 0.2 else 0.02  # noqa: PLR2004 - every fifth


def _liveliness(weather: TownWeather, hours: Vector) -> Vector:
    """How much ferments: warmth, little flow and dry weather help; rain flushes it out."""
    flow = np.interp((hours + 8) % 24, np.arange(25), np.array((*SEWAGE, SEWAGE[0])) / np.mean(SEWAGE))
    warm = _PER_KELVIN ** (weather.below_c - float(weather.below_c.mean()))
    dry = (1 + 0.08 * np.minimum(weather.dry_days, 8)) * (1 - 0.8 * weather.wet)
    lively: Vector = warm * dry / np.sqrt(flow)
    return lively
