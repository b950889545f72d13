"""What is expected at a gauge follows whoever was right there lately: the model, or the gauge itself."""

import json

import numpy as np
import pytest

from services.alerts.sewers.gauge_skill import GaugeSkill
from services.alerts.sewers.pipe_sections import Array

FLOOR_M = 0.05
ROW_S = 300.0


def followed(seen_m: Array, model_m: Array) -> GaugeSkill:
    skill = GaugeSkill(np.array([FLOOR_M]))
    for row, (seen, model) in enumerate(zip(seen_m, model_m, strict=True)):
        skill.take(ROW_S * row, np.array([seen]), np.array([model]))
    return skill


def expected(skill: GaugeSkill, model_now_m: float, model_ahead_m: float) -> float:
    return float(skill.ahead(0, np.array([model_now_m]), np.array([model_ahead_m]))[0])


RISES = np.linspace(0.0, 2.0, 25)


def test_a_model_that_is_right_is_believed_while_levels_rise() -> None:
    assert expected(followed(RISES, RISES), 2.0, 2.5) == pytest.approx(2.5, abs=0.02)


def test_a_model_that_is_too_low_all_the_time_is_set_right() -> None:
    assert expected(followed(RISES + 0.8, RISES), 2.0, 2.5) == pytest.approx(3.3, abs=0.1)


def test_water_that_stands_while_the_model_rises_and_falls_is_expected_to_stay() -> None:
    swings = 1 + np.sin(np.arange(48) / 3)
    told = expected(followed(np.full(48, 1.2), swings), float(swings[-1]), float(swings[-1]) - 0.9)
    assert told == pytest.approx(1.2, abs=0.15)


def test_a_silent_gauge_leaves_the_model_as_it_is() -> None:
    skill = followed(np.append(RISES, np.nan), np.append(RISES, 2.0))
    assert expected(skill, 2.0, 2.5) == 2.5


def test_before_anything_is_known_the_model_weighs_most() -> None:
    weights = GaugeSkill(np.array([FLOOR_M])).weights[0]
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] > weights[1] > weights[2]


def test_what_is_remembered_goes_through_json() -> None:
    first, second = followed(RISES, RISES / 2), GaugeSkill(np.array([FLOOR_M]))
    second.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
    for skill in (first, second):
        skill.take(ROW_S * 25, np.array([2.1]), np.array([1.0]))
    assert first.state() == second.state()
