"""Permits for works in the ground, as the register holds them: who may dig where and when."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.core.geometry import METRES_PER_DEGREE


@dataclass(frozen=True, slots=True)
class WorksPermit:
    """A permit (施工报备): works of ``what`` by ``contractor`` within ``radius_m`` of a place, from start to end.

    It says that somebody may dig there, not that somebody does.
    """

    id: str
    start: datetime
    end: datetime
    longitude: float
    latitude: float
    radius_m: float
    what: str
    contractor: str

    def holds(self, time_s: float) -> bool:
        """Whether it is valid at a moment, seconds since 1970."""
        return self.start.timestamp() <= time_s <= self.end.timestamp()

    def away_m(self, longitude: float, latitude: float) -> float:
        """Metres from a place to the edge of the works, 0 inside."""
        east = (longitude - self.longitude) * math.cos(math.radians((latitude + self.latitude) / 2))
        return max(0.0, math.hypot(east, latitude - self.latitude) * METRES_PER_DEGREE - self.radius_m)


def near(
    permits: Iterable[WorksPermit], points: Sequence[tuple[float, float]], within_m: float
) -> tuple[WorksPermit, ...]:
    """The permits that come within a distance of the box around some points, by identifier."""
    if not points:
        return ()
    (west, east), (south, north) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))
    found = (
        permit
        for permit in permits
        if permit.away_m(min(max(permit.longitude, west), east), min(max(permit.latitude, south), north)) <= within_m
    )
    return tuple(sorted(found, key=lambda permit: permit.id))
