"""The sewers as they should be: rain and usual sewage run through the model as time passes."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from services.alerts.sewers.flow_routing import FlowRouting, Supposition
from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.runoff import Runoff
from services.alerts.sewers.sewer_network import SewerNetwork

_WET_STEPS, _DRY_STEPS = 4, 1
_RUNS_M3S = 5e-4
"""Runoff of one surface below which it counts as dry."""


class Acting(NamedTuple):
    """What acts on the sewers for some seconds up to ``time_s``: inflow of every node in m3/s, levels outside."""

    time_s: float
    seconds: float
    inflow_m3s: Array
    outside_m: Mapping[str, float]
    is_wet: bool


class Twin:
    """The sound network's state, driven by rain."""

    def __init__(self, network: SewerNetwork) -> None:
        self.runoff = Runoff(network)
        self.routing = FlowRouting(network)

    def act(
        self,
        time_s: float,
        seconds: float,
        rain_mm_h: Mapping[str, float],
        sewage_m3s: Array,
        outside_m: Mapping[str, float],
    ) -> Acting:
        """What rain and sewage are for the sewers; the surfaces go on."""
        run = self.runoff.advance(seconds, rain_mm_h)
        return Acting(time_s, seconds, run + sewage_m3s, dict(outside_m), bool(run.max(initial=0.0) > _RUNS_M3S))

    def take(self, acting: Acting) -> None:
        """Let it act."""
        go_on(self.routing, acting)


def go_on(routing: FlowRouting, acting: Acting) -> None:
    """Let what acts run through the sewers; in short steps while it rains."""
    routing.set_outside(acting.outside_m)
    steps = _WET_STEPS if acting.is_wet or routing.is_stirred else _DRY_STEPS
    wanted = max(1, round(steps * acting.seconds / 300))
    routing.advance(acting.seconds, acting.inflow_m3s, wanted)


def widened(routing: FlowRouting, suppositions: Sequence[Supposition], column: int = 0) -> FlowRouting:
    """The state of a column under several suppositions."""
    wide = FlowRouting(routing.network, suppositions)
    for name in ("head_m", "left_over_m3", "running", "flow_m3s", "device_m3s"):
        one = getattr(routing, name)[:, column : column + 1]
        setattr(wide, name, np.repeat(one, len(suppositions), axis=1))
    wide.usual_m = np.repeat(routing.usual_m[:, column : column + 1], len(suppositions), axis=1)
    wide.risen = routing.risen
    wide.most_m_s = routing.most_m_s
    return wide


def narrowed(routing: FlowRouting, columns: Sequence[int]) -> FlowRouting:
    """The same with some of its suppositions only."""
    kept = FlowRouting(routing.network, [routing.suppositions[k] for k in columns])
    for name in ("head_m", "left_over_m3", "running", "flow_m3s", "device_m3s"):
        setattr(kept, name, getattr(routing, name)[:, list(columns)].copy())
    kept.usual_m, kept.risen = routing.usual_m[:, list(columns)].copy(), routing.risen
    kept.most_m_s = routing.most_m_s
    return kept


def packed(values: Array) -> list[Any]:
    """An array as JSON, without loss."""
    return [list(values.shape), b64encode(np.ascontiguousarray(values, dtype=float).tobytes()).decode()]


def unpacked(state: Sequence[Any]) -> Array:
    """The array that ``packed`` made JSON of."""
    return np.frombuffer(b64decode(state[1]), dtype=float).reshape(state[0]).copy()


def routing_state(routing: FlowRouting) -> dict[str, Any]:
    """The state of the sewers as JSON."""
    names = ("head_m", "left_over_m3", "flow_m3s", "device_m3s", "usual_m")
    return {name: packed(getattr(routing, name)) for name in names} | {
        "running": packed(routing.running.astype(float)),
        "most_m_s": routing.most_m_s,
        "risen": routing.risen,
    }


def restore_routing(routing: FlowRouting, state: Mapping[str, Any]) -> None:
    """Go on where ``routing_state`` was taken."""
    for name in ("head_m", "left_over_m3", "flow_m3s", "device_m3s", "usual_m"):
        setattr(routing, name, unpacked(state[name]))
    routing.running = unpacked(state["running"]) > 0
    routing.most_m_s, routing.risen = state["most_m_s"], state["risen"]
