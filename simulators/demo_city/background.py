"""What lies behind the networks on a map: the river and the streets."""

from collections.abc import Iterator, Sequence
from typing import Any

from simulators.demo_city.streets import RIVER_WIDTH_M, StreetPlan
from simulators.geometry import Point, beside


def background(plan: StreetPlan) -> Iterator[dict[str, Any]]:
    """GeoJSON features with the properties ``kind`` (river or street), ``name_en`` and ``name_zh``."""
    half = RIVER_WIDTH_M / 2
    north = [_bank(plan.river, i, half) for i in range(len(plan.river))]
    south = [_bank(plan.river, i, -half) for i in range(len(plan.river))]
    ring = [*north, *reversed(south), north[0]]
    outline = [[list(plan.projection.lon_lat(p)) for p in ring]]
    yield _feature("river", ("Silver River", "银水河"), "Polygon", outline)
    for street in plan.streets:
        line = [list(plan.projection.lon_lat(plan.crossings[crossing])) for crossing in street]
        yield _feature("street", plan.name(street), "LineString", line)


def _bank(river: Sequence[Point], index: int, left_m: float) -> Point:
    if index + 1 < len(river):
        return beside(river[index], river[index + 1], 0.0, left_m)
    return beside(river[-1], river[-2], 0.0, -left_m)


def _feature(kind: str, name: tuple[str, str], geometry: str, coordinates: list[Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"kind": kind, "name_en": name[0], "name_zh": name[1]},
        "geometry": {"type": geometry, "coordinates": coordinates},
    }
