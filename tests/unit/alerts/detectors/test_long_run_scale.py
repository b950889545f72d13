"""Residuals that keep their side for a while are not taken for independent ones."""

import json

import numpy as np
import pytest

from services.alerts.detectors.long_run_scale import LongRunScale
from services.alerts.detectors.neighbour_residual import NeighbourResidual
from services.alerts.detectors.running_covariance import Array
from tests.unit.alerts.detectors.streams import STEP_S, related

ROWS = 4000


def wandering(rows: int, keeps: float, seed: int) -> Array:
    """Values of standard deviation 1, each of which keeps so much of the one before."""
    rng = np.random.default_rng(seed)
    values = np.zeros(rows)
    for row in range(1, rows):
        values[row] = keeps * values[row - 1] + rng.normal(0, np.sqrt(1 - keeps**2))
    return values


@pytest.mark.parametrize(("keeps", "expected"), [(0.0, 1.0), (0.5, 1.7), (0.8, 2.8)])
def test_the_scale_is_what_the_theory_of_such_noise_says(keeps: float, expected: float) -> None:
    """The square of it is (1 + r) / (1 - r), less a little because a batch is finite."""
    scale = LongRunScale(1, 10 * ROWS)
    for value in wandering(10 * ROWS, keeps, 5):
        scale.learn(np.array([value]))
    assert scale.sigma[0] == pytest.approx(expected, rel=0.1)


def test_a_gap_leaves_the_other_columns_alone() -> None:
    whole, gappy = LongRunScale(2, ROWS), LongRunScale(2, ROWS)
    rows = np.random.default_rng(3).normal(0, 1, (400, 2))
    for number, row in enumerate(rows):
        whole.learn(row)
        gappy.learn(np.array([row[0], np.nan if number % 3 else row[1]]))
    assert gappy.sigma[0] == whole.sigma[0]
    assert 0.5 < gappy.sigma[1] < 2


def test_it_goes_on_where_it_was_saved() -> None:
    first, second = LongRunScale(1, ROWS), LongRunScale(1, ROWS)
    values = wandering(300, 0.5, 7)
    for value in values[:137]:
        first.learn(np.array([value]))
    second.restore(json.loads(json.dumps(first.state())))
    for value in values[137:]:
        first.learn(np.array([value]))
        second.learn(np.array([value]))
    assert first.state() == second.state()


def test_customers_near_one_sensor_are_no_leak() -> None:
    """One of four sensors has demand of its own nearby, which wanders for an hour and more."""
    detector = NeighbourResidual(tuple("abcd"), (-1,) * 4, (0.1,) * 4, (40.0,) * 4)
    rows = related(ROWS)
    rows[:, 2] += wandering(ROWS, 0.9, 11)
    highest = 0.0
    for number, row in enumerate(rows.tolist()):
        score = detector.score(number * STEP_S, row).value
        highest = max(highest, 0.0 if np.isnan(score) else score)
        detector.learn(number * STEP_S, row)
    assert highest < 16
    rows = related(12, seed=9)
    rows[:, 1] -= 5
    assert max(detector.score((ROWS + number) * STEP_S, row).value for number, row in enumerate(rows.tolist())) > 16
