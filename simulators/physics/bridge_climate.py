"""Years of weather on a bridge, drawn at once: air, sun, wind, moisture, and how warm deck and cables become."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from simulators.noise import Vector

_DAY_S, _YEAR_DAYS = 86_400.0, 365.25
_COLDEST_DAY, _COLDEST_HOUR = 15.0, 5.0
_FRONTS_A_YEAR = 16
_SUN_K, _CABLE_SUN_K = 11.0, 7.0
"""How much warmer than the air full sun makes asphalt and a cable, at last."""


@dataclass(frozen=True, slots=True)
class ColdFront:
    """The air falls by ``drop_k`` within ``falls_h``, from ``begins_h`` on, and recovers within ``recovers_h``."""

    begins_h: float
    drop_k: float
    falls_h: float
    recovers_h: float

    def at(self, hours: Vector) -> Vector:
        """Kelvin by which the air is colder, at hours counted like ``begins_h``."""
        falling = np.clip((hours - self.begins_h) / self.falls_h, 0, 1)
        rising = np.clip((hours - self.begins_h - self.falls_h) / self.recovers_h, 0, 1)
        colder: Vector = self.drop_k * (_smooth(falling) - _smooth(rising))
        return colder


@dataclass(frozen=True, slots=True)
class Climate:
    """A place: mean of the year, half its range, half the range of a day (degC, K, K)."""

    mean_c: float
    season_k: float
    day_k: float


@dataclass(frozen=True, slots=True)
class Conditions:
    """One value a step: degC, share of full sun, m/s, %; what the bridge feels, measured or not."""

    hours: Vector
    air_c: Vector
    sun: Vector
    wind_m_s: Vector
    humidity_percent: Vector
    top_c: Vector
    bottom_c: Vector
    core_c: Vector
    cable_c: Vector
    moisture: Vector
    traffic: Vector


def draw_conditions(
    climate: Climate, days: float, step_s: int, rng: np.random.Generator, first_day: float
) -> Conditions:
    """The conditions of so many days, the first of which is day ``first_day`` of a year; at the end of each step."""
    count = round(days * _DAY_S / step_s)
    hours = (np.arange(count) + 1) * step_s / 3600
    local = hours % 24
    season = -np.cos(2 * np.pi * (first_day + hours / 24 - _COLDEST_DAY) / _YEAR_DAYS)
    synoptic = 2.8 * wandering(count, 60 * 3600 / step_s, rng) + 0.5 * wandering(count, 5 * 3600 / step_s, rng)
    cloud = 0.5 + 0.5 * np.tanh(1.2 * wandering(count, 18 * 3600 / step_s, rng))
    height = np.maximum(0.0, np.sin(np.pi * (local - 6) / 12)) * (0.8 + 0.2 * season)
    sun = height * (1 - 0.75 * cloud)
    swing = climate.day_k * (1.2 - 0.7 * cloud)
    air = climate.mean_c + climate.season_k * season - swing * np.cos(2 * np.pi * (local - _COLDEST_HOUR) / 24)
    air = air + synoptic - sum((front.at(hours) for front in _draw_fronts(days, rng)), np.zeros(count))
    wind = (
        2.5 * np.exp(0.55 * wandering(count, 14 * 3600 / step_s, rng)) * (1 + 0.25 * rng.standard_normal(count) * 0.4)
    )
    humidity = np.clip(
        62 + 16 * cloud - 1.1 * (air - climate.mean_c) + 9 * wandering(count, 30 * 3600 / step_s, rng), 12, 100
    )
    top = _lagged(air + _SUN_K * sun, 1.6, step_s)
    bottom = _lagged(air + 0.15 * _SUN_K * sun, 5.0, step_s)
    core = _lagged(air + 0.3 * _SUN_K * sun, 26.0, step_s)
    return Conditions(
        hours=hours,
        air_c=air,
        sun=sun,
        wind_m_s=np.abs(wind),
        humidity_percent=humidity,
        top_c=top,
        bottom_c=bottom,
        core_c=core,
        cable_c=_lagged(air + _CABLE_SUN_K * sun, 0.8, step_s),
        moisture=_lagged(humidity - 60, 240.0, step_s) / 20,
        traffic=_traffic(hours, rng),
    )


def _draw_fronts(days: float, rng: np.random.Generator) -> list[ColdFront]:
    """Mostly in the cold half of the year, wherever that lies: a front needs contrast, not a date."""
    count = int(rng.poisson(_FRONTS_A_YEAR * days / _YEAR_DAYS))
    return [
        ColdFront(
            float(rng.uniform(0, days * 24)),
            float(rng.uniform(5, 16)),
            float(rng.uniform(18, 48)),
            float(rng.uniform(72, 240)),
        )
        for _ in range(count)
    ]


def _traffic(hours: Vector, rng: np.random.Generator) -> Vector:
    """Share of the busiest hour's traffic: two rushes, quiet nights, less on two days of seven, and chance."""
    local, weekday = hours % 24, np.floor(hours / 24) % 7
    rushes = np.exp(-(((local - 8) / 2.2) ** 2)) + np.exp(-(((local - 18) / 2.6) ** 2))
    base = 0.12 + 0.45 * np.exp(-(((local - 13) / 4.5) ** 2)) + 0.5 * rushes
    share: Vector = base * np.where(weekday >= 5, 0.75, 1.0) * np.exp(0.12 * rng.standard_normal(len(hours)))  # noqa: PLR2004  # Saturday and Sunday
    return share


def _lagged(driven: Vector, hours: float, step_s: int) -> Vector:
    """What follows its surroundings with a time constant of so many hours."""
    keeps = math.exp(-step_s / (3600 * hours))
    lagged: Vector = lfilter([1 - keeps], [1, -keeps], driven, zi=[keeps * driven[0]])[0]
    return lagged


def wandering(count: int, memory_steps: float, rng: np.random.Generator) -> Vector:
    """A standard normal course that forgets itself within so many steps."""
    keeps = math.exp(-1 / memory_steps)
    chance = rng.standard_normal(count)
    chance[0] /= math.sqrt(1 - keeps * keeps)
    course: Vector = lfilter([math.sqrt(1 - keeps * keeps)], [1, -keeps], chance)
    return course


def _smooth(share: Vector) -> Vector:
    smooth: Vector = share * share * (3 - 2 * share)
    return smooth
