"""Where water collects, and what is measured around it."""

from math import cos, radians
from typing import NamedTuple

_KM_A_DEGREE = 111.2


class LowPoint(NamedTuple):
    """A place with a depth sensor; the levels that are measured up and down the sewer from it, by the name they have.

    A river or a tide gauge belongs to ``downstream``: it is what the point drains to.
    """

    id: str
    lon: float
    lat: float
    upstream: tuple[str, ...] = ()
    downstream: tuple[str, ...] = ()


class Gauge(NamedTuple):
    """A rain gauge."""

    id: str
    lon: float
    lat: float


class Nowcast(NamedTuple):
    """A series of a weather service: at each issue, what is going to fall at a place within so many minutes from then.

    The series of one place have the same position, and those of one issue the same time.
    """

    id: str
    lon: float
    lat: float
    minutes: int


def place_km(lon: float, lat: float, middle_lat: float) -> tuple[float, float]:
    """East and north in km on a flat map, good for a city about ``middle_lat``."""
    return lon * _KM_A_DEGREE * cos(radians(middle_lat)), lat * _KM_A_DEGREE
