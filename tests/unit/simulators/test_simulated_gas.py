"""Gas obeys its physics: flows balance, and a leak reaches the near space first and most."""

from datetime import datetime, timedelta

import pytest

from simulators.city import City
from simulators.physics.gas import GasPhysics
from simulators.scenario import load_scenario

_MINUTE = timedelta(minutes=1)


def _methane(city: City, space: str) -> str:
    return next(s.id for s in city.sensors_of("gas") if s.asset == space and s.quantity == "methane")


def test_regulators_feed_what_customers_and_the_leak_take(city: City, origin: datetime) -> None:
    physics = GasPhysics(city, load_scenario("gas-leak"), origin, seed=1)
    for minute in (0, 14, 15, 60, 90):
        physics.step(origin + minute * _MINUTE)
        assert physics.supplied_m3h() == pytest.approx(physics.demanded_m3h(), rel=1e-6)


def test_the_telecom_manhole_rises_first_and_the_sewer_manhole_later_and_less(city: City, origin: datetime) -> None:
    physics = GasPhysics(city, load_scenario("gas-leak"), origin, seed=1)
    rows = [physics.step(origin + k * _MINUTE) for k in range(141)]
    telecom = [r[_methane(city, "US-041")] for r in rows]
    sewer = [r[_methane(city, "US-042")] for r in rows]
    assert max(telecom[:15]) < 1
    assert [telecom[15 + k] for k in (3, 4, 5, 10)] == pytest.approx([6, 9, 13, 30], abs=3)
    arrived = [next(k for k, lel in enumerate(series) if lel >= 3) for series in (telecom, sewer)]
    assert arrived[1] - arrived[0] >= 2
    assert all(a > b for a, b in zip(telecom[20:86], sewer[20:86], strict=True))
    assert max(telecom[120:] + sewer[120:]) < 2


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
