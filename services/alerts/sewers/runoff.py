"""What rain becomes on the surfaces before it reaches the sewers.

Source: the nonlinear reservoirs of SWMM (reference manual, volume I, chapter 3) with Horton's infiltration.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.sewer_network import SewerNetwork

_SUBSTEP_S = 60.0
_DRIES_PER_H = 0.006
"""How fast the soil recovers: as good as new after a week."""
_DRIES_MM_H = 0.1
"""What evaporates of puddles."""
_DEW_MM = 0.01
"""Less water than this on a surface runs nowhere."""


class Runoff:
    """The water that stands on every surface, in three parts: sealed without and with hollows, and green."""

    def __init__(self, network: SewerNetwork) -> None:
        surfaces = network.surfaces
        nodes = {name: k for k, name in enumerate(network.nodes)}
        gauges = sorted({s.gauge for s in surfaces})
        self.gauges = gauges
        self._gauge = np.array([gauges.index(s.gauge) for s in surfaces], dtype=np.int64)
        self._node = np.array([nodes[s.node] for s in surfaces], dtype=np.int64)
        self._count = len(nodes)
        shares = [[s.sealed * s.bare, s.sealed * (1 - s.bare), 1 - s.sealed] for s in surfaces]
        self._share = np.array(shares, dtype=float).reshape(len(surfaces), 3)
        self._held_mm = np.array([[0.0, s.held_sealed_mm, s.held_green_mm] for s in surfaces], dtype=float).reshape(
            -1, 3
        )
        # m/s per m^(5/3) of water: the width over which it runs off per area, by Manning's formula.
        self._rate = np.array(
            [
                [
                    s.width_m * max(s.slope, 1e-4) ** 0.5 / (rough * max(s.area_ha, 1e-6) * 10_000 * max(part, 1e-3))
                    for rough, part in (
                        (s.rough_sealed, s.sealed),
                        (s.rough_sealed, s.sealed),
                        (s.rough_green, 1 - s.sealed),
                    )
                ]
                for s in surfaces
            ],
            dtype=float,
        ).reshape(-1, 3)
        self._area_m2 = np.array([s.area_ha * 10_000 for s in surfaces], dtype=float)
        self._soaks = np.array(
            [[s.soaks_first_mm_h, s.soaks_last_mm_h, s.soaks_decay_per_h] for s in surfaces], dtype=float
        ).reshape(-1, 3)
        self.depth_mm = np.zeros((len(surfaces), 3))
        self._soaked_h = np.zeros(len(surfaces))

    def advance(self, seconds: float, rain_mm_h: Mapping[str, float]) -> Array:
        """Let it rain for some seconds; the mean inflow of each node in m3/s."""
        by_gauge = np.array([rain_mm_h.get(gauge, 0.0) for gauge in self.gauges])
        total = np.zeros(self._count)
        if not len(self._area_m2):
            return total
        rain = by_gauge[self._gauge]
        steps = max(1, round(seconds / _SUBSTEP_S))
        for _ in range(steps):
            np.add.at(total, self._node, self._step(seconds / steps, rain) / steps)
        return total

    def _step(self, seconds: float, rain_mm_h: Array) -> Array:
        first, last, decay = self._soaks.T
        wet = (rain_mm_h > 0) | (self.depth_mm[:, 2] > _DEW_MM)
        hours = seconds / 3600
        soaks_mm_h = last + (first - last) * np.exp(-decay * self._soaked_h)
        self._soaked_h = np.where(wet, self._soaked_h + hours, self._soaked_h * np.exp(-_DRIES_PER_H * hours * 4))
        lost_mm = np.full_like(self.depth_mm, _DRIES_MM_H * hours)
        lost_mm[:, 2] += soaks_mm_h * hours
        water_mm = np.maximum(self.depth_mm + rain_mm_h[:, None] * hours - lost_mm, 0.0)
        above_m = np.maximum(water_mm - self._held_mm, 0.0) / 1000
        # Implicit in the excess with the rate frozen: never below what the hollows hold, whatever the step.
        rate = self._rate * above_m ** (2 / 3)
        kept_m = above_m / (1 + rate * seconds)
        # A second look with the rate at the mean depth takes most of the error out.
        rate = self._rate * ((above_m + kept_m) / 2) ** (2 / 3)
        kept_m = above_m / (1 + rate * seconds)
        self.depth_mm = water_mm - (above_m - kept_m) * 1000
        run_m3s: Array = ((above_m - kept_m) * self._share).sum(axis=1) * self._area_m2 / seconds
        return run_m3s

    def state(self) -> dict[str, Any]:
        """What stands on the surfaces, as JSON."""
        return {"depth_mm": self.depth_mm.tolist(), "soaked_h": self._soaked_h.tolist()}

    def restore(self, state: Mapping[str, Sequence[Any]]) -> None:
        """Go on where ``state`` was taken."""
        self.depth_mm = np.array(state["depth_mm"], dtype=float).reshape(-1, 3)
        self._soaked_h = np.array(state["soaked_h"], dtype=float)
