"""Water: two waterworks, two trunk mains, four district metered areas with one metered inlet each, two tanks."""

import math

import numpy as np

from simulators.city import Fact, Link, Words
from simulators.demo_city.draft import Draft, Numbering, Place
from simulators.demo_city.street_pipes import Inline, first_unused, lay_street, sized_flow
from simulators.demo_city.streets import ROWS_M, Crossing, Street, StreetPlan, thinned
from simulators.geometry import Point

LEAKING_STREET: Street = ((3, 1), (3, 2))
LEAKING_PIPE_NUMBER = 207
"""The main that bursts in the water scenarios has the same id for every seed: WP-207."""

OWNER = "water-company"
SPLIT = 6
"""First column of the eastern areas."""
AREAS = {
    "W1": (Words("Riverside North DMA", "河北岸供水分区"), (0, 5), (4, 8), (2, 8), 14),
    "W2": (Words("Hillside DMA", "山脚供水分区"), (6, 10), (4, 8), (8, 8), 13),
    "W3": (Words("Old Wharf DMA", "老码头供水分区"), (0, 5), (0, 3), (2, 0), 14),
    "W4": (Words("Foundry DMA", "铸造厂供水分区"), (6, 10), (0, 3), (8, 0), 13),
}
"""Zone: name, columns, rows, inlet crossing, number of pressure sensors."""
CUSTOMERS: tuple[tuple[str, str, str, Crossing | None, Words], ...] = (
    ("HO-1", "hospital", "W1", (1, 6), Words("Riverside Hospital", "河滨医院")),
    ("HO-2", "hospital", "W3", (1, 2), Words("South Bank Hospital", "南岸医院")),
    ("HO-3", "hospital", "W4", (7, 2), Words("Foundry Hospital", "铸造厂医院")),
    ("SC-1", "school", "W1", (4, 6), Words("School Street Middle School", "学堂街中学")),
    ("SC-2", "school", "W2", (8, 7), Words("Hillside Primary School", "山脚小学")),
    ("SC-3", "school", "W3", None, Words("Old Wharf Primary School", "老码头小学")),
    ("SC-4", "school", "W4", (8, 1), Words("Foundry Middle School", "铸造厂中学")),
)
"""Customers that must not be without water: id, kind, zone, crossing (``None``: half-way along the street whose main
bursts) and name."""
_SERVICE_M = 35.0
_TANKS = {"W2": (7, 6), "W4": (9, 2)}
_DIAMETERS_MM = (150, 200, 250, 300, 400)


class WaterDraft:
    """Lays the water network of one city."""

    def __init__(self, plan: StreetPlan, draft: Draft, rng: np.random.Generator) -> None:
        self._plan, self._draft, self._rng = plan, draft, rng
        self._pipes = Numbering("WP", kept=frozenset({LEAKING_PIPE_NUMBER}))
        self._valves = Numbering("WV", 301)
        self._hydrants = Numbering("H", 201)
        self._junctions = Numbering("WJ")
        self._leaking_ends: tuple[str, ...] = ()
        self._leaking_hydrant = ""

    def lay(self) -> None:
        """Add zones, mains, tanks and sensors."""
        for zone, (name, columns, _, inlet, _) in AREAS.items():
            west = 0.0 if columns[0] == 0 else SPLIT - 0.5
            east = SPLIT - 0.5 if columns[0] == 0 else 10.0
            self._draft.zone(zone, "water", name, self._plan.quarter(west, east, north_bank=inlet[1] > 0))
        for zone in AREAS:
            self._lay_area(zone)
        self._lay_trunk(
            1, Words("North Waterworks", "城北水厂"), ("W1", "W2"), north=ROWS_M[-1] + 130, works=-220, head_m=63.0
        )
        self._lay_trunk(2, Words("South Waterworks", "城南水厂"), ("W4", "W3"), north=-130.0, works=6020, head_m=59.0)
        for zone in AREAS:
            self._sense_area(zone)
        for ident, kind, zone, crossing, name in CUSTOMERS:
            self._supply(Place("water", zone, OWNER), (ident, kind, name), crossing)

    def _elevation_m(self, point: Point) -> float:
        return round(12 + 7 * max(0.0, point[1] - 1900) / 3000 + 1.5 * math.sin(point[0] / 700 + point[1] / 900), 2)

    def _junction(self, place: Place, at: Point, name: Words, demand_m3h: float) -> str:
        facts = {"elevation_m": self._elevation_m(at), "base_demand_m3h": round(demand_m3h, 2)}
        return self._draft.add(place, self._junctions.new(), "junction", name, points=(at,), facts=facts)

    def _in_line(self, kind: str, at: Point, fraction: float, name: Words) -> Inline:
        ident = self._valves.new() if kind == "valve" else self._hydrants.new()
        label = (
            Words(f"Valve {ident}, {name.en}", f"{name.zh}阀门{ident}")
            if kind == "valve"
            else Words(f"Hydrant {ident}, {name.en}", f"{name.zh}消火栓{ident}")
        )
        return Inline(fraction, kind, ident, label, {"elevation_m": self._elevation_m(at)})

    def _pipe_facts(self, diameter_mm: int, households: int) -> dict[str, Fact]:
        built = int(self._rng.integers(1986, 2022))
        material = "cast iron" if built < 1998 else "ductile iron" if built < 2010 or diameter_mm > 200 else "PE"  # noqa: PLR2004 - years in which the fictional company changed its pipes
        return {"diameter_mm": diameter_mm, "material": material, "built": built, "households": households}

    def _lay_area(self, zone: str) -> None:
        _, columns, rows, inlet, _ = AREAS[zone]
        place = Place("water", zone, OWNER)
        inside = [s for s in self._plan.streets if all(_within(c, columns, rows) for c in s)]
        meshed = frozenset(s for s in inside if all(abs(c - 3) <= 1 and r <= 3 for c, r in s))  # noqa: PLR2004 - around the leaking street
        streets = thinned(inside, meshed, 0.14, self._rng)
        crossings = [(c, r) for c in range(columns[0], columns[1] + 1) for r in range(rows[0], rows[1] + 1)]
        demand = {crossing: float(self._rng.uniform(6, 17)) for crossing in crossings}
        junction = {c: self._crossing_junction(place, c, demand[c]) for c in crossings}
        lengths = [self._plan.length_m(s) for s in streets]
        for street, flow, diameter in sized_flow(streets, lengths, demand, [inlet], _diameter_mm):
            self._lay_main(place, street, (junction[street[0]], junction[street[1]]), flow, diameter)
        if zone in _TANKS:
            self._lay_tank(place, junction[_TANKS[zone]])

    def _crossing_junction(self, place: Place, crossing: Crossing, demand_m3h: float) -> str:
        east, north = self._plan.crossings[crossing]
        at = (east - 6.0, north + 6.0)
        return self._junction(place, at, self._plan.corner(crossing), demand_m3h)

    def _lay_main(self, place: Place, street: Street, ends: tuple[str, str], flow: float, diameter_mm: int) -> None:
        name = self._plan.name(street)
        at = self._draft.points[ends[0]][0]
        leaking = set(street) == set(LEAKING_STREET)
        inline = [self._in_line("valve", at, 0.07, name)]
        if leaking or self._rng.random() < 0.35:  # noqa: PLR2004 - about every third street has a hydrant
            inline.append(self._in_line("hydrant", at, 0.52, name))
        if leaking or flow > 60:  # noqa: PLR2004 - mains above 60 m3/h are valved at both ends
            inline.append(self._in_line("valve", at, 0.93, name))
        ids = first_unused(self._pipes, len(inline) + 1, {1: LEAKING_PIPE_NUMBER} if leaking else {})
        main = Words(f"Water main, {name.en}", f"{name.zh}供水管")
        facts = self._pipe_facts(diameter_mm, int(self._rng.integers(60, 320)))
        if leaking:
            self._leaking_ends = ends
            self._leaking_hydrant = inline[1].ident
            facts |= {"diameter_mm": 150, "material": "cast iron", "built": 1988}
        lay_street(self._draft, place, ends, inline, pipe_ids=ids, name=main, facts=facts)

    def _lay_tank(self, place: Place, junction: str) -> None:
        number = 1 if place.zone == "W2" else 2
        east, north = self._draft.points[junction][0]
        name = Words(f"Tank {number}", f"{number}号高位水池")
        valve = self._in_line("valve", (east, north), 0.0, name)
        valve_id = self._draft.add(
            place, valve.ident, "valve", valve.name, points=((east + 70, north + 55),), facts=valve.facts
        )
        facts: dict[str, Fact] = {
            "area_m2": 420,
            "minimum_level_m": 0.5,
            "maximum_level_m": 6.5,
            "normal_level_m": 3.6,
            "bottom_elevation_m": 46.0,
        }
        tank = self._draft.add(place, f"TK-{number}", "tank", name, points=((east + 72, north + 57),), facts=facts)
        self._draft.pipe(place, self._pipes.new(), name, (junction, valve_id), self._pipe_facts(250, 0))
        self._draft.join(valve_id, tank)
        self._draft.sense(tank, "tank_level", place.zone, "water")

    def _supply(self, place: Place, customer: tuple[str, str, Words], crossing: Crossing | None) -> None:
        """Lay the service of a customer, whose demand is among that of the junctions around."""
        ident, kind, name = customer
        node = self._leaking_hydrant if crossing is None else _junction_at(self._draft, self._plan, crossing)
        east, north = self._draft.points[node][0]
        at = (east - _SERVICE_M * 0.8, north + _SERVICE_M * 0.6)
        self._draft.add(place, ident, kind, name, points=(at,), facts={"critical": kind})
        self._draft.links.append(Link(node, ident, "flow", _SERVICE_M))

    def _sense_area(self, zone: str) -> None:
        assets = [a for a in self._draft.assets if a.zone == zone and a.lifeline == "water"]
        junctions = [a.id for a in assets if a.kind == "junction" and a.number("base_demand_m3h") > 0]
        wanted = [ident for ident in self._leaking_ends if ident in junctions]
        others = [ident for ident in junctions if ident not in wanted]
        order = [others[int(i)] for i in self._rng.permutation(len(others))]
        for ident in sorted((wanted + order)[: AREAS[zone][4]]):
            self._draft.sense(ident, "pressure", zone, "water")
        mains = [a for a in assets if a.kind == "pipe" and a.name.en.startswith("Water main")]
        widest = sorted(mains, key=lambda a: (-a.number("diameter_mm"), -a.number("length_m"), a.id))
        streets: dict[Words, str] = {}
        for asset in widest:
            streets.setdefault(asset.name, asset.id)
        for ident in list(streets.values())[:2]:
            self._draft.sense(ident, "flow", zone, "water")

    def _lay_trunk(
        self, number: int, name: Words, zones: tuple[str, str], *, north: float, works: float, head_m: float
    ) -> None:
        place = Place("water", zones[0], OWNER)
        start = self._plan.bent((works, north))
        facts = {"head_m": head_m}
        reservoir = self._draft.add(place, f"WR-{number}", "reservoir", name, points=(start,), facts=facts)
        gate = self._in_line("valve", start, 0.0, name)
        toward = 3.0 if works < 0 else -3.0
        at = (start[0] + toward, start[1])
        upstream = self._draft.add(place, gate.ident, "valve", gate.name, points=(at,), facts=gate.facts)
        self._draft.join(reservoir, upstream)
        for order, zone in enumerate(zones):
            upstream = self._lay_inlet(Place("water", zone, OWNER), upstream, north, first=order == 0)

    def _lay_inlet(self, place: Place, upstream: str, north: float, *, first: bool) -> str:
        """Trunk main up to a take-off, the metered inlet into the area, and a valve for the way on."""
        name, _, _, inlet, _ = AREAS[place.zone]
        east = inlet[0] * 580.0 + 60
        at = self._plan.bent((east, north))
        trunk = Words("Trunk main", "输水干管")
        off = self._junction(place, at, Words(f"Take-off, {name.en}", f"{name.zh}分水点"), 0.0)
        main = self._draft.pipe(place, self._pipes.new(), trunk, (upstream, off), self._pipe_facts(600, 0))
        gate = self._in_line("valve", at, 0.0, name)
        towards = -20 if north > 0 else 20
        self._draft.add(place, gate.ident, "valve", gate.name, points=((at[0], at[1] + towards),), facts=gate.facts)
        inlet_name = Words(f"Inlet of {name.en}", f"{name.zh}进水管")
        self._draft.pipe(place, self._pipes.new(), inlet_name, (off, gate.ident), self._pipe_facts(400, 0))
        junction = _junction_at(self._draft, self._plan, inlet)
        metered = self._draft.pipe(
            place, self._pipes.new(), inlet_name, (gate.ident, junction), self._pipe_facts(400, 0)
        )
        self._draft.sense(metered, "flow", place.zone, "water")
        if not first:
            return off
        self._draft.sense(main, "flow", place.zone, "water")
        onward = self._in_line("valve", at, 0.0, trunk)
        side = 25 if north > 0 else -25
        self._draft.add(place, onward.ident, "valve", onward.name, points=((at[0] + side, at[1]),), facts=onward.facts)
        self._draft.pipe(place, self._pipes.new(), trunk, (off, onward.ident), self._pipe_facts(600, 0))
        return onward.ident


def _within(crossing: Crossing, columns: tuple[int, int], rows: tuple[int, int]) -> bool:
    return columns[0] <= crossing[0] <= columns[1] and rows[0] <= crossing[1] <= rows[1]


def _diameter_mm(flow_m3h: float) -> int:
    """The next size at which water would run at 0.5 m/s."""
    needed = math.sqrt(4 * flow_m3h / 3600 / (math.pi * 0.5)) * 1000
    return next((d for d in _DIAMETERS_MM if d >= needed), _DIAMETERS_MM[-1])


def _junction_at(draft: Draft, plan: StreetPlan, crossing: Crossing) -> str:
    east, north = plan.crossings[crossing]
    return next(ident for ident, line in draft.points.items() if line == ((east - 6.0, north + 6.0),))
