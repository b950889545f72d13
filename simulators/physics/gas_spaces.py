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
