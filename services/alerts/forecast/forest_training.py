"""Grows a quantile forest from past cases and their outcomes, into plain lists."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from services.alerts.forecast.quantile_forest import UNIT, UNKNOWN, Array

_DIGITS = 9


def grow_forest(
    rows: Array,
    outcomes: Mapping[str, Array],
    features: Sequence[str],
    *,
    trees: int = 40,
    leaf: int = 20,
    share: float = 0.4,
    kept: int = 5,
    seed: int = 0,
) -> dict[str, Any]:
    """The parameters of a ``QuantileForest``: ``trees`` trees, at least ``leaf`` rows in a leaf.

    Each cut is chosen among a random ``share`` of the features; ``kept`` outcomes of each target stay in a leaf.

    Raises:
        ValueError: there are fewer rows than one leaf needs, or an outcome is not finite.
    """
    from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415 - seconds to load, and only a teacher needs it

    if len(rows) < leaf:
        raise ValueError(f"{len(rows)} past cases are too few: a leaf needs {leaf}")
    known = np.nan_to_num(rows, nan=UNKNOWN).astype(np.float32)
    targets = np.stack([outcomes[target] for target in outcomes], axis=1)
    # Each target has the same say in where to cut.
    scaled = targets / np.maximum(targets.std(axis=0), 1e-9)
    forest = RandomForestRegressor(
        n_estimators=trees, min_samples_leaf=leaf, max_features=share, random_state=seed, n_jobs=1
    )
    # A single target is wanted as a plain row of numbers.
    forest.fit(known, scaled if scaled.shape[1] > 1 else scaled[:, 0])
    grown: dict[str, list[Any]] = {name: [] for name in ("roots", "column", "cut", "left", "right", "leaf")}
    leaves: list[Array] = []
    for estimator in forest.estimators_:
        tree, begin = estimator.tree_, len(grown["column"])
        grown["roots"].append(begin)
        ends = tree.children_left < 0
        number = np.where(ends, len(leaves) + np.cumsum(ends) - 1, -1)
        grown["column"] += np.maximum(tree.feature, 0).tolist()
        grown["cut"] += [float(f"{cut:.{_DIGITS}g}") for cut in tree.threshold]
        grown["left"] += np.where(ends, 0, tree.children_left + begin).tolist()
        grown["right"] += np.where(ends, 0, tree.children_right + begin).tolist()
        grown["leaf"] += number.tolist()
        leaves += _kept(tree.apply(known), np.flatnonzero(ends), targets, kept)
    table = np.stack(leaves)
    lists = [np.rint(table[:, :, target] * UNIT).astype(int).ravel().tolist() for target in range(targets.shape[1])]
    seen = np.where(np.isfinite(rows), rows, np.nan)
    empty = ~np.isfinite(seen).any(axis=0)
    seen[0, empty] = 0.0
    return {
        "features": list(features),
        "targets": list(outcomes),
        **grown,
        "outcomes": lists,
        "range": np.stack([np.nanmin(seen, axis=0), np.nanmax(seen, axis=0)], axis=1).tolist(),
    }


def _kept(leaf_of: Any, leaves: Any, targets: Array, kept: int) -> list[Array]:
    """For each leaf the middle outcomes of ``kept`` equal parts of its rows, one column a target."""
    order = np.argsort(leaf_of, kind="stable")
    begins = np.searchsorted(leaf_of[order], [*leaves, leaves[-1] + 1])
    levels = (np.arange(kept) + 0.5) / kept
    return [np.quantile(targets[order[begin:end]], levels, axis=0, method="hazen") for begin, end in pairwise(begins)]
