"""What a pattern of shifted gauges means: a sunk support, a softened span, a slack cable, washed-out ground, one liar.

Statics tells them apart: a support that sinks bends a deck and leaves its frequencies; lost stiffness lowers them; a
cable that gives way hands its force to its neighbours; nothing in a structure moves one gauge alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from services.alerts.structures.channels import CABLES, DISPLACEMENTS, FREQUENCIES, SCOUR, SHAPES, positions
from services.alerts.structures.weather import Array

STIFFNESS, SETTLEMENT, CABLE, SCOURED, BEARING = "stiffness", "settlement", "cable", "scour", "bearing"
COLLISION, UNEXPLAINED, SENSOR = "collision", "unexplained", "sensor"
CAUSES = (STIFFNESS, SETTLEMENT, CABLE, SCOURED, BEARING, COLLISION, UNEXPLAINED, SENSOR)

_CLEAR = 3.0
"""A gauge speaks clearly from so many usual deviations on."""
_SLACK = 5.0
_WASHED_OUT = 6.0
_LOWERED = 1.2
"""Mean of all frequencies, in usual deviations, below which the bridge swings slower as a whole."""


class Groups(NamedTuple):
    """Positions of the gauges of each sort among those that are charted."""

    frequencies: list[int]
    cables: list[int]
    shapes: list[int]
    displacements: list[int]
    scour: list[int]


def groups_of(quantities: Sequence[str]) -> Groups:
    """Sort the gauges by what they measure."""
    return Groups(
        positions(quantities, FREQUENCIES),
        positions(quantities, CABLES),
        positions(quantities, SHAPES),
        positions(quantities, DISPLACEMENTS),
        positions(quantities, SCOUR),
    )


def cause_of(units: Array, groups: Groups) -> str:
    """The likeliest cause of shifts, told in usual deviations; NaN and 0 where nothing is known."""
    known = np.nan_to_num(units)
    if any(known[each] >= _WASHED_OUT for each in groups.scour):
        return SCOURED
    cables = known[groups.cables]
    if len(cables) and -cables.min() >= max(_SLACK, float(cables.max()), 0.5 * float(np.abs(known).max())):
        return CABLE
    swings = known[groups.frequencies]
    if len(swings) and swings.min() <= -_CLEAR and swings.mean() <= -_LOWERED:
        return STIFFNESS
    bent = max((abs(float(known[each])) for each in groups.shapes), default=0.0)
    slid = max((abs(float(known[each])) for each in groups.displacements), default=0.0)
    # A support that sinks bends the deck; it does not push a joint along more than that.
    return SETTLEMENT if bent >= _CLEAR and bent >= slid else UNEXPLAINED


def order_of(units: Array) -> list[int]:
    """The gauges that show it, clearest first: those that speak clearly, at least the clearest one."""
    known = np.abs(np.nan_to_num(units))
    ranked = [int(each) for each in np.argsort(-known, kind="stable")]
    return [each for each in ranked if known[each] >= _CLEAR] or ranked[:1]
