"""Gas in underground spaces: it seeps in, mixes, goes on through ducts to the next space, and is aired out."""

import math
from dataclasses import dataclass

import numpy as np

from simulators.noise import Vector

LEL_PER_SHARE = 2000.0
"""%LEL for a volume share of methane of 1: its lower explosive limit is 5 %vol."""
_SEEPS_M3H, _SEEPING_VOLUME_M3 = 0.12, 2.5
"""Median of the soil air that enters a manhole of the volume through its wall; assumed."""
_SEWER_AIR_M3H, _DUCT_AIR_M3H = 2.5, 0.8
"""Air exchanged along an open sewer and along an open duct with no length; falls to a third over 45 m; assumed."""
_DUCT_M = 45.0
CALMEST = 0.1
"""How sensors waver where no leak is near."""
_EDDIES, _CALMS_M = 0.5, 8.0


@dataclass(frozen=True, slots=True)
class Spaces:
    """Spaces by number: ``volumes_m3``, and ``joints_m3h``, the air that two of them exchange (symmetric)."""

    volumes_m3: Vector
    joints_m3h: Vector


def filled(spaces: Spaces, entering_m3h: Vector, aired_per_h: Vector, step_h: float) -> Vector:
    """Volume shares of gases from several sources in every space, for each step, from none at the begin.

    ``entering_m3h`` (steps by spaces by sources) enters, ``aired_per_h`` (steps by spaces) is how often the air of a
    space is changed. Each step solves the balances of all spaces together, implicitly, so nothing is lost and nothing
    overshoots; what enters displaces no air, since it is little beside what is changed.
    """
    joints, volumes_m3 = spaces.joints_m3h, spaces.volumes_m3
    unchanging = np.diag(joints.sum(axis=1)) - joints + np.diag(volumes_m3 / step_h)
    diagonal = np.arange(len(volumes_m3))
    shares = np.zeros_like(entering_m3h)
    share = np.zeros(entering_m3h.shape[1:])
    for step, entering in enumerate(entering_m3h):
        matrix = unchanging.copy()
        matrix[diagonal, diagonal] += volumes_m3 * aired_per_h[step]
        share = np.linalg.solve(matrix, (volumes_m3 / step_h)[:, None] * share + entering)
        shares[step] = share
    return np.minimum(shares, 1.0)


def air_changes_per_h(base_per_h: float, wind_m_s: Vector, warmer_k: Vector) -> Vector:
    """How often the air under a cover changes: wind and the difference to the air outside drive it.

    A quarter of the base rate is always there, the rest grows with wind (to 1 at 2.5 m/s) and with the square root of
    the temperature difference (half as much again at 10 K); the shares are assumed.
    """
    changes: Vector = base_per_h * (0.25 + 0.75 * wind_m_s / 2.5 * 0.6 + 0.5 * np.sqrt(np.abs(warmer_k) / 10))
    return changes


def seeping_m3h(volumes_m3: Vector) -> Vector:
    """Soil air that enters spaces through their walls: it goes with the root of the room."""
    taken: Vector = _SEEPS_M3H * np.sqrt(volumes_m3 / _SEEPING_VOLUME_M3)
    return taken


def exchanged_m3h(metres: float, *, in_sewer: bool) -> float:
    """Air that two spaces exchange along an open sewer or duct of a length."""
    return (_SEWER_AIR_M3H if in_sewer else _DUCT_AIR_M3H) * math.exp(-metres / _DUCT_M)


def eddying(way_m: Vector) -> Vector:
    """How strongly what a sensor meets wavers around the mean of its space, by the way to the leak."""
    flicker: Vector = np.where(np.isfinite(way_m), _EDDIES / (1 + way_m / _CALMS_M), CALMEST)
    return flicker


def met_by_sensors(levels: Vector, flicker: Vector, eddies: Vector) -> Vector:
    """What sensors meet of well-mixed levels; ``eddies`` are standard normal."""
    met: Vector = levels * np.exp(flicker * eddies - flicker**2 / 2)
    return met


def fermenting(hours: Vector, begins_h: float, ends_h: float, rises_h: float, *, fades_h: float = 5.0) -> Vector:
    """How strongly sewage ferments, 0 to 1: it comes up within some hours and fades before its end."""
    shape: Vector = np.clip((hours - begins_h) / rises_h, 0, 1) * np.clip((ends_h - hours) / fades_h, 0, 1)
    return shape
