"""The valves to shut around a segment: a minimum cut between it and every source. Pure.

Shutting the nearest valves spares the most customers, valves further away may be fewer. Both are weighed in one sum:
what a set of valves costs is its number times the worth of a valve, plus the customers it cuts off. The cheapest set is
a minimum cut of a network in which gates are edges and every segment has an edge to the sources as wide as its
customers, found with shortest augmenting paths (Edmonds and Karp, Journal of the ACM 19, 1972). The search stays around
the segment, however large the city is, because the customers of its neighbours soon outweigh any valve; where it does
not, as around a segment with hundreds of valves, the nearest valves are the answer.
"""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from services.alerts.tracing.supply import Supply

_SOURCES = -1
_SEGMENT, _IN, _OUT = range(3)
_ROLES = 3


@dataclass(frozen=True, slots=True)
class Cut:
    """Gates to shut, by number, and whether they really part the segment from every source."""

    gates: tuple[int, ...]
    complete: bool


_MOST_STEPS = 40_000
"""Nodes looked at before the search for something cheaper than the nearest valves is given up: some 50 ms."""


def nearest_cut(supply: Supply, segment: int, stuck: Collection[int] = ()) -> Cut:
    """The first gates on every way out of a segment that can be shut; not complete where a source lies before them."""
    gates: set[int] = set()
    seen = {segment}
    queue = deque([segment])
    while queue:
        for number in supply.around[queue.popleft()]:
            gate = supply.gates[number]
            if gate.is_shut:
                continue
            if gate.can_shut and number not in stuck:
                gates.add(number)
                continue
            new = {*gate.enters, *gate.leaves} - seen
            seen |= new
            queue.extend(sorted(new))
    return Cut(tuple(sorted(gates)), complete=not seen & supply.sources)


def cheapest_cut(
    supply: Supply, segment: int, customers: Sequence[float], valve_worth: float, stuck: Collection[int] = ()
) -> Cut:
    """The cheapest gates that part a segment from every source, without those that are stuck.

    ``customers`` is what each segment is worth, ``valve_worth`` how much of it one valve less to shut is worth.
    """
    flow = _Flow(supply, segment, customers, valve_worth, frozenset(stuck))
    if flow.saturate():
        return Cut(tuple(sorted(flow.saturated_gates())), complete=True)
    return nearest_cut(supply, segment, stuck)


class _Flow:
    """A flow from the segment to the sources, against the water.

    Nodes are numbers: three times a segment, or three times a gate plus one where the flow goes in and two where it
    comes out; -1 is all sources together.
    """

    def __init__(
        self, supply: Supply, segment: int, customers: Sequence[float], valve_worth: float, stuck: frozenset[int]
    ) -> None:
        self._supply, self._start = supply, _ROLES * segment
        self._customers, self._valve_worth, self._stuck = customers, valve_worth, stuck
        self._flow: dict[tuple[int, int], float] = {}
        self._before: dict[int, int] = {}
        self._steps = 0

    def saturate(self) -> bool:
        """Push all the flow there is; ``False`` if nothing bounds it or the search takes too long."""
        while self._reach():
            path = list(self._path())
            amount = min(self._residual(*arc) for arc in path)
            if amount == inf:
                return False
            for source, target in path:
                self._flow[source, target] = self._flow.get((source, target), 0.0) + amount
                self._flow[target, source] = self._flow.get((target, source), 0.0) - amount
        return self._steps <= _MOST_STEPS

    def can_shut(self, gate: int) -> bool:
        return self._supply.gates[gate].can_shut and gate not in self._stuck

    def saturated_gates(self) -> Iterator[int]:
        """The gates at the rim of what the last search reached."""
        for node in self._before:
            if node % _ROLES == _IN and node + 1 not in self._before and node != _SOURCES:
                yield node // _ROLES

    def _reach(self) -> bool:
        """Whether the sources can still be reached; remembers from where each node was."""
        self._before = {self._start: self._start}
        queue = deque([self._start])
        while queue and self._steps <= _MOST_STEPS:
            node = queue.popleft()
            for neighbour in self._neighbours(node):
                self._steps += 1
                if neighbour not in self._before and self._residual(node, neighbour) > 0:
                    self._before[neighbour] = node
                    if neighbour == _SOURCES:
                        return True
                    queue.append(neighbour)
        return False

    def _path(self) -> Iterator[tuple[int, int]]:
        node = _SOURCES
        while node != self._start:
            yield self._before[node], node
            node = self._before[node]

    def _neighbours(self, node: int) -> Iterator[int]:
        index, role = divmod(node, _ROLES)
        if role == _SEGMENT:
            yield _SOURCES
            for gate in self._supply.around[index]:
                if not self._supply.gates[gate].is_shut:
                    yield from (_ROLES * gate + _IN, _ROLES * gate + _OUT)
            return
        gate_sides = self._supply.gates[index]
        yield node + 1 if role == _IN else node - 1
        # Against the water: into a gate from where it leaves to, out of it to where it comes from.
        for segment in gate_sides.leaves if role == _IN else gate_sides.enters:
            yield _ROLES * segment

    def _residual(self, source: int, target: int) -> float:
        return self._capacity(source, target) - self._flow.get((source, target), 0.0)

    def _capacity(self, source: int, target: int) -> float:
        index, role = divmod(source, _ROLES)
        if target == _SOURCES:
            return inf if index in self._supply.sources else 0.0 if source == self._start else self._customers[index]
        other, other_role = divmod(target, _ROLES)
        if role == _SEGMENT:
            return inf if other_role == _IN and index in self._supply.gates[other].leaves else 0.0
        if role == _IN:
            if other_role != _OUT:
                return 0.0
            return self._valve_worth if self.can_shut(index) else inf
        return inf if other_role == _SEGMENT else 0.0
