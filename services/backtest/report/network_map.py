"""The network with what was suspected and what it was, as one drawing."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.backtest.report.judgement import JudgedAlert
from services.backtest.report.markup import Markup, element
from services.backtest.report.truth import Trouble
from services.core.asset import Asset
from services.core.geometry import centre, points_of

_WIDTH = 1180.0
_TALLEST = 760.0
_MARGIN = 24.0
_SHOWN_SUSPECTS = 5
_LARGEST = 16.0
_ARM = 7
"""Half of the cross at what it was."""
_Point = tuple[float, float]


class _Plane:
    """Longitude and latitude on paper, north up."""

    def __init__(self, points: Sequence[_Point]) -> None:
        longitudes, latitudes = zip(*points, strict=True)
        self._west, self._north = min(longitudes), max(latitudes)
        self._shrink = math.cos(math.radians(sum(latitudes) / len(latitudes)))
        width = max((max(longitudes) - self._west) * self._shrink, 1e-9)
        height = max(self._north - min(latitudes), 1e-9)
        self._scale = min((_WIDTH - 2 * _MARGIN) / width, (_TALLEST - 2 * _MARGIN) / height)
        self.height = height * self._scale + 2 * _MARGIN
        self._left = (_WIDTH - width * self._scale) / 2

    def place(self, point: _Point) -> _Point:
        x = self._left + (point[0] - self._west) * self._shrink * self._scale
        return x, _MARGIN + (self._north - point[1]) * self._scale


def network_map(
    assets: Mapping[str, Asset], sensed: Iterable[str], first: Mapping[str, JudgedAlert], troubles: Sequence[Trouble]
) -> Markup | None:
    """The drawing; ``None`` where nothing has a place.

    ``sensed`` are assets with a sensor, ``first`` is the first alert of each trouble by its identifier.
    """
    points = [point for asset in assets.values() for point in points_of(asset.geometry)]
    if len(set(points)) < 2:  # noqa: PLR2004 - one point is no map
        return None
    plane = _Plane(points)
    lines = [_line(plane, asset) for asset in assets.values() if asset.geometry["type"] == "LineString"]
    spots = [
        element("circle", element("title", name), **_at(plane, assets[name]), r=3, class_="sensor")
        for name in sorted(set(sensed))
        if name in assets
    ]
    marks = [mark for trouble in troubles for mark in _trouble(plane, assets, trouble, first.get(trouble.id))]
    return element("svg", *lines, *spots, *marks, viewBox=f"0 0 {_WIDTH:.0f} {plane.height:.0f}", class_="map")


def _line(plane: _Plane, asset: Asset) -> Markup:
    places = (plane.place(point) for point in points_of(asset.geometry))
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return element(
        "polyline", element("title", asset.id), points=path, class_="barrier" if asset.kind == "valve" else "pipe"
    )


def _at(plane: _Plane, asset: Asset) -> dict[str, float]:
    x, y = plane.place(centre(asset.geometry))
    return {"cx": x, "cy": y}


def _trouble(
    plane: _Plane, assets: Mapping[str, Asset], trouble: Trouble, found: JudgedAlert | None
) -> Iterator[Markup]:
    if trouble.asset not in assets:
        return
    x, y = plane.place(centre(assets[trouble.asset].geometry))
    suspects = [] if found is None else [each for each in found.alert.suspects if each[0] in assets]
    for position, (suspect, share) in enumerate(suspects[:_SHOWN_SUSPECTS]):
        there_x, there_y = plane.place(centre(assets[suspect].geometry))
        if position == 0:
            yield element("line", x1=x, y1=y, x2=there_x, y2=there_y, class_="error")
        title = element("title", f"{trouble.id}: {suspect} {share:.0%}")
        radius = max(_LARGEST * math.sqrt(max(share, 0.0)), 3.0)
        yield element("circle", title, cx=there_x, cy=there_y, r=radius, class_="suspect")
    cross = f"M{x:.1f} {y:.1f}m-{_ARM} -{_ARM}l{2 * _ARM} {2 * _ARM}m0 -{2 * _ARM}l-{2 * _ARM} {2 * _ARM}"
    class_ = "truth" if found is not None else "truth missed"
    yield element("path", element("title", f"{trouble.id} @ {trouble.asset}"), d=cross, class_=class_)
    yield element("text", trouble.id, x=x + _ARM + 2, y=y - 3, class_="place")
