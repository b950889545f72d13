"""Gas obeys its physics: flows balance, and a leak reaches the near space first and most."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from simulators.city import City
from simulators.physics.gas import GasPhysics
from simulators.physics.gas_cases import leak_case
from simulators.physics.gas_network import GasNetwork
from simulators.scenario import GasLeak, load_scenario

_MINUTE = timedelta(minutes=1)


def _methane(city: City, space: str) -> str:
    return next(s.id for s in city.sensors_of("gas") if s.asset == space and s.quantity == "methane")


def test_regulators_feed_what_customers_and_the_leak_take(city: City, origin: datetime) -> None:
    physics = GasPhysics(city, load_scenario("gas-leak"), origin, seed=1)
    for minute in (0, 14, 15, 60, 90):
        physics.step(origin + minute * _MINUTE)
        assert physics.supplied_m3h() == pytest.approx(physics.demanded_m3h(), rel=1e-6)


def test_the_manhole_beside_the_hole_fills_within_the_hour_and_one_without_a_duct_does_not(
    city: City, origin: datetime
) -> None:
    physics = GasPhysics(city, load_scenario("gas-leak"), origin, seed=1)
    rows = [physics.step(origin + k * _MINUTE) for k in range(141)]
    telecom = [r[_methane(city, "US-041")] for r in rows]
    sewer = [r[_methane(city, "US-042")] for r in rows]
    assert max(telecom[:15]) < 1
    passed = [next(k for k, lel in enumerate(telecom) if lel >= limit) for limit in (5, 20)]
    assert 15 < passed[0] < 45
    assert passed[0] < passed[1] < 75
    # Soil alone carries gas eighteen metres in days, not in minutes.
    assert max(sewer) < 3
    assert max(telecom[130:]) < 8


def test_a_wider_hole_brings_more_gas_but_not_to_a_space_out_of_reach(city: City, origin: datetime) -> None:
    leak = GasLeak(id="hole", kind="gas-leak", asset="GP-041", near="US-041", hole_mm=1, start_min=0, end_min=90)
    small, wide = (
        leak_case(city, leak.model_copy(update={"hole_mm": hole_mm}), origin, 180.0, np.random.default_rng(1))
        for hole_mm in (0.5, 8)
    )
    after = origin + 25 * _MINUTE
    assert small.leaks_m3h < wide.leaks_m3h / 50
    assert 0 < small.lel("US-041", after) < wide.lel("US-041", after)
    assert wide.lel("US-901", after) == 0


def test_pressure_and_flow_of_a_district_grow_with_demand_as_the_friction_law_says(city: City) -> None:
    network = GasNetwork(city)
    network.solve(np.full(network.districts, 1.5), {})
    scaled, flows = network.pressures_kpa().copy(), network.flows_m3h().copy()
    # A leak of nothing makes the network be solved, not scaled.
    network.solve(np.full(network.districts, 1.5), {"GP-041": 1e-9})
    assert network.pressures_kpa() == pytest.approx(scaled, abs=1e-3)
    assert network.flows_m3h() == pytest.approx(flows, abs=1e-2)


def test_gas_does_not_reach_spaces_beyond_its_reach(city: City, origin: datetime) -> None:
    physics = GasPhysics(city, load_scenario("gas-leak"), origin, seed=1)
    values = physics.step(origin + 60 * _MINUTE)
    near = {_methane(city, "US-041"), _methane(city, "US-042")}
    assert max(v for s, v in values.items() if city.sensor[s].quantity == "methane" and s not in near) < 3


def test_pressure_sinks_with_demand_and_methane_stays_low_on_a_normal_day(city: City, origin: datetime) -> None:
    physics = GasPhysics(city, load_scenario("normal-day"), origin, seed=1)
    rows = {h: physics.step(origin + timedelta(hours=h)) for h in range(24)}
    night, evening = rows[13], rows[4]
    ends = [s.id for s in city.sensors_of("gas") if s.quantity == "gas_pressure" and s.asset.startswith("GJ")]
    assert sum(night[i] for i in ends) > sum(evening[i] for i in ends) + 3 * len(ends)
    methane = [v for r in rows.values() for s, v in r.items() if city.sensor[s].quantity == "methane"]
    assert 0 <= min(methane) < max(methane) <= 2.4
    assert max(methane) > 0.5


def test_gas_creeps_from_manhole_to_manhole_under_paving_and_sewage_two_streets_off_stays_low(
    city: City, origin: datetime
) -> None:
    physics = GasPhysics(city, load_scenario("gas-under-pavement"), origin, seed=1)
    rows = [physics.step(origin + k * _MINUTE) for k in range(201)]
    first, second, decoy = ([r[_methane(city, space)] for r in rows] for space in ("US-901", "US-902", "US-903"))
    assert city.asset["GP-040"].facts["surface"] == "paved"
    passed = [next(k for k, lel in enumerate(series) if lel >= 5) for series in (first, second)]
    assert 30 < passed[0] < passed[1] - 2
    assert max(first) > 40
    assert 5 < max(second) < max(first) / 2
    assert 5 < max(decoy) < 10
    steepest = max(b - a for a, b in zip(decoy[:-10], decoy[10:], strict=True))
    assert steepest < 2.5
    others = [s for s in city.sensors_of("gas") if s.quantity == "methane" and s.asset not in {"US-901", "US-902"}]
    assert max(r[s.id] for r in rows for s in others) < 10
    assert max(first[190:]) < 8


def test_gas_goes_less_far_and_slower_through_open_ground(city: City, origin: datetime) -> None:
    pipe = city.asset["GP-041"]
    green = replace(pipe, facts={**pipe.facts, "surface": "green"})
    opened = replace(city, assets=tuple(green if a.id == "GP-041" else a for a in city.assets))
    after = origin + 60 * _MINUTE
    levels = {
        name: GasPhysics(there, load_scenario("gas-leak"), origin, seed=1).space_lel("US-041", after)
        for name, there in (("paved", city), ("green", opened))
    }
    assert levels["paved"] > 1.2 * levels["green"] > 0


def test_the_register_says_what_gas_meets_on_its_way(city: City) -> None:
    for pipe in city.assets_of("gas", "pipe"):
        assert pipe.facts["surface"] in {"paved", "green"}
        assert pipe.facts["soil"] in {"sand", "fill", "clay"}
        assert 0.5 < pipe.number("depth_m") < 2
    for space in city.assets_of("gas", "underground-space"):
        assert space.facts["cover"] in {"sealed", "vented"}
    houses = city.assets_of("gas", "building")
    assert len(houses) > 50
    reached = {link.target for link in city.links if link.kind == "adjacent"}
    assert {house.id for house in houses} <= reached
