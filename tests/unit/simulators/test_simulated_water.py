"""Water obeys its physics: what goes in comes out, and a burst is felt near more than afar."""

from dataclasses import replace
from datetime import datetime, timedelta

import networkx as nx
import pytest

from simulators.city import City
from simulators.physics.water import WaterPhysics
from simulators.scenario import load_scenario

_STEP = timedelta(minutes=5)


def _run(city: City, scenario: str, origin: datetime, steps: int) -> list[dict[str, float]]:
    physics = WaterPhysics(city, load_scenario(scenario), origin, seed=1)
    return [physics.step(origin + k * _STEP) for k in range(steps)]


def test_what_sources_give_is_what_customers_and_the_leak_take(city: City, origin: datetime) -> None:
    physics = WaterPhysics(city, load_scenario("water-main-leak"), origin, seed=1)
    for k in range(12):
        physics.step(origin + k * _STEP)
        used = physics.demanded_m3h() + physics.leak_m3h()
        assert physics.supplied_m3h() == pytest.approx(used, rel=0.002)


def test_the_burst_loses_what_its_scenario_states_and_only_while_it_lasts(city: City, origin: datetime) -> None:
    physics = WaterPhysics(city, load_scenario("water-main-leak"), origin, seed=1)
    lost = {}
    for k in range(24):
        physics.step(origin + k * _STEP)
        lost[k * 5] = physics.leak_m3h()
    assert lost[10] == pytest.approx(0, abs=0.1)
    assert 60 <= lost[15] <= 100
    assert 60 <= lost[100] <= 100
    assert lost[105] == pytest.approx(0, abs=0.1)


def test_a_burst_lowers_pressure_near_more_than_far_and_raises_the_inlet_flow(city: City, origin: datetime) -> None:
    quiet = _run(city, "normal-day", origin, 7)[-1]
    leaking = _run(city, "water-main-leak", origin, 7)[-1]
    drop = {s.asset: quiet[s.id] - leaking[s.id] for s in city.sensors_of("water") if s.quantity == "pressure"}
    graph: nx.Graph[str] = nx.Graph()
    for link in city.flow_links("water"):
        graph.add_edge(link.source, link.target, weight=link.length_m)
    away = nx.single_source_dijkstra_path_length(graph, "WP-207")
    inside = sorted((a for a in drop if city.asset[a].zone == "W3"), key=lambda a: away[a])
    most = max(inside, key=lambda a: drop[a])
    assert most in inside[:2]
    assert drop[most] >= 20
    assert sum(drop[a] >= 10 for a in inside) >= 5
    assert min(drop[a] for a in inside) < drop[most] / 2
    assert max(abs(drop[a]) for a in drop if a not in inside) < 6
    inlet = next(s.id for s in city.sensors_of("water") if city.asset[s.asset].name.en == "Inlet of Old Wharf DMA")
    assert 60 <= leaking[inlet] - quiet[inlet] <= 100


def test_a_day_has_two_peaks_and_pressure_stays_in_service_range(city: City, origin: datetime) -> None:
    rows = _run(city, "normal-day", origin, 288)
    inlet = next(s.id for s in city.sensors_of("water") if city.asset[s.asset].name.en == "Inlet of Old Wharf DMA")
    by_hour = {(14 + k / 12) % 24: rows[k][inlet] for k in range(288)}
    assert by_hour[7.0] > 2 * by_hour[3.0]
    assert by_hour[19.0] > 1.2 * by_hour[15.0]
    pressures = [r[s.id] for r in rows for s in city.sensors_of("water") if s.quantity == "pressure"]
    assert 250 < min(pressures) < max(pressures) < 550
    levels = [r[s.id] for r in rows for s in city.sensors_of("water") if s.quantity == "tank_level"]
    assert 1.0 < min(levels) < max(levels) < 6.0


def test_history_leads_up_to_the_present_whatever_its_start(city: City, origin: datetime) -> None:
    """A recording that began a day ago and a simulation that begins now agree on the tanks."""
    plan = load_scenario("normal-day")
    past = WaterPhysics(city, plan, origin, seed=1)
    for k in range(-288, 1):
        past.step(origin + k * _STEP)
    fresh = WaterPhysics(city, plan, origin, seed=1)
    fresh.step(origin)
    for node, level_m in fresh.levels_m.items():
        assert level_m == pytest.approx(past.levels_m[node], abs=0.25)


def test_a_missing_fact_is_named_with_its_asset(city: City, origin: datetime) -> None:
    broken = replace(city, assets=tuple(replace(a, facts={}) if a.id == "WJ-010" else a for a in city.assets))
    with pytest.raises(ValueError, match=r"WJ-010.*elevation_m"):
        WaterPhysics(broken, load_scenario("normal-day"), origin, seed=1)
