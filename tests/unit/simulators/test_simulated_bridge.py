"""Bridges move with temperature, tremble with traffic and bend under a truck that is too heavy."""

from datetime import datetime, timedelta

from simulators.city import City
from simulators.physics.bridge import BridgePhysics
from simulators.scenario import load_scenario

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
