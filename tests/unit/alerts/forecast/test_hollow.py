"""Rain runs into a hollow, gullies empty it; what is foretold of it follows the numbers of the register."""

import json

import numpy as np
import pytest

from services.alerts.forecast.hollow import Hollow, HollowModel
from services.alerts.forecast.quantile_forest import Array
from services.alerts.forecast.rain_record import RainRecord
from services.alerts.forecast.storm_futures import AHEAD_MIN, BEHIND_MIN, STEP_MIN, Futures, futures_of

POOR = Hollow(2.0, 0.1, 150.0)
"""Gullies for 18 mm/h."""


def steady(mm_h: float) -> tuple[Array, Futures]:
    """An hour of even rain behind, and two ahead."""
    return np.full(BEHIND_MIN, mm_h / 60), Futures(np.full((1, AHEAD_MIN // STEP_MIN), mm_h / 60), np.ones(1))


def likely_cm(model: HollowModel, mm_h: float, depth_cm: float = 0.0) -> float:
    behind, futures = steady(mm_h)
    courses = model.courses(depth_cm, behind, futures)
    return float(np.average(courses.ahead_cm[30], weights=courses.weights))


def gauge(intensities_mm_h: list[float]) -> RainRecord:
    record = RainRecord()
    for minute, intensity in enumerate(intensities_mm_h):
        record.observe(60.0 * minute, intensity)
    return record


def test_water_stands_where_more_runs_in_than_the_gullies_swallow() -> None:
    assert likely_cm(HollowModel(POOR), 5.0) < 1.0
    assert likely_cm(HollowModel(POOR), 60.0) > 30.0
    assert likely_cm(HollowModel(POOR._replace(drain_m3_s=0.5)), 60.0) < 1.0
    assert likely_cm(HollowModel(POOR._replace(storage_m3=600.0)), 60.0) < likely_cm(HollowModel(POOR), 60.0)


def test_a_road_that_stays_dry_in_heavy_rain_is_believed_to_drain_better() -> None:
    model = HollowModel()
    before = likely_cm(model, 90.0)
    for minute in range(60):
        model.observe(60.0 * minute, 0.2, np.full(BEHIND_MIN, 1.5))
    assert likely_cm(model, 90.0) < 0.7 * before


def test_water_that_no_rain_explains_is_expected_to_go_on_for_a_while() -> None:
    dry, none = steady(0.0)
    rising, resting = HollowModel(POOR), HollowModel(POOR)
    for minute in range(12):
        rising.observe(60.0 * minute, 10.0 + minute, dry)
        resting.observe(60.0 * minute, 21.0, dry)
    one, other = (model.courses(21.0, dry, none) for model in (rising, resting))
    assert np.average(one.ahead_cm[15], weights=one.weights) > np.average(other.ahead_cm[15], weights=other.weights)


def test_its_memory_goes_through_json() -> None:
    model = HollowModel(POOR)
    for minute in range(30):
        model.observe(60.0 * minute, minute / 2, np.full(BEHIND_MIN, 1.0))
    other = HollowModel(POOR)
    other.restore(json.loads(json.dumps(model.state(), allow_nan=False)))
    assert other.state() == model.state()
    assert likely_cm(other, 40.0, 15.0) == likely_cm(model, 40.0, 15.0)


def test_rain_that_swells_is_expected_to_bring_more_than_rain_that_fades() -> None:
    swells = [4.0 * minute for minute in range(12)]
    more, less = (futures_of(gauge([0.0] * 60 + rain), 71 * 60.0) for rain in (swells, swells[::-1]))
    brought = [float((each.mm_min[:, :5].sum(axis=1) * each.weights).sum()) for each in (more, less)]
    assert brought[0] > 2 * brought[1]
    assert more.weights.sum() == pytest.approx(1.0)


def test_the_rain_of_a_minute_is_what_its_reading_told_at_its_end() -> None:
    minutes_mm = gauge([0.0, 60.0, 0.0]).minutes_mm(120.0, 4)
    assert minutes_mm.tolist() == pytest.approx([0.0, 0.0, 1.0, 0.0])
