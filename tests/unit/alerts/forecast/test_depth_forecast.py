"""A forecast speaks at once, learns, knows where its knowledge ends, and never looks ahead."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from typing import Any

import pytest

from services.alerts.forecast.depth_forecast import GRADES_CM, DepthForecast
from services.alerts.forecast.forecast_lessons import Observed, feed, lessons_of
from services.alerts.forecast.outlook import Basis, Outlook
from services.alerts.lifelines.drainage import ROAD_DEPTH
from tests.unit.alerts.forecast.small_city import DAY_S, GAUGES, POINTS, START_S, city, flooding, history


@cache
def grown() -> dict[str, Any]:
    return lessons_of(city(), history(80)).forest(trees=20)


def fed(forecast: DepthForecast, readings: Iterable[Observed], until_s: float = float("inf")) -> DepthForecast:
    for reading in readings:
        if reading.time_s <= until_s:
            feed(forecast, reading)
    return forecast


def outlook(forecast: DepthForecast, time_s: float, point: str = "A") -> Outlook:
    (told,) = forecast.forecasts(time_s, [point])
    return told


def test_a_new_site_forecasts_from_its_first_rise_without_a_model() -> None:
    readings = flooding(START_S, "A", 30.0, 40)
    told = outlook(fed(city(), readings, START_S + 600), START_S + 600)
    assert told.basis is Basis.RESERVOIR
    assert told.depth_cm < told.peak.likely
    assert told.peak.low < 30 < told.peak.high, "thirty centimetres come, and the wide range of a new site misses them"
    assert told.peak_s > START_S + 600


def test_rain_is_forecast_to_flood_a_point_that_is_still_dry() -> None:
    forecast = DepthForecast(POINTS, GAUGES, hollows={"A": (1.0, 0.05, 150.0), "B": (1.0, 0.4, 150.0)})
    forecast.observe_depth(START_S, "A", 0.0)
    assert forecast.forecasts(START_S, ["A"]) == [], "dry and without rain there is nothing to say"
    for minute in range(0, 31, 5):
        forecast.observe_rain(START_S + 60 * minute, "G", 60.0)
    for point in ("A", "B", "C"):
        forecast.observe_depth(START_S + 1800, point, 0.0)
    poor, good, unknown = (outlook(forecast, START_S + 1800, point) for point in ("A", "B", "C"))
    assert poor.basis is Basis.RAIN
    assert poor.passing[15] > 0.66, "gullies for eighteen millimetres an hour swallow sixty"
    assert good.passing[15] < 0.3, "gullies for more than falls are flooded"
    assert good.passing[15] < unknown.passing[15] < poor.passing[15]


def test_past_floodings_make_forecasts_better() -> None:
    past, now_s = history(80), START_S + 40 * DAY_S
    # Like its storms, but none of them.
    new = history(4, seed=7)
    new = [reading._replace(time_s=reading.time_s + 40 * DAY_S) for reading in new]
    peak_cm = max(reading.value for reading in new if reading.source == "C")
    taught, untaught = fed(city(), past), fed(city(), past)
    taught.adopt(grown(), "model 1")
    at_s = now_s + 240 + 600
    with_model, without = (outlook(fed(each, new, at_s), at_s, "C") for each in (taught, untaught))
    assert with_model.basis is Basis.FOREST
    assert abs(with_model.peak.likely - peak_cm) < abs(without.peak.likely - peak_cm)
    assert with_model.peak.low <= peak_cm <= with_model.peak.high


def test_quantiles_are_in_order_and_probabilities_fall_with_the_grade() -> None:
    forecast = city()
    forecast.adopt(grown())
    for number, reading in enumerate(history(8, seed=3)):
        feed(forecast, reading)
        for told in forecast.forecasts(reading.time_s) if number % 5 == 0 else ():
            for spread in (told.peak, *told.ahead.values()):
                assert 0 <= spread.low <= spread.likely <= spread.high
            assert told.peak.low >= told.depth_cm
            chances = [told.passing[grade] for grade in GRADES_CM]
            assert all(0 <= chance <= 1 for chance in chances)
            assert chances == sorted(chances, reverse=True)


def test_what_the_forest_has_never_seen_is_left_to_the_default_and_told_so() -> None:
    forecast = city()
    forecast.adopt(grown())
    readings = flooding(START_S, "A", 300.0, 30)
    told = outlook(fed(forecast, readings, START_S + 900), START_S + 900)
    assert told.basis is Basis.RESERVOIR
    assert told.peak.high - told.peak.low > 50, "a flood beyond all experience is forecast as if it were known"


def test_nothing_is_said_of_a_point_that_fell_silent() -> None:
    forecast = fed(city(), flooding(START_S, "A", 30.0, 40), START_S + 600)
    assert len(forecast.forecasts(START_S + 600 + 1800)) == 1
    assert forecast.forecasts(START_S + 600 + 1801) == []


def test_a_grade_that_is_passed_is_certain() -> None:
    forecast = fed(city(), flooding(START_S, "A", 30.0, 40), START_S + 2400)
    assert outlook(forecast, START_S + 2400).passing[27.0] == 1.0


@pytest.mark.parametrize("taught", [False, True])
def test_a_restored_forecast_goes_on_exactly(taught: bool) -> None:
    readings = history(24)
    middle = len(readings) * 2 // 3
    going, restored = fed(city(), readings[:middle]), city()
    restored.restore(json.loads(json.dumps(going.state(), allow_nan=False)))
    for each in (going, restored):
        if taught:
            each.adopt(json.loads(json.dumps(grown(), allow_nan=False)))
    for number, reading in enumerate(readings[middle:]):
        feed(going, reading)
        feed(restored, reading)
        if number % 10:
            continue
        one, other = (each.forecasts(reading.time_s) for each in (going, restored))
        assert list(map(asdict, one)) == list(map(asdict, other))
    assert going.state() == restored.state()


def test_memory_is_bounded() -> None:
    sizes = [len(json.dumps(fed(city(), history(count)).state())) for count in (252, 300)]
    assert sizes[1] < 1.1 * sizes[0]


def test_an_equal_forecast_is_built_from_its_configuration() -> None:
    forecast = city(reports_when_dry=False)
    again = DepthForecast.of(json.loads(json.dumps(forecast.configuration())))
    assert again.configuration() == forecast.configuration()


def test_a_sensor_that_is_silent_when_dry_begins_with_a_lone_dry_reading() -> None:
    forecast, other = city(reports_when_dry=False), city()
    for each in (forecast, other):
        each.adopt(grown())
        each.observe_depth(START_S, "A", 0.0)
    assert len(forecast.forecasts(START_S + 600)) == 1
    assert other.forecasts(START_S + 600) == []


def test_a_forest_of_other_features_is_refused() -> None:
    parameters = {"forest": {**grown()["forest"], "features": ["depth"]}}
    with pytest.raises(ValueError, match="other features"):
        city().adopt(parameters)


def test_values_that_are_no_numbers_are_left_out() -> None:
    forecast = city()
    before = forecast.state()
    forecast.observe_depth(START_S, "A", float("nan"))
    forecast.observe_rain(START_S, "G", float("inf"))
    forecast.observe_level(START_S, "river", float("nan"))
    assert forecast.state() == before


def test_the_grades_are_those_of_waterlogging() -> None:
    assert tuple(grade.raise_at for grade in ROAD_DEPTH) == GRADES_CM
