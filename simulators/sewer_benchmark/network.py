"""Draws a sewer network that could lie in a city: streets, ground, pipes by the rules of the trade, and their flaws."""

import math
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np

from simulators.geometry import Point, Projection, distance
from simulators.noise import Vector
from simulators.physics.sewer_model import Basin, Conduit, Gate, Gully, Manhole, Outfall, Pump, SewerModel, Surface
from simulators.physics.storms import StormFormula

Cell = tuple[int, int]

_CENTRE = (117.27, 31.86)
_SPACING_M = (70.0, 130.0)
_FALL = (0.0012, 0.004)
"""How much the ground falls towards the outlet."""
_UNEVEN_M = 0.9
_AREA_HA = (0.4, 1.6)
_SIZES_M = (0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.4, 2.8, 3.2)
_LEAST_SLOPE, _COVER_M = 0.001, 1.2
_ROUGHNESS = 0.013
_DESIGN_YEARS = (1.0, 3.0)
_INLET_MIN, _VELOCITY_M_S = 8.0, 1.2
"""Time until rain reaches the first manhole, and how fast it runs on: the rational method's time of concentration."""
_SEALED = (0.55, 0.85)
_UNDERSIZED, _LOOPED, _HOLLOWS = 0.06, 0.03, 0.06
"""Shares of pipes two sizes too small, of streets with a second sewer, of nodes with a low point beside them."""
_KERB_M2 = 150.0
_ZONE_NODES = 120
"""About as many nodes share a rain gauge."""
_RIVER_BELOW_M = 1.0


@dataclass(frozen=True, slots=True)
class DrawnSewers:
    """A network with the places of its rain gauges by zone, and where each node lies in metres."""

    model: SewerModel
    gauges: dict[str, Point]
    place: dict[str, Point]
    projection: Projection


@dataclass(frozen=True, slots=True)
class _Ground:
    """Streets and heights; ``downstream`` is the next cell on the way to the outlet."""

    place: dict[Cell, Point]
    height_m: dict[Cell, float]
    downstream: dict[Cell, Cell]
    inwards: list[Cell]
    outlet: Cell
    beside: list[tuple[Cell, Cell]]


def draw_sewers(name: str, nodes: int, rng: np.random.Generator) -> DrawnSewers:
    """A network of about as many nodes; the same generator state gives the same network."""
    ground = _draw_ground(round(nodes / (1 + _HOLLOWS)), rng)
    projection = Projection(_CENTRE, (0.0, 0.0))
    label = {cell: f"M{k:03d}" for k, cell in enumerate(sorted(ground.place), start=1)}
    position = {cell: projection.lon_lat(place) for cell, place in ground.place.items()}
    area_ha = {cell: float(rng.uniform(*_AREA_HA)) for cell in ground.place}
    sealed = float(rng.uniform(*_SEALED))
    flow_m3s = _design_flows_m3s(ground, area_ha, sealed, float(rng.uniform(*_DESIGN_YEARS)))
    size_m, invert_m = _lay_pipes(ground, flow_m3s)
    gauges, zone = _zones(ground, rng)
    shafts = {
        cell: Manhole(
            label[cell],
            round(invert_m[cell], 3),
            round(ground.height_m[cell] - invert_m[cell], 3),
            round(area_ha[cell] * 10_000 * float(rng.uniform(0.04, 0.12))),
            position[cell],
        )
        for cell in sorted(ground.place)
    }
    conduits = _conduits(ground, label, size_m, rng)
    surfaces = [Surface(label[c], zone[c], round(area_ha[c], 2), sealed) for c in sorted(ground.place)]
    model = SewerModel(name, tuple(shafts.values()), (), (), tuple(conduits), (), (), (), tuple(surfaces))
    model = _with_low_points(model, ground, shafts, zone, rng)
    model = _with_outlet(model, shafts[ground.outlet], flow_m3s[ground.outlet], pumped=bool(rng.random() < 0.5))  # noqa: PLR2004 - half of them
    place = {label[cell]: point for cell, point in ground.place.items()}
    return DrawnSewers(model, gauges, place, projection)


def _draw_ground(nodes: int, rng: np.random.Generator) -> _Ground:
    """A bent grid of streets with some missing, on ground that falls to the outlet and is uneven."""
    rows = max(4, round(math.sqrt(nodes * float(rng.uniform(0.5, 1.2)))))
    columns = math.ceil(nodes * 1.1 / rows)
    spacing_m = float(rng.uniform(*_SPACING_M))
    streets: nx.Graph[Cell] = nx.grid_2d_graph(columns, rows)
    outlet = (columns // 2, 0)
    for cell in [c for c in sorted(streets) if c != outlet and rng.random() < 0.08]:  # noqa: PLR2004 - a park, a pond
        streets.remove_node(cell)
    streets = streets.subgraph(nx.node_connected_component(streets, outlet)).copy()
    place = {
        cell: (
            (cell[0] + float(rng.uniform(-0.2, 0.2))) * spacing_m,
            (cell[1] + float(rng.uniform(-0.2, 0.2))) * spacing_m,
        )
        for cell in sorted(streets)
    }
    for one, other in sorted(streets.edges):
        length_m = distance(place[one], place[other])
        streets.edges[one, other]["weight"] = length_m * float(rng.uniform(0.7, 1.3))
    paths: dict[Cell, list[Cell]] = nx.single_source_dijkstra_path(streets, outlet)
    nearest = sorted(paths, key=lambda cell: (len(paths[cell]), cell))[:nodes]
    downstream = {cell: paths[cell][-2] for cell in nearest if cell != outlet}
    fall = float(rng.uniform(*_FALL))
    waves = rng.standard_normal((4, 3))
    height_m = {
        cell: 20 + fall * distance(place[cell], place[outlet]) + _UNEVEN_M * _wave(place[cell], waves)
        for cell in nearest
    }
    kept = set(nearest)
    tree = {frozenset(pair) for pair in downstream.items()}
    beside = [(a, b) for a, b in sorted(streets.edges) if {a, b} <= kept and frozenset((a, b)) not in tree]
    inwards = sorted(nearest, key=lambda cell: (-len(paths[cell]), cell))
    return _Ground({c: place[c] for c in sorted(kept)}, height_m, downstream, inwards, outlet, beside)


def _wave(point: Point, waves: Vector) -> float:
    """Gentle hills and hollows, about 500 m from crest to crest."""
    return float(
        sum(
            0.5 * math.sin((wave[0] * point[0] + wave[1] * point[1]) / 160 + 6.28 * wave[2])  # the wave's direction
            for wave in waves
        )
    )


def _design_flows_m3s(ground: _Ground, area_ha: dict[Cell, float], sealed: float, years: float) -> dict[Cell, float]:
    """Rational method: the area above times the intensity of a storm as long as the water takes to come down."""
    formula = StormFormula()
    total_ha, takes_min = dict(area_ha), dict.fromkeys(ground.place, _INLET_MIN)
    for cell in ground.inwards:
        below = ground.downstream.get(cell)
        if below is not None:
            total_ha[below] += total_ha[cell]
            length_m = distance(ground.place[cell], ground.place[below])
            takes_min[below] = max(takes_min[below], takes_min[cell] + length_m / _VELOCITY_M_S / 60)
    return {
        cell: sealed * total_ha[cell] * formula.depth_mm(years, takes_min[cell]) / takes_min[cell] / 6
        for cell in ground.place
    }


def _lay_pipes(ground: _Ground, flow_m3s: dict[Cell, float]) -> tuple[dict[Cell, float], dict[Cell, float]]:
    """The diameter of the pipe below each cell and the cell's invert, from the heads of the network down."""
    size_m: dict[Cell, float] = {}
    invert_m = {cell: ground.height_m[cell] - _COVER_M - _SIZES_M[0] for cell in ground.place}
    for cell in ground.inwards:
        below = ground.downstream.get(cell, cell)
        length_m = max(1.0, distance(ground.place[cell], ground.place[below]))
        fall = (ground.height_m[cell] - ground.height_m[below]) / length_m
        slope = max(_LEAST_SLOPE, fall)
        size_m[cell] = next((d for d in _SIZES_M if _full_m3s(d, slope) >= flow_m3s[cell]), _SIZES_M[-1])
        invert_m[cell] = min(invert_m[cell], ground.height_m[cell] - _COVER_M - size_m[cell])
        if below != cell:
            invert_m[below] = min(invert_m[below], invert_m[cell] - _LEAST_SLOPE * length_m)
    return size_m, invert_m


def _full_m3s(diameter_m: float, slope: float) -> float:
    """What a pipe carries when it runs just full (Manning)."""
    return math.pi * diameter_m**2 / 4 * math.pow(diameter_m / 4, 2 / 3) * math.sqrt(slope) / _ROUGHNESS


def _conduits(
    ground: _Ground, label: dict[Cell, str], size_m: dict[Cell, float], rng: np.random.Generator
) -> list[Conduit]:
    laid: list[Conduit] = []
    for cell, below in sorted(ground.downstream.items()):
        index = _SIZES_M.index(size_m[cell])
        if rng.random() < _UNDERSIZED:
            index = max(0, index - 2)
        length_m = round(distance(ground.place[cell], ground.place[below]), 1)
        laid.append(Conduit(f"P{len(laid) + 1:03d}", label[cell], label[below], length_m, _SIZES_M[index]))
    for one, other in ground.beside:
        if rng.random() < _LOOPED:
            length_m = round(distance(ground.place[one], ground.place[other]), 1)
            laid.append(Conduit(f"P{len(laid) + 1:03d}", label[one], label[other], length_m, _SIZES_M[1]))
    return laid


def _zones(ground: _Ground, rng: np.random.Generator) -> tuple[dict[str, Point], dict[Cell, str]]:
    """Rain gauges on roofs, and the zone of each cell: that of the nearest gauge."""
    cells = sorted(ground.place)
    count = max(1, round(len(cells) / _ZONE_NODES))
    chosen = [cells[int(k)] for k in rng.permutation(len(cells))[:count]]
    gauges = {f"Z{k}": ground.place[cell] for k, cell in enumerate(chosen, start=1)}
    zone = {cell: min(gauges, key=lambda ident: (distance(gauges[ident], ground.place[cell]), ident)) for cell in cells}
    return gauges, zone


def _with_low_points(
    model: SewerModel, ground: _Ground, shafts: dict[Cell, Manhole], zone: dict[Cell, str], rng: np.random.Generator
) -> SewerModel:
    """Underpasses and dips: a little lower than the cover beside them, with gullies of their own."""
    basins: list[Basin] = []
    gullies: list[Gully] = []
    surfaces: list[Surface] = []
    inner = [cell for cell in sorted(ground.place) if cell != ground.outlet]
    for cell in [c for c in inner if rng.random() < _HOLLOWS]:
        shaft, ident = shafts[cell], f"LP{len(basins) + 1:02d}"
        road_m = shaft.invert_m + shaft.depth_m - float(rng.uniform(0.05, 0.8))
        area_ha = round(float(rng.uniform(0.4, 2.5)), 2)
        basins.append(
            Basin(ident, round(road_m, 3), 2.5, _KERB_M2, round(float(rng.uniform(1500, 4500))), shaft.position)
        )
        gullies.append(Gully(f"G{len(basins):02d}", ident, shaft.id, round(area_ha * float(rng.uniform(0.1, 0.25)), 3)))
        surfaces.append(Surface(ident, zone[cell], area_ha, model.surfaces[0].sealed))
    return replace(model, basins=tuple(basins), gullies=tuple(gullies), surfaces=(*model.surfaces, *surfaces))


def _with_outlet(model: SewerModel, last: Manhole, flow_m3s: float, *, pumped: bool) -> SewerModel:
    """To the river by a pipe, or through a pump station with a gate beside it."""
    river_m = last.invert_m - _RIVER_BELOW_M if not pumped else last.invert_m + 0.3
    outfall = Outfall("OF1", round(last.invert_m - 1.5, 3), round(river_m, 3), last.position)
    size_m = next((d for d in _SIZES_M if _full_m3s(d, 0.004) >= flow_m3s), _SIZES_M[-1])
    if not pumped:
        mouth = Conduit("OF1.mouth", last.id, "OF1", 150.0, size_m)
        return replace(model, outfalls=(outfall,), conduits=(*model.conduits, mouth))
    well = Basin(last.id, last.invert_m, last.depth_m + 1.0, 60.0 + 12 * flow_m3s, 0.0, last.position)
    chamber = Manhole("OF1.chamber", outfall.invert_m, last.depth_m + 6.0, 0.0, last.position)
    capacity_m3s, levels_m = round(0.55 * flow_m3s, 3), ((0.15, 0.35, 1.2), (0.65, 0.85, 1.7))
    pumps = tuple(
        Pump(f"PU{number}", last.id, chamber.id, capacity_m3s, *levels)
        for number, levels in enumerate(levels_m, start=1)
    )
    gate = Gate("GT1", last.id, chamber.id, round(max(0.4, 0.1 * flow_m3s), 2), 1.0, 0.7)
    return replace(
        model,
        manholes=(*(m for m in model.manholes if m.id != last.id), chamber),
        basins=(*model.basins, well),
        outfalls=(outfall,),
        conduits=(*model.conduits, Conduit("OF1.mouth", chamber.id, "OF1", 150.0, max(1.5, size_m))),
        pumps=pumps,
        gates=(gate,),
    )
