"""Drainage obeys its physics: water is deep where it should be, and gone in time; radars foretell it with errors."""

from datetime import datetime, timedelta

import pytest

from simulators.city import City
from simulators.demo_city.plan import plan_city
from simulators.physics.rain_radar import HORIZONS_MIN
from simulators.physics.swmm_drainage import SwmmDrainage
from simulators.scenario import load_scenario

_MINUTE = timedelta(minutes=1)


def _depths(city: City, physics: SwmmDrainage, origin: datetime, minutes: int) -> dict[str, list[float]]:
    rows = [physics.step(origin + k * _MINUTE) for k in range(minutes + 1)]
    return {s.asset: [r[s.id] for r in rows] for s in city.sensors_of("drainage") if s.quantity == "road_depth"}


@pytest.mark.parametrize("seed", [1, 2, 17])
def test_a_cloudburst_floods_two_low_points_and_spares_the_others(seed: int, origin: datetime) -> None:
    city = plan_city(seed)[0]
    physics = SwmmDrainage(city, load_scenario("cloudburst"), origin, seed)
    depths = _depths(city, physics, origin, 160)
    peak = {low_point: max(series) for low_point, series in depths.items()}
    assert peak.pop("LP-06") >= 45
    assert 15 <= peak.pop("LP-09") <= 27
    assert max(peak.values()) < 10
    assert max(max(series[140:]) for series in depths.values()) < 1


def test_rain_peaks_at_about_ninety_and_every_sewer_fills(city: City, origin: datetime) -> None:
    physics = SwmmDrainage(city, load_scenario("cloudburst"), origin, seed=1)
    rows = [physics.step(origin + k * _MINUTE) for k in range(81)]
    rain = [max(r[s.id] for r in rows) for s in city.sensors_of("drainage") if s.quantity == "rain_intensity"]
    assert 75 < min(rain) < max(rain) < 105
    levels = [s.id for s in city.sensors_of("drainage") if s.quantity == "manhole_level"]
    assert all(max(r[level] for r in rows) > 2.5 * rows[0][level] for level in levels)


def test_pumps_work_harder_in_the_storm_and_the_second_one_starts(city: City, origin: datetime) -> None:
    physics = SwmmDrainage(city, load_scenario("cloudburst"), origin, seed=1)
    before = physics.step(origin)
    for k in range(1, 61):
        storm = physics.step(origin + k * _MINUTE)
    pumps = sorted(s.id for s in city.sensors_of("drainage") if s.quantity == "pump_current")
    assert all(storm[p] > 1.5 * before[p] for p in pumps[::2])
    assert all(before[p] < 2 and storm[p] > 30 for p in pumps[1::2])


def test_a_dry_day_is_dry(city: City, origin: datetime) -> None:
    physics = SwmmDrainage(city, load_scenario("normal-day"), origin, seed=1)
    rows = [physics.step(origin + timedelta(minutes=30 * k)) for k in range(48)]
    by_quantity: dict[str, list[float]] = {}
    for row in rows:
        for ident, value in row.items():
            by_quantity.setdefault(city.sensor[ident].quantity, []).append(value)
    assert max(by_quantity["road_depth"]) < 1
    assert max(by_quantity["rain_intensity"]) == 0
    assert 0.02 < min(by_quantity["manhole_level"]) < max(by_quantity["manhole_level"]) < 0.7


def test_a_radar_knows_the_rain_that_comes_with_its_errors(city: City, origin: datetime) -> None:
    physics = SwmmDrainage(city, load_scenario("cloudburst"), origin, seed=1)
    rain = next(s.id for s in city.sensors_of("drainage") if s.quantity == "rain_intensity")
    radar = {s.quantity: s.id for s in city.sensors_of("drainage") if s.id.startswith("D1-E-")}
    rows = [physics.step(origin + k * _MINUTE) for k in range(140)]
    fallen = [row[rain] / 60 for row in rows]
    for name, minutes in HORIZONS_MIN.items():
        issues = range(0, 140 - minutes, 5)
        apart = [rows[k][radar[name]] - sum(fallen[k : k + minutes]) for k in issues]
        most = max(sum(fallen[k : k + minutes]) for k in issues)
        assert 0.005 * most < sum(map(abs, apart)) / len(apart) < 0.4 * most, name
    assert rows[0][radar["rain_expected_15min"]] < 2 < rows[0][radar["rain_expected_60min"]]
