"""Gas in underground spaces: it seeps in, mixes, goes on through ducts to the next space, and is aired out."""

from dataclasses import dataclass

import numpy as np

from simulators.noise import Vector

LEL_PER_SHARE = 2000.0
"""%LEL for a volume share of methane of 1: its lower explosive limit is 5 %vol."""


@dataclass(frozen=True, slots=True)
class Spaces:
    """Spaces by number: ``volumes_m3``, and ``joints_m3h``, the air that two of them exchange (symmetric)."""

    volumes_m3: Vector
    joints_m3h: Vector


def filled(spaces: Spaces, seeping_m3h: Vector, aired_per_h: Vector, step_h: float) -> Vector:
    """Volume share of a gas in every space, a row for each step, from none at the begin.

    ``seeping_m3h`` (steps by spaces) enters, ``aired_per_h`` (steps by spaces) is how often a space's air is changed.
    Each step solves the balances of all spaces together, implicitly, so nothing is lost and nothing overshoots.
    """
    joints = spaces.joints_m3h
    exchange = np.diag(joints.sum(axis=1)) - joints
    kept = np.diag(spaces.volumes_m3 / step_h)
    share = np.zeros(len(spaces.volumes_m3))
    told = np.zeros_like(seeping_m3h)
    if not seeping_m3h.any():
        return told
    for step in range(len(seeping_m3h)):
        if not share.any() and not seeping_m3h[step].any():
            continue
        matrix = kept + exchange + np.diag(spaces.volumes_m3 * aired_per_h[step] + seeping_m3h[step])
        share = np.linalg.solve(matrix, spaces.volumes_m3 / step_h * share + seeping_m3h[step])
        told[step] = share
    return told


def air_changes_per_h(base_per_h: float, wind_m_s: Vector, warmer_k: Vector) -> Vector:
    """How often the air under a cover changes: wind and the difference to the air outside drive it.

    A quarter of the base rate is always there, the rest grows with wind (to 1 at 2.5 m/s) and with the square root of
    the temperature difference (half as much again at 10 K); the shares are assumed.
    """
    changes: Vector = base_per_h * (0.25 + 0.75 * wind_m_s / 2.5 * 0.6 + 0.5 * np.sqrt(np.abs(warmer_k) / 10))
    return changes
