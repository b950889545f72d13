"""Reads a water network from the text of an EPANET input file, in metres, millimetres and m3/h. Pure.

The format is that of the EPANET 2.2 user manual (Rossman et al., EPA/600/R-20/133, 2020), appendix C. What says how the
network behaves in time (patterns, controls, rules) is left to EPANET itself.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from services.core.network_file import NetworkFile, NetworkFormat
from services.core.pipe_network import (
    HeadLoss,
    NetworkLink,
    Node,
    NodeKind,
    Pipe,
    PipeNetwork,
    Position,
    Pump,
    Tank,
    Valve,
    ValveType,
)

_FOOT_M = 0.3048
_INCH_MM = 25.4
_PSI_M = 0.70307
"""Metres of water in a pound per square inch."""
_HORSEPOWER_KW = 0.745_7
_FLOWS_M3H = {
    "CFS": 101.940_6,
    "GPM": 0.227_124_7,
    "MGD": 157.725_5,
    "IMGD": 189.420_4,
    "AFD": 51.396_0,
    "LPS": 3.6,
    "LPM": 0.06,
    "MLD": 41.666_67,
    "CMH": 1.0,
    "CMD": 1 / 24,
    "CMS": 3600.0,
}
"""One of each flow unit in m3/h."""
_US_FLOWS = frozenset({"CFS", "GPM", "MGD", "IMGD", "AFD"})
"""With these flow units a file is in feet, inches and pounds per square inch; with the others in metres."""
_RESERVOIR_FIELDS = 3
_PIPE_FIELDS = 6
_STATUSES = frozenset({"OPEN", "CLOSED", "CV"})
_SECTIONS = (
    "TITLE", "JUNCTIONS", "RESERVOIRS", "TANKS", "PIPES", "PUMPS", "VALVES", "TAGS", "DEMANDS", "STATUS", "PATTERNS",
    "CURVES", "CONTROLS", "RULES", "ENERGY", "EMITTERS", "LEAKAGE", "QUALITY", "SOURCES", "REACTIONS", "MIXING",
    "TIMES", "REPORT", "OPTIONS", "COORDINATES", "VERTICES", "LABELS", "BACKDROP", "END",
)  # fmt: skip


class EpanetFileError(Exception):
    """The file cannot be read; the message names the file, the section, the line and the reason."""


class _Line(NamedTuple):
    """The fields of one line, and where it stands."""

    place: str
    fields: list[str]

    def fail(self, reason: str) -> EpanetFileError:
        return EpanetFileError(f"{self.place}: {reason}")

    def text(self, index: int, what: str) -> str:
        if index >= len(self.fields):
            raise self.fail(f"{what} is missing")
        return self.fields[index]

    def number(self, index: int, what: str, default: float | None = None) -> float:
        if index >= len(self.fields) and default is not None:
            return default
        text = self.text(index, what)
        try:
            value = float(text)
        except ValueError:
            raise self.fail(f"{what} {text!r} is not a number") from None
        if not math.isfinite(value):
            raise self.fail(f"{what} {text!r} is not a finite number")
        return value

    def positive(self, index: int, what: str) -> float:
        value = self.number(index, what)
        if value <= 0:
            raise self.fail(f"{what} must be greater than 0, not {value:g}")
        return value


_Sections = Mapping[str, list[_Line]]


class _Units(NamedTuple):
    """What one of the file's units is in ours."""

    flow_m3h: float
    length_m: float
    diameter_mm: float
    pressure_m: float
    power_kw: float
    roughness: float


def read_epanet(file: NetworkFile) -> PipeNetwork:
    """The network of an EPANET file.

    The demand of a junction is the sum of its categories times the file's multiplier, without its patterns.

    Raises:
        EpanetFileError: the file is of another format or something in it cannot be read; the message names the file,
            the section, the line and the reason.
    """
    if file.format is not NetworkFormat.EPANET:
        raise EpanetFileError(f"{file.name}: is a file of {file.format}, not of EPANET")
    sections = _sections(file)
    options = {" ".join(line.fields[:-1]).upper(): line for line in sections["OPTIONS"] if len(line.fields) > 1}
    head_loss = _head_loss(options)
    units = _units(options, head_loss)
    positions = _positions(sections["COORDINATES"])
    nodes = _nodes(sections, units, positions, _multiplier(options))
    links = _links(sections, units, nodes)
    curves = {name: tuple(points) for name, points in _curves(sections["CURVES"]).items()}
    return PipeNetwork(file.name, nodes, links, head_loss, curves)


def _sections(file: NetworkFile) -> _Sections:
    found: dict[str, list[_Line]] = {name: [] for name in _SECTIONS}
    section = ""
    for number, raw in enumerate(file.text.lstrip("\ufeff").splitlines(), start=1):
        text = raw.split(";", maxsplit=1)[0].strip()
        if text.startswith("["):
            section = _section_name(file.name, number, text)
            if section == "END":
                break
        elif text:
            if not section:
                raise EpanetFileError(f"{file.name}, line {number}: stands before the first section")
            place = f"{file.name}, [{section}], line {number}"
            found[section].append(_Line(place, text.replace(",", " ").split()))
    return found


def _section_name(name: str, number: int, text: str) -> str:
    asked = text.strip("[] \t").upper()
    for section in _SECTIONS:
        # EPANET itself recognises a section by its first letters.
        if asked and (section.startswith(asked) or asked.startswith(section[:4])):
            return section
    raise EpanetFileError(f"{name}, line {number}: there is no section {text}")


def _head_loss(options: Mapping[str, _Line]) -> HeadLoss:
    line = options.get("HEADLOSS")
    if line is None:
        return HeadLoss.HAZEN_WILLIAMS
    try:
        return HeadLoss(line.fields[-1].upper())
    except ValueError:
        raise line.fail(f"head loss formula {line.fields[-1]!r} is none of H-W, D-W and C-M") from None


def _units(options: Mapping[str, _Line], head_loss: HeadLoss) -> _Units:
    line = options.get("UNITS")
    name = "GPM" if line is None else line.fields[-1].upper()
    if name not in _FLOWS_M3H:
        raise (line or _Line("[OPTIONS]", [])).fail(f"flow unit {name!r} is none of {', '.join(_FLOWS_M3H)}")
    if name not in _US_FLOWS:
        return _Units(_FLOWS_M3H[name], 1.0, 1.0, 1.0, 1.0, 1.0)
    # Darcy-Weisbach roughness is in thousandths of a foot; the other formulas have pure numbers.
    roughness = _FOOT_M if head_loss is HeadLoss.DARCY_WEISBACH else 1.0
    return _Units(_FLOWS_M3H[name], _FOOT_M, _INCH_MM, _PSI_M, _HORSEPOWER_KW, roughness)


def _multiplier(options: Mapping[str, _Line]) -> float:
    line = options.get("DEMAND MULTIPLIER")
    return 1.0 if line is None else line.number(len(line.fields) - 1, "demand multiplier")


def _positions(lines: list[_Line]) -> dict[str, Position]:
    return {line.fields[0]: (line.number(1, "x"), line.number(2, "y")) for line in lines}


def _nodes(sections: _Sections, units: _Units, positions: Mapping[str, Position], multiplier: float) -> dict[str, Node]:
    demands = _demands(sections["DEMANDS"])
    nodes: dict[str, Node] = {}
    for line, node in _node_lines(sections, units):
        if node.id in nodes:
            raise line.fail(f"node {node.id!r} is declared a second time")
        drawn = demands.pop(node.id, None)
        flow = node.demand_m3h if drawn is None else sum(each.number(1, "demand") for each in drawn)
        nodes[node.id] = replace(node, demand_m3h=flow * multiplier * units.flow_m3h, position=positions.get(node.id))
    for unknown, lines in demands.items():
        raise lines[0].fail(f"node {unknown!r} is not declared")
    return nodes


def _demands(lines: list[_Line]) -> dict[str, list[_Line]]:
    of_node: dict[str, list[_Line]] = {}
    for line in lines:
        if line.fields[0].upper() != "MULTIPLY":
            of_node.setdefault(line.fields[0], []).append(line)
    return of_node


def _node_lines(sections: _Sections, units: _Units) -> Iterator[tuple[_Line, Node]]:
    """Nodes in metres, but with demands still in the file's unit."""
    for line in sections["JUNCTIONS"]:
        elevation_m = line.number(1, "elevation", 0.0) * units.length_m
        yield line, Node(id=line.fields[0], elevation_m=elevation_m, demand_m3h=line.number(2, "demand", 0.0))
    for line in (*sections["RESERVOIRS"], *sections["TANKS"]):
        if len(line.fields) <= _RESERVOIR_FIELDS:
            head_m = line.number(1, "head") * units.length_m
            yield line, Node(id=line.fields[0], kind=NodeKind.RESERVOIR, elevation_m=head_m)
        else:
            yield line, _tank(line, units)


def _tank(line: _Line, units: _Units) -> Tank:
    what = ("elevation", "initial level", "minimum level", "maximum level")
    bottom, initial, least, most = (line.number(i, name) * units.length_m for i, name in enumerate(what, start=1))
    if not least <= initial <= most:
        raise line.fail(f"initial level {initial:g} m is not between {least:g} m and {most:g} m")
    return Tank(
        id=line.fields[0],
        elevation_m=bottom,
        initial_level_m=initial,
        minimum_level_m=least,
        maximum_level_m=most,
        diameter_m=line.number(5, "diameter") * units.length_m,
    )


def _links(sections: _Sections, units: _Units, nodes: Mapping[str, Node]) -> dict[str, NetworkLink]:
    bends: dict[str, list[Position]] = {}
    for line in sections["VERTICES"]:
        bends.setdefault(line.fields[0], []).append((line.number(1, "x"), line.number(2, "y")))
    curves = _curves(sections["CURVES"])
    readers: tuple[tuple[str, Callable[[_Line], NetworkLink]], ...] = (
        ("PIPES", lambda line: _pipe(line, units)),
        ("PUMPS", lambda line: _pump(line, units, curves)),
        ("VALVES", lambda line: _valve(line, units)),
    )
    links: dict[str, NetworkLink] = {}
    for section, read in readers:
        for line in sections[section]:
            link = read(line)
            if link.id in links:
                raise line.fail(f"link {link.id!r} is declared a second time")
            for end in (link.start, link.end):
                if end not in nodes:
                    raise line.fail(f"node {end!r} is not declared")
            links[link.id] = replace(link, vertices=tuple(bends.get(link.id, ())))
    _set_statuses(sections["STATUS"], links, units)
    return links


def _pipe(line: _Line, units: _Units) -> Pipe:
    # The two optional fields may come alone or together: a minor loss, a status.
    rest = [text.upper() for text in line.fields[_PIPE_FIELDS:]]
    status = next((text for text in rest if text in _STATUSES), "OPEN")
    has_loss = bool(rest) and rest[0] not in _STATUSES
    return Pipe(
        id=line.fields[0],
        start=line.text(1, "start node"),
        end=line.text(2, "end node"),
        length_m=line.positive(3, "length") * units.length_m,
        diameter_mm=line.positive(4, "diameter") * units.diameter_mm,
        roughness=line.positive(5, "roughness") * units.roughness,
        minor_loss=line.number(_PIPE_FIELDS, "minor loss") if has_loss else 0.0,
        is_open=status != "CLOSED",
        has_check_valve=status == "CV",
    )


def _pump(line: _Line, units: _Units, curves: Mapping[str, list[tuple[float, float]]]) -> Pump:
    curve: tuple[tuple[float, float], ...] = ()
    power_kw, speed = None, 1.0
    for index in range(3, len(line.fields)):
        word = line.fields[index].upper()
        if word == "HEAD":
            name = line.text(index + 1, "head curve")
            if name not in curves:
                raise line.fail(f"curve {name!r} is not declared")
            curve = tuple((flow * units.flow_m3h, head * units.length_m) for flow, head in curves[name])
        elif word == "POWER":
            power_kw = line.number(index + 1, "power") * units.power_kw
        elif word == "SPEED":
            speed = line.number(index + 1, "speed")
    start, end = line.text(1, "start node"), line.text(2, "end node")
    return Pump(id=line.fields[0], start=start, end=end, head_curve=curve, power_kw=power_kw, speed=speed)


def _valve(line: _Line, units: _Units) -> Valve:
    word = line.text(4, "type").upper()
    try:
        kind = ValveType(word)
    except ValueError:
        raise line.fail(f"type {word!r} is none of {', '.join(ValveType)}") from None
    return Valve(
        id=line.fields[0],
        start=line.text(1, "start node"),
        end=line.text(2, "end node"),
        diameter_mm=line.positive(3, "diameter") * units.diameter_mm,
        type=kind,
        setting=_setting_of(line, 5, kind, units),
        minor_loss=line.number(6, "minor loss", 0.0),
    )


def _setting_of(line: _Line, index: int, kind: ValveType, units: _Units) -> float | str:
    if kind is ValveType.GENERAL:
        return line.text(index, "curve")
    factor = {
        ValveType.PRESSURE_REDUCING: units.pressure_m,
        ValveType.PRESSURE_SUSTAINING: units.pressure_m,
        ValveType.PRESSURE_BREAKER: units.pressure_m,
        ValveType.FLOW_CONTROL: units.flow_m3h,
    }.get(kind, 1.0)
    return line.number(index, "setting", 0.0) * factor


def _curves(lines: list[_Line]) -> dict[str, list[tuple[float, float]]]:
    curves: dict[str, list[tuple[float, float]]] = {}
    for line in lines:
        # EPANET takes several points of a curve on one line.
        for index in range(1, len(line.fields), 2):
            curves.setdefault(line.fields[0], []).append((line.number(index, "x"), line.number(index + 1, "y")))
    return curves


def _set_statuses(lines: list[_Line], links: dict[str, NetworkLink], units: _Units) -> None:
    for line in lines:
        name, status = line.fields[0], line.text(1, "status").upper()
        if name not in links:
            raise line.fail(f"link {name!r} is not declared")
        link = links[name]
        if status in {"OPEN", "CLOSED"}:
            links[name] = replace(link, is_open=status == "OPEN")
        elif isinstance(link, Pump):
            speed = line.number(1, "speed")
            links[name] = replace(link, speed=speed, is_open=speed > 0)
        elif isinstance(link, Valve):
            links[name] = replace(link, setting=_setting_of(line, 1, link.type, units))
