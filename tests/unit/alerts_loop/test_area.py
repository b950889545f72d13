"""The ground that a warning is about."""

from itertools import pairwise
from typing import Any

from services.alerts.tracing.area import area_of
from services.core.asset import Asset
from services.core.geometry import distance_m
from services.core.lifeline import Lifeline
from services.core.text import Text


def _asset(ident: str, *points: tuple[float, float]) -> Asset:
    shape: dict[str, Any] = {"type": "LineString", "coordinates": [list(point) for point in points]}
    return Asset(ident, Lifeline.GAS, "pipe", "G1", Text(ident, ident), shape)


ASSETS = {
    "space": _asset("space", (117.0, 31.0)),
    "main": _asset("main", (117.001, 31.0), (117.002, 31.0)),
    "far": _asset("far", (117.1, 31.0), (117.2, 31.0)),
}
TRACE = {"candidates": [{"asset": "main", "probability": 0.95}, {"asset": "far", "probability": 0.05}]}


def _is_inside(point: tuple[float, float], ring: list[list[float]]) -> bool:
    """All corners of an anticlockwise ring turn left around it."""
    pairs = pairwise(ring)
    return all((b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]) >= 0 for a, b in pairs)


def test_the_area_holds_what_was_measured_and_what_is_likely_and_nothing_far_and_unlikely() -> None:
    area = area_of(ASSETS, "space", TRACE)
    assert area is not None
    (ring,) = area["coordinates"]
    assert ring[0] == ring[-1]
    assert all(_is_inside(point, ring) for point in [(117.0, 31.0), (117.002, 31.0)])
    assert not _is_inside((117.1, 31.0), ring)
    assert max(distance_m((117.002, 31.0), (corner[0], corner[1])) for corner in ring if corner[0] > 117.002) < 60


def test_the_ground_where_gas_could_ignite_belongs_to_the_area() -> None:
    area = area_of(ASSETS, "space", TRACE | {"gas": {"radius_m": 200.0}})
    assert area is not None
    assert _is_inside((117.0, 31.0015), area["coordinates"][0])


def test_where_no_place_is_known_there_is_no_area() -> None:
    assert area_of({}, "gateway-7", None) is None
