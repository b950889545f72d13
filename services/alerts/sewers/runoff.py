"""What rain becomes on the surfaces before it reaches the sewers.

Source: the nonlinear reservoirs of SWMM (reference manual, volume I, chapter 3) with Horton's infiltration.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Self

import numpy as np

from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.sewer_network import SewerNetwork

_SUBSTEP_S = 60.0
_RECOVERED = 0.98
"""Share of its first rate that soil has again after its time of drying, as SWMM takes it."""
_FLAT = 16.0
"""So many times the reciprocal of the decay after its begin, Horton's curve has come down."""
_DEW_MM = 0.01
"""Less rain in an hour than this, with what stands, is none: the soil dries."""
_NEWTON = 3


class Runoff:
    """The water that stands on every surface, in three parts: sealed without and with hollows, and green."""

    def __init__(self, network: SewerNetwork) -> None:
        surfaces = network.surfaces
        self._evaporates_mm_h = network.evaporates_mm_h
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
        dries_h = np.array([24 * max(s.dries_days, 1e-3) for s in surfaces], dtype=float)
        self._recovers_per_h = -np.log(1 - _RECOVERED) / dries_h
        self.depth_mm = np.zeros((len(surfaces), 3))
        self._soaked_h = np.zeros(len(surfaces))

    def copies(self, count: int) -> Self:
        """The same surfaces so many times side by side, each to be rained on in its own way."""
        many = copy(self)
        shift = np.arange(count)[:, None]
        many._count = count * self._count  # noqa: SLF001  # a copy of its own
        many._gauge = (shift * len(self.gauges) + self._gauge).ravel()  # noqa: SLF001  # a copy of its own
        many._node = (shift * self._count + self._node).ravel()  # noqa: SLF001  # a copy of its own
        for name in ("_share", "_held_mm", "_rate", "_soaks", "depth_mm"):
            setattr(many, name, np.tile(getattr(self, name), (count, 1)))
        for name in ("_area_m2", "_recovers_per_h", "_soaked_h"):
            setattr(many, name, np.tile(getattr(self, name), count))
        return many

    def advance(self, seconds: float, rain_mm_h: Mapping[str, float]) -> Array:
        """Let it rain for some seconds; the mean inflow of each node in m3/s."""
        return self.advance_each(seconds, np.array([[rain_mm_h.get(gauge, 0.0) for gauge in self.gauges]]))[:, 0]

    def advance_each(self, seconds: float, rain_mm_h: Array) -> Array:
        """Let it rain on every copy: a row of rain by gauge for each; the inflow by node and copy in m3/s."""
        total = np.zeros(self._count)
        if len(self._area_m2):
            rain = rain_mm_h.ravel()[self._gauge]
            steps = max(1, round(seconds / _SUBSTEP_S))
            for _ in range(steps):
                np.add.at(total, self._node, self._step(seconds / steps, rain) / steps)
        inflow: Array = total.reshape(len(rain_mm_h), -1).T
        return inflow

    def _step(self, seconds: float, rain_mm_h: Array) -> Array:
        hours = seconds / 3600
        lost_mm = np.full_like(self.depth_mm, self._evaporates_mm_h * hours)
        lost_mm[:, 2] += self._soaked_mm(hours, rain_mm_h)
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

    def _soaked_mm(self, hours: float, rain_mm_h: Array) -> Array:
        """What the green parts take in: as much as Horton's curve lets them, at the time where each stands on it.

        Weak rain, of which all soaks in, moves a surface along the curve by what it took in; dry hours move it back.
        """
        first, last, decay = self._soaks.T
        drop = (first - last) / decay
        offered_mm = rain_mm_h * hours + self.depth_mm[:, 2]
        before_h = self._soaked_h

        def taken_mm(since_h: Array) -> Array:
            taken: Array = last * since_h + drop * -np.expm1(-decay * since_h)
            return taken

        soaked_mm = np.minimum(taken_mm(before_h + hours) - taken_mm(before_h), offered_mm)
        wet = offered_mm > _DEW_MM * hours
        after_h = before_h + hours / 2
        for _ in range(_NEWTON):
            rate_mm_h = last + (first - last) * np.exp(-decay * after_h)
            missing_mm = taken_mm(before_h) + soaked_mm - taken_mm(after_h)
            after_h = np.clip(after_h + missing_mm / np.maximum(rate_mm_h, 1e-6), before_h, before_h + hours)
        recovers = np.exp(-self._recovers_per_h * hours)
        drier_h = -np.log1p(recovers * np.expm1(-decay * np.minimum(before_h, _FLAT / decay))) / decay
        self._soaked_h = np.where(wet, after_h, drier_h)
        return soaked_mm

    def state(self) -> dict[str, Any]:
        """What stands on the surfaces, as JSON."""
        return {"depth_mm": self.depth_mm.tolist(), "soaked_h": self._soaked_h.tolist()}

    def restore(self, state: Mapping[str, Sequence[Any]]) -> None:
        """Go on where ``state`` was taken."""
        self.depth_mm = np.array(state["depth_mm"], dtype=float).reshape(-1, 3)
        self._soaked_h = np.array(state["soaked_h"], dtype=float)
