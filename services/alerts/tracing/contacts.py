"""Which assets trouble can go to from an asset, and which ones it may have come from, by where they lie. Pure.

Nothing is laid down as links: a city has far more of these contacts than pipes, and a trace asks for a few dozen.
One k-d tree for each part of the city answers which assets are near enough to be measured. Adjacencies that a register
declares between an asset and its own assets of a part hold instead of those measured.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from services.alerts.tracing.parts import WAYS, Medium, Part, Way, part_of
from services.core.adjacency import between_m
from services.core.asset import Asset, LinkKind
from services.core.geometry import METRES_PER_DEGREE, points_of

_SPACING_M = 40.0
"""Lines are known to the trees by points so far apart at most."""
_STRETCHED = 1.02
"""Metres east are reckoned at the city's middle; within a hundred kilometres they differ by no more."""

Spot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Contact:
    """An asset beside another one, the way between them, and how long it is."""

    asset: str
    way: Way
    distance_m: float


@dataclass(frozen=True, slots=True)
class _Tree:
    """The points of all assets of a part, and whose each is."""

    points: cKDTree
    owners: Sequence[str]


class Contacts:
    """The contacts of a city's assets."""

    def __init__(self, assets: Mapping[str, Asset], adjacent: "nx.Graph[str]") -> None:
        """Sort the assets by what they are; the trees are made when they are asked for."""
        self._assets = assets
        self._adjacent = adjacent
        self._parts: dict[str, Part] = {}
        self._members: dict[Part, list[str]] = {}
        for asset in assets.values():
            part = part_of(asset)
            if part is not None:
                self._parts[asset.id] = part
                self._members.setdefault(part, []).append(asset.id)
        latitudes = [
            next(points_of(assets[name].geometry))[1] for names in self._members.values() for name in names[:1]
        ]
        self._narrow = math.cos(math.radians(latitudes[0])) if latitudes else 1.0
        self._trees = cache(self._tree)

    def part(self, asset: str) -> Part | None:
        """What an asset is to its neighbours."""
        return self._parts.get(asset)

    def onward(self, asset: str, medium: Medium) -> list[Contact]:
        """Where a medium can go from an asset."""
        part = self._parts.get(asset)
        ways = [way for way in WAYS if way.source is part and way.medium is medium]
        return [each for way in ways for each in self._beside(asset, way, way.target)]

    def causes(self, asset: str, medium: Medium) -> list[Contact]:
        """Where a medium may have come from to an asset."""
        part = self._parts.get(asset)
        ways = [way for way in WAYS if way.target is part and way.medium is medium]
        return [each for way in ways for each in self._beside(asset, way, way.source)]

    def apart_m(self, one: str, other: str) -> float:
        """Metres between two assets where they come nearest."""
        return between_m(self._line(one), self._line(other))

    def _beside(self, asset: str, way: Way, wanted: Part) -> list[Contact]:
        declared = [
            Contact(other, way, float(link["length_m"]))
            for other, link in (self._adjacent[asset].items() if asset in self._adjacent else ())
            if link["kind"] is LinkKind.ADJACENT and self._parts.get(other) is wanted
        ]
        said = {self._assets[each.asset].lifeline for each in declared}
        near = (name for name in self._near(asset, wanted, way.reach_m) if self._assets[name].lifeline not in said)
        measured = ((name, self.apart_m(asset, name)) for name in sorted(near))
        return declared + [Contact(name, way, round(away_m, 1)) for name, away_m in measured if away_m <= way.reach_m]

    def _near(self, asset: str, wanted: Part, reach_m: float) -> set[str]:
        """Every asset of a part that may be within a reach, and some beyond it."""
        tree = self._trees(wanted)
        if tree is None:
            return set()
        points, _ = self._sampled([asset])
        found = tree.points.query_ball_point(points, (reach_m + _SPACING_M) * _STRETCHED)
        return {tree.owners[index] for each in found for index in each} - {asset}

    def _tree(self, part: Part) -> _Tree | None:
        members = self._members.get(part)
        if not members:
            return None
        points, owners = self._sampled(members)
        return _Tree(cKDTree(points), [members[owner] for owner in owners])

    def _sampled(self, names: Sequence[str]) -> tuple[NDArray[np.float64], list[int]]:
        """Points along some assets in metres, and the place of each one's asset in the list."""
        stretches = [(number, *ends) for number, name in enumerate(names) for ends in _stretches(self._line(name))]
        starts = np.array([start for _, start, _ in stretches]) * self._scale
        ends = np.array([end for _, _, end in stretches]) * self._scale
        pieces = np.maximum(np.ceil(np.hypot(*(ends - starts).T) / _SPACING_M).astype(int), 1)
        which = np.repeat(np.arange(len(stretches)), pieces + 1)
        order = np.arange(len(which)) - np.repeat(np.cumsum(pieces + 1) - pieces - 1, pieces + 1)
        share = (order / np.repeat(pieces, pieces + 1))[:, None]
        points = starts[which] + share * (ends - starts)[which]
        return points, [stretches[each][0] for each in which]

    @property
    def _scale(self) -> NDArray[np.float64]:
        return np.array([self._narrow, 1.0]) * METRES_PER_DEGREE

    def _line(self, asset: str) -> list[Spot]:
        return list(points_of(self._assets[asset].geometry))


def _stretches(line: Sequence[Spot]) -> Iterator[tuple[Spot, Spot]]:
    """A line's stretches; a point is one without length."""
    return pairwise(line) if len(line) > 1 else iter([(line[0], line[0])])
