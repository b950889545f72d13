"""Choosing few points of a series so that a line through them looks like a line through all of them."""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from tsdownsample import LTTBDownsampler, MinMaxDownsampler

FEWEST_POINTS = 6
"""The ends of the series and two pairs of extremes: the library asks for two stretches at least."""
_LARGEST_TRIANGLES = LTTBDownsampler()  # type: ignore[no-untyped-call]
_EXTREMES = MinMaxDownsampler()  # type: ignore[no-untyped-call]


def largest_triangles(times_us: NDArray[np.int64], values: NDArray[np.float64], points: int) -> NDArray[np.intp]:
    """Positions of exactly ``points`` of the values, or of all where there are no more; first and last among them.

    Between the ends one point is taken of each of equally many neighbours: the one that spans the largest triangle
    with the point taken before and the mean of the neighbours to come. It keeps the shape of a curve; a short spike
    may fall victim to a higher one beside it. Times ascend and values are finite.

    Source: Sveinn Steinarsson, Downsampling Time Series for Visual Representation, University of Iceland 2013
    (largest triangle three buckets).

    Raises:
        ValueError: fewer points than ``FEWEST_POINTS`` are asked for.
    """
    _require_enough(points)
    if len(values) <= points:
        return np.arange(len(values))
    return _positions(_LARGEST_TRIANGLES.downsample(times_us - times_us[0], values, n_out=points))


def extremes(times_us: NDArray[np.int64], values: NDArray[np.float64], points: int) -> NDArray[np.intp]:
    """Positions of at most ``points`` of the values: the ends, and the extremes of equal stretches of time between.

    No spike is lost. Times ascend and values are finite.

    Raises:
        ValueError: fewer points than ``FEWEST_POINTS`` are asked for.
    """
    _require_enough(points)
    if len(values) <= points:
        return np.arange(len(values))
    pairs = (points - 2) // 2 * 2
    inner = _positions(_EXTREMES.downsample(times_us - times_us[0], values, n_out=pairs))
    return np.unique(np.concatenate([[0], inner, [len(values) - 1]]))


def _require_enough(points: int) -> None:
    if points < FEWEST_POINTS:
        raise ValueError(f"{points} points are fewer than {FEWEST_POINTS}")


def _positions(found: object) -> NDArray[np.intp]:
    return cast("NDArray[np.uint64]", found).astype(np.intp)
