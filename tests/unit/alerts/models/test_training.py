"""What is taught, what is held back, and when a model is not put into use."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from services.alerts.lifelines import discover
from services.alerts.models.holdback import measure, objection
from services.alerts.models.past import Series, past
from services.alerts.models.subject import Subject, subjects
from services.alerts.models.training import TooLittlePastError, Window, train
from services.core.detector_model import HoldBack, ModelState
from services.core.lifeline import Lifeline
from tests.unit.alerts.stream import sensor

START = datetime(2026, 1, 5, tzinfo=UTC)
BEGIN_S = START.timestamp()
DAY_S = 86_400.0
FIVE_MINUTES = timedelta(minutes=5)
SENSORS = [
    *(sensor(name, Lifeline.WATER, "pressure", interval=FIVE_MINUTES) for name in ("p1", "p2", "p3")),
    sensor("f1", Lifeline.WATER, "flow", interval=FIVE_MINUTES),
]
WINDOW = Window(START, START + timedelta(days=12), START + timedelta(days=16))


def subject(rule: str, target: str) -> Subject:
    return next(each for each in subjects(discover(), SENSORS) if (each.rule.name, each.target) == (rule, target))


def series(days: float = 16, *, seed: int = 3, noise: float = 1.0) -> dict[str, Series]:
    """A demand with a daily pattern: pressures fall with it, the flow rises."""
    rng = np.random.default_rng(seed)
    times_s = BEGIN_S + np.arange(1, int(days * 288) + 1, dtype=np.float64) * 300.0
    demand: NDArray[np.float64] = 20 * np.sin(2 * np.pi * times_s / DAY_S) + rng.normal(0, 2, len(times_s))
    found = {
        name: (times_s, 300 - share * demand + rng.normal(0, noise, len(times_s)))
        for name, share in (("p1", 1.0), ("p2", 1.2), ("p3", 0.9))
    }
    return {**found, "f1": (times_s, 100 + demand + rng.normal(0, noise, len(times_s)))}


FLOW = subject("water-flow-above-usual", "f1")
ZONE = subject("water-neighbour-residual", "zone:Z1")


def only(chosen: Subject, whole: dict[str, Series]) -> dict[str, Series]:
    return {each.id: whole[each.id] for each in chosen.sensors}


def test_rules_with_a_teachable_detector_are_found_with_their_targets() -> None:
    found = {(each.rule.name, each.target) for each in subjects(discover(), SENSORS)}
    assert {("water-flow-above-usual", "f1"), ("water-neighbour-residual", "zone:Z1")} <= found
    assert not any(rule == "water-pressure-below-limit" for rule, _ in found)
    assert [each.id for each in ZONE.sensors] == ["f1", "p1", "p2", "p3"]


@pytest.mark.parametrize("chosen", [FLOW, ZONE], ids=["sensor", "zone"])
def test_a_first_model_that_is_of_use_speaks_for_itself(chosen: Subject) -> None:
    model = train(chosen, past(chosen, only(chosen, series()), []), WINDOW, None)
    assert model.reason is None
    assert model.predecessor is None
    assert model.scores.known > 0.95
    assert model.scores.separation > 0.52
    assert model.scores.false_alarms < 0.01
    assert (model.trained_until, model.version) == (WINDOW.split, 0)


def test_what_is_held_back_is_not_taught() -> None:
    """The held-back readings change; the parameters must not."""
    whole = only(FLOW, series())
    times_s, values = whole["f1"]
    other = {"f1": (times_s, np.where(times_s >= WINDOW.split.timestamp(), values + 50, values))}
    first = train(FLOW, past(FLOW, whole, []), WINDOW, None)
    second = train(FLOW, past(FLOW, other, []), WINDOW, None)
    assert second.parameters == first.parameters
    assert second.scores != first.scores
    assert second.fingerprint != first.fingerprint


def test_times_of_trouble_are_neither_taught_nor_held_against_it() -> None:
    whole = only(FLOW, series())
    times_s, values = whole["f1"]
    leak = (BEGIN_S + 5 * DAY_S, BEGIN_S + 6 * DAY_S)
    late_leak = (BEGIN_S + 13 * DAY_S, BEGIN_S + 14 * DAY_S)
    troubled = values.copy()
    for start_s, end_s in (leak, late_leak):
        troubled[(times_s >= start_s) & (times_s <= end_s)] += 500
    calm = train(FLOW, past(FLOW, {"f1": (times_s, troubled)}, [leak, late_leak]), WINDOW, None)
    same = train(FLOW, past(FLOW, whole, [leak, late_leak]), WINDOW, None)
    assert calm.parameters == same.parameters
    assert calm.fingerprint == same.fingerprint
    troubled_too = train(FLOW, past(FLOW, {"f1": (times_s, troubled)}, []), WINDOW, None)
    assert troubled_too.scores.false_alarms > calm.scores.false_alarms


def test_a_model_that_does_worse_than_its_predecessor_is_not_promoted() -> None:
    """The same held-back days, taught from good history and from that of a meter with a loose contact."""
    whole = only(FLOW, series())
    good = replace(train(FLOW, past(FLOW, whole, []), WINDOW, None), state=ModelState.ACTIVE, version=1)
    times_s, values = whole["f1"]
    taught = times_s < WINDOW.split.timestamp()
    scattered = values + np.where(taught, np.random.default_rng(1).normal(0, 30, len(values)), 0.0)
    worse = train(FLOW, past(FLOW, {"f1": (times_s, scattered)}, []), WINDOW, good)
    assert worse.predecessor is not None
    assert worse.reason is not None
    better = train(FLOW, past(FLOW, whole, []), WINDOW, replace(worse, state=ModelState.ACTIVE, version=2))
    assert better.reason is None


def test_a_predecessor_of_another_configuration_is_none() -> None:
    whole = past(FLOW, only(FLOW, series()), [])
    old = replace(train(FLOW, whole, WINDOW, None), configuration="seasonal 0 abc", parameters={"other": 1})
    assert train(FLOW, whole, WINDOW, old).predecessor is None


def test_teaching_is_repeatable() -> None:
    first, second = (train(ZONE, past(ZONE, only(ZONE, series()), []), WINDOW, None) for _ in range(2))
    assert first == second


def test_too_little_past_is_refused() -> None:
    with pytest.raises(TooLittlePastError, match="rows to teach"):
        train(FLOW, past(FLOW, only(FLOW, series(1)), []), WINDOW, None)


def test_rows_are_those_of_the_live_grid() -> None:
    """Cells end on the grid; a sensor that said nothing in a cell has no value there."""
    times_s = np.array([BEGIN_S + 60, BEGIN_S + 400])
    whole = {each.id: (times_s, np.array([1.0, 2.0])) for each in ZONE.sensors}
    whole["p2"] = (times_s[:1], np.array([5.0]))
    rows = past(ZONE, whole, []).rows
    assert [time_s - BEGIN_S for time_s, _ in rows] == [300, 600]
    assert rows[0][1] == [1.0, 1.0, 5.0, 1.0]
    assert np.isnan(rows[1][1][2])


@pytest.mark.parametrize(
    ("new", "old", "word"),
    [
        (HoldBack(100, 0.4, 0.0, 0.9), None, "could say"),
        (HoldBack(100, 1.0, 0.05, 0.9), None, "would raise"),
        (HoldBack(100, 1.0, 0.0, 0.5), None, "stand out"),
        (HoldBack(100, 1.0, 0.01, 0.9), HoldBack(100, 1.0, 0.0, 0.8), "False alarms"),
        (HoldBack(100, 1.0, 0.0, 0.8), HoldBack(100, 1.0, 0.0, 0.9), "less"),
        (HoldBack(100, 1.0, 0.0, 0.9), HoldBack(100, 1.0, 0.0, 0.9), None),
        (HoldBack(100, 1.0, 0.0, 0.6), None, None),
    ],
)
def test_objections(new: HoldBack, old: HoldBack | None, word: str | None) -> None:
    found = objection(new, old)
    assert (found is None) == (word is None)
    if found is not None:
        assert word is not None
        assert word in found.en
        assert found.zh


def test_a_blind_model_has_a_separation_of_one_half() -> None:
    chosen = subject("water-flow-above-usual", "f1")
    whole = past(chosen, only(chosen, series()), [])
    taught, held_back = whole.before(WINDOW.split.timestamp()), whole.since(WINDOW.split.timestamp())
    parameters = chosen.detector().train(taught)
    nothing = chosen.detector().train([])
    assert measure(chosen, nothing, taught, held_back).known == 0
    assert measure(chosen, parameters, taught, held_back).separation > 0.5
