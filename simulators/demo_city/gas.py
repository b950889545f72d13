"""Gas: four districts, two regulators each, medium pressure, and the underground spaces beside the mains."""

import math
from collections.abc import Sequence

import numpy as np

from simulators.city import Fact, Link, Words
from simulators.demo_city.draft import Draft, Numbering, Place
from simulators.demo_city.street_pipes import Inline, first_unused, lay_street, sized_flow
from simulators.demo_city.streets import Crossing, Street, StreetPlan, thinned
from simulators.geometry import Point, beside, distance, nearest_on_line

STORY_STREET: Street = ((7, 5), (7, 6))
STORY_VALVES = (118, 121)
STORY_SPACES = (41, 42, 43)
STORY_PIPES = (40, 41, 42)
"""The leaking main is GP-041 between V-118 and V-121, beside telecom manhole US-041 and sewer manhole US-042."""
PAVED_SPACES = (901, 902)
DECOY_SPACE, DECOY_CORNER = 903, (9, 6)
"""Telecom manholes US-901 and US-902 beside GP-040, under paving; sewer manhole US-903, two streets off."""
WATCHED = frozenset({"US-041", "US-042", "US-901", "US-902", "US-903"})

OWNER = "gas-company"
ADJACENT_M = 25.0
HOUSE_M = 16.0
_PAVED_BEFORE_M = (110.0, 88.0)
_STORY_ASIDE_M = 2.0
"""Telecom manholes of the story stand closer to the main than others, where pavements are narrow."""
_PAVED_SHARE, _VENTED_SHARE = 0.7, 0.25
_SOILS = ("sand", "fill", "clay")
"""Gas from a leak reaches underground spaces within this distance (default; wider under paving)."""
SPLIT = 5
DISTRICTS = {
    "G1": (Words("North-west gas district", "西北燃气片区"), (0, 4), (4, 8), ((0, 7), (3, 8))),
    "G2": (Words("North-east gas district", "东北燃气片区"), (5, 10), (4, 8), ((6, 8), (10, 5))),
    "G3": (Words("South-west gas district", "西南燃气片区"), (0, 4), (0, 3), ((1, 0), (4, 2))),
    "G4": (Words("South-east gas district", "东南燃气片区"), (5, 10), (0, 3), ((7, 0), (10, 2))),
}
"""Zone: name, columns, rows, crossings fed by a regulator."""
METHANE_SENSORS = {"G1": 21, "G2": 25, "G3": 19, "G4": 21}
_DIAMETERS_MM = (110, 160, 200, 250, 315)
_SPACES = (
    ("telecom-manhole", Words("Telecom manhole", "通信井"), 4.0, 2.2),
    ("sewer-manhole", Words("Sewer manhole", "污水井"), 4.5, 3.4),
    ("basement", Words("Basement", "地下室"), 17.0, 60.0),
)
"""Kind, name, metres to the side of the main, air volume in m3."""


_USES, _USE_SHARES = ("residential", "shop", "school", "hospital"), (0.72, 0.2, 0.05, 0.03)


class GasDraft:
    """Lays the gas network of one city."""

    def __init__(self, plan: StreetPlan, draft: Draft, rng: np.random.Generator) -> None:
        self._plan, self._draft, self._rng = plan, draft, rng
        self._pipes = Numbering("GP", kept=frozenset(STORY_PIPES))
        self._valves = Numbering("V", 101, frozenset(STORY_VALVES))
        self._junctions = Numbering("GJ")
        self._spaces = Numbering("US", kept=frozenset({*STORY_SPACES, *PAVED_SPACES, DECOY_SPACE}))
        self._space_ids: list[str] = []
        self._houses = Numbering("GB")
        # What was added to the register later is drawn apart, so that the rest of the city stays as it is.
        self._ground_rng = rng.spawn(1)[0]
        self._soil: dict[str, str] = {}

    def lay(self) -> None:
        """Add zones, mains, regulators, underground spaces, adjacency and sensors."""
        for zone, (name, columns, rows, _) in DISTRICTS.items():
            west = 0.0 if columns[0] == 0 else SPLIT - 0.5
            east = SPLIT - 0.5 if columns[0] == 0 else 10.0
            self._draft.zone(zone, "gas", name, self._plan.quarter(west, east, north_bank=rows[0] > 0))
        for zone in DISTRICTS:
            self._lay_district(zone)
        self._link_spaces()
        for zone in DISTRICTS:
            self._sense_spaces(zone)

    def _lay_district(self, zone: str) -> None:
        _, columns, rows, fed = DISTRICTS[zone]
        place = Place("gas", zone, OWNER)
        self._soil[zone] = _SOILS[int(self._ground_rng.integers(len(_SOILS)))]
        inside = [
            s
            for s in self._plan.streets
            if all(columns[0] <= c <= columns[1] and rows[0] <= r <= rows[1] for c, r in s)
        ]
        streets = thinned(inside, frozenset({STORY_STREET}), 0.2, self._rng)
        crossings = [(c, r) for c in range(columns[0], columns[1] + 1) for r in range(rows[0], rows[1] + 1)]
        demand = {crossing: float(self._rng.uniform(40, 110)) for crossing in crossings}
        junction = {c: self._crossing_junction(place, c, demand[c]) for c in crossings}
        lengths = [self._plan.length_m(s) for s in streets]
        for street, flow, diameter in sized_flow(streets, lengths, demand, fed, _diameter_mm):
            self._lay_main(place, street, (junction[street[0]], junction[street[1]]), flow, diameter)
        for crossing in fed:
            self._lay_regulator(place, junction[crossing])
        far = sorted(crossings, key=lambda c: -min(abs(c[0] - f[0]) + abs(c[1] - f[1]) for f in fed))
        for crossing in sorted(far[:2]):
            self._draft.sense(junction[crossing], "gas_pressure", zone, "gas")

    def _crossing_junction(self, place: Place, crossing: Crossing, demand_m3h: float) -> str:
        east, north = self._plan.crossings[crossing]
        name = self._plan.corner(crossing)
        facts = {"base_demand_m3h": round(demand_m3h, 1)}
        return self._draft.add(
            place, self._junctions.new(), "junction", name, points=((east + 7.0, north - 7.0),), facts=facts
        )

    def _pipe_facts(self, zone: str, diameter_mm: int, households: int) -> dict[str, Fact]:
        built = int(self._rng.integers(1996, 2023))
        material = "cast iron" if built < 1999 else "steel" if built < 2008 else "PE"  # noqa: PLR2004 - years in which the fictional company changed its pipes
        facts: dict[str, Fact] = {"diameter_mm": diameter_mm, "material": material, "built": built}
        surface = "paved" if self._ground_rng.random() < _PAVED_SHARE else "green"
        depth_m = round(float(self._ground_rng.uniform(0.8, 1.6)), 2)
        facts |= {"depth_m": depth_m, "surface": surface, "soil": self._soil[zone]}
        return {**facts, "pressure_kpa": 200, "households": households}

    def _lay_main(self, place: Place, street: Street, ends: tuple[str, str], flow: float, diameter_mm: int) -> None:
        name = self._plan.name(street)
        story = set(street) == set(STORY_STREET)
        layout = [(0.05, "valve"), (0.42, "junction"), (0.71, "junction"), (0.95, "valve")]
        if not story and flow < 120:  # noqa: PLR2004 - minor mains below 120 m3/h have one valve
            layout = [(0.05, "valve"), (0.5, "junction")]
        numbers = iter(STORY_VALVES)
        inline = []
        for fraction, kind in layout:
            fixed = self._valves.of(next(numbers)) if story and kind == "valve" else None
            inline.append(self._in_line(kind, fraction, name, fixed))
        facts = self._pipe_facts(place.zone, diameter_mm, int(self._rng.integers(60, 260)))
        fixed_pipes = {}
        if story:
            facts |= {"material": "cast iron", "built": 1994, "households": 180, "surface": "paved", "soil": "fill"}
            fixed_pipes = {1: STORY_PIPES[0], 2: STORY_PIPES[1], 3: STORY_PIPES[2]}
        ids = first_unused(self._pipes, len(inline) + 1, fixed_pipes)
        main = Words(f"Gas main, {name.en}", f"{name.zh}燃气管")
        laid = lay_street(self._draft, place, ends, inline, pipe_ids=ids, name=main, facts=facts)
        joints = [n for n in laid.nodes[1:-1] if n.startswith("GJ")]
        if story:
            self._add_story_places(place, joints[0], name)
            self._add_paved_places(place, joints[0], ends, name)
            return
        for joint in joints:
            if self._rng.random() < 0.2:  # noqa: PLR2004 - every fifth joint has a branch
                self._lay_branch(place, joint, ends, name, int(self._rng.integers(20, 90)))
            self._add_spaces(place, joint, ends, name)
            self._add_house(place, joint, ends, name)

    def _in_line(self, kind: str, fraction: float, street: Words, fixed: str | None) -> Inline:
        if kind == "junction":
            return Inline(fraction, kind, self._junctions.new(), Words(f"Joint, {street.en}", f"{street.zh}接头"), {})
        ident = fixed or self._valves.new()
        return Inline(fraction, kind, ident, Words(f"Valve {ident}, {street.en}", f"{street.zh}阀门{ident}"), {})

    def _lay_branch(self, place: Place, joint: str, ends: tuple[str, str], street: Words, households: int) -> None:
        start, end = self._draft.points[ends[0]][0], self._draft.points[ends[1]][0]
        along = distance(start, self._draft.points[joint][0])
        at = beside(start, end, along, -70.0)
        name = Words(f"Service, {street.en}", f"{street.zh}庭院管")
        facts = {"base_demand_m3h": round(households * 0.06, 1), "households": households}
        riser = self._draft.add(place, self._junctions.new(), "service", name, points=(at,), facts=facts)
        self._draft.pipe(place, self._pipes.new(), name, (joint, riser), self._pipe_facts(place.zone, 90, 0))

    def _lay_regulator(self, place: Place, junction: str) -> None:
        number = 1 + sum(a.kind == "regulator" for a in self._draft.assets)
        east, north = self._draft.points[junction][0]
        name = Words(f"Regulator station {number}", f"{number}号调压站")
        facts: dict[str, Fact] = {"outlet_kpa": 200}
        station = self._draft.add(
            place, f"RS-{number}", "regulator", name, points=((east - 60, north - 48),), facts=facts
        )
        gate = self._in_line("valve", 0.0, name, None)
        self._draft.add(place, gate.ident, "valve", gate.name, points=((east - 57, north - 46),), facts={})
        self._draft.join(station, gate.ident)
        outlet = self._draft.pipe(
            place, self._pipes.new(), name, (gate.ident, junction), self._pipe_facts(place.zone, 315, 0)
        )
        self._draft.sense(station, "gas_pressure", place.zone, "gas")
        self._draft.sense(outlet, "gas_flow", place.zone, "gas")

    def _space(self, place: Place, kind: int, at: Point, street: Words, fixed: int | None = None) -> str:
        space, name, _, volume_m3 = _SPACES[kind]
        ident = self._spaces.new() if fixed is None else self._spaces.of(fixed)
        self._space_ids.append(ident)
        label = Words(f"{name.en} {ident}, {street.en}", f"{street.zh}{name.zh}{ident}")
        breathing = 0.0 if space != "sewer-manhole" or fixed else max(0.0, float(self._rng.uniform(-1.2, 1.05)))
        cover = "vented" if self._ground_rng.random() < _VENTED_SHARE else "sealed"
        depth_m = round(float(self._ground_rng.uniform(1.2, 3.0)), 1)
        facts: dict[str, Fact] = {"space": space, "volume_m3": volume_m3, "sewer_gas_lel": round(breathing, 2)}
        facts |= {"depth_m": depth_m, "cover": cover}
        return self._draft.add(place, ident, "underground-space", label, points=(at,), facts=facts)

    def _add_spaces(self, place: Place, joint: str, ends: tuple[str, str], street: Words) -> None:
        start, end = self._draft.points[ends[0]][0], self._draft.points[ends[1]][0]
        along = distance(start, self._draft.points[joint][0])
        for kind, (_, _, side, _) in enumerate(_SPACES):
            if self._rng.random() < (0.55, 0.5, 0.1)[kind]:
                offset = float(self._rng.uniform(8, 60))
                self._space(place, kind, beside(start, end, along + offset, side), street)

    def _add_story_places(self, place: Place, joint: str, street: Words) -> None:
        """A branch, a telecom manhole 14 m past the joint, a sewer manhole 18 m further, a basement."""
        start, end = self._draft.points["GP-041"]
        self._draft.points["story-end"] = (end,)
        self._lay_branch(place, joint, (joint, "story-end"), street, 34)
        self._space(place, 0, beside(start, end, 14.0, _STORY_ASIDE_M), street, STORY_SPACES[0])
        self._space(place, 1, beside(start, end, 32.0, 4.0), street, STORY_SPACES[1])
        self._space(place, 2, beside(start, end, 22.0, 19.0), street, STORY_SPACES[2])

    def _add_paved_places(self, place: Place, joint: str, ends: tuple[str, str], street: Words) -> None:
        """Two telecom manholes with a duct between them, before the joint, and a sewer manhole two streets off."""
        start, end = self._draft.points[ends[0]][0], self._draft.points[ends[1]][0]
        along = distance(start, self._draft.points[joint][0])
        joined = [
            self._space(place, 0, beside(start, end, along - before_m, _STORY_ASIDE_M), street, number)
            for number, before_m in zip(PAVED_SPACES, _PAVED_BEFORE_M, strict=True)
        ]
        duct_m = _PAVED_BEFORE_M[0] - _PAVED_BEFORE_M[1]
        self._draft.links.append(Link(joined[0], joined[1], "adjacent", duct_m))
        east, north = self._plan.crossings[DECOY_CORNER]
        self._space(place, 1, (east + 20.0, north - 30.0), self._plan.corner(DECOY_CORNER), DECOY_SPACE)

    def _add_house(self, place: Place, joint: str, ends: tuple[str, str], street: Words) -> None:
        start, end = self._draft.points[ends[0]][0], self._draft.points[ends[1]][0]
        along = distance(start, self._draft.points[joint][0])
        use = _USES[int(self._ground_rng.choice(len(_USES), p=_USE_SHARES))]
        households = int(self._ground_rng.integers(8, 60)) if use == "residential" else 0
        people = round(2.6 * households) if households else int(self._ground_rng.integers(5, 300))
        ident = self._houses.new()
        label = Words(f"Building {ident}, {street.en}", f"{street.zh}建筑{ident}")
        at = beside(start, end, along + float(self._ground_rng.uniform(-20, 20)), -HOUSE_M)
        facts: dict[str, Fact] = {"use": use, "people": people, "households": households}
        self._draft.add(place, ident, "building", label, points=(at,), facts=facts)

    def _link_spaces(self) -> None:
        pipes = [a for a in self._draft.assets if a.lifeline == "gas" and a.kind == "pipe"]
        houses = [a.id for a in self._draft.assets if a.lifeline == "gas" and a.kind == "building"]
        for space in (*self._space_ids, *houses):
            at = self._draft.points[space][0]
            for pipe in pipes:
                if not _may_touch(at, self._draft.points[pipe.id]):
                    continue
                metres = distance(at, nearest_on_line(at, self._draft.points[pipe.id]))
                if metres <= ADJACENT_M:
                    self._draft.links.append(Link(pipe.id, space, "adjacent", round(metres, 1)))

    def _sense_spaces(self, zone: str) -> None:
        spaces = [a for a in self._draft.assets if a.zone == zone and a.kind == "underground-space"]
        wanted = [s.id for s in spaces if s.id in WATCHED]
        others = [s.id for s in spaces if s.id not in {*WATCHED, "US-043"}]
        order = [others[int(i)] for i in self._rng.permutation(len(others))]
        for ident in sorted((wanted + order)[: METHANE_SENSORS[zone]]):
            self._draft.sense(ident, "methane", zone, "gas")


def _may_touch(at: Point, line: Sequence[Point]) -> bool:
    """Whether a point lies in the box around a line, widened by the reach; most pairs end here."""
    return all(
        min(p[axis] for p in line) - ADJACENT_M <= at[axis] <= max(p[axis] for p in line) + ADJACENT_M
        for axis in (0, 1)
    )


def _diameter_mm(flow_m3h: float) -> int:
    """The next size that carries the flow at 200 kPa with about 8 m/s (a third of it at line pressure)."""
    needed = math.sqrt(4 * flow_m3h / 3 / 3600 / (math.pi * 8)) * 1000
    return next((d for d in _DIAMETERS_MM if d >= needed), _DIAMETERS_MM[-1])
