"""Reads the hydraulics of sewers from the text of a SWMM input file (format: SWMM 5.2 user manual, appendix D). Pure.

What this model does not know is refused or taken as what comes nearest: every closed section counts as the round one
of its height and area, and controls, treatment and snow are left out.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from services.alerts.sewers.sewer_network import (
    Conduit,
    Device,
    Node,
    SewerModelError,
    SewerNetwork,
    Surface,
)
from services.core.swmm_sections import SectionLine, sections_of

_FOOT_M, _ACRE_HA = 0.3048, 0.40468564
_M3S = {
    "CMS": 1.0,
    "LPS": 0.001,
    "MLD": 1000 / 86_400,
    "CFS": _FOOT_M**3,
    "GPM": 6.30902e-5,
    "MGD": 0.0438126,
}
"""One of each flow unit in m3/s."""
_US = frozenset({"CFS", "GPM", "MGD"})
_DEEP_M = 20.0
"""Depth of a shaft of which the file says 0, which SWMM takes to reach over every pipe."""
_LEAST_DECAY_PER_H = 0.01
_EVAPORATES_MM_DAY = 2.4
"""Where the file leaves evaporation to the weather: the mean of a humid year, our own."""
_NODE_SECTIONS = ("JUNCTIONS", "OUTFALLS", "STORAGE")
_SECTIONS = (
    *_NODE_SECTIONS,
    "DIVIDERS",
    "CONDUITS",
    "XSECTIONS",
    "PUMPS",
    "ORIFICES",
    "WEIRS",
    "OUTLETS",
    "CURVES",
    "SUBCATCHMENTS",
    "SUBAREAS",
    "INFILTRATION",
    "COORDINATES",
    "OPTIONS",
    "EVAPORATION",
)
_Points = tuple[tuple[float, float], ...]


def read_swmm(text: str) -> SewerNetwork:
    """The network that the text describes.

    Raises:
        SewerModelError: a line lacks a field or has a wrong number, a link ends at no node, or there are no sewers.
    """
    return _Reader(text).network()


class _Reader:
    """One pass over the sections, in the units of the file."""

    def __init__(self, text: str) -> None:
        self._sections = sections_of(text, _SECTIONS, lambda name, number: f"[{name}], line {number}", SewerModelError)
        options = {line.word(0).upper(): line for line in self._sections["OPTIONS"]}
        unit = options["FLOW_UNITS"].word(1).upper() if "FLOW_UNITS" in options else "CFS"
        if unit not in _M3S:
            raise SewerModelError(f"{options['FLOW_UNITS'].place}: {unit!r} is no unit of flow")
        self._m3s, is_us = _M3S[unit], unit in _US
        self._m, self._ha = (_FOOT_M, _ACRE_HA) if is_us else (1.0, 1.0)
        self._mm = 25.4 if is_us else 1.0
        offsets = options.get("LINK_OFFSETS")
        self._elevations = offsets is not None and offsets.word(1).upper() == "ELEVATION"
        model = options.get("INFILTRATION")
        self._horton = model is None or model.word(1).upper().endswith("HORTON")
        self._curves = self._read_curves()

    def network(self) -> SewerNetwork:
        nodes = {node.id: node for node in self._nodes()}
        if not nodes:
            raise SewerModelError("[JUNCTIONS]: there are no nodes in the file")
        for line in self._sections["COORDINATES"]:
            if line.word(0) in nodes:
                place = (line.number(1), line.number(2))
                nodes[line.word(0)] = replace(nodes[line.word(0)], position=place)
        shapes = {line.word(0): line for line in self._sections["XSECTIONS"]}
        conduits = tuple(self._conduits(nodes, shapes))
        if not conduits:
            raise SewerModelError("[CONDUITS]: there are no sewers in the file")
        devices = tuple(self._devices(nodes, shapes))
        return SewerNetwork(nodes, conduits, devices, tuple(self._surfaces(nodes)), self._evaporates_mm_h())

    def _evaporates_mm_h(self) -> float:
        """The mean of what the file says; without a word SWMM lets nothing evaporate."""
        told = [line for line in self._sections["EVAPORATION"] if line.word(0).upper() != "DRY_ONLY"]
        if not told:
            return 0.0
        line = told[0]
        if line.word(0).upper() not in {"CONSTANT", "MONTHLY"}:
            return _EVAPORATES_MM_DAY / 24
        rates = [line.number(k) for k in range(1, len(line.fields))]
        return sum(rates) / max(len(rates), 1) * self._mm / 24

    def _nodes(self) -> Iterator[Node]:
        for line in (*self._sections["JUNCTIONS"], *self._sections["DIVIDERS"]):
            is_divider = "[DIVIDERS]" in line.place
            depth_m = (0.0 if is_divider else line.number(2, 0.0)) * self._m or _DEEP_M
            ponded_m2 = (0.0 if is_divider else line.number(5, 0.0)) * self._m**2
            yield Node(line.word(0), line.number(1) * self._m, depth_m, ponded_m2)
        for line in self._sections["OUTFALLS"]:
            invert_m = line.number(1) * self._m
            stage_m = line.number(3) * self._m if line.word(2, "FREE").upper() == "FIXED" else invert_m
            yield Node(line.word(0), invert_m, _DEEP_M, outfall_m=stage_m)
        for line in self._sections["STORAGE"]:
            yield self._basin(line)

    def _basin(self, line: SectionLine) -> Node:
        invert_m, depth_m = line.number(1) * self._m, line.number(2) * self._m
        kind = line.word(4).upper()
        area = self._m**2
        if kind == "FUNCTIONAL":
            spread, power, base = line.number(5), line.number(6), line.number(7, 0.0)
            if power == 0:
                base, spread = base + spread, 0.0
            elif power != 1:
                # What another power holds at full depth, as a surface that grows evenly.
                spread *= (depth_m / self._m) ** (power - 1)
            return Node(line.word(0), invert_m, depth_m, 0.0, base * area, spread * area / self._m, is_basin=True)
        points = self._curves.get(line.word(5)) if kind == "TABULAR" else None
        if not points:
            raise SewerModelError(f"{line.place}: no curve tells the surface of storage {line.word(0)}")
        (low, first), (high, last) = points[0], points[-1]
        spread = (last - first) / (high - low) if high > low else 0.0
        return Node(line.word(0), invert_m, depth_m, 0.0, first * area, spread * area / self._m, is_basin=True)

    def _conduits(self, nodes: dict[str, Node], shapes: dict[str, SectionLine]) -> Iterator[Conduit]:
        for line in self._sections["CONDUITS"]:
            name, start, end = self._ends(line, nodes)
            if name not in shapes:
                raise SewerModelError(f"{line.place}: conduit {name} has no line in [XSECTIONS]")
            length_m = line.number(3) * self._m
            if length_m <= 0 or line.number(4) <= 0:
                raise SewerModelError(f"{line.place}: conduit {name} needs a length and a roughness above 0")
            shape = shapes[name]
            diameter_m, barrels = self._round(shape)
            offsets = [self._offset(line, 5, nodes[start]), self._offset(line, 6, nodes[end])]
            yield Conduit(name, start, end, length_m, diameter_m, barrels, line.number(4), *offsets)

    def _round(self, shape: SectionLine) -> tuple[float, int]:
        """The diameter of the round sewer with the area of the section, and how many of them lie side by side."""
        height_m = shape.number(2) * self._m
        if height_m <= 0:
            raise SewerModelError(f"{shape.place}: the section of {shape.word(0)} has no height")
        kind = shape.word(1).upper()
        if kind in {"RECT_CLOSED", "RECT_OPEN", "RECT_TRIANGULAR", "TRAPEZOIDAL"}:
            height_m = math.sqrt(4 * height_m * max(shape.number(3) * self._m, 0.05) / math.pi)
        return height_m, max(1, round(shape.number(6, 1.0)))

    def _devices(self, nodes: dict[str, Node], shapes: dict[str, SectionLine]) -> Iterator[Device]:
        for line in self._sections["PUMPS"]:
            name, start, end = self._ends(line, nodes)
            on_m, off_m = line.number(5, 0.0) * self._m, line.number(6, 0.0) * self._m
            points = self._pump_points(line, on_m)
            yield Device(name, "pump", start, end, points, on_m, off_m)
        for section, kind in (("ORIFICES", "gate"), ("WEIRS", "weir")):
            for line in self._sections[section]:
                name, start, end = self._ends(line, nodes)
                if name not in shapes:
                    raise SewerModelError(f"{line.place}: {kind} {name} has no line in [XSECTIONS]")
                shape = shapes[name]
                height_m = shape.number(2) * self._m
                width_m = (shape.number(3, 0.0) * self._m) if shape.word(1).upper() != "CIRCULAR" else height_m * 0.785
                yield Device(
                    name,
                    kind,
                    start,
                    end,
                    width_m=width_m,
                    height_m=height_m,
                    offset_m=self._offset(line, 4, nodes[start]),
                    coefficient=line.number(5),
                    has_flap=line.word(6, "NO").upper() == "YES",
                )
        for line in self._sections["OUTLETS"]:
            name, start, end = self._ends(line, nodes)
            offset_m = self._offset(line, 3, nodes[start])
            yield Device(name, "inlet", start, end, self._outlet_points(line), offset_m=offset_m)

    def _pump_points(self, line: SectionLine, on_m: float) -> _Points:
        points = self._curves.get(line.word(3))
        if points is None:
            raise SewerModelError(f"{line.place}: pump {line.word(0)} has no curve {line.word(3)!r} in [CURVES]")
        kind = self._kinds.get(line.word(3), "")
        if kind in {"PUMP2", "PUMP4"}:
            return tuple((x * self._m, q * self._m3s) for x, q in points)
        # The other kinds know volume or lift, not depth: what they deliver at most, from where they start.
        most_m3s = max(q for _, q in points) * self._m3s
        return ((0.0, 0.0), (max(0.05, on_m * 0.5), most_m3s))

    def _outlet_points(self, line: SectionLine) -> _Points:
        kind = line.word(4).upper()
        if kind.startswith("TABULAR"):
            points = self._curves.get(line.word(5))
            if points is None:
                raise SewerModelError(f"{line.place}: outlet {line.word(0)} has no curve {line.word(5)!r} in [CURVES]")
            return tuple((x * self._m, q * self._m3s) for x, q in points)
        factor, power = line.number(5), line.number(6)
        depths = (0.0, 0.05, 0.1, 0.3, 1.0, 3.0)
        return tuple((x * self._m, factor * x**power * self._m3s) for x in depths)

    def _surfaces(self, nodes: dict[str, Node]) -> Iterator[Surface]:
        areas = {line.word(0): line for line in self._sections["SUBAREAS"]}
        soil = {line.word(0): line for line in self._sections["INFILTRATION"]} if self._horton else {}
        drawn = {line.word(0): line for line in self._sections["SUBCATCHMENTS"]}
        for name, line in drawn.items():
            node = line.word(2)
            for _ in range(len(drawn)):
                # A surface may drain over another one.
                node = drawn[node].word(2) if node not in nodes and node in drawn else node
            if node not in nodes:
                raise SewerModelError(f"{line.place}: subcatchment {name} drains to {node!r}, which is no node")
            surface = Surface(
                name,
                line.word(1),
                node,
                line.number(3) * self._ha,
                line.number(4) / 100,
                max(1.0, line.number(5) * self._m),
                line.number(6) / 100,
            )
            if name in areas:
                of = areas[name]
                surface = replace(
                    surface,
                    rough_sealed=of.number(1),
                    rough_green=of.number(2),
                    held_sealed_mm=of.number(3) * self._mm,
                    held_green_mm=of.number(4) * self._mm,
                    bare=of.number(5) / 100,
                )
            if name in soil:
                of = soil[name]
                surface = replace(
                    surface,
                    soaks_first_mm_h=of.number(1) * self._mm,
                    soaks_last_mm_h=of.number(2) * self._mm,
                    soaks_decay_per_h=max(of.number(3), _LEAST_DECAY_PER_H),
                    dries_days=of.number(4, 7.0),
                )
            yield surface

    def _ends(self, line: SectionLine, nodes: dict[str, Node]) -> tuple[str, str, str]:
        name, start, end = line.word(0), line.word(1), line.word(2)
        for node in (start, end):
            if node not in nodes:
                raise SewerModelError(f"{line.place}: {name} ends at {node!r}, which is no node")
        return name, start, end

    def _offset(self, line: SectionLine, index: int, node: Node) -> float:
        if line.word(index, "*") == "*":
            return 0.0
        height_m = line.number(index) * self._m
        return max(0.0, height_m - node.invert_m) if self._elevations else height_m

    def _read_curves(self) -> dict[str, _Points]:
        self._kinds: dict[str, str] = {}
        found: dict[str, list[tuple[float, float]]] = {}
        for line in self._sections["CURVES"]:
            name, first = line.word(0), 1
            if not line.word(1)[:1].isdigit() and line.word(1)[:1] not in "-.+":
                self._kinds[name] = line.word(1).upper()
                first = 2
            for index in range(first, len(line.fields) - 1, 2):
                found.setdefault(name, []).append((line.number(index), line.number(index + 1)))
        return {name: tuple(points) for name, points in found.items()}
