"""Drainage: four catchments, each a tree of sewers to a pump station at the river, and the roads' low points."""

import math
from collections import defaultdict

import networkx as nx
import numpy as np

from simulators.city import Fact, Words
from simulators.demo_city.draft import Draft, Numbering, Place
from simulators.demo_city.streets import Crossing, StreetPlan
from simulators.geometry import Point, distance
from simulators.physics.rain_radar import HORIZONS_MIN

OWNER = "drainage-authority"
SPLIT = 6
CATCHMENTS = {
    "D1": (Words("North-west catchment", "西北排水片区"), (0, 5), (4, 8), (3, 4)),
    "D2": (Words("Station catchment", "车站排水片区"), (6, 10), (4, 8), (9, 4)),
    "D3": (Words("Old Wharf catchment", "老码头排水片区"), (0, 5), (0, 3), (1, 3)),
    "D4": (Words("Foundry catchment", "铸造厂排水片区"), (6, 10), (0, 3), (7, 3)),
}
"""Zone: name, columns, rows, crossing at whose foot the pump station stands."""

LOW_POINTS: dict[str, tuple[tuple[Crossing, Words], ...]] = {
    "D1": (
        ((1, 6), Words("School gate dip", "学校门前低洼处")),
        ((2, 7), Words("Weaver Road dip", "织坊路低洼处")),
        ((4, 5), Words("Lantern Street dip", "灯笼街低洼处")),
        ((5, 7), Words("Central Avenue dip", "中央大道低洼处")),
    ),
    "D2": (
        ((6, 5), Words("Library forecourt", "图书馆广场")),
        ((8, 6), Words("Railway underpass", "铁路下穿通道")),
        ((9, 7), Words("Bus depot dip", "公交场站低洼处")),
        ((10, 5), Words("East Ring underpass", "东环下穿通道")),
    ),
    "D3": (
        ((3, 2), Words("Old Wharf underpass", "老码头下穿通道")),
        ((0, 2), Words("West Ring dip", "西环路低洼处")),
        ((4, 1), Words("Orchard Street dip", "果园街低洼处")),
        ((2, 0), Words("South Ring dip", "南环街低洼处")),
    ),
    "D4": (
        ((6, 1), Words("Hospital entrance", "医院入口")),
        ((8, 2), Words("Market Street dip", "集市街低洼处")),
        ((9, 1), Words("Foundry Road dip", "铸造路低洼处")),
        ((10, 2), Words("Ring Road slip", "环路匝道低洼处")),
    ),
}
"""Numbered LP-01 to LP-16 in this order. LP-06 is the worst, LP-09 the second; the others drain well."""
_SEVERE = {"LP-06": (4.2, 0.24, 2100.0), "LP-09": (1.5, 0.148, 1900.0)}
"""Contributing hectares, gully capacity m3/s, pond coefficient m3/m2 (volume = coefficient times depth squared)."""

DESIGN_RUNOFF_M3S_HA = 0.12
"""About 58 mm/h at 0.75 runoff: sewers surcharge beyond it."""
_LAID_FOR_M3S_HA = 1.6 * DESIGN_RUNOFF_M3S_HA
"""Pipes are laid with a reserve, so that a storm of every third year runs off within them."""
_OUTLET_INVERT_M, _RIVER_M = 8.0, 8.3
"""City datum. The river stands a little above the sewers' lowest point, and a flap keeps it out."""
_GATE_SILL_M = 0.8
"""Above the wet well's invert, so that sewage goes to the pumps and storm water also to the gate."""
_GATE_SHARE = 0.4
"""What the gate lets through at a metre of head, as a share of the design flow."""
_ORIFICE_M3S_M2 = 0.65 * (2 * 9.81) ** 0.5
_ROUGHNESS = 0.013
"""Manning's n of concrete, a textbook value."""
_STEEPEST = 0.003
"""A street this steep needs no steps in its sewer; where one barrel would have to be steeper there are several."""
_HOLLOW_M = {"LP-06": 0.9, "LP-09": 0.5}
_USUAL_HOLLOW_M = (0.04, 0.08, 0.12)
"""How far a low point lies below the cover of the manhole that drains it; the usual ones take turns."""


class DrainageDraft:
    """Lays the drainage network of one city."""

    def __init__(self, plan: StreetPlan, draft: Draft, rng: np.random.Generator) -> None:
        self._plan, self._draft, self._rng = plan, draft, rng
        self._manholes = Numbering("M")
        self._pipes = Numbering("DP")
        self._gate_pipes = Numbering("DP", first=901)
        self._low_points = 0

    def lay(self) -> None:
        """Add catchments, sewers, pump stations, low points and sensors."""
        for zone, (name, columns, rows, _) in CATCHMENTS.items():
            west = 0.0 if columns[0] == 0 else SPLIT - 0.5
            east = SPLIT - 0.5 if columns[0] == 0 else 10.0
            self._draft.zone(zone, "drainage", name, self._plan.quarter(west, east, north_bank=rows[0] > 0))
            self._lay_catchment(zone)
        self._foretell()

    def _lay_catchment(self, zone: str) -> None:
        _, columns, rows, outlet = CATCHMENTS[zone]
        place = Place("drainage", zone, OWNER)
        graph: nx.Graph[Crossing] = nx.Graph()
        for a, b in self._plan.streets:
            if all(columns[0] <= c <= columns[1] and rows[0] <= r <= rows[1] for c, r in (a, b)):
                graph.add_edge(a, b, weight=self._plan.length_m((a, b)) * float(self._rng.uniform(0.85, 1.15)))
        paths: dict[Crossing, list[Crossing]] = nx.single_source_dijkstra_path(graph, outlet)
        downstream = {crossing: path[-2] for crossing, path in paths.items() if len(path) > 1}
        upstream_first = sorted(paths, key=lambda crossing: -len(paths[crossing]))
        area = {crossing: float(self._rng.uniform(1.8, 3.2)) for crossing in paths}
        total = dict(area)
        for crossing in upstream_first:
            if crossing in downstream:
                total[downstream[crossing]] += total[crossing]
        inverts_m = self._inverts_m(downstream, [c for c in reversed(upstream_first) if c != outlet], total)
        manhole = {c: self._lay_manhole(place, c, area[c], total[c], inverts_m[c]) for c in sorted(paths)}
        for crossing in sorted(downstream):
            ends = (manhole[crossing], manhole[downstream[crossing]])
            self._lay_sewer(place, ends, self._plan.name((crossing, downstream[crossing])), total[crossing])
        self._lay_pump_station(place, manhole[outlet], outlet, total[outlet])
        self._lay_low_points(place, manhole)
        self._sense(place, [manhole[c] for c in sorted(paths)], manhole[outlet])
        self._watch(place, manhole)

    def _inverts_m(
        self, downstream: dict[Crossing, Crossing], outwards: list[Crossing], total_ha: dict[Crossing, float]
    ) -> dict[Crossing, float]:
        """Each sewer falls as much as it must to carry the design flow when it runs full (Manning)."""
        inverts_m: dict[Crossing, float] = defaultdict(lambda: _OUTLET_INVERT_M)
        for crossing in outwards:
            carried_m3s = _barrels(total_ha[crossing]) * _carried_m3s(total_ha[crossing], slope=1.0)
            slope = (total_ha[crossing] * _LAID_FOR_M3S_HA / carried_m3s) ** 2
            fall_m = slope * self._plan.length_m((crossing, downstream[crossing]))
            inverts_m[crossing] = inverts_m[downstream[crossing]] + fall_m
        return inverts_m

    def _lay_manhole(self, place: Place, crossing: Crossing, own_ha: float, total_ha: float, invert_m: float) -> str:
        ident = self._manholes.new()
        corner = self._plan.corner(crossing)
        facts: dict[str, Fact] = {
            "depth_m": round(float(self._rng.uniform(3.0, 4.2)), 2),
            "contributing_ha": round(own_ha, 2),
            "capacity_m3s": round(total_ha * DESIGN_RUNOFF_M3S_HA, 3),
            "crown_m": round(min(1.8, 0.5 + 0.05 * total_ha**0.75), 2),
            "invert_m": round(invert_m, 3),
        }
        name = Words(f"Manhole {ident}, {corner.en}", f"{corner.zh}检查井{ident}")
        return self._draft.add(place, ident, "manhole", name, points=(self._plan.crossings[crossing],), facts=facts)

    def _lay_sewer(self, place: Place, ends: tuple[str, str], street: Words, total_ha: float) -> None:
        name = Words(f"Sewer, {street.en}", f"{street.zh}排水管")
        built = int(self._rng.integers(1988, 2022))
        facts: dict[str, Fact] = {
            "diameter_mm": _diameter_mm(total_ha),
            "barrels": _barrels(total_ha),
            "material": "concrete",
            "built": built,
        }
        self._draft.pipe(place, self._pipes.new(), name, ends, facts)

    def _lay_pump_station(self, place: Place, manhole: str, outlet: Crossing, total_ha: float) -> None:
        east, north = self._plan.crossings[outlet]
        towards = -1 if outlet[1] > 3 else 1  # noqa: PLR2004 - rows above 3 are on the north bank
        station = Words(f"Pump station {place.zone}", f"{place.zone}排涝泵站")
        capacity = round(total_ha * DESIGN_RUNOFF_M3S_HA * 0.6, 3)
        outfall = self._draft.add(
            place,
            f"OF-{place.zone[1:]}",
            "outfall",
            Words(f"Outfall {place.zone}", f"{place.zone}排口"),
            points=(self._river_bank((east, north + towards * 150)),),
            facts={"invert_m": _OUTLET_INVERT_M - 0.5, "river_m": _RIVER_M},
        )
        for number, side in ((1, -9.0), (2, 9.0)):
            at = (east + side, north + towards * 110)
            name = Words(f"{station.en}, pump {number}", f"{station.zh}{number}号泵")
            facts: dict[str, Fact] = {"capacity_m3s": capacity, "rated_current_a": 62}
            pump = self._draft.add(place, f"PU-{place.zone[1:]}{number}", "pump", name, points=(at,), facts=facts)
            self._draft.pipe(place, self._pipes.new(), station, (manhole, pump), {"diameter_mm": 1200})
            self._draft.pipe(place, self._pipes.new(), station, (pump, outfall), {"diameter_mm": 1000})
            self._draft.sense(pump, "pump_current", place.zone, "drainage")
        self._lay_gate(place, (manhole, outfall), (east, north + towards * 110), total_ha)

    def _lay_gate(self, place: Place, ends: tuple[str, str], at: Point, total_ha: float) -> None:
        """Beside the pumps: storm water also runs out by itself as long as the river is lower."""
        name = Words(f"Sluice gate {place.zone}", f"{place.zone}自排闸")
        area_m2 = _GATE_SHARE * total_ha * DESIGN_RUNOFF_M3S_HA / _ORIFICE_M3S_M2
        facts: dict[str, Fact] = {"width_m": round(area_m2, 2), "height_m": 1.0, "sill_m": _GATE_SILL_M}
        gate = self._draft.add(place, f"GT-{place.zone[1:]}", "gate", name, points=(at,), facts=facts)
        for one, other in ((ends[0], gate), (gate, ends[1])):
            self._draft.pipe(place, self._gate_pipes.new(), name, (one, other), {"diameter_mm": 1200})

    def _river_bank(self, towards: Point) -> Point:
        """The river's axis is the nearest point; the outfall stands 60 m before it."""
        axis = min(self._plan.river, key=lambda point: distance(point, towards))
        return towards[0], axis[1] + (60 if towards[1] > axis[1] else -60)

    def _lay_low_points(self, place: Place, manhole: dict[Crossing, str]) -> None:
        for crossing, name in LOW_POINTS[place.zone]:
            self._low_points += 1
            ident = f"LP-{self._low_points:02d}"
            east, north = self._plan.crossings[crossing]
            area, gully, pond = _SEVERE.get(ident, (0.0, 0.0, 0.0))
            if area == 0:
                area = round(float(self._rng.uniform(0.5, 1.1)), 2)
                gully, pond = round(area * 0.215, 3), 1400.0
            facts: dict[str, Fact] = {
                "contributing_ha": area,
                "gully_capacity_m3s": gully,
                "pond_m3_per_m2": pond,
                "below_cover_m": _HOLLOW_M.get(ident, _USUAL_HOLLOW_M[self._low_points % len(_USUAL_HOLLOW_M)]),
            }
            self._draft.add(place, ident, "low-point", name, points=((east + 26, north + 14),), facts=facts)
            gullies = Words(f"Gullies, {name.en}", f"{name.zh}雨水口连管")
            self._draft.pipe(place, self._pipes.new(), gullies, (ident, manhole[crossing]), {"diameter_mm": 400})
            self._draft.sense(ident, "road_depth", place.zone, "drainage")

    def _sense(self, place: Place, manholes: list[str], outlet: str) -> None:
        others = [m for m in manholes if m != outlet]
        chosen = [others[int(i)] for i in self._rng.permutation(len(others))[:9]]
        for ident in sorted([*chosen, outlet]):
            self._draft.sense(ident, "manhole_level", place.zone, "drainage")
        gauges = 2 if place.zone in {"D1", "D4"} else 1
        for ident in sorted(chosen)[:gauges]:
            self._draft.sense(ident, "rain_intensity", place.zone, "drainage")

    def _foretell(self) -> None:
        """What a weather service expects over each catchment, told for the place of its first rain gauge."""
        gauges = {s.id.split("-")[0]: s.asset for s in reversed(self._draft.sensors) if s.quantity == "rain_intensity"}
        for zone in CATCHMENTS:
            for quantity in HORIZONS_MIN:
                self._draft.sense(gauges[zone], quantity, zone, "drainage")

    def _watch(self, place: Place, manhole: dict[Crossing, str]) -> None:
        """Flow before the station and below two low points, pumps, gate, river, and covers near the low points."""
        end = place.zone[1:]
        for pump in (f"PU-{end}1", f"PU-{end}2"):
            self._draft.sense(pump, "pump_state", place.zone, "drainage")
        self._draft.sense(f"GT-{end}", "gate_position", place.zone, "drainage")
        self._draft.sense(f"OF-{end}", "river_level", place.zone, "drainage")
        lowest = [manhole[crossing] for crossing, _ in LOW_POINTS[place.zone]]
        below = {k.source: k.target for k in self._draft.links if k.source in manhole.values()}
        for shaft in lowest[:3]:
            self._draft.sense(below[shaft], "sewer_flow", place.zone, "drainage")
        for shaft in lowest:
            self._draft.sense(shaft, "cover_tilt", place.zone, "drainage")


def _diameter_mm(total_ha: float) -> int:
    """The size of the sewer that drains so much."""
    return 100 * round(10 * min(1.8, 0.5 + 0.05 * math.pow(total_ha, 0.75)))


def _carried_m3s(total_ha: float, slope: float) -> float:
    """What one barrel carries when it runs just full (Manning)."""
    diameter_m = _diameter_mm(total_ha) / 1000
    return math.pi * diameter_m**2 / 4 * math.pow(diameter_m / 4, 2 / 3) * math.sqrt(slope) / _ROUGHNESS


def _barrels(total_ha: float) -> int:
    """How many pipes lie side by side."""
    return math.ceil(total_ha * _LAID_FOR_M3S_HA / _carried_m3s(total_ha, _STEEPEST))
