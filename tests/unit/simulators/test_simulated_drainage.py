"""Drainage obeys its physics: water is neither made nor lost, deep where it should be, and gone in time."""

from datetime import datetime, timedelta

import pytest

from simulators.city import City
from simulators.demo_city.plan import plan_city
from simulators.physics.drainage import DrainagePhysics
from simulators.scenario import load_scenario

_MINUTE = timedelta(minutes=1)


def _depths(city: City, physics: DrainagePhysics, origin: datetime, minutes: int) -> dict[str, list[float]]:
    rows = [physics.step(origin + k * _MINUTE) for k in range(minutes + 1)]
    return {s.asset: [r[s.id] for r in rows] for s in city.sensors_of("drainage") if s.quantity == "road_depth"}


def test_what_falls_is_stored_or_leaves(city: City, origin: datetime) -> None:
    physics = DrainagePhysics(city, load_scenario("cloudburst"), origin, seed=1)
    for k in range(91):
        physics.step(origin + k * _MINUTE)
        sewers = physics.sewers
        assert sewers.entered_m3 == pytest.approx(sewers.left_m3 + sewers.stored_m3(), rel=1e-9)
    assert physics.sewers.stored_m3() > 1000


@pytest.mark.parametrize("seed", [1, 2, 17])
def test_a_cloudburst_floods_two_low_points_and_spares_the_others(seed: int, origin: datetime) -> None:
    city = plan_city(seed)[0]
    physics = DrainagePhysics(city, load_scenario("cloudburst"), origin, seed)
    depths = _depths(city, physics, origin, 160)
    peak = {low_point: max(series) for low_point, series in depths.items()}
    assert peak.pop("LP-06") >= 45
    assert 15 <= peak.pop("LP-09") <= 27
    assert max(peak.values()) < 10
    assert max(max(series[140:]) for series in depths.values()) < 1


def test_rain_peaks_at_about_ninety_and_manholes_surcharge(city: City, origin: datetime) -> None:
    physics = DrainagePhysics(city, load_scenario("cloudburst"), origin, seed=1)
    rows = [physics.step(origin + k * _MINUTE) for k in range(81)]
    rain = [max(r[s.id] for r in rows) for s in city.sensors_of("drainage") if s.quantity == "rain_intensity"]
    assert 75 < min(rain) < max(rain) < 105
    levels = {s.id: s.asset for s in city.sensors_of("drainage") if s.quantity == "manhole_level"}
    full = [i for i, asset in levels.items() if max(r[i] for r in rows) > 0.95 * city.asset[asset].number("depth_m")]
    assert len(full) >= 5


def test_pumps_work_harder_in_the_storm_and_the_second_one_starts(city: City, origin: datetime) -> None:
    physics = DrainagePhysics(city, load_scenario("cloudburst"), origin, seed=1)
    before = physics.step(origin)
    for k in range(1, 46):
        storm = physics.step(origin + k * _MINUTE)
    pumps = sorted(s.id for s in city.sensors_of("drainage") if s.quantity == "pump_current")
    assert all(storm[p] > 1.5 * before[p] for p in pumps[::2])
    assert all(before[p] < 2 and storm[p] > 30 for p in pumps[1::2])


def test_a_dry_day_is_dry(city: City, origin: datetime) -> None:
    physics = DrainagePhysics(city, load_scenario("normal-day"), origin, seed=1)
    rows = [physics.step(origin + timedelta(minutes=30 * k)) for k in range(48)]
    by_quantity: dict[str, list[float]] = {}
    for row in rows:
        for ident, value in row.items():
            by_quantity.setdefault(city.sensor[ident].quantity, []).append(value)
    assert max(by_quantity["road_depth"]) < 1
    assert max(by_quantity["rain_intensity"]) == 0
    assert 0.02 < min(by_quantity["manhole_level"]) < max(by_quantity["manhole_level"]) < 0.7
