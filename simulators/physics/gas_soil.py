"""How gas from a leak comes through the ground: carried near the hole, creeping on beyond it, farther under paving.

Within a metre or so of the hole gas is carried by its own pressure, beyond it diffusion takes over (1 to 1.5 m are
published); wet, snowy or paved ground carries it three to four times as far and three and a half times as fast
(published). Open ground loses gas on every side, so that it thins like a point source with a sink; paving holds it in
a layer, so that it thins like a line source in a leaky layer. How it gets there is the front of diffusion from a
source that has been switched on. The lengths and the dispersions are assumed, so that gas goes some metres in hours.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import erfc, k0

from simulators.noise import Vector

CARRIED_M = 1.2
"""Radius within which a leak of 1 m3/h fills the ground with gas."""
_NEAREST_M, _FARTHEST_M = 0.5, 3.0
PAVED_FARTHER, PAVED_FASTER = 3.5, 3.5
_THINS_M = {"sand": 5.5, "fill": 4.5, "clay": 3.0}
_DISPERSION_M2_S = {"sand": 2.0e-3, "fill": 1.2e-3, "clay": 0.6e-3}
"""Far above molecular diffusion (2e-5 m2/s in air): the trench breathes, and pressure drives the gas on."""
_FADES_H, _PURGED_H = 4.0, 0.5
"""After a repair the ground airs through the holes that were dug, or the crew sucks it empty; both assumed."""
_FLICKERS, _STEADIES_M = 0.9, 5.0


@dataclass(frozen=True, slots=True)
class Ground:
    """What lies between a main and a space."""

    soil: str
    is_paved: bool


def carried_m(rate_m3h: Vector) -> Vector:
    """The radius that is full of gas: a sphere, so it grows with the third root of what leaks."""
    return np.clip(CARRIED_M * np.cbrt(rate_m3h), _NEAREST_M, _FARTHEST_M)


def settled_share(way_m: float, rate_m3h: Vector, ground: Ground, wet: Vector) -> Vector:
    """Share of gas in the soil air in the end; ``wet`` (0 to 1) seals open ground as paving does."""
    radius_m = carried_m(rate_m3h)
    beyond_m = np.maximum(way_m - radius_m, 0.0)
    thins_m = _THINS_M[ground.soil]
    away_m = np.maximum(way_m, radius_m)
    in_open = radius_m / away_m * np.exp(-beyond_m / thins_m)
    covered_m = thins_m * PAVED_FARTHER
    under_cover = k0(away_m / covered_m) / k0(radius_m / covered_m)
    sealed = np.ones_like(wet) if ground.is_paved else wet
    strong = np.minimum(1.0, rate_m3h / 0.2)
    share: Vector = strong * (sealed * under_cover + (1 - sealed) * in_open)
    return share


def arrived_share(way_m: float, since_s: Vector, ground: Ground) -> Vector:
    """How much of the settled state has come that far, so long after the leak began."""
    dispersion = _DISPERSION_M2_S[ground.soil] * (PAVED_FASTER if ground.is_paved else 1.0)
    reach_m = 2 * np.sqrt(dispersion * np.maximum(since_s, 1e-6))
    share: Vector = np.where(since_s > 0, erfc(max(0.0, way_m - CARRIED_M) / reach_m), 0.0)
    return share


def left_share(after_s: Vector, *, purged: bool = False) -> Vector:
    """What is left in the ground so long after the repair; all of it before. ``purged`` ground is sucked empty."""
    share: Vector = np.exp(-np.maximum(after_s, 0.0) / 3600 / (_PURGED_H if purged else _FADES_H))
    return share


def seeping_share(way_m: float, arriving: Vector, restless: Vector) -> Vector:
    """Share of gas in the soil air that enters a space, for what arrives (share of 1) after a way.

    The ground is ``restless`` (standard normal), the more so near the leak.
    """
    depth = _FLICKERS / (1 + way_m / _STEADIES_M)
    share: Vector = np.minimum(1.0, arriving * np.exp(depth * restless - depth**2 / 2))
    return share
