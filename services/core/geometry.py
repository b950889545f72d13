"""The points of a GeoJSON geometry."""

from collections.abc import Iterator, Mapping
from typing import Any


def points_of(geometry: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Every position of a geometry of any kind: longitude, latitude."""
    yield from _points(geometry["coordinates"])


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
