"""Plane geometry in metres and its place on the globe."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]
"""Metres east and north."""

METRES_PER_DEGREE = 111_320.0
"""Along a meridian and, times the cosine of the latitude, along a parallel; good to 0.5 % within a city."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A flat map around one point; ``centre`` is longitude and latitude of ``middle``."""

    centre: Point
    middle: Point

    def lon_lat(self, point: Point) -> Point:
        """Longitude and latitude of a point, to a centimetre."""
        parallel = METRES_PER_DEGREE * math.cos(math.radians(self.centre[1]))
        longitude = self.centre[0] + (point[0] - self.middle[0]) / parallel
        latitude = self.centre[1] + (point[1] - self.middle[1]) / METRES_PER_DEGREE
        return round(longitude, 7), round(latitude, 7)

    def metres(self, lon_lat: Point) -> Point:
        """The point of a longitude and latitude."""
        parallel = METRES_PER_DEGREE * math.cos(math.radians(self.centre[1]))
        return (
            (lon_lat[0] - self.centre[0]) * parallel + self.middle[0],
            (lon_lat[1] - self.centre[1]) * METRES_PER_DEGREE + self.middle[1],
        )


def distance(one: Point, other: Point) -> float:
    """Metres between two points."""
    return math.hypot(one[0] - other[0], one[1] - other[1])


def between(start: Point, end: Point, fraction: float) -> Point:
    """The point at a fraction of the way."""
    return start[0] + (end[0] - start[0]) * fraction, start[1] + (end[1] - start[1]) * fraction


def beside(start: Point, end: Point, along_m: float, left_m: float) -> Point:
    """The point so many metres along the way from start to end and so many to its left."""
    length = distance(start, end)
    east, north = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    return start[0] + east * along_m - north * left_m, start[1] + north * along_m + east * left_m


def nearest_on_segment(point: Point, start: Point, end: Point) -> Point:
    """The point of a straight segment that is closest to a point."""
    east, north = end[0] - start[0], end[1] - start[1]
    square = east * east + north * north
    if square == 0:
        return start
    fraction = ((point[0] - start[0]) * east + (point[1] - start[1]) * north) / square
    return between(start, end, min(1.0, max(0.0, fraction)))


def nearest_on_line(point: Point, line: Sequence[Point]) -> Point:
    """The point of a polyline that is closest to a point."""
    candidates = [nearest_on_segment(point, line[i], line[i + 1]) for i in range(len(line) - 1)]
    return min(candidates, key=lambda candidate: distance(point, candidate))


def inside(point: Point, ring: Sequence[Point]) -> bool:
    """Whether a point lies in a closed polygon (even-odd rule)."""
    odd = False
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > point[1]) != (y2 > point[1]) and point[0] < (x2 - x1) * (point[1] - y1) / (y2 - y1) + x1:
            odd = not odd
    return odd
