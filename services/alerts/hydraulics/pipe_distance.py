"""How far it is from pipe to pipe along the pipes."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from services.alerts.hydraulics.epanet_model import Array, EpanetModel

_VALVE_M = 0.1
"""Pumps and valves have no length in the model; a trace of one keeps them in the graph."""


class PipeDistances:
    """Shortest ways between the middles of links, along the links."""

    def __init__(self, model: EpanetModel) -> None:
        self._half_m = np.maximum(model.length_m, _VALVE_M) / 2
        self._ends = model.ends
        first, second = model.ends[:, 0], model.ends[:, 1]
        # Of parallel links the shorter counts; a sparse matrix would add them up.
        order = np.argsort(-self._half_m, kind="stable")
        shortest = dict(zip(zip(first[order], second[order], strict=True), self._half_m[order] * 2, strict=True))
        rows = [pair[0] for pair in shortest]
        columns = [pair[1] for pair in shortest]
        size = len(model.nodes)
        graph = coo_array((list(shortest.values()), (rows, columns)), shape=(size, size)).tocsr()
        self._nodes_m: NDArray[np.float32] = dijkstra(graph, directed=False).astype(np.float32)

    def of(self, link: int) -> Array:
        """From the middle of one link to the middles of all."""
        to_ends = self._nodes_m[self._ends[link]] + self._half_m[link]
        nearest = to_ends.min(axis=0)
        distance: Array = np.minimum(nearest[self._ends[:, 0]], nearest[self._ends[:, 1]]) + self._half_m
        distance[link] = 0.0
        return distance
