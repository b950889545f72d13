"""The points of a GeoJSON geometry, and how far apart they are."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

METRES_PER_DEGREE = 111_320.0
"""Of latitude."""


def points_of(geometry: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Every position of a geometry of any kind: longitude, latitude."""
    yield from _points(geometry["coordinates"])


def distance_m(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Metres between two places a few kilometres apart, on a local plane."""
    x = (first[0] - second[0]) * math.cos(math.radians((first[1] + second[1]) / 2))
    return math.hypot(x, first[1] - second[1]) * METRES_PER_DEGREE


def _points(coordinates: Any) -> Iterator[tuple[float, float]]:
    if coordinates and isinstance(coordinates[0], int | float):
        yield float(coordinates[0]), float(coordinates[1])
        return
    for part in coordinates:
        yield from _points(part)


def centre(geometry: Mapping[str, Any]) -> tuple[float, float]:
    """Where to put a marker: the mean of a geometry's points, longitude first."""
    points = list(points_of(geometry))
    return sum(point[0] for point in points) / len(points), sum(point[1] for point in points) / len(points)
