"""A forecast is taught storms, tried on the last of them, and put into use where it errs less than the default."""

import json
from dataclasses import replace
from functools import cache

import pytest

from services.alerts.lifelines import discover
from services.alerts.models.adoption import with_models
from services.alerts.models.forecast_training import storms, train_forecast
from services.alerts.models.forecast_trial import objection, stirring
from services.alerts.models.past import Past, past
from services.alerts.models.subject import Subject, subjects
from services.alerts.models.training import TooLittlePastError
from services.alerts.zone_engine import ZoneEngine
from services.core.detector_model import DetectorModel, HoldBack, ModelState
from services.core.finding import Finding
from services.core.lifeline import Lifeline
from services.core.reading import Quality
from tests.unit.alerts.models.storm_past import SENSORS, readings
from tests.unit.alerts.stream import LATENESS

RULE, TARGET = "drainage-waterlogging-forecast", "zone:Z1"


def forecast() -> Subject:
    return next(each for each in subjects(discover(), SENSORS) if (each.rule.name, each.target) == (RULE, TARGET))


def storm_past(count: int) -> Past:
    whole = past(forecast(), readings(count), ())
    return replace(whole, rows=stirring(forecast(), whole.rows))


@cache
def taught() -> DetectorModel:
    model = train_forecast(forecast(), storm_past(16), None)
    return replace(model, version=4, state=ModelState.ACTIVE)


def told(model: DetectorModel | None, seed: int = 9) -> tuple[ZoneEngine, list[Finding]]:
    rules = with_models(discover()[Lifeline.DRAINAGE], {} if model is None else {(RULE, TARGET): model})
    engine = ZoneEngine("Z1", rules, SENSORS, allowed_lateness=LATENESS)
    found = engine.take(
        sorted(
            (float(time_s), name, float(value), int(Quality.GOOD))
            for name, (times_s, values) in readings(2, seed).items()
            for time_s, value in zip(times_s, values, strict=True)
        )
    )
    return engine, [each for each in found + engine.release() if each.rule == "drainage-waterlogging-expected"]


def test_the_forecast_of_a_zone_can_be_taught_and_learns_from_troubles() -> None:
    subject = forecast()
    assert subject.forecasts
    assert [each.id for each in subject.sensors] == ["rain", "road-a", "road-b"]
    assert not any(each.forecasts for each in subjects(discover(), SENSORS) if each.rule.name != RULE)


def test_a_forest_that_knows_the_place_errs_less_than_the_default_and_is_put_into_use() -> None:
    model = taught()
    assert model.reason is None
    assert model.scores.loss is not None
    assert model.scores.default_loss is not None
    assert model.scores.loss < model.scores.default_loss
    assert model.trained_from < model.trained_until < model.held_back_until
    assert model.parameters["forest"]["roots"]


def test_too_few_storms_teach_nothing() -> None:
    with pytest.raises(TooLittlePastError, match="storms"):
        train_forecast(forecast(), storm_past(3), None)


def test_calm_days_are_left_out() -> None:
    rows = storm_past(3).rows
    assert len(storms(rows)) == 3
    calm = past(forecast(), {name: (times_s, 0 * values) for name, (times_s, values) in readings(3).items()}, ())
    assert stirring(forecast(), calm.rows) == []


def test_a_forecast_that_errs_more_is_not_put_into_use() -> None:
    good = HoldBack(500, 1.0, 0.0, 0.9, loss=1.0, default_loss=2.0)
    assert objection(good, None) is None
    assert objection(replace(good, loss=2.5), None) is not None
    assert objection(replace(good, loss=1.2), good) is not None
    assert objection(replace(good, loss=None), None) is not None


def test_findings_and_forecasts_name_the_model() -> None:
    engine, found = told(taught())
    assert found
    assert found[0].evidence["model"] == f"{RULE} {TARGET} 4"
    assert {each.model for each in engine.take_forecasts()} == {f"{RULE} {TARGET} 4"}
    assert told(None)[1][0].evidence["model"] is None


def test_a_new_model_goes_on_with_what_was_seen() -> None:
    """What a place's own drain was learnt to be is not lost when a model is put into use."""
    before, _ = told(None)
    kept = json.loads(json.dumps(before.changed_state(), allow_nan=False))
    rules = with_models(discover()[Lifeline.DRAINAGE], {(RULE, TARGET): taught()})
    after = ZoneEngine("Z1", rules, SENSORS, allowed_lateness=LATENESS)
    after.restore(kept)
    assert not after.failures.by_rule
    time = max(reading for times_s, _ in readings(2, 9).values() for reading in times_s.tolist())
    after.take([(time + 60.0, "rain", 0.0, int(Quality.GOOD))])
    after.release()
    state = after.changed_state()[f"zone:{RULE}"]["detector"]["forecast"]
    seen = kept[f"zone:{RULE}"]["detector"]["forecast"]
    assert state["water"]["tracks"]["road-a"]["past"] == seen["water"]["tracks"]["road-a"]["past"]
    assert seen["water"]["tracks"]["road-a"]["past"], "nothing was seen"


def test_a_model_of_another_configuration_is_left_alone() -> None:
    _, found = told(replace(taught(), configuration="waterlogging-forecast 2 000000000000"))
    assert found[0].evidence["model"] is None
