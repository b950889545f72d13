"""Runoff, sewers and ponds as stores that empty into one another."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from simulators.city import City
from simulators.noise import Vector

_SUBSTEP_S = 20.0
_CALM_SUBSTEP_S = 60.0
_RUNOFF_SHARE = 0.75
_RUNOFF_MM_H = 1.9
"""Nonlinear reservoir: runoff in mm/h is this times the standing depth in mm to the power 5/3 (Manning)."""
_FILM_CM = 1.1
"""Depth of the water that runs along the kerb at 50 mm/h."""
_SHAFT_M2 = 20.0
_M3S_PER_HA_MM_H = 1 / 360
_DUTY_SHARE = 0.85
"""The second pump starts when the first carries this share of its capacity."""

_STORES = ("film_mm", "stored", "street", "ponded", "out")


class Sewers:
    """State of all catchments. Volumes are m3, flows m3/s; what enters is stored or leaves."""

    def __init__(self, city: City) -> None:
        manholes = city.assets_of("drainage", "manhole")
        lows = city.assets_of("drainage", "low-point")
        self._manhole = {a.id: i for i, a in enumerate(manholes)}
        self._low = {a.id: i for i, a in enumerate(lows)}
        self.surfaces = (*self._manhole, *self._low)
        self._area_ha = np.array([a.number("contributing_ha") for a in (*manholes, *lows)])
        self._capacity = np.array([a.number("capacity_m3s") for a in manholes])
        self._crown_m = np.array([a.number("crown_m") for a in manholes])
        self._depth_m = np.array([a.number("depth_m") for a in manholes])
        self._pipe_m2 = 60.0 + 90.0 * self._capacity
        self._gully = np.array([a.number("gully_capacity_m3s") for a in lows])
        self._pond = np.array([a.number("pond_m3_per_m2") for a in lows])
        self._next, self._drain, self._pumped = _topology(city, self._manhole)
        self._low_drain = np.array([self._drain[ident] for ident in self._low], dtype=int)
        self._pumps = {a.id: a for a in city.assets_of("drainage", "pump")}
        self._film_mm = np.zeros(len(self._area_ha))
        self._stored = np.zeros(len(manholes))
        self._street = np.zeros(len(manholes))
        self._ponded = np.zeros(len(lows))
        self._out = np.zeros(len(manholes))
        self._level_m = np.zeros(len(manholes))
        self.entered_m3 = 0.0
        self.left_m3 = 0.0

    def advance(self, seconds: float, rain_mm_h: Vector, dry_m3s_ha: float) -> None:
        """Let rain and sewage run for some seconds."""
        calm = not rain_mm_h.any() and not self._street.any() and bool((self._level_m <= self._crown_m).all())
        steps = max(1, math.ceil(seconds / (_CALM_SUBSTEP_S if calm else _SUBSTEP_S)))
        for _ in range(steps):
            self._substep(seconds / steps, rain_mm_h, dry_m3s_ha)
        self._level_m = self._levels_m()

    def state(self) -> dict[str, list[float]]:
        """All stores, and the outflows the pumps see."""
        return {name: getattr(self, f"_{name}").tolist() for name in _STORES}

    def restore(self, state: Mapping[str, list[float]]) -> None:
        """Go on from a saved state."""
        for name in _STORES:
            setattr(self, f"_{name}", np.array(state[name]))
        self._level_m = self._levels_m()

    def stored_m3(self) -> float:
        """Everything that has entered and not yet left."""
        film = float((self._film_mm * self._area_ha).sum()) * 10
        return film + float(self._stored.sum() + self._street.sum() + self._ponded.sum())

    def level_m(self, manhole: str) -> float:
        """Water level in a manhole above its invert."""
        return float(self._level_m[self._manhole[manhole]])

    def road_depth_cm(self, low_point: str) -> float:
        """Depth of water on the road."""
        index = self._low[low_point]
        standing = 100 * math.sqrt(float(self._ponded[index] / self._pond[index]))
        film_mm = float(self._film_mm[len(self._manhole) + index])
        runoff = _RUNOFF_MM_H * film_mm ** (5 / 3)
        return standing + float(_FILM_CM * (runoff / 50) ** 0.6)

    def flow_m3s(self, manhole: str) -> float:
        """What leaves a manhole downstream."""
        return float(self._out[self._manhole[manhole]])

    def pump_share(self, pump: str) -> float:
        """What a pump delivers of its capacity: the first of a station runs always, the second when it is needed."""
        capacity = self._pumps[pump].number("capacity_m3s")
        order, manhole = self._pumped[pump]
        flow = float(self._out[manhole])
        first = min(flow, capacity * _DUTY_SHARE)
        return (first if order == 0 else min(flow - first, capacity)) / capacity

    def _runoff_mm_h(self) -> Vector:
        runoff: Vector = _RUNOFF_MM_H * self._film_mm ** (5 / 3)
        return runoff

    def _levels_m(self) -> Vector:
        full = self._pipe_m2 * self._crown_m
        free = self._stored / self._pipe_m2
        surcharged = self._crown_m + (self._stored - full) / _SHAFT_M2
        levels: Vector = np.where(self._stored <= full, free, np.minimum(surcharged, self._depth_m))
        return levels

    def _substep(self, seconds: float, rain_mm_h: Vector, dry_m3s_ha: float) -> None:
        running = np.minimum(self._runoff_mm_h(), self._film_mm * 3600 / seconds)
        self._film_mm += (rain_mm_h * _RUNOFF_SHARE - running) * seconds / 3600
        runoff = running * self._area_ha * _M3S_PER_HA_MM_H
        count = len(self._manhole)
        levels = self._levels_m()
        drained = self._drained(levels, runoff[count:], seconds)
        self._ponded = np.maximum(0.0, self._ponded + (runoff[count:] - drained) * seconds)
        sewage = dry_m3s_ha * self._area_ha[:count]
        inflow = runoff[:count] + sewage
        np.add.at(inflow, self._low_drain, drained)
        self._out = np.minimum(self._conveyed(levels), self._stored / seconds)
        joined = self._next >= 0
        np.add.at(inflow, self._next[joined], self._out[joined])
        self._stored += (inflow - self._out) * seconds
        self._spill()
        self.entered_m3 += float((rain_mm_h * _RUNOFF_SHARE * self._area_ha).sum()) * seconds / 360
        self.entered_m3 += float(sewage.sum()) * seconds
        self.left_m3 += float(self._out[~joined].sum()) * seconds

    def _drained(self, levels: Vector, runoff: Vector, seconds: float) -> Vector:
        """What gullies swallow: less when the sewer below stands high."""
        room = 1 - levels[self._low_drain] / self._depth_m[self._low_drain]
        swallowed: Vector = self._gully * np.clip(0.7 + room, 0.7, 1.0)
        return np.minimum(swallowed, runoff + self._ponded / seconds)

    def _conveyed(self, levels: Vector) -> Vector:
        """What leaves each manhole: as a part-full pipe, a little more under pressure."""
        filled = np.minimum(levels / self._crown_m, 1.0)
        pressed = np.maximum(levels - self._crown_m, 0.0) / self._depth_m
        conveyed: Vector = self._capacity * (filled**1.5 + 0.25 * pressed)
        return conveyed

    def _spill(self) -> None:
        """What a full shaft cannot hold stands in the street and returns when there is room."""
        most = self._pipe_m2 * self._crown_m + _SHAFT_M2 * (self._depth_m - self._crown_m)
        total = self._stored + self._street
        self._stored = np.minimum(total, most)
        self._street = total - self._stored


def _topology(
    city: City, manholes: Mapping[str, int]
) -> tuple[NDArray[np.int64], dict[str, int], dict[str, tuple[int, int]]]:
    """Downstream manhole of each manhole (-1: none), manhole of each low point, order and manhole of each pump."""
    after = {k.source: k.target for k in city.flow_links("drainage") if city.asset[k.source].kind == "pipe"}
    downstream = np.full(len(manholes), -1, dtype=np.int64)
    drain: dict[str, int] = {}
    pumped: dict[str, tuple[int, int]] = {}
    for link in city.flow_links("drainage"):
        kind, target = city.asset[link.source].kind, after.get(link.target, "")
        if kind == "low-point":
            drain[link.source] = manholes[target]
        elif kind == "manhole" and target in manholes:
            downstream[manholes[link.source]] = manholes[target]
        elif kind == "manhole" and city.asset[target].kind == "pump":
            order = sum(manhole == manholes[link.source] for _, manhole in pumped.values())
            pumped[target] = (order, manholes[link.source])
    return downstream, drain, pumped
