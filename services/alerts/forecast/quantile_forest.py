"""Many trees that each know some of the past cases most like this one; together, how such cases went on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_Indices = NDArray[np.intp]

UNKNOWN = -1000.0
"""Stands for a number that is not known: below all that are, so that a cut can set the unknown apart."""
UNIT = 1000
"""Outcomes are kept as whole thousandths."""
_CHUNK = 256
_SLACK = 0.1


class QuantileForest:
    """Scores rows with a forest kept as plain lists; grown by ``forest_training``.

    Every tree leads a row to a leaf; a leaf keeps a few outcomes of each target, evenly spaced among those of the past
    rows that ended there. The outcomes of all trees together are the distribution of the target (quantile regression
    forest, Meinshausen 2006). ``parameters`` holds the names of the ``features`` and the ``targets``; for all trees
    in one table ``roots``, ``column``, ``cut``, ``left``, ``right`` and ``leaf`` of each node; ``outcomes``, one list a
    target; and ``range``, the least and greatest value of each feature in the past.

    Raises:
        KeyError: a part of the parameters is missing.
        ValueError: the features are not those that are asked for.
    """

    __slots__ = (
        "_column",
        "_cut",
        "_leaf",
        "_left",
        "_most",
        "_outcomes",
        "_places",
        "_right",
        "_roots",
        "features",
        "targets",
    )

    def __init__(self, parameters: Mapping[str, Any], features: Sequence[str]) -> None:
        self.features: tuple[str, ...] = tuple(parameters["features"])
        if self.features != tuple(features):
            raise ValueError("the forest was grown from other features than these")
        self._places = {feature: place for place, feature in enumerate(self.features)}
        self.targets: tuple[str, ...] = tuple(parameters["targets"])
        self._roots: _Indices = np.array(parameters["roots"], dtype=np.intp)
        self._column: _Indices = np.array(parameters["column"], dtype=np.intp)
        self._cut: Array = np.array(parameters["cut"], dtype=np.float64)
        self._left: _Indices = np.array(parameters["left"], dtype=np.intp)
        self._right: _Indices = np.array(parameters["right"], dtype=np.intp)
        self._leaf: _Indices = np.array(parameters["leaf"], dtype=np.intp)
        each = int(self._leaf.max()) + 1
        self._outcomes = {
            target: np.array(values, dtype=np.float64).reshape(each, -1) / UNIT
            for target, values in zip(self.targets, parameters["outcomes"], strict=True)
        }
        self._most: Array = np.array([most for _, most in parameters["range"]], dtype=np.float64)

    def covers(self, rows: Array, features: Sequence[str]) -> NDArray[np.bool_]:
        """Whether the given features of each row are no greater than any in the past, but for a tenth."""
        columns = [self._places[feature] for feature in features]
        most = self._most[columns]
        inside: NDArray[np.bool_] = np.all(rows[:, columns] <= most + _SLACK * np.abs(most), axis=1)
        return inside

    def outcomes(self, rows: Array) -> dict[str, Array]:
        """For each target, the outcomes of the past cases most like each row, in rising order, all equally likely."""
        found: dict[str, list[Array]] = {target: [] for target in self.targets}
        for begin in range(0, len(rows), _CHUNK):
            leaves = self._leaves(rows[begin : begin + _CHUNK])
            for target in self.targets:
                values = self._outcomes[target][leaves].reshape(len(leaves), -1)
                found[target].append(np.sort(values, axis=1))
        return {target: np.concatenate(parts) if parts else np.empty((0, 1)) for target, parts in found.items()}

    def _leaves(self, rows: Array) -> _Indices:
        # The trees compare in single precision.
        values = np.nan_to_num(rows, nan=UNKNOWN).astype(np.float32)
        node = np.tile(self._roots, (len(rows), 1))
        row = np.arange(len(rows))[:, np.newaxis]
        while (inner := self._leaf[node] < 0).any():
            above = values[row, self._column[node]] > self._cut[node]
            node = np.where(inner, np.where(above, self._right[node], self._left[node]), node)
        leaves: _Indices = self._leaf[node]
        return leaves
