"""What the sensors of a site show of the model's state: which level, flow or machine each one measures. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.alerts.forecast.expected_rain import HORIZONS_MIN
from services.alerts.sewers.flow_routing import FlowRouting
from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.sewer_network import SewerNetwork

LEVEL = frozenset({"manhole_level", "sewer_level", "water_level"})
ROAD = frozenset({"road_depth", "water_depth"})
FLOW = frozenset({"sewer_flow"})
PUMP = frozenset({"pump_current", "pump_state"})
GATE = frozenset({"gate_position"})
RIVER = frozenset({"river_level"})
RAIN = frozenset({"rain_intensity"})
TILT = frozenset({"cover_tilt"})
EXPECTED = frozenset(HORIZONS_MIN)
ALL = LEVEL | ROAD | FLOW | PUMP | GATE | RIVER | RAIN | EXPECTED | TILT

LENGTH_M: Mapping[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001}
"""One of each unit of depth in metres."""
FLOW_M3S: Mapping[str, float] = {"m3/h": 1 / 3600, "m3/s": 1.0, "L/s": 0.001, "m3/d": 1 / 86_400}
"""One of each unit of flow in m3/s."""
RAIN_MM_H: Mapping[str, float] = {"mm/h": 1.0, "mm/min": 60.0}
"""One of each unit of rain in mm/h."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A sensor: what it measures of which asset, in which unit, and where it stands."""

    id: str
    quantity: str
    asset: str
    unit: str
    lon: float = 0.0
    lat: float = 0.0


@dataclass(frozen=True, slots=True)
class Gauged:
    """A channel that the model computes too: ``index`` of its node or link, ``scale`` of its unit in m or m3/s."""

    channel: Channel
    kind: str
    index: int
    scale: float
    floor: float
    """What an instrument and a sound model differ by anyhow, in m or m3/s."""


_LEVEL_FLOOR_M, _ROAD_FLOOR_M = 0.02, 0.04
_FLOW_FLOOR_M3S = 0.004


def gauged(network: SewerNetwork, channels: Sequence[Channel]) -> list[Gauged]:
    """The levels, road depths and flows that the model computes too; others are left out."""
    nodes = {name: k for k, name in enumerate(network.nodes)}
    pipes = {c.id: k for k, c in enumerate(network.conduits)}
    devices = {d.id: k for k, d in enumerate(network.devices)}
    found: list[Gauged] = []
    for channel in channels:
        length, flow = LENGTH_M.get(channel.unit), FLOW_M3S.get(channel.unit)
        if channel.quantity in LEVEL and channel.asset in nodes and length is not None:
            found.append(Gauged(channel, "level", nodes[channel.asset], length, _LEVEL_FLOOR_M))
        elif channel.quantity in ROAD and channel.asset in nodes and length is not None:
            if network.nodes[channel.asset].is_basin:
                found.append(Gauged(channel, "level", nodes[channel.asset], length, _ROAD_FLOOR_M))
        elif channel.quantity in FLOW and flow is not None:
            if channel.asset in pipes:
                found.append(Gauged(channel, "flow", pipes[channel.asset], flow, _FLOW_FLOOR_M3S))
            elif channel.asset in devices:
                found.append(Gauged(channel, "passed", devices[channel.asset], flow, _FLOW_FLOOR_M3S))
    return found


def shown(routing: FlowRouting, gauges: Sequence[Gauged]) -> Array:
    """What each gauge would show, by gauge and supposition, in m or m3/s."""
    rows = np.empty((len(gauges), len(routing.suppositions)))
    depth = routing.depth_m()
    for row, gauge in enumerate(gauges):
        if gauge.kind == "level":
            rows[row] = depth[gauge.index]
        elif gauge.kind == "flow":
            rows[row] = routing.flow_m3s[gauge.index]
        else:
            rows[row] = routing.device_m3s[gauge.index]
    return rows
