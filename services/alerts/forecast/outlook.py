"""What a forecast says about one low point at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

AHEAD_MIN = (15, 30, 60)
"""How far ahead the depth is told."""


class Spread(NamedTuple):
    """Depths in cm that are passed with a probability of 90, 50 and 10 %."""

    low: float
    likely: float
    high: float


class Basis(StrEnum):
    """What a forecast rests on: past floodings of these and other points, the rain, or what the water did so far."""

    FOREST = "forest"
    RAIN = "rain"
    RESERVOIR = "reservoir"


@dataclass(frozen=True, slots=True)
class Outlook:
    """The forecast for a point.

    ``depth_cm`` is the last reading, ``ahead`` the depth in so many minutes, ``peak`` the greatest depth of this
    flooding with the time at which it is likeliest, and ``passing`` the probability that the flooding reaches each
    grade (cm), 1 where it has. Where rain tells it, only what happens within the hour counts as passing: rain is known
    further ahead than it can be relied on. ``passes_min`` says in how many minutes, where the course tells it.
    """

    point: str
    issued_s: float
    depth_cm: float
    ahead: Mapping[int, Spread]
    peak: Spread
    peak_s: float
    passing: Mapping[float, float]
    basis: Basis
    passes_min: Mapping[float, float] = field(default_factory=dict)
