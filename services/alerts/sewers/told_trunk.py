"""Water that stands although nothing is out of order: the trunk sewer below is full and holds it back."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from services.alerts.detectors.contract import Claim, Suspect, claim_over
from services.alerts.sewers.channels import Gauged
from services.alerts.sewers.expectation import Expectation
from services.alerts.sewers.flow_routing import FlowRouting
from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.sewer_network import SewerNetwork
from services.core.finding import FindingState
from services.core.severity import Severity

_NEAR_STREET_M, _ON_ROAD_M = 0.2, 0.05
"""A manhole counts from so far below the street on, a low point of the road from so much water on it."""
_AGREES = 2.0
"""The model explains a gauge that is off by fewer spreads."""
_ROWS_SURE, _ROWS_OVER = 2, 6
_SHOWN_SUSPECTS = 10


class _Told(NamedTuple):
    key: str
    since_s: float
    columns: tuple[str, ...]
    trunk: str


def trunk_of(network: SewerNetwork, routing: FlowRouting, node: str) -> str | None:
    """The sewer that holds water back at a node: the last of the full ones below it, where the sewer beneath drains.

    ``None`` where the node's own sewer is the last full one, for then it is that which is too small.
    """
    head_m = {name: float(routing.head_m[k, 0]) for name, k in routing.node.items()}
    sewers = {sewer.id: sewer for sewer in network.conduits}
    full: list[str] = []
    passed = {node}
    here = node
    while True:
        ways = [(link, end) for link, end in network.below[here] if link in sewers or not full]
        step = next(((link, end) for link, end in ways if end not in passed), None)
        if step is None:
            break
        link, end = step
        if link in sewers:
            sewer = sewers[link]
            start_m = network.nodes[here].invert_m + sewer.start_offset_m + sewer.diameter_m
            end_m = network.nodes[end].invert_m + sewer.end_offset_m + sewer.diameter_m
            if head_m[here] < start_m or head_m[end] < end_m:
                break
            full.append(link)
        passed.add(end)
        here = end
    return full[-1] if len(full) > 1 else None


class ToldTrunk:
    """Says once a storm that a trunk sewer holds water back at gauges, and when it no longer does."""

    def __init__(
        self,
        outcome: str,
        network: SewerNetwork,
        gauges: Sequence[Gauged],
        expected: Expectation,
        street_m: Array,
    ) -> None:
        self._outcome = outcome
        self._network = network
        self._levels = [(k, gauge) for k, gauge in enumerate(gauges) if gauge.kind == "level"]
        self._expected = expected
        self._street_m = street_m
        self._told: _Told | None = None
        self._rows = self._quiet_rows = self._number = 0

    def tell(self, time_s: float, heard: Array, routing: FlowRouting, *, explained: bool) -> list[Claim]:
        """What a row gives reason to say; ``explained`` where a trouble is told that accounts for the water."""
        held = {} if explained else self._held(heard, routing)
        self._rows = self._rows + 1 if held else 0
        self._quiet_rows = 0 if held else self._quiet_rows + 1
        if self._told is not None:
            return self._end() if explained or self._quiet_rows >= _ROWS_OVER else []
        if self._rows < _ROWS_SURE:
            return []
        shares = {trunk: list(held.values()).count(trunk) / len(held) for trunk in held.values()}
        order = sorted(shares, key=lambda trunk: (-shares[trunk], trunk))
        worst = sorted(held, key=lambda k: (-self._above_m(k, heard), k))
        self._number += 1
        columns = tuple(gauge.channel.id for k in worst for j, gauge in self._levels if j == k)
        told = self._told = _Told(f"trunk/{self._number}", time_s, columns, order[0])
        return [self._claim(told, FindingState.RAISED, shares, order, routing)]

    def _above_m(self, gauge: int, heard: Array) -> float:
        index = dict(self._levels)[gauge].index
        return float(heard[gauge] - self._street_m[index])

    def _held(self, heard: Array, routing: FlowRouting) -> dict[int, str]:
        """The gauges at which water is held back, and by which sewer."""
        found = {}
        for k, gauge in self._levels:
            street_m = float(self._street_m[gauge.index])
            least_m = street_m - _NEAR_STREET_M if street_m > 0 else _ON_ROAD_M
            if np.isnan(heard[k]) or heard[k] < least_m or abs(float(self._expected.off[k])) >= _AGREES:
                continue
            trunk = trunk_of(self._network, routing, gauge.channel.asset)
            if trunk is not None:
                found[k] = trunk
        return found

    def _claim(
        self,
        told: _Told,
        state: FindingState,
        shares: Mapping[str, float],
        order: Sequence[str],
        routing: FlowRouting,
    ) -> Claim:
        first = next(gauge for _, gauge in self._levels if gauge.channel.id == told.columns[0])
        expected = round(float(routing.depth_m()[first.index, 0]) / first.scale, 3)
        return Claim(
            self._outcome,
            told.key,
            state,
            Severity.MINOR,
            1.0,
            told.since_s,
            told.columns,
            tuple(Suspect(trunk, round(shares[trunk], 4)) for trunk in order[:_SHOWN_SUSPECTS]),
            expected=expected,
            seen={"held_back_at": [self._asset(column) for column in told.columns]},
            fields={"place": told.trunk, "places": ", ".join(order[:3]), "expected": f"{expected:g}"},
        )

    def _asset(self, column: str) -> str:
        return next(gauge.channel.asset for _, gauge in self._levels if gauge.channel.id == column)

    def _end(self) -> list[Claim]:
        told, self._told = self._told, None
        if told is None:
            return []
        return [claim_over(self._outcome, told.key, told.since_s, told.columns, told.trunk)]

    def state(self) -> dict[str, Any]:
        """What was told, as JSON."""
        told = self._told
        return {
            "told": None if told is None else [told.key, told.since_s, list(told.columns), told.trunk],
            "rows": [self._rows, self._quiet_rows, self._number],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self._told = None
        if state["told"] is not None:
            key, since_s, columns, trunk = state["told"]
            self._told = _Told(key, since_s, tuple(columns), trunk)
        self._rows, self._quiet_rows, self._number = state["rows"]
