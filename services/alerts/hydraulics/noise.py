"""How noisy a network is beside what its model's noise says, learnt from what the doubts about the model leave over."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from services.alerts.hydraulics.epanet_model import Array
from services.alerts.hydraulics.ledger import Part
from services.alerts.hydraulics.metering import Metering
from services.alerts.hydraulics.picture import Picture

_CALMEST = 1 / 16
"""No noise is taken to have less than this part of the variance it usually has: a transmitter remains one."""
_RARE = 0.98
_FELT = 1e-4
"""Links that no sensor feels tell nothing."""
_MEDIAN_SQUARE = 0.455
"""The median of the square of a standard normal value."""
_LASTING_BLOCKS = 6
_LASTING_PARTS = 4


def noise_scales(picture: Picture) -> Array:
    """By residual, how many times the variance of its noise is what it is taken for, in the blocks so far.

    Each area's pressures and each balance have their own. It is the mean square of what the doubts leave over or, where
    that is more, what makes its rare values (one block in fifty) as rare as those of normal noise.
    """
    maker = picture.maker
    entries = [picture.ledger.entry(number) for number in range(picture.ledger.first, picture.ledger.end)]
    linears = [each for entry in entries if (each := maker.linear(entry)) is not None]
    doubts = picture.scales().doubts
    left = [linear.residual - maker.doubts.responses(linear) @ doubts for linear in linears]
    scales = maker.noise.copy()
    for group in _groups(maker.metering):
        squares = []
        for linear, residual in zip(linears, left, strict=True):
            heard = group[linear.heard[group]]
            if len(heard) == len(group):
                squares.append(
                    float(residual[heard] @ np.linalg.solve(linear.noise[np.ix_(heard, heard)], residual[heard]))
                )
        if squares:
            rare = float(np.quantile(squares, _RARE) / chdtri(len(group), 1 - _RARE))
            scales[group] *= max(float(np.mean(squares)) / len(group), rare)
    return np.maximum(scales, _CALMEST)


def _groups(metering: Metering) -> list[NDArray[np.intp]]:
    """The residuals that share their noise: the pressures of each area, those of none, and each balance by itself."""
    inside = np.array([area.nodes[metering.pressure_node] for area in metering.areas])
    groups = [np.flatnonzero(each) for each in (*inside, ~inside.any(axis=0))]
    count = len(metering.pressure)
    balances = [np.array([count + number]) for number, full in enumerate(metering.balanced) if full]
    return [group for group in (*groups, *balances) if len(group)]


def lasting_inflation(parts: Sequence[Part], doubts: Array) -> float:
    """How many times the variance of what looks like leaks for half a day or a day is what independent noise makes it.

    Draws that differ from their patterns do so for hours, so sums over a day waver more than their blocks tell. The
    median over places and days is taken, since a leak that has not been found yet is far off in some of them only.
    """
    squares = []
    for part in parts:
        evidence = part.evidence
        if evidence is not None and evidence.blocks >= _LASTING_BLOCKS:
            seen = evidence.leak_seen - evidence.mixed.T @ doubts
            felt = evidence.leak > _FELT * evidence.leak.max()
            squares.append(seen[felt] ** 2 / evidence.leak[felt])
    if len(squares) < _LASTING_PARTS:
        return 0.0
    return float(np.median(np.concatenate(squares))) / _MEDIAN_SQUARE
