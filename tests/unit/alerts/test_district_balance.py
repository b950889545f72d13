"""Metered districts are found from the network, and their balance tells use and leakage."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.alerts.hydraulics.district_balance import (
    District,
    daily_leakage_m3,
    districts_of,
    leakage_at,
    minimum_night_flow_m3h,
    night_leakage_m3h,
    used_m3h,
)
from services.core.city_folder import CityFolder, read_city_folder
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from simulators.city import City
from simulators.physics.water import WaterPhysics
from simulators.scenario import load_scenario


@pytest.fixture(scope="module")
def register(city_folder: Path) -> CityFolder:
    return read_city_folder(city_folder)


def _districts(register: CityFolder) -> list[District]:
    sensors = [
        Sensor(
            id=row.sensor,
            key=key,
            lifeline=row.lifeline,
            quantity=row.quantity,
            unit=row.unit,
            asset=row.asset,
            zone="",
            longitude=row.lon,
            latitude=row.lat,
            interval=timedelta(seconds=row.interval_s),
            gateway=None,
            plausible=(0, 1),
        )
        for key, row in enumerate(register.sensors)
        if row.lifeline is Lifeline.WATER
    ]
    return districts_of(register.assets, register.links, sensors)


def test_each_district_of_the_demo_city_has_its_inlet_meter_and_its_tank(register: CityFolder) -> None:
    zones = {asset.id: asset.zone for asset in register.assets}
    names = {asset.id: asset.name.en for asset in register.assets}
    at = {sensor.sensor: sensor.asset for sensor in register.sensors}
    districts = _districts(register)
    by_zone = {district.zone: district for district in districts[:4]}
    assert set(by_zone) == {"W1", "W2", "W3", "W4"}
    for zone, district in by_zone.items():
        # In W3 two mains are metered right behind the inlet, which makes a small district of its own out of the joint.
        before = {meter for other in districts for meter in other.inflow if {*other.outflow} & {*district.inflow}}
        fed = district.inflow if zone != "W3" else before
        assert any(names[at[meter]].startswith("Inlet of") for meter in fed)
        junctions = [name for name in district.assets if name.startswith("WJ")]
        assert len(junctions) > 15
        assert {zones[name] for name in junctions} == {zone}
    assert [len(by_zone[zone].tanks) for zone in ("W1", "W2", "W3", "W4")] == [0, 1, 0, 1]


def test_the_balance_of_a_district_is_what_its_customers_draw_and_its_leak_loses(
    register: CityFolder, city: City, origin: datetime
) -> None:
    """Meters and tanks of the simulated city against what its physics knows: two hours, in which a main bursts."""
    districts = _districts(register)
    physics = WaterPhysics(city, load_scenario("water-main-leak"), origin, seed=1)
    step, rows, truth = timedelta(minutes=5), [], []
    for k in range(12):
        rows.append(physics.step(origin + timedelta(minutes=20) + k * step))
        truth.append(physics.demanded_m3h() + physics.leak_m3h())
    flow = {name: sum(row[name] for row in rows[:-1]) / (len(rows) - 1) for name in rows[0]}
    rise = {name: rows[-1][name] - rows[0][name] for name in rows[0]}
    used = sum(used_m3h(district, flow, rise, hours=11 / 12) for district in districts)
    assert used == pytest.approx(sum(truth[:-1]) / (len(truth) - 1), rel=0.02)
    tanks = [district for district in districts if district.tanks]
    unstored = [used_m3h(d, flow, dict.fromkeys(rise, 0.0), hours=11 / 12) for d in tanks]
    assert unstored != pytest.approx([used_m3h(d, flow, rise, hours=11 / 12) for d in tanks], rel=1e-3)


def test_a_balance_without_time_or_without_a_meter_is_refused() -> None:
    district = District("W1", frozenset(), ("in",), ("out",), {})
    assert used_m3h(district, {"in": 10.0, "out": 4.0}, {}, 1) == 6
    with pytest.raises(ValueError, match="some time"):
        used_m3h(district, {"in": 10.0, "out": 4.0}, {}, 0)
    with pytest.raises(KeyError):
        used_m3h(district, {"in": 10.0}, {}, 1)


def test_the_minimum_night_flow_is_the_least_hour_and_not_the_least_value() -> None:
    flows = [12.0, 12, 12, 12, 8, 8, 8, 8, 11, 6, 30, 12]
    assert minimum_night_flow_m3h(flows, per_hour=4) == 8
    with pytest.raises(ValueError, match="an hour"):
        minimum_night_flow_m3h(flows[:3], per_hour=4)


def test_what_households_draw_at_night_is_no_leakage() -> None:
    assert night_leakage_m3h(8.0, households=1000) == pytest.approx(8 - 1.7)
    assert night_leakage_m3h(1.0, households=1000) == 0


@pytest.mark.parametrize(("exponent", "factor"), [(0.5, 0.7071), (1.0, 0.5), (1.5, 0.3536)])
def test_leakage_falls_with_pressure_as_the_exponent_says(exponent: float, factor: float) -> None:
    assert leakage_at(10, 60, 30, exponent) == pytest.approx(10 * factor, rel=1e-3)
    assert leakage_at(10, 60, -5, exponent) == 0
    with pytest.raises(ValueError, match="positive pressure"):
        leakage_at(10, 0, 30, exponent)


def test_a_day_leaks_less_than_its_night_says_where_pressure_falls_by_day() -> None:
    assert daily_leakage_m3(5, 50, [50.0] * 24) == pytest.approx(120)
    assert daily_leakage_m3(5, 50, [50.0, 25.0], exponent=1.0) == pytest.approx(90)
    with pytest.raises(ValueError, match="missing"):
        daily_leakage_m3(5, 50, [])
