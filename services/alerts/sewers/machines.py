"""What pumps, gates and the river tell of themselves: the clearest evidence there is."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from services.alerts.sewers.channels import GATE, LENGTH_M, PUMP, RIVER, Channel
from services.alerts.sewers.flow_routing import FlowRouting
from services.alerts.sewers.sewer_network import SewerNetwork
from services.alerts.sewers.suspicions import Cause, Suspicion

_IDLE_SHARE = 0.1
"""A pump whose current is under this share of the greatest seen stands still."""
_LEAST_GREATEST_A = 2.0
_FULLY_ON, _BARELY_ON = 0.15, 0.01
"""Share of its capacity from which a pump that should run cannot stand still by a small error of the level; and the
share from which it has to run where it has always done so."""
_LEARNS_ROWS, _SELDOM = 24, 0.02
_TELLS = 6.0
"""How much a machine's own word weighs, as a logarithm, once it has said the same for some rows."""
_ROWS = 3
_HALF_OPEN_PERCENT = 50.0
"""A gate that is less than half open counts as shut."""


class Machines:
    """The last words of every pump and gate, beside what the sound model lets them do."""

    def __init__(self, network: SewerNetwork, channels: Sequence[Channel]) -> None:
        devices = {d.id: k for k, d in enumerate(network.devices)}
        kinds = {d.id: d.kind for d in network.devices}
        self._network = network
        self._pumps = [c for c in channels if c.quantity in PUMP and kinds.get(c.asset) == "pump"]
        self._gates = [c for c in channels if c.quantity in GATE and kinds.get(c.asset) in {"gate", "weir"}]
        nodes = network.nodes
        self._rivers = [
            c
            for c in channels
            if c.quantity in RIVER and c.unit in LENGTH_M and c.asset in nodes and nodes[c.asset].outfall_m is not None
        ]
        self._device = devices
        self._capacity = {d.id: max((q for _, q in d.points), default=0.0) for d in network.devices}
        self._greatest: dict[str, float] = {}
        self._idle: dict[str, int] = {}
        self._now: dict[str, bool | None] = {}
        self._asked: dict[str, list[int]] = {}
        self._runs: dict[str, int] = {}
        self._shut: dict[str, int] = {}
        self._open: dict[str, int] = {}

    def take(self, values: Mapping[str, float], routing: FlowRouting) -> None:
        """Compare a row with what the sound model lets the machines do."""
        for pump in self._pumps:
            value = values[pump.id]
            if isnan(value):
                continue
            greatest = self._greatest[pump.id] = max(self._greatest.get(pump.id, 0.0), value)
            if pump.quantity == "pump_state":
                greatest = 1.0
            elif greatest < _LEAST_GREATEST_A:
                continue
            wanted = float(routing.device_m3s[self._device[pump.asset], 0]) / max(self._capacity[pump.asset], 1e-9)
            stands = value < _IDLE_SHARE * greatest
            asked = wanted > _FULLY_ON or (wanted > _BARELY_ON and self._always_runs(pump.asset))
            self._idle[pump.asset] = _idle_rows(self._idle.get(pump.asset, 0), stands=stands, asked=asked)
            self._now[pump.asset] = stands if wanted > _BARELY_ON else None
            self._runs[pump.asset] = self._runs.get(pump.asset, 0) + 1 if not stands else 0
        for gate in self._gates:
            value = values[gate.id]
            if not isnan(value):
                self._shut[gate.asset] = self._shut.get(gate.asset, 0) + 1 if value < _HALF_OPEN_PERCENT else 0
                self._open[gate.asset] = self._open.get(gate.asset, 0) + 1 if value >= _HALF_OPEN_PERCENT else 0

    def learn(self) -> None:
        """Take the row compared last as sound."""
        for pump, stands in self._now.items():
            if stands is not None:
                asked, stood = self._asked.get(pump, [0, 0])
                self._asked[pump] = [asked + 1, stood + int(stands)]

    def _always_runs(self, pump: str) -> bool:
        asked, stood = self._asked.get(pump, [0, 0])
        return asked >= _LEARNS_ROWS and stood <= _SELDOM * asked

    def outside_m(self, values: Mapping[str, float]) -> dict[str, float]:
        """What is measured before the outfalls, as levels."""
        found = {}
        for river in self._rivers:
            value = values[river.id] * LENGTH_M[river.unit]
            if isnan(value):
                continue
            node = self._network.nodes[river.asset]
            usual_m = node.outfall_m or 0.0
            above_invert = abs(value + node.invert_m - usual_m) <= abs(value - usual_m)
            found[river.asset] = value + node.invert_m if above_invert else value
        return found

    @property
    def accuses(self) -> bool:
        """Whether a pump has stood still for some rows although it should run; a shut gate may be shut on purpose."""
        return any(rows >= _ROWS for rows in self._idle.values())

    def speaks_for(self, each: Suspicion) -> float:
        """What the machines themselves say for a suspicion, as a logarithm."""
        if each.cause is Cause.PUMP:
            told = [self._pump(pump) for pump in sorted(each.supposition.stopped)]
            return sum(told)
        if each.cause is Cause.GATE:
            if self._shut.get(each.asset, 0) >= _ROWS:
                return _TELLS
            return -_TELLS if self._open.get(each.asset, 0) >= _ROWS else 0.0
        if each.cause is Cause.OUTFALL and any(river.asset == each.asset for river in self._rivers):
            # The model knows the river already: a higher one would have been measured.
            return -_TELLS
        return 0.0

    def _pump(self, pump: str) -> float:
        if self._idle.get(pump, 0) >= _ROWS:
            return _TELLS
        return -_TELLS if self._runs.get(pump, 0) >= 1 else 0.0

    def state(self) -> dict[str, Any]:
        """The last words, as JSON."""
        return {
            "greatest": dict(self._greatest),
            "idle": dict(self._idle),
            "now": dict(self._now),
            "asked": {pump: list(counts) for pump, counts in self._asked.items()},
            "runs": dict(self._runs),
            "shut": dict(self._shut),
            "open": dict(self._open),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self._greatest = dict(state["greatest"])
        self._now = dict(state["now"])
        self._asked = {pump: list(counts) for pump, counts in state["asked"].items()}
        self._idle, self._runs = dict(state["idle"]), dict(state["runs"])
        self._shut, self._open = dict(state["shut"]), dict(state["open"])


def _idle_rows(before: int, *, stands: bool, asked: bool) -> int:
    """For how many rows a pump has stood still although it should run.

    One that has done so for long enough stays accused until it is seen to run.
    """
    if not stands:
        return 0
    if asked:
        return before + 1
    return before if before >= _ROWS else 0
