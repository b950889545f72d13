"""Leaks, fires, valves and pumps do to the water what physics says."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from simulators.city import City
from simulators.devices import Devices
from simulators.physics.epanet_network import EpanetNetwork, Hole, epanet_input
from simulators.physics.water import WaterPhysics, emitter_coefficient
from simulators.scenario import Scenario, load_scenario

_HEAD = 'id = "mine"\nname_en = "Mine"\nname_zh = "我的"\nlength_min = 600\n'


def _scenario(tmp_path: Path, *injections: str) -> Scenario:
    path = tmp_path / "mine.toml"
    path.write_text(_HEAD + "".join(f"[[injections]]\n{injection}\n" for injection in injections), "utf-8")
    return load_scenario(path)


def _steps(physics: WaterPhysics, origin: datetime, *minutes: float) -> Iterator[tuple[float, dict[str, float]]]:
    for minute in minutes:
        yield minute, physics.step(origin + timedelta(minutes=minute))


@pytest.mark.parametrize(("hole_mm", "position"), [(8, 0.5), (30, 0.2), (120, 0.9)])
def test_a_hole_loses_what_the_orifice_formula_says(
    tmp_path: Path, city: City, origin: datetime, hole_mm: float, position: float
) -> None:
    hole = f'id = "hole"\nkind = "pipe-leak"\nasset = "WP-207"\nhole_mm = {hole_mm}\nposition = {position}'
    physics = WaterPhysics(city, _scenario(tmp_path, f"{hole}\nstart_min = 10\nend_min = 60"), origin, seed=1)
    for minute, _ in _steps(physics, origin, 5, 10, 30, 55, 60):
        flow_m3h, pressure_m = physics.hole_m3h("hole")
        area_m2 = math.pi * (hole_mm / 1000) ** 2 / 4
        expected_m3h = 0.6 * area_m2 * math.sqrt(2 * 9.80665 * pressure_m) * 3600 if 10 <= minute < 60 else 0.0
        assert flow_m3h == pytest.approx(expected_m3h, rel=1e-3, abs=1e-6)
        assert physics.leak_m3h() == pytest.approx(flow_m3h, rel=1e-6, abs=1e-6)


def test_a_growing_hole_has_half_its_area_at_half_time_and_stays_when_it_is_grown(
    tmp_path: Path, city: City, origin: datetime
) -> None:
    hole = 'id = "hole"\nkind = "pipe-leak"\nasset = "WP-207"\nhole_mm = 20\ngrowth_min = 200'
    physics = WaterPhysics(city, _scenario(tmp_path, f"{hole}\nstart_min = 100\nend_min = 500"), origin, seed=1)
    area_m2 = {}
    for minute, _ in _steps(physics, origin, 100, 150, 200, 300, 450):
        flow_m3h, pressure_m = physics.hole_m3h("hole")
        area_m2[minute] = flow_m3h / emitter_coefficient(1.0) / math.sqrt(pressure_m)
    whole_m2 = math.pi * 0.02**2 / 4
    assert area_m2[100] == pytest.approx(0, abs=1e-9)
    for minute, share in ((150, 0.25), (200, 0.5), (300, 1.0), (450, 1.0)):
        assert area_m2[minute] == pytest.approx(share * whole_m2, rel=2e-3)


@pytest.mark.parametrize(
    "scenario", ["burst-main", "firefighting", "pump-schedule-change", "valve-closed-by-mistake", "two-leaks-at-once"]
)
def test_what_goes_in_comes_out_in_every_scenario(city: City, origin: datetime, scenario: str) -> None:
    plan = load_scenario(scenario)
    physics = WaterPhysics(city, plan, origin, seed=1)
    moments = sorted({m + d for i in plan.injections for m in (i.start_min, i.end_min) for d in (-5, 0, 30)})
    for _ in _steps(physics, origin, *moments):
        used = physics.demanded_m3h() - physics.missing_m3h() + physics.leak_m3h()
        assert physics.supplied_m3h() == pytest.approx(used, rel=0.002)


def test_a_divided_pipe_is_as_long_as_it_was_and_loses_the_same_head(city: City) -> None:
    whole = EpanetNetwork(epanet_input(city))
    divided = EpanetNetwork(epanet_input(city, [Hole("a", "WP-207", 0.3), Hole("b", "WP-207", 0.8)]))
    for network in (whole, divided):
        network.solve()
    for asset in city.assets_of("water", "junction"):
        head_m = whole.head_m(whole.node(asset.id))
        assert divided.head_m(divided.node(asset.id)) == pytest.approx(head_m, abs=1e-3)


def test_fire_fighters_take_what_the_scenario_states_and_pressure_falls_at_the_hydrant(
    city: City, origin: datetime
) -> None:
    fought = WaterPhysics(city, load_scenario("firefighting"), origin, seed=1)
    quiet = WaterPhysics(city, load_scenario("normal-day"), origin, seed=1)
    for minute, extra_m3h in ((55, 0), (65, 72), (80, 108), (155, 72), (185, 0)):
        lower = fought.step(origin + timedelta(minutes=minute))
        usual = quiet.step(origin + timedelta(minutes=minute))
        assert fought.demanded_m3h() - quiet.demanded_m3h() == pytest.approx(extra_m3h, abs=1e-6)
        drop = max(usual[s.id] - lower[s.id] for s in city.sensors_of("water") if s.quantity == "pressure")
        assert (drop > 5) == (extra_m3h > 0)


def test_no_water_runs_through_a_shut_valve_and_it_runs_again_when_it_is_opened(
    tmp_path: Path, city: City, origin: datetime
) -> None:
    inlet = next(s for s in city.sensors_of("water") if city.asset[s.asset].name.en == "Inlet of Old Wharf DMA")
    valve = next(k.source for k in city.flow_links("water") if k.target == inlet.asset)
    shut = f'id = "shut"\nkind = "valve-shut"\nasset = "{valve}"\nstart_min = 10\nend_min = 20'
    physics = WaterPhysics(city, _scenario(tmp_path, shut), origin, seed=1)
    flow = {minute: values[inlet.id] for minute, values in _steps(physics, origin, 5, 10, 15, 20)}
    assert flow[5] > 100
    assert abs(flow[10]) < 3
    assert abs(flow[15]) < 3
    assert flow[20] > 100


def test_customers_without_pressure_get_less_than_they_want(tmp_path: Path, city: City, origin: datetime) -> None:
    low = 'id = "low"\nkind = "pump-schedule"\nasset = "WR-2"\nhead_change_m = -45\nstart_min = 10\nend_min = 60'
    physics = WaterPhysics(city, _scenario(tmp_path, low), origin, seed=1)
    missing = {minute: physics.missing_m3h() for minute, _ in _steps(physics, origin, 5, 30)}
    assert missing[5] == pytest.approx(0, abs=0.01)
    assert missing[30] > 10
    assert physics.supplied_m3h() == pytest.approx(physics.demanded_m3h() - missing[30], rel=0.002)


def test_the_pumps_change_the_head_within_their_ramp(tmp_path: Path, city: City, origin: datetime) -> None:
    change = 'id = "night"\nkind = "pump-schedule"\nasset = "WR-2"\nhead_change_m = -8\nramp_min = 20'
    plan = _scenario(tmp_path, f"{change}\nstart_min = 100\nend_min = 200")
    physics, quiet = (
        WaterPhysics(city, plan, origin, seed=1),
        WaterPhysics(city, load_scenario("normal-day"), origin, 1),
    )
    pump, drop = next(s.id for s in city.sensors_of("water") if s.asset == "WJ-069"), {}
    for minute in (95, 110, 120, 180, 190, 205):
        at = origin + timedelta(minutes=minute)
        drop[minute] = quiet.step(at)[pump] - physics.step(at)[pump]
    assert drop[95] == pytest.approx(0, abs=1)
    assert drop[120] > 40
    assert drop[110] == pytest.approx(drop[120] / 2, rel=0.25)
    assert drop[190] == pytest.approx(drop[180] / 2, rel=0.35)
    assert abs(drop[205]) < 10


def test_a_failing_gauge_drifts_gets_noisy_or_falls_silent(city: City, origin: datetime) -> None:
    devices = Devices(load_scenario("drifting-pressure-sensor"), origin, seed=1)
    true = {"W3-P-002": 400.0, "W1-P-004": 400.0, "W2-P-001": 400.0}
    assert set(true) <= {sensor.id for sensor in city.sensors}
    at = {day: origin + timedelta(days=day) for day in (0, 3.5, 6.5)}
    assert devices.report(at[0], true) == true
    late = devices.report(at[3.5], true)
    assert "W2-P-001" not in late
    assert late["W3-P-002"] == pytest.approx(400 - 0.25 * 2.5 * 24)
    said = [devices.report(origin + timedelta(days=3, minutes=m), true)["W1-P-004"] for m in range(400)]
    mean = sum(said) / len(said)
    assert mean == pytest.approx(400, abs=1.2)
    assert math.sqrt(sum((v - mean) ** 2 for v in said) / len(said)) == pytest.approx(6, rel=0.15)
    assert devices.report(at[6.5], true) == true


def test_a_fouled_gauge_shows_less_and_less(tmp_path: Path, origin: datetime) -> None:
    fouled = 'id = "f"\nkind = "sensor-fault"\nsensor = "D2-L-001"\nfault = "fouling"\nsize = 0.1'
    devices = Devices(_scenario(tmp_path, f"{fouled}\nstart_min = 60\nend_min = 600"), origin, seed=1)
    shown = [devices.report(origin + timedelta(hours=h), {"D2-L-001": 2.0})["D2-L-001"] for h in (0.5, 1, 3, 6, 10)]
    assert shown == [2.0, 2.0, 1.6, 1.0, 2.0]
