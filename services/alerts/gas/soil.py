"""How gas from a leak spreads through soil into spaces: how much to expect where, and how soon. Pure.

A simple model of our own: within a metre or two of the hole gas flows, beyond it diffuses and thins with distance.
Wet, snowy or paved ground keeps it down, so that it goes three to four times further and three and a half times faster
(reported by soil experiments of 2024). What is not known, the size of the hole and the air change of a space, is left
open: everything here is relative to the leak's strength.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from services.alerts.gas.town import Ground

Array = NDArray[np.float64]

_FLOWS_M = 1.2
"""Within this distance of the hole gas is carried by its own pressure (1 to 1.5 m are reported)."""
_OPEN_REACH_M = 5.0
"""Distance over which gas in open soil thins to a third beyond spreading out; a default."""
_PAVED_FACTOR = 3.5
_SOIL_REACH: Mapping[str, float] = {"sand": 1.3, "fill": 1.1, "clay": 0.7}
"""Coarser ground carries gas further; defaults."""
_OPEN_HOURS_PER_M2 = 0.05
"""Hours a front takes in open soil, by the square of the distance: some 5 h for 10 m; a default."""
_DUCT_KEEPS_M = 45.0
"""Distance along a duct over which what arrives thins to a third; a default."""
_DUCT_ENTERS = 0.5
_DUCT_HOURS_PER_M = 0.04
_HALF_VOLUME_M3 = 5.0
_VENTED_KEEPS = 0.6
"""What a vented cover leaves of the methane under it; a default."""
_FARTHEST_M = 70.0


class Plume:
    """For every piece of main and every space: relative methane and the hours until it arrives.

    ``strength`` is 1 for a small sealed space right at the leak; ``hours`` are infinite where nothing arrives.
    """

    def __init__(self, ground: Ground) -> None:
        count = len(ground.town.spaces)
        self.strength: Array = np.zeros((len(ground.pieces), count))
        self.hours: Array = np.full((len(ground.pieces), count), np.inf)
        keeps = np.array([_keeps(space.volume_m3, is_vented=space.is_vented) for space in ground.town.spaces])
        for space in range(count):
            for piece in ground.pieces_near(ground.town.spaces[space].place, _FARTHEST_M):
                pipe = ground.town.pipes[ground.pieces[piece].pipe]
                way_m = ground.way_m(piece, space)
                self.strength[piece, space] = thinned(way_m, pipe.soil, is_paved=pipe.is_paved)
                self.hours[piece, space] = arrival_h(way_m, pipe.soil, is_paved=pipe.is_paved)
        self._through_ducts(ground)
        self.strength *= keeps

    def _through_ducts(self, ground: Ground) -> None:
        """Let what has reached a space go on along its ducts, two spaces far."""
        for _ in range(2):
            strength, hours = self.strength.copy(), self.hours.copy()
            for start, ends in enumerate(ground.ducted):
                for end, length_m in ends:
                    passed = strength[:, start] * _DUCT_ENTERS * math.exp(-length_m / _DUCT_KEEPS_M)
                    later = hours[:, start] + _DUCT_HOURS_PER_M * length_m + 0.2
                    stronger = passed > self.strength[:, end]
                    self.strength[stronger, end] = passed[stronger]
                    self.hours[:, end] = np.minimum(self.hours[:, end], later)


def reach_m(soil: str, *, is_paved: bool) -> float:
    """Metres over which gas thins to a third, beside its spreading out."""
    return _OPEN_REACH_M * _SOIL_REACH.get(soil, 1.0) * (_PAVED_FACTOR if is_paved else 1.0)


def thinned(way_m: float, soil: str, *, is_paved: bool) -> float:
    """What is left of the gas after a way through soil, 1 at the leak."""
    if way_m <= _FLOWS_M:
        return 1.0
    return math.sqrt(_FLOWS_M / way_m) * math.exp(-(way_m - _FLOWS_M) / reach_m(soil, is_paved=is_paved))


def arrival_h(way_m: float, soil: str, *, is_paved: bool) -> float:
    """Hours until the gas has come that far."""
    faster = _PAVED_FACTOR if is_paved else 1.0
    return _OPEN_HOURS_PER_M2 * way_m**2 / (faster * _SOIL_REACH.get(soil, 1.0)) + 0.2


def danger_radius_m(peak_lel: float, way_m: float, soil: str, *, is_paved: bool) -> float:
    """Metres around a leak within which the soil gas may hold 5 %vol, the lower explosive limit: an estimate.

    ``peak_lel`` (%LEL) is the most a space shows that lies ``way_m`` from the leak. What arrives there is scaled back
    to the leak by the model's thinning; soil gas holds at most 100 %vol, twenty times the limit. Never less than 5 m.
    """
    at_leak_lel = min(2000.0, peak_lel / max(1e-3, thinned(way_m, soil, is_paved=is_paved)))
    low, high = 0.0, _FARTHEST_M
    for _ in range(20):
        middle = (low + high) / 2
        if at_leak_lel * thinned(middle, soil, is_paved=is_paved) >= _LOWER_LIMIT_LEL:
            low = middle
        else:
            high = middle
    return max(_LEAST_RADIUS_M, low)


_LOWER_LIMIT_LEL = 100.0
_LEAST_RADIUS_M = 5.0


def _keeps(volume_m3: float, *, is_vented: bool) -> float:
    """How much of what arrives stays in a space: large and vented ones show less."""
    return (_VENTED_KEEPS if is_vented else 1.0) / math.sqrt(1.0 + volume_m3 / _HALF_VOLUME_M3)
