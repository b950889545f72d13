"""What every detector promises, tried on every detector that is found."""

import json
from collections.abc import Iterator, Sequence
from math import inf, isfinite, isnan, nan, sin, tau
from typing import Any

import numpy as np
import pytest

from services.alerts.detectors import AnyDetector, discover
from services.alerts.detectors.contract import Detector, RowDetector, Score

DAY_S = 86_400.0
STEP_S = 300.0

EXAMPLES: dict[str, dict[str, Any]] = {
    "gap": {"interval_s": STEP_S},
    "night-flow": {"start_s": 7200.0, "end_s": 14400.0, "warm_up": 2},
    "out-of-range": {"low": 0.0, "high": 1000.0},
    "neighbour-residual": {
        "columns": ["a", "b", "c"],
        "directions": [-1, -1, -1],
        "floors": [0.5, 0.5, 0.5],
        "ceilings": [80.0, 80.0, 80.0],
        "warm_up": 144,
    },
    "rate": {"window_s": 1800.0, "floor": 0.0},
    "seasonal": {"floor": 1.0},
    "spikes": {"floor": 5.0},
    "stuck": {},
    "value": {},
}
"""Arguments for each detector; one that is missing here fails the first test."""


def build(kind: AnyDetector) -> Detector | RowDetector:
    return kind(**EXAMPLES[kind.name])


def normal(days: float, seed: int = 7, start_s: float = 0.0) -> Iterator[tuple[float, list[float]]]:
    """Rows of three related values with a daily pattern and noise; single-sensor detectors take the first."""
    rng = np.random.default_rng(seed)
    for step in range(int(days * DAY_S / STEP_S)):
        time_s = start_s + step * STEP_S
        demand = 20 * sin(tau * time_s / DAY_S) + float(rng.normal(0, 2))
        yield time_s, [300 + demand * share + float(rng.normal(0, 0.4)) for share in (1.0, 1.2, 0.9)]


def give(detector: Detector | RowDetector, time_s: float, row: Sequence[float]) -> Score:
    if isinstance(detector, RowDetector):
        return detector.score(time_s, row)
    return detector.score(time_s, row[0])


def teach(detector: Detector | RowDetector, time_s: float, row: Sequence[float]) -> None:
    if isinstance(detector, RowDetector):
        detector.learn(time_s, row)
    else:
        detector.learn(time_s, row[0])


def follow(detector: Detector | RowDetector, rows: Iterator[tuple[float, list[float]]]) -> list[Score]:
    scores = []
    for time_s, row in rows:
        scores.append(give(detector, time_s, row))
        teach(detector, time_s, row)
    return scores


def same(first: Sequence[Score], second: Sequence[Score]) -> bool:
    return json.dumps([list(each) for each in first]) == json.dumps([list(each) for each in second])


every = pytest.mark.parametrize("kind", discover(), ids=lambda kind: kind.name)


def test_every_detector_has_an_example() -> None:
    assert {kind.name for kind in discover()} == EXAMPLES.keys()


@every
def test_name_version_and_source_are_told(kind: AnyDetector) -> None:
    assert kind.name
    assert kind.version
    assert "Source" in (kind.__doc__ or "")


@every
def test_an_equal_detector_is_built_from_the_configuration(kind: AnyDetector) -> None:
    first = build(kind)
    assert set(EXAMPLES[kind.name]) <= set(first.configuration())
    second = kind(**json.loads(json.dumps(first.configuration())))
    assert second.configuration() == first.configuration()
    assert same(follow(first, normal(2)), follow(second, normal(2)))


@every
def test_the_same_stream_gives_the_same_scores(kind: AnyDetector) -> None:
    assert same(follow(build(kind), normal(2)), follow(build(kind), normal(2)))


@every
def test_state_goes_through_json_at_any_moment(kind: AnyDetector) -> None:
    rows = list(normal(3.5))
    whole = follow(build(kind), iter(rows))
    for cut in (0, 1, 31, 580, 930):
        first, second = build(kind), build(kind)
        before = follow(first, iter(rows[:cut]))
        second.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
        assert same(before + follow(second, iter(rows[cut:])), whole)


@every
def test_memory_is_bounded(kind: AnyDetector) -> None:
    detector = build(kind)
    follow(detector, normal(6))
    early = len(json.dumps(detector.state()))
    follow(detector, normal(8, start_s=6 * DAY_S))
    assert len(json.dumps(detector.state())) < 1.5 * early + 2000


@every
def test_rows_are_not_changed(kind: AnyDetector) -> None:
    detector = build(kind)
    for time_s, row in normal(1):
        copy = list(row)
        give(detector, time_s, row)
        teach(detector, time_s, row)
        assert row == copy


@every
@pytest.mark.parametrize("wrong", [nan, inf, -inf])
def test_no_number_is_survived(kind: AnyDetector, wrong: float) -> None:
    detector = build(kind)
    follow(detector, normal(3))
    for time_s, row in normal(0.2, start_s=3 * DAY_S):
        give(detector, time_s, [wrong, wrong, wrong])
        give(detector, time_s + 1, [row[0], wrong, row[2]])
    json.dumps(detector.state(), allow_nan=False)
    scores = follow(detector, normal(0.5, start_s=3.5 * DAY_S))
    assert any(isfinite(each.value) for each in scores)


@every
def test_gaps_and_repetitions_are_survived(kind: AnyDetector) -> None:
    detector = build(kind)
    follow(detector, normal(3))
    follow(detector, normal(0.1, start_s=40 * DAY_S))
    for time_s, row in normal(0.1, start_s=41 * DAY_S):
        first, second = give(detector, time_s, row), give(detector, time_s, row)
        assert isinstance(first.value, float)
        assert isinstance(second.value, float)


@every
def test_normal_days_score_lower_than_a_fault(kind: AnyDetector) -> None:
    """Each detector's own kind of fault, injected after a learnt week, outranks the days before."""
    detector = build(kind)
    before = [each.value for each in follow(detector, normal(7)) if not isnan(each.value)]
    after = [score.value for score in _faulty(detector) if not isnan(score.value)]
    assert max(after) > max(before, default=0.0)


def _faulty(detector: Detector | RowDetector) -> list[Score]:
    start_s = 7 * DAY_S
    if detector.name == "gap":
        return [give(detector, start_s + 5 * STEP_S, [300.0] * 3)]
    if detector.name == "night-flow":
        return [give(detector, time_s, [row[0] + 60] * 3) for time_s, row in normal(1, start_s=start_s)]
    if detector.name == "stuck":
        return [give(detector, start_s + step * STEP_S, [301.0] * 3) for step in range(40)]
    if detector.name in {"spikes", "out-of-range"}:
        return [
            give(detector, time_s, [row[0] + (900 if step % 4 == 0 else 0)] * 3)
            for step, (time_s, row) in enumerate(normal(0.2, start_s=start_s))
        ]
    if detector.name == "rate":
        return [give(detector, start_s + step * STEP_S, [300.0 + 40 * step] * 3) for step in range(12)]
    return [
        give(detector, time_s, [row[0] + _sign(detector) * 40, row[1], row[2]])
        for time_s, row in normal(0.2, start_s=start_s)
    ]


def _sign(detector: Detector | RowDetector) -> int:
    return -1 if isinstance(detector, RowDetector) else 1
