"""Storms bring what their formula says, when it says, where they are."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from simulators.city import City
from simulators.physics.rainfall import Rainfall, storm_cell
from simulators.physics.storms import SHAPES, Shape, StormFormula, chicago_mm_h, deepest_mm, observed_like_mm_h
from simulators.scenario import MovingStorm, load_scenario

_FORMULA = StormFormula()


def test_a_rarer_and_a_longer_storm_brings_more_and_a_longer_one_rains_less_hard() -> None:
    depths = [_FORMULA.depth_mm(years, 60) for years in (1, 2, 5, 20, 100)]
    assert depths == sorted(depths)
    assert depths[-1] / depths[0] == pytest.approx(1 + 0.75 * 2)
    by_duration = [_FORMULA.depth_mm(10, minutes) for minutes in (5, 30, 60, 180)]
    assert by_duration == sorted(by_duration)
    hardness = [depth / minutes for depth, minutes in zip(by_duration, (5, 30, 60, 180), strict=True)]
    assert hardness == sorted(hardness, reverse=True)


@pytest.mark.parametrize("peak_at", [0.2, 0.4, 0.5, 0.8])
@pytest.mark.parametrize("years", [1, 10, 100])
def test_a_chicago_storm_brings_the_formulas_depth_within_any_time_around_its_peak(
    peak_at: float, years: float
) -> None:
    rain = chicago_mm_h(_FORMULA, years, 120, peak_at)
    assert rain.sum() / 60 == pytest.approx(_FORMULA.depth_mm(years, 120), rel=1e-9)
    assert int(rain.argmax()) in {int(120 * peak_at) - 1, int(120 * peak_at)}
    for minutes in (10, 30, 60):
        assert deepest_mm(rain, minutes) == pytest.approx(_FORMULA.depth_mm(years, minutes), rel=0.02)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "chicago"])
def test_a_drawn_storm_brings_its_depth_in_its_shape_and_is_the_same_for_a_seed(shape: Shape) -> None:
    rain = observed_like_mm_h(shape, 48.0, 180, np.random.default_rng(3))
    assert rain.sum() / 60 == pytest.approx(48.0)
    assert (rain >= 0).all()
    assert (rain == observed_like_mm_h(shape, 48.0, 180, np.random.default_rng(3))).all()
    assert not (rain == observed_like_mm_h(shape, 48.0, 180, np.random.default_rng(4))).all()
    first, last = float(rain[:60].sum()), float(rain[120:].sum())
    balance = {"early": first > 3 * last, "late": last > 3 * first}.get(shape, max(first, last) < 3 * min(first, last))
    assert balance, (first, last)


def test_a_cell_comes_from_where_it_should_and_rains_hardest_where_it_passes() -> None:
    cell = storm_cell(
        MovingStorm(
            id="s",
            kind="moving-storm",
            start_min=0,
            end_min=120,
            peak_mm_h=100,
            radius_km=1,
            speed_km_h=6,
            heading_deg=90,
            beside_km=0.5,
        )
    )
    # It goes east, half a kilometre to the right of the centre, which is south of it.
    assert cell.mm_h((0.0, -500.0), 60) == pytest.approx(100)
    assert cell.mm_h((0.0, 500.0), 60) < 40
    assert cell.mm_h((-2000.0, -500.0), 40) > 50 > cell.mm_h((2000.0, -500.0), 40)
    assert cell.mm_h((2000.0, -500.0), 80) > 50 > cell.mm_h((-2000.0, -500.0), 80)
    assert cell.mm_h((0.0, -500.0), 121) == 0


def test_a_moving_storm_reaches_the_western_catchment_first(city: City, origin: datetime) -> None:
    rain = Rainfall(city, load_scenario("moving-storm"), origin, seed=1)
    hardest = {}
    for zone in ("D3", "D2"):
        hourly = [rain.zone_mm_h(zone, origin + timedelta(minutes=k)) for k in range(180)]
        hardest[zone] = hourly.index(max(hourly))
        assert max(hourly) > 30
    assert hardest["D3"] + 10 < hardest["D2"]


def test_a_cloudburst_still_falls_as_it_did(city: City, origin: datetime) -> None:
    rain = Rainfall(city, load_scenario("cloudburst"), origin, seed=1)
    assert rain.zone_mm_h("D2", origin + timedelta(minutes=35, seconds=90)) == pytest.approx(92)
    assert rain.zone_mm_h("D1", origin + timedelta(minutes=35)) == pytest.approx(0.92 * 92)
