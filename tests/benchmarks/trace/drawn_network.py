"""A water network of any size, drawn from a seed: a grid of streets with valves at many pipe ends and some sources."""

import random
from collections import deque
from collections.abc import Iterator
from itertools import pairwise, product

from services.core.asset import Asset, Link, LinkKind
from services.core.lifeline import Lifeline
from services.core.text import Text

_BLOCK_M = 60.0
_BLOCK_DEGREES = 0.00055
_WEST, _SOUTH = 117.0, 31.0
_PIPES_A_SOURCE = 12_000
_VALVE_SHARE = 0.5
"""Pipe ends with a valve; the usual rule of design, one valve less than pipes at a crossing, gives 0.75 in a grid."""
_MISSING_SHARE = 0.06
"""Streets without a pipe, so that the network has dead ends as real ones do."""
_CRITICAL_SHARE = 0.0005

_Node = tuple[int, int]
_Street = tuple[_Node, _Node]


def drawn_network(pipes: int, seed: int) -> tuple[list[Asset], list[Link]]:
    """Assets and links of about so many pipes; water flows away from the nearest source."""
    chance = random.Random(seed)  # noqa: S311 - a drawing, not a secret
    side = max(2, round((pipes / (2 * (1 - _MISSING_SHARE))) ** 0.5))
    streets = [street for street in _streets(side) if chance.random() >= _MISSING_SHARE]
    sources = {(chance.randrange(side), chance.randrange(side)) for _ in range(max(1, pipes // _PIPES_A_SOURCE))}
    away = _steps_from(sources, streets)
    assets = [_asset(_name("N", node), "reservoir" if node in sources else "junction", node) for node in sorted(away)]
    links: list[Link] = []
    for one, other in streets:
        if one not in away:
            continue
        start, end = (one, other) if away[one] <= away[other] else (other, one)
        stretch = _stretch(start, end, chance)
        assets += stretch[1:-1]
        links += [Link(before.id, behind.id, LinkKind.FLOW, _BLOCK_M / 2) for before, behind in pairwise(stretch)]
    return assets, links


def _streets(side: int) -> Iterator[_Street]:
    for east, north in product(range(side), range(side)):
        if east + 1 < side:
            yield (east, north), (east + 1, north)
        if north + 1 < side:
            yield (east, north), (east, north + 1)


def _steps_from(sources: set[_Node], streets: list[_Street]) -> dict[_Node, int]:
    """How many streets each node is away from a source; a node that none reaches is absent."""
    around: dict[_Node, list[_Node]] = {}
    for one, other in streets:
        around.setdefault(one, []).append(other)
        around.setdefault(other, []).append(one)
    away = dict.fromkeys(sorted(sources), 0)
    queue = deque(away)
    while queue:
        node = queue.popleft()
        for neighbour in around.get(node, ()):
            if neighbour not in away:
                away[neighbour] = away[node] + 1
                queue.append(neighbour)
    return away


def _stretch(start: _Node, end: _Node, chance: random.Random) -> list[Asset]:
    """What the water goes through from one crossing to the next: a valve perhaps, the pipe, a valve perhaps."""
    pipe = _asset(
        _name("P", start, end), "pipe", start, households=chance.randrange(40), length_m=_BLOCK_M, diameter_mm=150
    )
    if chance.random() < _CRITICAL_SHARE:
        pipe = _asset(pipe.id, "pipe", start, households=1, length_m=_BLOCK_M, critical=True)
    before = [_asset(_name("A", start, end), "valve", start)] if chance.random() < _VALVE_SHARE else []
    behind = [_asset(_name("B", start, end), "valve", end)] if chance.random() < _VALVE_SHARE else []
    return [_asset(_name("N", start), "", start), *before, pipe, *behind, _asset(_name("N", end), "", end)]


def _name(letter: str, *nodes: _Node) -> str:
    return letter + "_".join(f"{east}-{north}" for east, north in nodes)


def _asset(name: str, kind: str, node: _Node, **facts: object) -> Asset:
    where = [_WEST + node[0] * _BLOCK_DEGREES, _SOUTH + node[1] * _BLOCK_DEGREES]
    point = {"type": "Point", "coordinates": where}
    return Asset(name, Lifeline.WATER, kind, "W1", Text(name, name), point, None, facts)
