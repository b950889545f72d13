"""What to shut to cut a segment off, and who is then without supply. Pure."""

from collections import deque
from dataclasses import dataclass

import networkx as nx

from services.alerts.tracing.city_graph import BARRIER_KINDS, CityGraph


@dataclass(frozen=True, slots=True)
class Isolation:
    """The valves or gates around a segment, and everything between them that is cut off with it."""

    barriers: tuple[str, ...]
    cut_off: tuple[str, ...]
    complete: bool
    """``False`` when the search ran into a source that nothing can shut."""


_SOURCE_KINDS = frozenset({"reservoir", "tank", "regulator", "outfall"})


def isolate(graph: CityGraph, segment: str, limit: int = 2000) -> Isolation:
    """Walk away from the segment in every direction until something can be shut.

    Flow directions are ignored: in a looped network water comes from both ends of a broken pipe.
    """
    if segment not in graph.undirected:
        return Isolation((), (), complete=False)
    barriers: set[str] = set()
    seen = {segment}
    queue = deque([segment])
    complete = True
    while queue and len(seen) <= limit:
        for neighbour in graph.undirected[queue.popleft()]:
            kind = graph.assets[neighbour].kind
            if kind in BARRIER_KINDS:
                barriers.add(neighbour)
            elif neighbour not in seen:
                seen.add(neighbour)
                queue.append(neighbour)
                complete = complete and kind not in _SOURCE_KINDS
    complete = complete and not queue
    return Isolation(tuple(sorted(barriers)), tuple(sorted(seen - {segment})), complete)


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
