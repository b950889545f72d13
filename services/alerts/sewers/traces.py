"""Where water comes from and where it goes next, with the time it takes. Pure."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush

from services.alerts.sewers.sewer_network import SewerNetwork

_Ways = Mapping[str, Sequence[tuple[str, str]]]


def downstream(network: SewerNetwork, node: str) -> list[str]:
    """The links that water from a node passes, nearest first."""
    return _links_along(network.below, node)


def upstream(network: SewerNetwork, node: str) -> list[str]:
    """The links whose water reaches a node, nearest first."""
    return _links_along(network.above, node)


def minutes_above(network: SewerNetwork, node: str, within_min: float) -> Iterator[tuple[str, float]]:
    """The nodes whose water reaches a node, and after how many minutes; nearest first."""
    return _minutes_along(network.above, network.travel_min, node, within_min)


def minutes_below(network: SewerNetwork, node: str, within_min: float) -> Iterator[tuple[str, float]]:
    """The nodes that water from a node reaches, and after how many minutes; nearest first."""
    return _minutes_along(network.below, network.travel_min, node, within_min)


def _links_along(ways: _Ways, node: str) -> list[str]:
    found: dict[str, None] = {}
    queue, seen = deque([node]), {node}
    while queue:
        here = queue.popleft()
        for link, other in ways[here]:
            found[link] = None
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return list(found)


def _minutes_along(
    ways: _Ways, travel_min: Mapping[str, float], node: str, within_min: float
) -> Iterator[tuple[str, float]]:
    heap, done = [(0.0, node)], set[str]()
    while heap:
        minutes, here = heappop(heap)
        if here in done or minutes > within_min:
            continue
        done.add(here)
        yield here, minutes
        for link, other in ways[here]:
            heappush(heap, (minutes + travel_min[link], other))
