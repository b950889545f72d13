"""Area, surface width and conveyance of round sewers that are partly full, clean or with sediment on their floor. Pure.

Tables for a diameter of 1 m, by share of sediment and share of the depth; they are scaled to each sewer.
Source: geometry of the circle; Manning's formula with the wetted perimeter, as in SWMM's FILLED_CIRCULAR section.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SILT_STEPS, DEPTH_STEPS = 40, 80
_LEAST_CONVEYANCE = 1e-7
_SLOT = 0.02
"""Width of the slot over a full sewer in diameters, in which pressure stands as depth (Preissmann)."""


class Tables(NamedTuple):
    """By sediment and depth, flat.

    m2 of water, m of surface, area times hydraulic radius to the power 2/3, and what passes at critical flow over the
    root of the gravity.
    """

    area: Array
    width: Array
    conveyance: Array
    critical: Array


@cache
def tables() -> Tables:
    """The tables for one metre."""
    silt = np.linspace(0, 1, SILT_STEPS + 1)[:, None]
    depth = np.linspace(0, 1, DEPTH_STEPS + 1)[None, :]
    area = np.maximum(_segment(depth) - _segment(silt), 0.0)
    wetted = np.maximum(_arc(depth) - _arc(silt), 0.0) + _chord(silt)
    # The roof touches the water only when the sewer is full.
    radius = np.divide(area, wetted, out=np.zeros_like(area), where=wetted > 0)
    width = np.where(depth >= silt, _chord(depth), 0.0)
    conveyance = np.maximum(area * radius ** (2 / 3), 0.0)
    # A sewer that is nearly full would carry a little more than a full one; a table that only rises has one answer.
    conveyance = np.maximum.accumulate(np.minimum(conveyance, conveyance[:, -1:]), axis=1)
    surface = np.maximum(width, _SLOT)
    critical = np.maximum.accumulate(area * np.sqrt(area / surface), axis=1)
    return Tables(area.ravel(), surface.ravel(), (conveyance + _LEAST_CONVEYANCE).ravel(), critical.ravel())


def position(silted: Array, share: Array) -> tuple[NDArray[np.int64], Array]:
    """Where to look in the flat tables for shares of sediment and depth: an index, and how far to the next."""
    row = np.rint(np.clip(silted, 0, 1) * SILT_STEPS).astype(np.int64)
    exact = np.clip(share, 0, 1) * DEPTH_STEPS
    column = np.minimum(exact.astype(np.int64), DEPTH_STEPS - 1)
    return row * (DEPTH_STEPS + 1) + column, exact - column


def _angle(depth: Array) -> Array:
    angle: Array = 2 * np.arccos(np.clip(1 - 2 * depth, -1, 1))
    return angle


def _segment(depth: Array) -> Array:
    angle = _angle(depth)
    segment: Array = (angle - np.sin(angle)) / 8
    return segment


def _arc(depth: Array) -> Array:
    return _angle(depth) / 2


def _chord(depth: Array) -> Array:
    chord: Array = np.sin(_angle(depth) / 2)
    return chord
