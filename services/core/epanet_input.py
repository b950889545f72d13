"""Writes a water network as the text of an EPANET input file: a city's register gets a hydraulic model. Pure."""

import math
from collections.abc import Iterator

from services.core.network_file import NetworkFile, NetworkFormat
from services.core.pipe_network import NodeKind, Pipe, PipeNetwork, PipeNetworkError, Pump, Tank, Valve

_LONGEST_NAME = 31
"""EPANET's limit for identifiers."""
_UNNAMEABLE = frozenset(' \t",;')


def write_epanet(network: PipeNetwork) -> NetworkFile:
    """The network as a file in metres, millimetres and m3/h, at mean demand and without patterns.

    Raises:
        PipeNetworkError: an identifier is longer than EPANET allows or has a character it cannot carry.
    """
    for name in (*network.nodes, *network.links):
        if len(name) > _LONGEST_NAME or _UNNAMEABLE & set(name):
            raise PipeNetworkError(f"{name!r} cannot be an identifier of EPANET: {_LONGEST_NAME} characters, no blanks")
    return NetworkFile(network.name, NetworkFormat.EPANET, "\n".join(_lines(network)) + "\n")


def _lines(network: PipeNetwork) -> Iterator[str]:
    nodes = list(network.nodes.values())
    yield from ("[TITLE]", network.name, "", "[JUNCTIONS]")
    yield from (f"{n.id} {_n(n.elevation_m)} {_n(n.demand_m3h)}" for n in nodes if n.kind is NodeKind.JUNCTION)
    yield from ("", "[RESERVOIRS]")
    yield from (f"{n.id} {_n(n.elevation_m)}" for n in nodes if n.kind is NodeKind.RESERVOIR)
    yield from ("", "[TANKS]")
    yield from (_tank(node) for node in nodes if isinstance(node, Tank))
    yield from ("", "[PIPES]")
    yield from (_pipe(link) for link in network.pipes)
    yield from ("", "[PUMPS]")
    yield from (_pump(link) for link in network.links.values() if isinstance(link, Pump))
    yield from ("", "[VALVES]")
    yield from (_valve(link) for link in network.links.values() if isinstance(link, Valve))
    yield from ("", "[STATUS]")
    yield from (f"{k.id} CLOSED" for k in network.links.values() if not k.is_open and not isinstance(k, Pipe))
    yield from ("", "[CURVES]")
    yield from _curves(network)
    yield from ("", "[TIMES]", "DURATION 0")
    yield from ("", "[OPTIONS]", "UNITS CMH", f"HEADLOSS {network.head_loss}", "ACCURACY 0.0001", "TRIALS 100")
    yield from ("", "[COORDINATES]")
    yield from (f"{n.id} {n.position[0]:.7f} {n.position[1]:.7f}" for n in nodes if n.position is not None)
    yield from ("", "[VERTICES]")
    yield from (f"{k.id} {x:.7f} {y:.7f}" for k in network.links.values() for x, y in k.vertices)
    yield from ("", "[END]")


def _n(value: float) -> str:
    if not math.isfinite(value):
        raise PipeNetworkError(f"{value} is not a number for EPANET")
    return f"{value:.10g}"


def _tank(tank: Tank) -> str:
    levels = (tank.elevation_m, tank.initial_level_m, tank.minimum_level_m, tank.maximum_level_m, tank.diameter_m)
    return f"{tank.id} {' '.join(_n(level) for level in levels)} 0"


def _pipe(pipe: Pipe) -> str:
    size = " ".join(_n(value) for value in (pipe.length_m, pipe.diameter_mm, pipe.roughness, pipe.minor_loss))
    status = "Closed" if not pipe.is_open else "CV" if pipe.has_check_valve else "Open"
    return f"{pipe.id} {pipe.start} {pipe.end} {size} {status}"


def _pump(pump: Pump) -> str:
    how = f"HEAD {pump.id}" if pump.head_curve else f"POWER {_n(pump.power_kw or 0.0)}"
    speed = "" if pump.speed == 1 else f" SPEED {_n(pump.speed)}"
    return f"{pump.id} {pump.start} {pump.end} {how}{speed}"


def _valve(valve: Valve) -> str:
    setting = valve.setting if isinstance(valve.setting, str) else _n(valve.setting)
    head = f"{valve.id} {valve.start} {valve.end} {_n(valve.diameter_mm)} {valve.type}"
    return f"{head} {setting} {_n(valve.minor_loss)}"


def _curves(network: PipeNetwork) -> Iterator[str]:
    for name, points in network.curves.items():
        if not any(isinstance(link, Pump) and link.id == name for link in network.links.values()):
            yield from (f"{name} {_n(x)} {_n(y)}" for x, y in points)
    for link in network.links.values():
        if isinstance(link, Pump):
            yield from (f"{link.id} {_n(flow)} {_n(head)}" for flow, head in link.head_curve)
