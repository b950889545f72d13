"""A model in use decides how a detector begins, and every finding says so."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.alerts.lifelines import discover
from services.alerts.models.adoption import with_models
from services.alerts.models.past import past
from services.alerts.models.training import train
from services.alerts.zone_engine import ZoneEngine
from services.core.detector_model import DetectorModel, ModelState
from services.core.finding import Finding
from services.core.lifeline import Lifeline
from services.core.reading import Quality, Reading
from tests.unit.alerts.models.test_training import FLOW, SENSORS, START, WINDOW, only, series

RULE, TARGET = "water-flow-above-usual", "f1"


@pytest.fixture(scope="module")
def model() -> DetectorModel:
    taught = train(FLOW, past(FLOW, only(FLOW, series()), []), WINDOW, None)
    return replace(taught, version=3, state=ModelState.ACTIVE)


def engine(model: DetectorModel | None) -> ZoneEngine:
    rules = with_models(discover()[Lifeline.WATER], {} if model is None else {(model.rule, model.target): model})
    return ZoneEngine("Z1", rules, SENSORS, allowed_lateness=timedelta(0))


def burst(engine: ZoneEngine) -> list[Finding]:
    """What an hour of doubled flow gives."""
    times = (START + timedelta(days=17, minutes=5 * step) for step in range(12))
    found = engine.observe([Reading("f1", time, 250.0, Quality.GOOD, received_at=time) for time in times])
    return [each for each in found + engine.release() if each.rule == RULE]


def test_with_a_model_the_first_hour_is_judged_already(model: DetectorModel) -> None:
    assert not burst(engine(None))
    found = burst(engine(model))
    assert found
    assert found[0].evidence["model"] == f"{RULE} {TARGET} 3"
    assert found[0].evidence["configuration"]
    assert (found[0].detector, found[0].detector_version) == (model.detector, model.detector_version)


def test_a_model_that_does_not_fit_is_left_alone(model: DetectorModel) -> None:
    assert not burst(engine(replace(model, configuration="seasonal 0 000000000000")))
    assert not burst(engine(replace(model, target="another")))


def _kept(whole: ZoneEngine) -> Mapping[str, Any]:
    kept: Mapping[str, Any] = json.loads(json.dumps(whole.changed_state(), allow_nan=False))
    return kept


def test_a_restart_with_the_same_model_goes_on_with_what_was_learnt_since(model: DetectorModel) -> None:
    first = engine(model)
    times = (START + timedelta(days=17, minutes=5 * step) for step in range(288))
    first.observe([Reading("f1", time, 100.0, Quality.GOOD, received_at=time) for time in times])
    first.release()
    kept = _kept(first)
    second = engine(model)
    second.restore(kept)
    assert second._watches["f1"].state() == first._watches["f1"].state()


def test_a_new_model_takes_the_place_of_what_was_learnt(model: DetectorModel) -> None:
    without = engine(None)
    times = (START + timedelta(days=14, minutes=5 * step) for step in range(4 * 288))
    without.observe([Reading("f1", time, 500.0, Quality.GOOD, received_at=time) for time in times])
    without.release()
    kept = _kept(without)
    second = engine(model)
    second.restore(kept)
    later = START + timedelta(days=19)
    readings = [
        Reading("f1", later + timedelta(minutes=5 * step), 250.0, Quality.GOOD, received_at=later) for step in range(12)
    ]
    found = [each for each in second.observe(readings) + second.release() if each.rule == RULE]
    assert [each.evidence["model"] for each in found] == [f"{RULE} {TARGET} 3"]
