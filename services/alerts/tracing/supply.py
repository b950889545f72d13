"""Which parts of a network are fed from a source, valve by valve: segments, and the gates between them. Pure.

A segment is what cannot be parted by shutting anything: all assets that hang together between valves (Walski, T.,
"Water distribution valve topology for reliability analysis", Reliability Engineering and System Safety 42, 1993).
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from services.core.asset import Asset

BARRIER_KINDS = frozenset({"valve", "gate"})
"""Kinds of asset that can be shut."""
SOURCE_KINDS = frozenset({"reservoir", "tank", "well", "waterworks", "regulator", "outfall"})
"""Kinds of asset from which a network is fed (or, in a sewer, filled from behind)."""
_ONE_WAY_KINDS = frozenset({"pump"})
_ONE_WAY_VALVES = frozenset({"PRV", "PSV"})
"""Valves that let nothing pass backwards, by EPANET's letters."""

_Numbers = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]


def is_shut(asset: Asset) -> bool:
    """Whether an asset stands shut in normal operation, as boundary valves do."""
    return asset.properties.get("status") == "closed"


def _is_one_way(asset: Asset) -> bool:
    return (
        asset.kind in _ONE_WAY_KINDS
        or asset.properties.get("one_way") is True
        or str(asset.properties.get("valve_type", "")).upper() in _ONE_WAY_VALVES
    )


@dataclass(slots=True)
class Gate:
    """What parts segments: a valve, or a pump or check valve, through which water goes one way only.

    ``enters`` are the segments from which water comes in, ``leaves`` those into which it goes; the same for a valve.
    """

    asset: str
    can_shut: bool
    is_shut: bool
    enters: tuple[int, ...]
    leaves: tuple[int, ...]


class Supply:
    """The segments and gates of all networks of a city; built once, asked often."""

    def __init__(self, assets: Mapping[str, Asset], flow: "nx.DiGraph[str]") -> None:
        self._names = [name for name in flow if name in assets]
        number = {name: index for index, name in enumerate(self._names)}
        known = [assets[name] for name in self._names]
        parts = np.fromiter((_parts(asset) for asset in known), dtype=bool, count=len(known))
        edges = np.array([(number[a], number[b]) for a, b in flow.edges], dtype=np.int64).reshape(-1, 2)
        self.segment_of, count = _segments(parts, edges)
        sides: dict[int, tuple[list[int], list[int]]] = {int(index): ([], []) for index in np.flatnonzero(parts)}
        for source, target in edges[parts[edges].any(axis=1)].tolist():
            # Where two gates stand against each other, the joint between them is a segment without assets.
            between = count if parts[source] and parts[target] else -1
            count += between >= 0
            if parts[source]:
                sides[source][1].append(int(between if between >= 0 else self.segment_of[target]))
            if parts[target]:
                sides[target][0].append(int(between if between >= 0 else self.segment_of[source]))
        self.count = count
        self.gates = [_gate(known[index], *sides[index]) for index in sides]
        self.gate_of = {gate.asset: index for index, gate in enumerate(self.gates)}
        self._number = number
        self._order = np.argsort(self.segment_of, kind="stable")
        self._starts = np.searchsorted(self.segment_of[self._order], np.arange(count + 1))
        self.sources = frozenset(
            int(self.segment_of[index])
            for index, asset in enumerate(known)
            if asset.kind in SOURCE_KINDS and not parts[index]
        )
        self.around: list[list[int]] = [[] for _ in range(count)]
        for index, gate in enumerate(self.gates):
            for segment in {*gate.enters, *gate.leaves}:
                self.around[segment].append(index)
        self._fed_from = self._feeding()
        self._visited, self._left = _intervals(self._fed_from)

    def segment(self, asset: str) -> int | None:
        """The segment an asset belongs to; ``None`` for gates and for what no network holds."""
        index = self._number.get(asset)
        if index is None or self.segment_of[index] < 0:
            return None
        return int(self.segment_of[index])

    def members(self, segment: int) -> list[str]:
        """The assets of a segment."""
        return [self._names[index] for index in self._order[self._starts[segment] : self._starts[segment + 1]]]

    def sums(self, worth: Callable[[str], float]) -> npt.NDArray[np.float64]:
        """What the assets of each segment are worth together."""
        values = np.fromiter((worth(name) for name in self._names), dtype=np.float64, count=len(self._names))
        inside = self.segment_of >= 0
        return np.bincount(self.segment_of[inside], weights=values[inside], minlength=self.count).astype(np.float64)

    def is_fed(self, segment: int) -> bool:
        """Whether a segment is connected with a source in normal operation."""
        return bool(self._fed_from[segment] >= 0)

    def lost(self, shut: Collection[str]) -> tuple[list[int], list[str]]:
        """Segments and gates that are fed in normal operation and no longer with some more valves shut.

        Only what was fed through a valve that is shut now can be lost, and what hangs on it alone. Each is looked at
        from where it stands towards the sources, which ends soon wherever pipes are looped, however large the city is.
        """
        closed = {self.count + self.gate_of[name] for name in shut}
        shadow = [(int(self._visited[node]), int(self._left[node])) for node in closed if self._fed_from[node] >= 0]
        kept: set[int] = set()
        gone: set[int] = set()
        queue = deque(node for gate in sorted(closed) for node in self._outlets(gate))
        while queue:
            node = queue.popleft()
            if node in closed or node in gone or not self._is_shaded(node, shadow):
                continue
            before = self._before(node, closed, shadow, kept)
            gone |= before
            queue.extend(after for each in sorted(before) for after in self._outlets(each))
        lost = sorted(gone)
        return [node for node in lost if node < self.count], [
            self.gates[node - self.count].asset for node in lost if node >= self.count
        ]

    def _is_shaded(self, node: int, shadow: Iterable[tuple[int, int]]) -> bool:
        """Whether a node was first reached through one of the gates that cast the shadow."""
        place = self._visited[node]
        return any(first <= place < last for first, last in shadow)

    def _before(self, node: int, closed: set[int], shadow: Sequence[tuple[int, int]], kept: set[int]) -> set[int]:
        """All that could feed a node around the closed gates, and the node; empty where a source is among it.

        ``kept`` are nodes known to be fed, to which those on the way found here are added.
        """
        towards = {node: node}
        queue = deque([node])
        while queue:
            here = queue.popleft()
            if here in kept or not self._is_shaded(here, shadow):
                while here != towards[here]:
                    kept.add(here)
                    here = towards[here]
                kept.add(here)
                return set()
            for inlet in self._inlets(here):
                if inlet not in towards and inlet not in closed:
                    towards[inlet] = here
                    queue.append(inlet)
        return set(towards)

    def _inlets(self, node: int) -> Iterator[int]:
        """Where water comes to a segment or a gate from in normal operation."""
        if node >= self.count:
            yield from (each for each in self.gates[node - self.count].enters if self._fed_from[each] >= 0)
            return
        for index in self.around[node]:
            if node in self.gates[index].leaves and self._fed_from[self.count + index] >= 0:
                yield self.count + index

    def _outlets(self, node: int) -> Iterator[int]:
        if node >= self.count:
            yield from self.gates[node - self.count].leaves
            return
        for index in self.around[node]:
            if node in self.gates[index].enters:
                yield self.count + index

    def _feeding(self) -> _Numbers:
        """By which segment or gate each was reached first from the sources; -1 for what none reaches.

        Segments come first, then gates, then the origin of all sources.
        """
        arcs: list[tuple[int, int]] = []
        for index, gate in enumerate(self.gates, start=self.count):
            if not gate.is_shut:
                arcs += [(segment, index) for segment in gate.enters]
                arcs += [(index, segment) for segment in gate.leaves]
        origin = self.count + len(self.gates)
        arcs += [(origin, segment) for segment in sorted(self.sources)]
        table = np.array(arcs, dtype=np.int64).reshape(-1, 2)
        ways = csr_array(
            (np.ones(len(table), dtype=np.int8), (table[:, 0], table[:, 1])), shape=(origin + 1, origin + 1)
        )
        _, before = breadth_first_order(ways, origin, directed=True, return_predecessors=True)
        numbered: _Numbers = np.maximum(before, -1).astype(np.int64)
        return numbered


def _intervals(before: _Numbers) -> tuple[_Numbers, _Numbers]:
    """When a walk down a forest visits each node and when it has seen all below it; ``before`` is each node's parent.

    One node is below another if it is visited within that one's interval.
    """
    size = len(before)
    children = np.argsort(before, kind="stable")
    starts = np.searchsorted(before[children], np.arange(size + 1))
    visited, left = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    clock = 0
    waiting = [(int(root), False) for root in children[: starts[0]]]
    while waiting:
        node, is_over = waiting.pop()
        if is_over:
            left[node] = clock
            continue
        visited[node] = clock
        clock += 1
        waiting.append((node, True))
        waiting.extend((int(child), False) for child in children[starts[node] : starts[node + 1]])
    return visited, left


def _parts(asset: Asset) -> bool:
    """Whether an asset parts segments; a pipe that stands shut does so as well."""
    return asset.kind in BARRIER_KINDS or _is_one_way(asset) or is_shut(asset)


def _segments(parts: _Mask, edges: _Numbers) -> tuple[_Numbers, int]:
    """The number of the segment of each asset, -1 for what parts them, and how many there are."""
    inner = edges[~parts[edges].any(axis=1)]
    size = len(parts)
    ways = csr_array((np.ones(len(inner), dtype=np.int8), (inner[:, 0], inner[:, 1])), shape=(size, size))
    _, label = connected_components(ways, directed=False) if size else (0, np.zeros(0, dtype=np.int32))
    kept, numbered = np.unique(label[~parts], return_inverse=True)
    segment_of = np.full(size, -1, dtype=np.int64)
    segment_of[~parts] = numbered
    return segment_of, len(kept)


def _gate(asset: Asset, before: Iterable[int], behind: Iterable[int]) -> Gate:
    enters, leaves = tuple(dict.fromkeys(before)), tuple(dict.fromkeys(behind))
    if not _is_one_way(asset):
        enters = leaves = tuple(dict.fromkeys((*enters, *leaves)))
    return Gate(asset.id, asset.kind in BARRIER_KINDS and not is_shut(asset), is_shut(asset), enters, leaves)
