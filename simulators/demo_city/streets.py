"""The street plan of the fictional city: a slightly bent grid on both banks of a river."""

import math
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx
import numpy as np

from simulators.city import Words
from simulators.geometry import Point, Projection, distance

Crossing = tuple[int, int]
"""A street crossing: column from the west, row from the south."""
Street = tuple[Crossing, Crossing]

CENTRE = (117.27, 31.86)
MIDDLE = (2900.0, 2260.0)
COLUMN_M = 580.0
ROWS_M = (0.0, 560.0, 1120.0, 1680.0, 2280.0, 2840.0, 3400.0, 3960.0, 4520.0)
COLUMNS = 11
FIRST_NORTHERN_ROW = 4
RIVER_M = 1980.0
RIVER_WIDTH_M = 130.0
BRIDGE_COLUMNS = (2, 5, 8)
MARGIN_M = 380.0
_JITTER_M = 22.0

COLUMN_NAMES = (
    Words("West Ring Road", "西环路"),
    Words("Willow Road", "垂柳路"),
    Words("Weaver Road", "织坊路"),
    Words("Old Wharf Road", "老码头路"),
    Words("Poplar Road", "白杨路"),
    Words("Central Avenue", "中央大道"),
    Words("Library Road", "书院路"),
    Words("Magnolia Road", "玉兰路"),
    Words("Station Road", "车站路"),
    Words("Foundry Road", "铸造路"),
    Words("East Ring Road", "东环路"),
)
ROW_NAMES = (
    Words("South Ring Street", "南环街"),
    Words("Orchard Street", "果园街"),
    Words("Market Street", "集市街"),
    Words("South Bank Street", "南岸街"),
    Words("North Bank Street", "北岸街"),
    Words("Lantern Street", "灯笼街"),
    Words("School Street", "学堂街"),
    Words("Hill Street", "山脚街"),
    Words("North Ring Street", "北环街"),
)


@dataclass(frozen=True)
class StreetPlan:
    """Crossings, streets and the river, in metres."""

    crossings: dict[Crossing, Point]
    streets: tuple[Street, ...]
    river: tuple[Point, ...]
    projection: Projection
    phases: tuple[float, float, float]

    def bent(self, point: Point) -> Point:
        """Where a point of the straight plan lies in the real, slightly bent city."""
        east, north = point
        one, two, three = self.phases
        return (
            east + 95 * math.sin(2 * math.pi * north / 4700 + one),
            north + 150 * math.sin(2 * math.pi * east / 5600 + two) + 45 * math.sin(2 * math.pi * east / 2100 + three),
        )

    def quarter(self, west: float, east: float, *, north_bank: bool) -> tuple[Point, ...]:
        """A closed polygon between two columns (fractions allowed) on one bank."""
        left = west * COLUMN_M if west > 0 else -MARGIN_M
        right = east * COLUMN_M if east < COLUMNS - 1 else (COLUMNS - 1) * COLUMN_M + MARGIN_M
        low, high = (RIVER_M, ROWS_M[-1] + MARGIN_M) if north_bank else (-MARGIN_M, RIVER_M)
        corners = ((left, low), (right, low), (right, high), (left, high), (left, low))
        ring = [
            (a[0] + (b[0] - a[0]) * k / 16, a[1] + (b[1] - a[1]) * k / 16)
            for a, b in pairwise(corners)
            for k in range(16)
        ]
        bent = [self.bent(point) for point in ring]
        return (*bent, bent[0])

    def name(self, street: Street) -> Words:
        """The name of the street between two crossings."""
        (column, row), (other, _) = street
        return COLUMN_NAMES[column] if column == other else ROW_NAMES[row]

    def corner(self, crossing: Crossing) -> Words:
        """The name of a crossing."""
        column, row = COLUMN_NAMES[crossing[0]], ROW_NAMES[crossing[1]]
        return Words(f"{column.en} / {row.en}", f"{column.zh}与{row.zh}路口")

    def length_m(self, street: Street) -> float:
        """Metres between the two crossings."""
        return distance(self.crossings[street[0]], self.crossings[street[1]])


def draw_streets(rng: np.random.Generator) -> StreetPlan:
    """A plan for one seed: same grid, different bends."""
    phases = (float(rng.uniform(0, 6.28)), float(rng.uniform(-0.6, 0.6)), float(rng.uniform(0, 6.28)))
    plan = StreetPlan({}, (), (), Projection(CENTRE, MIDDLE), phases)
    crossings: dict[Crossing, Point] = {}
    for column in range(COLUMNS):
        for row, north in enumerate(ROWS_M):
            east, up = plan.bent((column * COLUMN_M, north))
            dx, dy = rng.normal(0, _JITTER_M, 2).clip(-45, 45)
            crossings[column, row] = (east + float(dx), up + float(dy))
    streets = [((c, r), (c + 1, r)) for c in range(COLUMNS - 1) for r in range(len(ROWS_M))]
    streets += [
        ((c, r), (c, r + 1))
        for c in range(COLUMNS)
        for r in range(len(ROWS_M) - 1)
        if r + 1 != FIRST_NORTHERN_ROW or c in BRIDGE_COLUMNS
    ]
    river = tuple(plan.bent((float(east), RIVER_M)) for east in np.linspace(-1400, 7200, 80))
    return StreetPlan(crossings, tuple(streets), river, plan.projection, phases)


def thinned(streets: list[Street], keep: frozenset[Street], share: float, rng: np.random.Generator) -> list[Street]:
    """Streets without about ``share`` of them, still one piece and still holding ``keep``."""
    graph = nx.Graph(streets)
    target = len(streets) * (1 - share)
    for index in rng.permutation(len(streets)):
        street = streets[int(index)]
        if graph.number_of_edges() <= target:
            break
        if street in keep:
            continue
        graph.remove_edge(*street)
        if not nx.is_connected(graph):
            graph.add_edge(*street)
    return [street for street in streets if graph.has_edge(*street)]
