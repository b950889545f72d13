"""Bridges move with temperature, tremble with traffic and bend under a truck that is too heavy."""

from datetime import datetime, timedelta

import pytest

from simulators.city import City
from simulators.physics.bridge import BridgePhysics
from simulators.scenario import Scenario, load_scenario

_MINUTE = timedelta(minutes=1)


def _of(city: City, zone: str, quantity: str) -> list[str]:
    return [s.id for s in city.sensors_of("bridge") if city.asset[s.asset].zone == zone and s.quantity == quantity]


def test_the_truck_is_seen_by_weight_strain_and_deflection_of_its_own_bridge(city: City, origin: datetime) -> None:
    physics = BridgePhysics(city, load_scenario("overloaded-bridge"), origin, seed=1)
    before, during, after = (physics.step(origin + k * _MINUTE) for k in (9, 10, 14))
    weight = _of(city, "B2", "vehicle_weight")[0]
    assert before[weight] < 45
    assert 81 < during[weight] < 83
    assert after[weight] < 45
    for quantity, least in (("strain", 90), ("deflection", 12), ("acceleration_rms", 0.03)):
        assert all(during[i] - before[i] > least for i in _of(city, "B2", quantity))
        assert all(abs(after[i] - before[i]) < least / 2 for i in _of(city, "B2", quantity))
    limits = {t.sensor: t.raise_at for t in city.thresholds if t.severity == 2}
    crossed = {city.asset[city.sensor[i].asset].zone for i, limit in limits.items() if during[i] >= limit}
    assert crossed == {"B2"}


def test_a_normal_year_stays_below_every_limit(city: City, origin: datetime) -> None:
    physics = BridgePhysics(city, load_scenario("normal-day"), origin, seed=1)
    lowest = {t.sensor: t.raise_at for t in city.thresholds if t.severity == 2}
    for k in range(400):
        values = physics.step(origin + timedelta(hours=22 * k, minutes=7 * k))
        assert all(values[i] < 0.9 * limit for i, limit in lowest.items())
        assert all(values[i] < 45 for zone in ("B1", "B2", "B3") for i in _of(city, zone, "vehicle_weight"))


def test_strain_follows_the_deck_temperature_of_the_day(city: City, origin: datetime) -> None:
    physics = BridgePhysics(city, load_scenario("normal-day"), origin, seed=1)
    rows = [physics.step(origin + timedelta(minutes=10 * k)) for k in range(144)]
    deck = [r[_of(city, "B1", "deck_temperature")[0]] for r in rows]
    strain = [r[_of(city, "B1", "strain")[0]] for r in rows]
    warm, cold = max(range(144), key=deck.__getitem__), min(range(144), key=deck.__getitem__)
    assert 5 < deck[warm] - deck[cold] < 30
    assert strain[warm] - strain[cold] > 8


def test_traffic_is_lighter_at_night(city: City, origin: datetime) -> None:
    physics = BridgePhysics(city, load_scenario("normal-day"), origin, seed=1)
    weight = _of(city, "B3", "vehicle_weight")[0]
    day = [physics.step(origin + k * _MINUTE)[weight] for k in range(120)]
    night = [physics.step(origin + timedelta(hours=12) + k * _MINUTE)[weight] for k in range(120)]
    assert sum(day) > 2 * sum(night)


def test_a_settled_support_bends_its_own_bridge_and_a_cold_front_moves_all(city: City, origin: datetime) -> None:
    happens = BridgePhysics(city, load_scenario("settlement-over-cold-front"), origin, seed=1)
    normal = BridgePhysics(city, load_scenario("normal-day"), origin, seed=1)
    cold, settled = origin + timedelta(hours=34), origin + timedelta(days=6, hours=12)
    for quantity in ("strain", "deflection"):
        moved = {
            zone: [happens.step(cold)[i] - normal.step(cold)[i] for i in _of(city, zone, quantity)]
            for zone in ("B1", "B3")
        }
        assert moved["B1"] == pytest.approx(moved["B3"], rel=0.5), "the front moved one bridge and not the other"
        assert all(abs(change) > 0.3 for change in moved["B1"])
    after = {
        i: happens.step(settled)[i] - normal.step(settled)[i] for z in ("B1", "B2") for i in _of(city, z, "deflection")
    }
    sunk = [abs(after[i]) for i in _of(city, "B2", "deflection")[:2]]
    assert min(sunk) > 4, "the spans beside the settled support did not follow it"
    assert max(abs(after[i]) for i in _of(city, "B1", "deflection")) < 2


def test_a_softened_span_sags_under_its_own_weight_until_it_is_repaired(city: City, origin: datetime) -> None:
    loss = {"id": "x", "kind": "stiffness-loss", "asset": "BR-1-S2", "share": 0.2, "start_min": 10, "end_min": 60}
    plan = {"id": "x", "name_en": "x", "name_zh": "x", "length_min": 60, "injections": [loss]}
    damaged = BridgePhysics(city, Scenario.model_validate(plan), origin, seed=1)
    sound = BridgePhysics(city, load_scenario("normal-day"), origin, seed=1)
    middle = _of(city, "B1", "deflection")[1]
    changes = [
        damaged.step(origin + k * _MINUTE)[middle] - sound.step(origin + k * _MINUTE)[middle] for k in (9, 30, 61)
    ]
    assert changes[0] == changes[2] == 0
    assert changes[1] > 1


def test_a_blow_makes_its_own_bridge_tremble(city: City, origin: datetime) -> None:
    blow = {"id": "x", "kind": "bridge-collision", "asset": "BR-3-E2", "peak_m_s2": 4.0, "start_min": 5, "end_min": 6}
    plan = {"id": "x", "name_en": "x", "name_zh": "x", "length_min": 60, "injections": [blow]}
    physics = BridgePhysics(city, Scenario.model_validate(plan), origin, seed=1)
    struck = physics.step(origin + 5 * _MINUTE)
    assert all(struck[i] > 4 for i in _of(city, "B3", "acceleration_rms"))
    assert all(struck[i] < 1 for i in _of(city, "B2", "acceleration_rms"))
