"""Reads what lies where from the text of a SWMM input file: nodes, links, lengths in metres. Pure.

The format is that of the SWMM 5.2 user manual, appendix D. What flows is left to SWMM itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.core.network_file import NetworkFile, NetworkFormat
from services.core.pipe_network import Position
from services.core.swmm_sections import SectionLine, sections_of

_FOOT_M = 0.3048
_US_FLOWS = frozenset({"CFS", "GPM", "MGD"})
"""With these flow units a file is in feet; with the others in metres."""
_NODES = {"JUNCTIONS": "manhole", "DIVIDERS": "manhole", "OUTFALLS": "outfall", "STORAGE": "storage"}
_LINKS = {"CONDUITS": "conduit", "PUMPS": "pump", "ORIFICES": "orifice", "WEIRS": "weir", "OUTLETS": "outlet"}
_OF_SWMM_ALONE = ("CONDUITS", "SUBCATCHMENTS", "OUTFALLS", "XSECTIONS", "RAINGAGES")
_KNOWN = (*_NODES, *_LINKS, "COORDINATES", "VERTICES", "OPTIONS")


class SewerFileError(Exception):
    """The file cannot be read; the message names the file, the line and the reason."""


@dataclass(frozen=True, slots=True)
class SewerNode:
    """A manhole, an outfall or a storage, and where it is drawn."""

    id: str
    kind: str
    position: Position | None


@dataclass(frozen=True, slots=True)
class SewerLink:
    """What joins two nodes; ``length_m`` is 0 where it has no length of its own, ``vertices`` are its bends."""

    id: str
    kind: str
    start: str
    end: str
    length_m: float
    vertices: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class SewerLayout:
    """Nodes and links by identifier."""

    nodes: Mapping[str, SewerNode]
    links: Mapping[str, SewerLink]


def format_of(text: str) -> NetworkFormat:
    """Which program reads the text of an ``.inp`` file."""
    sections = {line.strip()[1:].partition("]")[0].upper() for line in text.splitlines() if line.startswith("[")}
    return NetworkFormat.SWMM if any(name in sections for name in _OF_SWMM_ALONE) else NetworkFormat.EPANET


def read_sewers(file: NetworkFile) -> SewerLayout:
    """The layout that a file of SWMM describes.

    Raises:
        SewerFileError: a line lacks a field or has a wrong number, or a link ends at no node.
    """
    sections = sections_of(file.text, _KNOWN, lambda _, number: f"{file.name}, line {number}", SewerFileError)
    metres = _FOOT_M if _flow_unit(sections["OPTIONS"]) in _US_FLOWS else 1.0
    positions = {line.word(0): (line.number(1), line.number(2)) for line in sections["COORDINATES"]}
    bends: dict[str, list[Position]] = {}
    for line in sections["VERTICES"]:
        bends.setdefault(line.word(0), []).append((line.number(1), line.number(2)))
    nodes = {
        line.word(0): SewerNode(line.word(0), kind, positions.get(line.word(0)))
        for section, kind in _NODES.items()
        for line in sections[section]
    }
    links = {
        link.id: link
        for section, kind in _LINKS.items()
        for link in _links(sections[section], kind, metres, nodes, bends)
    }
    if not nodes:
        raise SewerFileError(f"{file.name}: there are no nodes in it")
    return SewerLayout(nodes, links)


def _links(
    lines: list[SectionLine],
    kind: str,
    metres: float,
    nodes: Mapping[str, SewerNode],
    bends: Mapping[str, list[Position]],
) -> Iterator[SewerLink]:
    for line in lines:
        name, start, end = line.word(0), line.word(1), line.word(2)
        for node in (start, end):
            if node not in nodes:
                raise SewerFileError(f"{line.place}: {kind} {name} ends at {node!r}, which is no node")
        length_m = line.number(3) * metres if kind == "conduit" else 0.0
        yield SewerLink(name, kind, start, end, length_m, tuple(bends.get(name, ())))


def _flow_unit(options: list[SectionLine]) -> str:
    units = [line.fields[1].upper() for line in options if line.fields[0].upper() == "FLOW_UNITS" and line.fields[1:]]
    return units[-1] if units else "CFS"
