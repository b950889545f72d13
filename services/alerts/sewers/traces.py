"""Where water comes from and where it goes next, with the time it takes. Pure."""

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush

from services.alerts.sewers.sewer_network import SewerNetwork


def downstream(network: SewerNetwork, node: str) -> list[str]:
    """The links that water from a node passes, nearest first."""
    found: dict[str, None] = {}
    queue, seen = deque([node]), {node}
    while queue:
        here = queue.popleft()
        for link, other in network.below[here]:
            found[link] = None
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return list(found)


def upstream(network: SewerNetwork, node: str) -> list[str]:
    """The links whose water reaches a node, nearest first."""
    found: dict[str, None] = {}
    queue, seen = deque([node]), {node}
    while queue:
        here = queue.popleft()
        for link, other in network.above[here]:
            found[link] = None
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return list(found)


def minutes_above(network: SewerNetwork, node: str, within_min: float) -> Iterator[tuple[str, float]]:
    """The nodes whose water reaches a node, and after how many minutes; nearest first."""
    heap, done = [(0.0, node)], set[str]()
    while heap:
        minutes, here = heappop(heap)
        if here in done or minutes > within_min:
            continue
        done.add(here)
        yield here, minutes
        for link, other in network.above[here]:
            heappush(heap, (minutes + network.travel_min[link], other))


def minutes_below(network: SewerNetwork, node: str, within_min: float) -> Iterator[tuple[str, float]]:
    """The nodes that water from a node reaches, and after how many minutes; nearest first."""
    heap, done = [(0.0, node)], set[str]()
    while heap:
        minutes, here = heappop(heap)
        if here in done or minutes > within_min:
            continue
        done.add(here)
        yield here, minutes
        for link, other in network.below[here]:
            heappush(heap, (minutes + network.travel_min[link], other))
