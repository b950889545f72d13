"""Weather over a drawn town: what airs the spaces, wets the ground and lets sewage ferment."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from simulators.noise import Vector, wandering

_MEAN_C, _SEASON_C, _DAY_C = 16.0, 12.0, 4.0
"""A humid subtropical city, as for the demo city."""
_DRY_H_BETWEEN = 100.0


@dataclass(frozen=True, slots=True)
class TownWeather:
    """A value for each step: air outside and below ground, wind, rain, wetness of the ground (0 to 1), dry days."""

    air_c: Vector
    below_c: Vector
    wind_m_s: Vector
    rain_mm_h: Vector
    wet: Vector
    dry_days: Vector


def draw_weather(day_of_year: int, steps: int, step_h: float, rng: np.random.Generator) -> TownWeather:
    """Weather from a day of the year on."""
    hours = np.arange(steps) * step_h
    season = -math.cos(2 * math.pi * (day_of_year - 15) / 365.25)
    local = (hours + 8) % 24
    air = _MEAN_C + _SEASON_C * season - _DAY_C * np.cos(2 * math.pi * (local - 5) / 24)
    air = air + 3.0 * wandering(steps, 36 / step_h, rng) + 0.3 * wandering(steps, 1 / step_h, rng)
    slow = math.exp(-step_h / 60)
    below = lfilter([1 - slow], [1, -slow], air - air[0])[:] + air[0]
    below = 0.75 * below + 0.25 * (_MEAN_C + 0.5 * _SEASON_C * season) + 0.12 * (air - below)
    calm = 0.7 + 0.6 * np.clip(np.sin(2 * math.pi * (local - 9) / 24), -0.5, 1)
    wind = np.clip(2.5 * calm * np.exp(0.5 * wandering(steps, 5 / step_h, rng)), 0.1, 15)
    rain = _rain(steps, step_h, rng)
    wet, dry = np.zeros(steps), np.zeros(steps)
    wetness, days = 0.0, float(rng.uniform(1, 5))
    for step in range(steps):
        wetness = min(1.0, wetness * math.exp(-step_h / 20) + 0.12 * float(rain[step]) * step_h)
        days = 0.0 if rain[step] > 1.0 else days + step_h / 24
        wet[step], dry[step] = wetness, days
    return TownWeather(air, below, wind, rain, wet, dry)


def _rain(steps: int, step_h: float, rng: np.random.Generator) -> Vector:
    """Showers of some hours, every four days or so."""
    rain = np.zeros(steps)
    at_h = float(rng.exponential(_DRY_H_BETWEEN))
    while at_h < steps * step_h:
        length = max(2, round(float(rng.uniform(1, 9)) / step_h))
        begin = round(at_h / step_h)
        shape = np.sin(np.linspace(0, math.pi, length))[: steps - begin]
        rain[begin : begin + length] += float(rng.lognormal(1.2, 0.7)) * shape
        at_h += length * step_h + float(rng.exponential(_DRY_H_BETWEEN))
    return rain
