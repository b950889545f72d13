"""Where people are concerned: the hull around what is suspected and what was measured. Pure."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from services.core.asset import Asset
from services.core.geometry import METRES_PER_DEGREE, points_of

_CORNERS = 12
_MARGIN_M = 50.0
"""Ground around the outermost suspected place; a default."""
_SHARE_MEANT = 0.9
"""Candidates are taken, the likeliest first, until they have this share of the suspicion."""

_Point = tuple[float, float]


def area_of(assets: Mapping[str, Asset], asset: str, trace: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A polygon (GeoJSON, WGS 84) around an alert's asset and its likely sources; ``None`` where no place is known.

    The ground around a suspected gas leak where gas may ignite belongs to the area.
    """
    meant = [asset, *_likely((trace or {}).get("candidates") or ())]
    points = [point for name in meant if name in assets for point in points_of(assets[name].geometry)]
    if not points:
        return None
    gas = (trace or {}).get("gas") or {}
    margin_m = max(_MARGIN_M, float(gas.get("radius_m", 0.0)))
    around = [corner for point in points for corner in _circle(point, margin_m)]
    ring = _hull(around)
    rounded = [[round(longitude, 6), round(latitude, 6)] for longitude, latitude in [*ring, ring[0]]]
    return {"type": "Polygon", "coordinates": [rounded]}


def _likely(candidates: Iterable[Mapping[str, Any]]) -> list[str]:
    taken: list[str] = []
    share = 0.0
    for candidate in candidates:
        if share >= _SHARE_MEANT:
            break
        taken.append(str(candidate["asset"]))
        share += float(candidate["probability"])
    return taken


def _circle(centre: _Point, radius_m: float) -> list[_Point]:
    longitude, latitude = centre
    north = radius_m / METRES_PER_DEGREE
    east = north / max(math.cos(math.radians(latitude)), 1e-6)
    angles = [2 * math.pi * corner / _CORNERS for corner in range(_CORNERS)]
    return [(longitude + east * math.cos(angle), latitude + north * math.sin(angle)) for angle in angles]


def _hull(points: Iterable[_Point]) -> list[_Point]:
    """The convex hull, anticlockwise, by Andrew's monotone chain."""
    ordered = sorted(set(points))

    def half(chosen: Iterable[_Point]) -> list[_Point]:
        chain: list[_Point] = []
        for point in chosen:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        return chain

    return half(ordered)[:-1] + half(reversed(ordered))[:-1]


def _turn(first: _Point, second: _Point, third: _Point) -> float:
    return (second[0] - first[0]) * (third[1] - first[1]) - (second[1] - first[1]) * (third[0] - first[0])
