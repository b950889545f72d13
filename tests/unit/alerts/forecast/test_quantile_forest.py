"""A forest kept as lists says what the grown one says, and how spread outcomes are."""

import json

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from services.alerts.forecast.forest_training import grow_forest
from services.alerts.forecast.quantile_forest import UNKNOWN, Array, QuantileForest

FEATURES = ("depth", "rain")


def cases(count: int = 2000) -> tuple[Array, Array]:
    draw = np.random.default_rng(1)
    rows = draw.uniform(0, 10, (count, 2))
    rows[draw.random(count) < 0.2, 1] = np.nan
    return rows, rows[:, 0] + draw.normal(0, 1, count) * (rows[:, 0] > 5)


def grown(trees: int = 20) -> QuantileForest:
    rows, outcome = cases()
    parameters = grow_forest(rows, {"peak": outcome}, FEATURES, trees=trees, share=1.0)
    return QuantileForest(json.loads(json.dumps(parameters)), FEATURES)


def test_the_lists_say_what_the_trees_say() -> None:
    rows, outcome = cases()
    known = np.nan_to_num(rows, nan=UNKNOWN).astype(np.float32)
    scaled = outcome / outcome.std()
    trees = RandomForestRegressor(5, min_samples_leaf=20, max_features=0.4, random_state=3).fit(known, scaled)
    alike = np.stack([leaves[:, None] == leaves for leaves in trees.apply(known).T])
    expected = (alike * outcome).sum(axis=2) / alike.sum(axis=2)
    # With many outcomes kept of each leaf, their mean is that of all its rows.
    forest = QuantileForest(grow_forest(rows, {"peak": outcome}, FEATURES, trees=5, kept=60, seed=3), FEATURES)
    assert np.abs(forest.outcomes(rows)["peak"].mean(axis=1) - expected.mean(axis=0)).max() < 0.05


def test_outcomes_are_as_spread_as_they_were() -> None:
    forest = grown()
    calm, wild = forest.outcomes(np.array([[2.0, 5.0], [8.0, 5.0]]))["peak"]
    assert np.quantile(wild, 0.9) - np.quantile(wild, 0.1) == pytest.approx(2.56, abs=0.8)
    assert np.quantile(calm, 0.9) - np.quantile(calm, 0.1) < 0.6
    assert np.median(wild) == pytest.approx(8, abs=0.6)


def test_growing_is_repeatable() -> None:
    rows, outcome = cases(300)
    first, second = (grow_forest(rows, {"peak": outcome}, FEATURES, trees=3) for _ in range(2))
    assert first == second


def test_it_says_beyond_which_values_it_knows_nothing() -> None:
    forest = grown(trees=2)
    rows = np.array([[9.0, 5.0], [10.9, 5.0], [11.1, 5.0], [9.0, np.nan]])
    assert forest.covers(rows, ["depth"]).tolist() == [True, True, False, True]


def test_too_few_cases_are_refused() -> None:
    rows, outcome = cases(10)
    with pytest.raises(ValueError, match="too few"):
        grow_forest(rows, {"peak": outcome}, FEATURES)
