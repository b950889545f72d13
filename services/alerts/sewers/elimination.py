"""Solves one balance for each node of a network that is nearly a tree, for many right sides at once.

Nodes are eliminated from the heads of the network to its outfalls and found again on the way back, as in Gauss's
elimination of a banded matrix. Links that close a ring are left out of it.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.alerts.sewers.pipe_sections import Array

Index = NDArray[np.int64]
_FIXED = 1e12


class _Level(NamedTuple):
    """Nodes equally far from the outfalls, sorted by the next node; ``begins`` where another next node begins."""

    nodes: Index
    edges: Index
    parents: Index
    begins: Index


class Elimination:
    """The order in which nodes are eliminated; ``held`` nodes keep their level."""

    def __init__(self, count: int, ends: Sequence[tuple[int, int]], held: Sequence[int], lowest: int) -> None:
        """Lay out ``count`` nodes and the links between them; without a held node the ``lowest`` is the root."""
        parent, far = _tree(count, ends, list(held) or [lowest])
        edge = {child: k for k, child in enumerate(sorted(c for c, p in parent.items() if p >= 0))}
        self._parent = np.array([parent[child] for child in sorted(edge)], dtype=np.int64)
        self._held = np.zeros(count, dtype=bool)
        self._held[list(held)] = True
        self._ahead, self._back = _incidence(ends, parent, edge)
        self._levels = _levels(parent, far, edge)

    def solve(self, rest: Array, slope: Array, by_start: Array, by_end: Array) -> Array:
        """The change of level of every node that makes up for ``rest``.

        ``slope`` is what a node's balance changes by with its own level; ``by_start`` and ``by_end`` how what passes
        each link changes with the levels at its start and end.
        """
        diagonal, right = slope.copy(), rest.copy()
        # Row of the child, column of the parent; and row of the parent, column of the child.
        upper = self._ahead @ by_end - self._back @ by_start
        lower = self._back @ by_end - self._ahead @ by_start
        for level in self._levels:
            ratio = lower[level.edges] / diagonal[level.nodes]
            diagonal[level.parents] -= np.add.reduceat(ratio * upper[level.edges], level.begins, axis=0)
            right[level.parents] -= np.add.reduceat(ratio * right[level.nodes], level.begins, axis=0)
        diagonal[self._held] = _FIXED
        right[self._held] = 0.0
        change: Array = right / diagonal
        for level in reversed(self._levels):
            known = upper[level.edges] * change[self._parent[level.edges]]
            change[level.nodes] = (right[level.nodes] - known) / diagonal[level.nodes]
        return change


def _tree(count: int, ends: Sequence[tuple[int, int]], roots: Sequence[int]) -> tuple[dict[int, int], dict[int, int]]:
    """The next node on the way to the nearest root (-1: none), and how far it is."""
    beside: dict[int, list[int]] = {k: [] for k in range(count)}
    for start, end in ends:
        beside[start].append(end)
        beside[end].append(start)
    parent, far = dict.fromkeys(roots, -1), dict.fromkeys(roots, 0)
    queue = deque(roots)
    # A part of the network that reaches no root hangs on its own first node.
    for extra in range(count):
        while queue:
            here = queue.popleft()
            for other in beside[here]:
                if other not in parent:
                    parent[other], far[other] = here, far[here] + 1
                    queue.append(other)
        if extra not in parent:
            parent[extra], far[extra] = -1, 0
            queue.append(extra)
    return parent, far


def _incidence(
    ends: Sequence[tuple[int, int]], parent: dict[int, int], edge: dict[int, int]
) -> tuple[csr_array, csr_array]:
    """Which links run along each edge of the tree towards the root, and which against it."""
    ahead = [(edge[start], k) for k, (start, end) in enumerate(ends) if parent[start] == end]
    back = [(edge[end], k) for k, (start, end) in enumerate(ends) if parent[start] != end and parent[end] == start]
    return _ones(ahead, (len(edge), len(ends))), _ones(back, (len(edge), len(ends)))


def _ones(places: Sequence[tuple[int, int]], shape: tuple[int, int]) -> csr_array:
    rows, columns = [row for row, _ in places], [column for _, column in places]
    return csr_array((np.ones(len(places)), (rows, columns)), shape=shape)


def _levels(parent: dict[int, int], far: dict[int, int], edge: dict[int, int]) -> list[_Level]:
    by_far: dict[int, list[int]] = {}
    for child in edge:
        by_far.setdefault(far[child], []).append(child)
    levels = []
    for _, members in sorted(by_far.items(), reverse=True):
        members.sort(key=lambda child: (parent[child], child))
        parents, begins = np.unique([parent[child] for child in members], return_index=True)
        nodes = np.array(members, dtype=np.int64)
        edges = np.array([edge[child] for child in members], dtype=np.int64)
        levels.append(_Level(nodes, edges, parents.astype(np.int64), begins.astype(np.int64)))
    return levels
