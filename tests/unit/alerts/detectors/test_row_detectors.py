"""Regression, principal components, forest and one-class machine: each beside what defines it."""

import json
from math import isnan, nan

import numpy as np
import pytest
from scipy.stats import chi2
from sklearn.ensemble import IsolationForest as Forest
from sklearn.svm import OneClassSVM

from services.alerts.detectors.column_regression import ColumnRegression
from services.alerts.detectors.contract import RowDetector
from services.alerts.detectors.isolation_forest import IsolationForest
from services.alerts.detectors.multivariate_residual import MultivariateResidual
from services.alerts.detectors.novelty import Novelty
from services.alerts.detectors.one_class import OneClass
from services.alerts.detectors.principal_components import PrincipalComponents, q_limit
from tests.unit.alerts.detectors.streams import STEP_S, related, row_scores, taught_rows

COLUMNS, FLOORS = ("a", "b", "c", "d"), (0.1,) * 4


def built() -> list[RowDetector]:
    return [
        MultivariateResidual(COLUMNS, FLOORS, warm_up=100),
        PrincipalComponents(COLUMNS, FLOORS, warm_up=100),
        IsolationForest(COLUMNS, FLOORS, trees=50, sample=128, warm_up=128),
        OneClass(COLUMNS, FLOORS, sample=128, warm_up=128),
    ]


@pytest.mark.parametrize("detector", built(), ids=lambda each: each.name)
@pytest.mark.parametrize("column", [0, 2])
def test_the_column_that_breaks_away_is_named(detector: RowDetector, column: int) -> None:
    taught_rows(detector)
    rows = related(30, seed=3)
    rows[:, column] += 60
    named = [each.column for each in row_scores(detector, rows.tolist())]
    assert named.count(COLUMNS[column]) >= 27


@pytest.mark.parametrize("detector", built()[:2], ids=lambda each: each.name)
def test_a_broken_relation_shows_although_every_value_is_usual(detector: RowDetector) -> None:
    taught_rows(detector)
    normal = max(each.value for each in row_scores(detector, related(200, seed=3).tolist()))
    # One goes up while the others go down, each by less than its own standard deviation.
    broken = detector.score(0.0, [104.0, 96.5, 96.8, 97.3])
    assert broken.value > 2 * normal
    assert broken.column == "a"


@pytest.mark.parametrize("detector", built(), ids=lambda each: each.name)
def test_a_missing_value_leaves_the_others_judged(detector: RowDetector) -> None:
    taught_rows(detector)
    rows = related(20, seed=3)
    rows[:, 1] = nan
    whole = row_scores(detector, rows.tolist())
    assert not any(isnan(each.value) for each in whole)
    rows[:, 0] += 60
    raised = [each.value for each in row_scores(detector, rows.tolist())]
    assert np.median(raised) > 1 + np.median([each.value for each in whole])
    assert isnan(detector.score(0.0, [nan, nan, nan, 100.0]).value)


def test_the_regression_is_least_squares() -> None:
    rows = related(1200, seed=4)
    regression = ColumnRegression(FLOORS, ridge=1e-9, warm_up=100, memory_rows=100_000)
    for row in rows.tolist():
        regression.learn(row)
    probe = related(5, seed=6)
    for column in range(4):
        others = [each for each in range(4) if each != column]
        design = np.column_stack([np.ones(len(rows)), rows[:, others]])
        weights, *_ = np.linalg.lstsq(design, rows[:, column], rcond=None)
        for values in probe:
            expected = values[column] - weights @ np.array([1.0, *values[others]])
            assert regression.residual(values)[column] == pytest.approx(expected, abs=1e-6)


def test_the_limits_of_the_components_are_exceeded_as_seldom_as_they_say() -> None:
    rng = np.random.default_rng(8)
    mixing = rng.normal(0, 1, (4, 4))
    detector = PrincipalComponents(COLUMNS, (1e-6,) * 4, explained=0.7, false_alarms=0.02, warm_up=100)
    for step, row in enumerate((rng.normal(0, 1, (3996, 4)) @ mixing).tolist()):
        detector.learn(step * STEP_S, row)
    told = row_scores(detector, (rng.normal(0, 1, (4000, 4)) @ mixing).tolist())
    for statistic in ("t2", "q"):
        share = np.mean([each.seen[statistic] > 1 for each in told if each.seen])
        assert 0.01 < share < 0.035, statistic


def test_the_limit_of_equal_variances_is_that_of_chi_square() -> None:
    assert q_limit(np.ones(6), 0.001) == pytest.approx(chi2.ppf(0.999, 6), rel=0.02)
    assert q_limit(np.array([2.0]), 0.001) == pytest.approx(2 * chi2.ppf(0.999, 1))


def _centred(detector: Novelty) -> tuple[np.ndarray, np.ndarray]:
    """The sample a detector was fitted to and fresh rows, both centred as it centres them."""
    sample = np.array(detector.state()["sample"])
    centre = np.median(sample, axis=0)
    spread = np.maximum(np.median(np.abs(sample - centre), axis=0) * 1.4826, 0.1)
    return (sample - centre) / spread, (related(200, seed=5) - centre) / spread


def test_the_forest_is_scikit_learns() -> None:
    detector = IsolationForest(COLUMNS, FLOORS, trees=50, sample=128, warm_up=128, seed=3)
    taught_rows(detector)
    sample, rows = _centred(detector)
    theirs = -Forest(n_estimators=50, max_samples=128, random_state=3).fit(sample).score_samples(rows)
    ours = detector._fit(sample)(rows)
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_the_machine_is_scikit_learns() -> None:
    detector = OneClass(COLUMNS, FLOORS, sample=128, warm_up=128)
    taught_rows(detector)
    sample, rows = _centred(detector)
    theirs = -OneClassSVM(gamma=0.25, nu=0.05).fit(sample).decision_function(rows)
    assert detector._fit(sample)(rows) == pytest.approx(theirs, abs=1e-9)


def test_the_sample_is_fair_and_bounded() -> None:
    """Of many learnt rows each is as likely kept as another; far more than the memory fade."""
    detector = OneClass(("a", "b"), (0.1, 0.1), sample=100, warm_up=100, refit=100, memory_rows=10_000)
    for step in range(2000):
        detector.learn(step * STEP_S, [float(step), 0.0])
    kept = sorted(row[0] for row in detector.state()["sample"])
    assert len(kept) == 100
    assert len(set(kept)) == 100
    assert 800 < np.mean(kept) < 1200
    for step in range(2000, 30_000):
        detector.learn(step * STEP_S, [float(step), 0.0])
    assert min(row[0] for row in detector.state()["sample"]) >= 0
    assert np.median([row[0] for row in detector.state()["sample"]]) > 20_000


def test_what_is_learnt_shows_only_after_the_next_fit() -> None:
    detector = OneClass(COLUMNS, FLOORS, sample=64, warm_up=64, refit=64)
    rows = related(191, seed=9).tolist()
    for row in rows[:64]:
        detector.learn(0.0, row)
    before = detector.score(0.0, rows[100]).value
    for row in rows[64:127]:
        detector.learn(0.0, row)
    assert detector.score(0.0, rows[100]).value == before
    kept = json.loads(json.dumps(detector.state()))
    detector.learn(0.0, rows[127])
    after = detector.score(0.0, rows[100]).value
    assert after != before
    restored = OneClass(COLUMNS, FLOORS, sample=64, warm_up=64, refit=64)
    restored.restore(kept)
    assert restored.score(0.0, rows[100]).value == before
    restored.learn(0.0, rows[127])
    assert restored.score(0.0, rows[100]).value == after
