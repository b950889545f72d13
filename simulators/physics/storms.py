"""Storms on paper: how much falls in how long, how it is spread over time, and how a cell moves. Pure.

Depths are mm, intensities mm/h, times minutes from the storm's begin.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulators.geometry import Point
from simulators.noise import Vector

Shape = Literal["chicago", "early", "middle", "late", "double"]
SHAPES: tuple[Shape, ...] = ("chicago", "early", "middle", "late", "double")

_BELLS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "early": ((1.0, 1.6, 4.2),),
    "middle": ((1.0, 3.2, 3.2),),
    "late": ((1.0, 4.2, 1.9),),
    "double": ((0.55, 3.0, 9.0), (0.45, 10.0, 4.0)),
}
"""Share and the two parameters of beta densities: shapes as rain gauges show them, not fitted to any record."""
_GUST_MIN = 5
_GUSTINESS = 0.35
"""Standard deviation of the logarithm by which the rain of five minutes differs from its smooth shape."""


@dataclass(frozen=True, slots=True)
class StormFormula:
    """The Chinese form of an intensity-duration formula: ``i = a (1 + c lg P) / (t + b)^n``, i in mm/min, t in min.

    The default coefficients are generic, of the size that cities in the humid south-east publish; they are no city's.
    """

    a_mm_min: float = 12.0
    c: float = 0.75
    b_min: float = 10.0
    n: float = 0.72

    def depth_mm(self, years: float, duration_min: float) -> float:
        """What falls within the worst ``duration_min`` of a storm that comes back every ``years``."""
        return duration_min * self._strength_mm_min(years) / float((duration_min + self.b_min) ** self.n)

    def _strength_mm_min(self, years: float) -> float:
        return self.a_mm_min * (1 + self.c * math.log10(years))


def chicago_mm_h(formula: StormFormula, years: float, duration_min: int, peak_at: float) -> Vector:
    """Mean intensity of each minute of a Chicago storm whose peak comes after the share ``peak_at`` of it.

    Within any time around the peak falls what the formula states for it (Keifer and Chu, Journal of the Hydraulics
    Division 83, 1957); minutes are integrated, so that the whole depth is exact.
    """
    edges = np.arange(duration_min + 1.0) - peak_at * duration_min
    share = np.where(edges < 0, peak_at, 1 - peak_at)
    around_min = np.abs(edges) / share
    depth_mm = share * np.array([formula.depth_mm(years, float(t)) for t in around_min])
    fallen_mm = np.where(edges < 0, -depth_mm, depth_mm)
    intensity: Vector = np.diff(fallen_mm) * 60
    return intensity


def observed_like_mm_h(shape: Shape, depth_mm: float, duration_min: int, rng: np.random.Generator) -> Vector:
    """Intensity of each minute of a storm that brings ``depth_mm`` in the way rain gauges record it: in gusts."""
    moment = (np.arange(duration_min) + 0.5) / duration_min
    fallen = sum(share * _bell(moment, one, other) for share, one, other in _BELLS[shape])
    count = math.ceil(duration_min / _GUST_MIN) + 1
    gusts = np.exp(_GUSTINESS * rng.standard_normal(count))
    gusty = fallen * np.interp(np.arange(duration_min), np.arange(count) * _GUST_MIN, gusts)
    intensity: Vector = gusty / gusty.sum() * depth_mm * 60
    return intensity


def _bell(moment: Vector, one: float, other: float) -> Vector:
    """A beta density, scaled so that its values add up to 1."""
    density = moment ** (one - 1) * (1 - moment) ** (other - 1)
    shares: Vector = density / density.sum()
    return shares


@dataclass(frozen=True, slots=True)
class StormCell:
    """A round cell that is over ``middle`` after ``passes_min`` and moves on ``heading_deg`` from north.

    It rains half as hard ``radius_m * 0.83`` from its middle as in it (a Gaussian bell of standard deviation
    ``radius_m / sqrt 2``), and it grows and decays as a squared sine over ``lasts_min``.
    """

    peak_mm_h: float
    radius_m: float
    speed_m_min: float
    heading_deg: float
    middle: Point
    passes_min: float
    lasts_min: float

    def mm_h(self, point: Point, since_min: float) -> float:
        """Intensity at a place."""
        if not 0 < since_min < self.lasts_min:
            return 0.0
        gone_m = (since_min - self.passes_min) * self.speed_m_min
        heading = math.radians(self.heading_deg)
        east_m = point[0] - self.middle[0] - gone_m * math.sin(heading)
        north_m = point[1] - self.middle[1] - gone_m * math.cos(heading)
        age = math.sin(math.pi * since_min / self.lasts_min) ** 2
        return self.peak_mm_h * age * math.exp(-(east_m**2 + north_m**2) / self.radius_m**2)


def deepest_mm(intensity_mm_h: Sequence[float] | Vector, duration_min: int) -> float:
    """The most that falls within any ``duration_min`` of minutes on end."""
    fallen = np.concatenate(([0.0], np.cumsum(np.asarray(intensity_mm_h, dtype=float)) / 60))
    width = min(duration_min, len(fallen) - 1)
    return float((fallen[width:] - fallen[:-width]).max())
