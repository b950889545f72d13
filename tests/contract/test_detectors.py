"""What every detector promises, tried on every detector that is found."""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import cycle
from math import inf, isfinite, isnan, nan
from typing import Any

import pytest

from services.alerts.detectors import AnyDetector
from services.alerts.detectors.contract import Detector, RowDetector, Score, SearchDetector, Trainable
from tests.contract.detector_examples import DAY_S, Example, Row, Stream, every_detector, every_example, examples

EXAMPLES = examples()
Built = Detector | RowDetector | SearchDetector


def example_of(kind: AnyDetector) -> Example:
    return EXAMPLES[kind.name]


def build(kind: AnyDetector) -> Any:
    example = example_of(kind)
    return example.build(kind, example.arguments)


def normal(kind: AnyDetector, days: float, start_s: float = 0.0) -> Stream:
    return example_of(kind).normal(days, start_s)


def give(detector: Built, time_s: float, row: Sequence[float]) -> list[Any]:
    """The score of a row, and a search's claims about it."""
    if isinstance(detector, Detector):
        return [detector.score(time_s, row[0])]
    if isinstance(detector, SearchDetector):
        return [detector.score(time_s, row), *detector.claims()]
    return [detector.score(time_s, row)]


def score(detector: Built, time_s: float, row: Sequence[float]) -> Score:
    told = give(detector, time_s, row)[0]
    assert isinstance(told, Score)
    return told


def teach(detector: Built, time_s: float, row: Sequence[float]) -> None:
    if isinstance(detector, Detector):
        detector.learn(time_s, row[0])
    elif isinstance(detector, RowDetector):
        detector.learn(time_s, row)


def follow(detector: Built, rows: Iterable[Row]) -> list[list[Any]]:
    told = []
    for time_s, row in rows:
        told.append(give(detector, time_s, row))
        teach(detector, time_s, row)
    return told


def text(told: Any) -> str:
    return json.dumps(told, default=repr)


@cache
def told_of_two_days(kind: AnyDetector) -> list[list[Any]]:
    """What a detector says to two normal days that it follows without a break."""
    return follow(build(kind), normal(kind, 2))


def known_sizes(told: Iterable[list[Any]]) -> list[float]:
    return [abs(each[0].value) for each in told if not isnan(each[0].value)]


every = every_example()
trainable = every_example(only=Trainable, without=(SearchDetector,))
"""Searches learn while they score; what they are trained with is tried where they are."""


def test_every_detector_has_an_example() -> None:
    assert {kind.name for kind in every_detector()} == EXAMPLES.keys()


@every
def test_name_version_and_source_are_told(kind: AnyDetector) -> None:
    assert kind.name
    assert kind.version
    assert "Source" in (kind.__doc__ or "")


@every
def test_an_equal_detector_is_built_from_the_configuration(kind: AnyDetector) -> None:
    first = build(kind)
    assert set(example_of(kind).arguments) <= set(first.configuration())
    second = example_of(kind).build(kind, json.loads(json.dumps(first.configuration())))
    assert second.configuration() == first.configuration()
    assert text(follow(second, normal(kind, 2))) == text(told_of_two_days(kind))


@every
def test_what_comes_later_changes_no_earlier_score(kind: AnyDetector) -> None:
    """The same past without and with a future: the scores of the past are the same."""
    past = normal(kind, 2)
    told = follow(build(kind), (*past, *example_of(kind).fault(normal(kind, 0.2, 2 * DAY_S))))
    assert text(told[: len(past)]) == text(told_of_two_days(kind))


@every
def test_state_goes_through_json_at_any_moment(kind: AnyDetector) -> None:
    past = normal(kind, 3.5)
    rows = [*past, *example_of(kind).fault(normal(kind, 0.3, 3.5 * DAY_S))]
    cuts = {0, 1, 2, 31, 32, 97, 194, 310, len(past), len(past) + 3, len(rows) - 1}
    detector, told = build(kind), []
    for position, row in enumerate(rows):
        if position in cuts:
            kept = json.loads(json.dumps(detector.state(), allow_nan=False))
            detector = build(kind)
            detector.restore(kept)
        told += follow(detector, [row])
    assert text(told) == text(follow(build(kind), rows))


@every
def test_asking_for_the_state_changes_nothing(kind: AnyDetector) -> None:
    rows = normal(kind, 2)
    detector, told = build(kind), []
    for row in rows:
        told += follow(detector, [row])
        kept = detector.state()
        before = text(kept)
        if row is rows[-40]:
            earlier, written = kept, before
    assert text(told) == text(told_of_two_days(kind))
    assert text(earlier) == written, "a state that was handed out has been changed since"


@every
def test_memory_is_bounded(kind: AnyDetector) -> None:
    detector = build(kind)
    days = example_of(kind).full_days
    follow(detector, normal(kind, days))
    early = len(json.dumps(detector.state()))
    follow(detector, normal(kind, 2 * days, days * DAY_S))
    follow(detector, example_of(kind).fault(normal(kind, 1, 3 * days * DAY_S)))
    assert len(json.dumps(detector.state())) < example_of(kind).most_growth * early + 2000


@every
def test_rows_are_not_changed(kind: AnyDetector) -> None:
    detector = build(kind)
    for time_s, row in normal(kind, 1):
        given = list(row)
        give(detector, time_s, given)
        teach(detector, time_s, given)
        assert given == list(row)


@every
def test_nothing_is_claimed_before_anything_is_known(kind: AnyDetector) -> None:
    """In its first hour a detector knows nothing of its sensors, so that even a fault is no news to it."""
    if not example_of(kind).silent_at_first:
        pytest.skip("judges each value by itself: there is nothing to wait for")
    detector = build(kind)
    fault = list(example_of(kind).fault(normal(kind, 1)))[:12]
    for time_s, row in fault:
        told = give(detector, time_s, row)
        assert isnan(told[0].value) or told[0].value == 0, told
        assert len(told) == 1


@every
def test_no_number_is_survived(kind: AnyDetector) -> None:
    detector = build(kind)
    follow(detector, normal(kind, 1))
    wrong = cycle((nan, inf, -inf))
    for time_s, row in normal(kind, 0.2, DAY_S):
        follow(detector, [(time_s, (next(wrong),) * len(row)), (time_s + 1, (next(wrong), *row[1:]))])
    json.dumps(detector.state(), allow_nan=False)
    scores = follow(detector, normal(kind, 5, 2 * DAY_S))
    assert any(isfinite(each[0].value) for each in scores)


@every
def test_gaps_and_repetitions_are_survived(kind: AnyDetector) -> None:
    detector = build(kind)
    follow(detector, normal(kind, 2))
    follow(detector, normal(kind, 0.1, 40 * DAY_S))
    for time_s, row in normal(kind, 0.1, 41 * DAY_S):
        assert isinstance(score(detector, time_s, row).value, float)
        assert isinstance(score(detector, time_s, row).value, float)
    json.dumps(detector.state(), allow_nan=False)


@every
def test_a_fault_outranks_normal_rows(kind: AnyDetector) -> None:
    """Each detector's own kind of fault, injected after what it has learnt, scores above 99 of 100 normal rows."""
    detector, example = build(kind), example_of(kind)
    before = sorted(known_sizes(follow(detector, normal(kind, example.days))))
    fault = example.fault(normal(kind, 1, example.days * DAY_S))
    after = known_sizes(give(detector, time_s, row) for time_s, row in fault)
    assert max(after) > (before[len(before) * 99 // 100] if before else 0.0)


@every
def test_a_reset_forgets_what_was_learnt_and_keeps_the_configuration(kind: AnyDetector) -> None:
    detector = build(kind)
    follow(detector, example_of(kind).fault(normal(kind, 3)))
    before = detector.configuration()
    detector.reset()
    assert detector.configuration() == before
    assert text(follow(detector, normal(kind, 2))) == text(told_of_two_days(kind))


def _history(kind: AnyDetector, days: float) -> list[tuple[float, Any]]:
    return [(time_s, row[0] if issubclass(kind, Detector) else row) for time_s, row in normal(kind, days)]


@trainable
def test_training_changes_nothing_until_it_is_adopted(kind: AnyDetector) -> None:
    detector = build(kind)
    follow(detector, normal(kind, 1))
    before = text(detector.state())
    parameters = detector.train(_history(kind, 5))
    assert text(detector.state()) == before
    detector.adopt(json.loads(json.dumps(parameters, allow_nan=False)))
    assert text(detector.state()) != before


@trainable
def test_what_was_trained_scores_like_what_was_learnt(kind: AnyDetector) -> None:
    days = example_of(kind).days
    taught, pupil = build(kind), build(kind)
    for time_s, value in _history(kind, days):
        taught.learn(time_s, value)
    pupil.adopt(json.loads(json.dumps(pupil.train(_history(kind, days)), allow_nan=False)))
    rows = normal(kind, 0.5, days * DAY_S)
    assert text(follow(pupil, rows)) == text(follow(taught, rows))
    with pytest.raises(KeyError):
        pupil.adopt({})


@trainable
def test_a_detector_tells_its_model_until_it_is_reset(kind: AnyDetector) -> None:
    detector = build(kind)
    told = [detector.model]
    detector.adopt(detector.train(_history(kind, 3)), "version 4")
    told.append(detector.model)
    detector.reset()
    told.append(detector.model)
    assert told == [None, "version 4", None]
    assert text(follow(detector, normal(kind, 2))) == text(told_of_two_days(kind))
