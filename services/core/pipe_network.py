"""A water network as hydraulics sees it: nodes, and the pipes, pumps and valves that join them. Pure.

It is read from the file of a hydraulic model (``epanet_file.py``) or from a city's register (``network_assets.py``),
and can become either.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Position = tuple[float, float]
"""A place on the map of the file it was read from: longitude and latitude, or metres east and north."""


class PipeNetworkError(Exception):
    """A network contradicts itself or lacks what hydraulics needs; the message names the part and the reason."""


class NodeKind(StrEnum):
    """What a node does to the water."""

    JUNCTION = "junction"
    RESERVOIR = "reservoir"
    TANK = "tank"


class HeadLoss(StrEnum):
    """The formula a network's roughness belongs to."""

    HAZEN_WILLIAMS = "H-W"
    DARCY_WEISBACH = "D-W"
    CHEZY_MANNING = "C-M"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A point of the network.

    ``elevation_m`` is the ground of a junction, the bottom of a tank and the water level of a reservoir.
    ``demand_m3h`` is the mean of what is drawn there.
    """

    id: str
    kind: NodeKind = NodeKind.JUNCTION
    elevation_m: float = 0.0
    demand_m3h: float = 0.0
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tank(Node):
    """A node that stores; levels are above its bottom, and it is as wide everywhere as its diameter says."""

    kind: NodeKind = NodeKind.TANK
    initial_level_m: float
    minimum_level_m: float
    maximum_level_m: float
    diameter_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLink:
    """What joins two nodes, nominally from ``start`` to ``end``; ``vertices`` are the bends in between."""

    id: str
    start: str
    end: str
    is_open: bool = True
    vertices: tuple[Position, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe(NetworkLink):
    """A pipe; ``roughness`` belongs to the network's formula (millimetres for Darcy-Weisbach)."""

    length_m: float
    diameter_mm: float
    roughness: float
    minor_loss: float = 0.0
    has_check_valve: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pump(NetworkLink):
    """A pump, known by its curve of flow and head or by its constant power."""

    head_curve: tuple[tuple[float, float], ...] = ()
    """Pairs of m3/h and metres."""
    power_kw: float | None = None
    speed: float = 1.0


class ValveType(StrEnum):
    """What a valve controls, in EPANET's letters."""

    PRESSURE_REDUCING = "PRV"
    PRESSURE_SUSTAINING = "PSV"
    PRESSURE_BREAKER = "PBV"
    FLOW_CONTROL = "FCV"
    THROTTLE = "TCV"
    GENERAL = "GPV"
    POSITION = "PCV"


@dataclass(frozen=True, slots=True, kw_only=True)
class Valve(NetworkLink):
    """A control valve; ``setting`` is metres, m3/h or a loss coefficient, or names a curve, as its type says."""

    diameter_mm: float
    type: ValveType
    setting: float | str = 0.0
    minor_loss: float = 0.0


@dataclass(frozen=True, slots=True)
class PipeNetwork:
    """Nodes and links by identifier; an identifier may name a node and a link at the same time."""

    name: str
    nodes: Mapping[str, Node]
    links: Mapping[str, NetworkLink]
    head_loss: HeadLoss = HeadLoss.HAZEN_WILLIAMS
    curves: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    """Curves that a valve's ``setting`` names, in the numbers of their file."""

    def __post_init__(self) -> None:
        """Check that links end at nodes.

        Raises:
            PipeNetworkError: a link ends at a node that is not there.
        """
        for link in self.links.values():
            for end in (link.start, link.end):
                if end not in self.nodes:
                    raise PipeNetworkError(f"link {link.id} ends at node {end}, which the network does not have")

    @property
    def pipes(self) -> Iterator[Pipe]:
        """The pipes alone."""
        return (link for link in self.links.values() if isinstance(link, Pipe))

    @property
    def sources(self) -> Iterator[Node]:
        """Reservoirs and tanks."""
        return (node for node in self.nodes.values() if node.kind is not NodeKind.JUNCTION)
