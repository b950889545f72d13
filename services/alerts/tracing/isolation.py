"""What to shut to cut a segment off, what to shut instead where a valve is stuck, and who is then without. Pure."""

from collections import deque
from dataclasses import dataclass

import networkx as nx

from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.customers import NOBODY, Customers
from services.alerts.tracing.valve_cut import Cut, cheapest_cut, nearest_cut
from services.core.lifeline import Lifeline

VALVE_WORTH = 25.0
"""Households without supply that one valve less to shut is worth; a default, to be weighed by the company."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """The valves or gates to shut around a segment, and everything that has no supply then."""

    barriers: tuple[str, ...]
    cut_off: tuple[str, ...]
    complete: bool
    """``False`` when the segment hangs on a source that nothing can shut."""
    customers: Customers = NOBODY


def isolate(graph: CityGraph, segment: str, stuck: frozenset[str] = frozenset()) -> Isolation:
    """The fewest valves that part a segment from every source, unless one valve more spares many customers.

    Customers who are left with another way to a source are not cut off. ``stuck`` are valves that cannot be shut.
    Flow directions are ignored but for pumps and check valves: in a looped network water comes from both ends of a
    broken pipe. In a gas network the nearest valves on all sides are shut. Where the register names no source, the
    valves around the segment are the answer.
    """
    supply = graph.supply
    jammed = {supply.gate_of[valve] for valve in stuck if valve in supply.gate_of}
    start = supply.segment(segment)
    if start is None and segment in supply.gate_of:
        # What leaks is itself a valve or a pump, so that both its sides have to be isolated.
        jammed.add(supply.gate_of[segment])
        start = next(iter(supply.gates[supply.gate_of[segment]].leaves), None)
    if start is None:
        return Isolation((), (), complete=False)
    if supply.is_fed(start):
        if graph.assets[segment].lifeline is Lifeline.GAS:
            # Gas that is stored in a dead end would feed the leak for long: every side is shut.
            cut = nearest_cut(supply, start, jammed)
            barriers = [supply.gates[gate].asset for gate in cut.gates]
        else:
            cut = cheapest_cut(supply, start, graph.census.worth, VALVE_WORTH, jammed)
            barriers = _needed(graph, cut)
        segments, gates = supply.lost(barriers)
    else:
        cut = nearest_cut(supply, start, jammed)
        barriers, segments, gates = [supply.gates[gate].asset for gate in cut.gates], [start], []
    lost = [*gates, *(name for each in segments for name in supply.members(each))]
    customers = graph.census.of(segments, lost)
    return Isolation(tuple(sorted(barriers)), tuple(sorted({*lost} - {segment})), cut.complete, customers)


def _needed(graph: CityGraph, cut: Cut) -> list[str]:
    """The valves of a cut but for those behind which nothing is fed any more once the others are shut."""
    supply = graph.supply
    barriers = [supply.gates[gate].asset for gate in cut.gates]
    if not cut.complete:
        return barriers
    gone = set(supply.lost(barriers)[0])
    return [
        supply.gates[gate].asset
        for gate in cut.gates
        if not gone.issuperset({*supply.gates[gate].enters, *supply.gates[gate].leaves})
    ]


def alternatives(graph: CityGraph, segment: str, isolation: Isolation) -> dict[str, Isolation]:
    """For each valve to shut: what isolates the segment when that one is stuck."""
    return {valve: isolate(graph, segment, frozenset({valve})) for valve in isolation.barriers}


def upstream(graph: CityGraph, asset: str, limit: int = 50) -> list[str]:
    """What flows into an asset in the nominal direction, nearest first."""
    return _walk(graph.flow.reverse(copy=False), asset, limit)


def downstream(graph: CityGraph, asset: str, limit: int = 50) -> list[str]:
    """What an asset flows into in the nominal direction, nearest first."""
    return _walk(graph.flow, asset, limit)


def _walk(flow: "nx.DiGraph[str]", asset: str, limit: int) -> list[str]:
    if asset not in flow:
        return []
    order: list[str] = []
    seen = {asset}
    queue = deque([asset])
    while queue and len(order) < limit:
        for neighbour in flow[queue.popleft()]:
            if neighbour not in seen:
                seen.add(neighbour)
                order.append(neighbour)
                queue.append(neighbour)
    return order[:limit]
