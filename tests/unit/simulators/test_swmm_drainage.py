"""SWMM computes the city's sewers: the same twice, on from any moment, and what breaks shows where it should."""

import json
import re
from collections import deque
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from services.core.network_file import NetworkFile, NetworkFormat
from services.core.sewer_file import format_of, read_sewers
from simulators.city import City
from simulators.demo_city.plan import plan_city
from simulators.physics.city_sewers import city_sewers
from simulators.physics.sewer_events import SewerEvents
from simulators.physics.sewer_model import Forcing, SewerModel, Surface
from simulators.physics.swmm_drainage import SwmmDrainage
from simulators.physics.swmm_run import SewerError, run_swmm
from simulators.physics.swmm_text import swmm_input
from simulators.recording import write_recording
from simulators.scenario import Scenario, load_scenario
from simulators.truth import Truth, truths

_MINUTE = timedelta(minutes=1)


def _only(scenario: Scenario, *kinds: str) -> Scenario:
    kept = tuple(i for i in scenario.injections if i.kind in kinds)
    return scenario.model_copy(update={"injections": kept})


def _floods(rows: list[Truth]) -> dict[str, Truth]:
    return {row.asset: row for row in rows if row.kind == "waterlogging"}


def test_the_network_file_names_the_citys_assets_and_swmm_runs_it(city: City) -> None:
    text = swmm_input(city_sewers(city))
    assert format_of(text) == NetworkFormat.SWMM
    layout = read_sewers(NetworkFile("sewers", NetworkFormat.SWMM, text))
    for kind in ("manhole", "low-point", "outfall"):
        assert {a.id for a in city.assets_of("drainage", kind)} <= set(layout.nodes)
    pumps_and_gates = {a.id for kind in ("pump", "gate") for a in city.assets_of("drainage", kind)}
    assert pumps_and_gates <= set(layout.links)
    sewers = {k.source for k in city.flow_links("drainage") if city.asset[k.target].kind == "manhole"}
    sewers = {ident for ident in sewers if city.asset[ident].kind == "pipe"}
    assert sewers <= set(layout.links)
    series, state = run_swmm(partial(swmm_input, city_sewers(city), None), 60)
    assert len(series.seconds) == 60
    assert set(series.depth_m) == set(layout.nodes)
    assert state


def test_every_sewer_falls_towards_its_pump_station(city: City) -> None:
    model = city_sewers(city)
    inverts_m = {n.id: n.invert_m for n in model.manholes} | {n.id: n.invert_m for n in model.basins}
    sewers = [c for c in model.conduits if c.end in inverts_m]
    assert len(sewers) > 80
    for sewer in sewers:
        slope = (inverts_m[sewer.start] - inverts_m[sewer.end]) / sewer.length_m
        assert 0.0005 < slope < 0.0031, sewer.id


def test_the_same_seed_and_times_give_the_same_readings(city: City, origin: datetime) -> None:
    plan = load_scenario("design-storm")
    one, other = (SwmmDrainage(city, plan, origin, seed=1) for _ in range(2))
    for k in range(0, 130, 10):
        assert one.step(origin + k * _MINUTE) == other.step(origin + k * _MINUTE)


@pytest.mark.parametrize("stopped_min", [0, 59, 60, 61, 77, 130])
def test_a_simulation_goes_on_from_its_saved_state_as_if_nothing_had_happened(
    city: City, origin: datetime, stopped_min: int
) -> None:
    plan = load_scenario("pump-failure")
    whole = SwmmDrainage(city, plan, origin, seed=1)
    expected = [whole.step(origin + k * _MINUTE) for k in range(150)]
    stopped = SwmmDrainage(city, plan, origin, seed=1)
    deque((stopped.step(origin + k * _MINUTE) for k in range(stopped_min + 1)), maxlen=0)
    saved = json.loads(json.dumps(stopped.state(), allow_nan=False))
    resumed = SwmmDrainage(city, plan, origin, seed=1)
    resumed.restore(saved)
    assert [resumed.step(origin + k * _MINUTE) for k in range(stopped_min + 1, 150)] == expected[stopped_min + 1 :]


def test_an_hour_cut_in_two_gives_nearly_what_it_gives_whole(city: City, origin: datetime) -> None:
    """A cut shifts by seconds when a manhole surcharges, because a hotstart file holds single precision only."""
    plan = load_scenario("design-storm")
    idle = _only(load_scenario("pump-failure"), "pump-trip").injections[0]
    after = idle.model_copy(update={"asset": "PU-11", "start_min": 75, "end_min": 75.9})
    whole = SwmmDrainage(city, plan, origin, seed=1)
    cut = SwmmDrainage(city, plan.model_copy(update={"injections": (*plan.injections, after)}), origin, seed=1)
    for k in range(60, 120, 5):
        one, other = whole.step(origin + k * _MINUTE), cut.step(origin + k * _MINUTE)
        depths = {s.id for s in city.sensors_of("drainage") if s.quantity == "road_depth" and s.id.startswith("D2")}
        assert max(abs(one[ident] - other[ident]) for ident in depths) < 2.0


@pytest.mark.parametrize("seed", [1, 2, 17])
def test_a_rare_storm_floods_more_places_than_an_ordinary_one(seed: int, origin: datetime) -> None:
    city, plan = plan_city(seed)[0], load_scenario("design-storm")
    flooded = {}
    for years in (2, 20):
        storm = plan.injections[0].model_copy(update={"return_period_years": years})
        rows = truths(city, plan.model_copy(update={"injections": (storm,)}), origin, seed)
        flooded[years] = {asset: row.peak for asset, row in _floods(rows).items()}
    assert set(flooded[2]) == {"LP-06", "LP-09"}
    assert len(flooded[20]) > 10
    assert all(flooded[20][asset] > depth for asset, depth in flooded[2].items())


@pytest.mark.parametrize("seed", [1, 17])
def test_a_silted_sewer_floods_the_low_point_above_it_and_the_truth_says_that_it_did(
    seed: int, origin: datetime
) -> None:
    city, plan = plan_city(seed)[0], load_scenario("blocked-sewer")
    blocked = _floods(truths(city, plan, origin, seed))
    clean = _floods(truths(city, _only(plan, "design-storm"), origin, seed))
    assert "LP-09" not in clean
    assert blocked["LP-09"].peak > 40
    passed = [datetime.fromisoformat(m) for m in re.findall(r"\d+ cm at (\S+Z)", blocked["LP-09"].note)]
    assert len(passed) == 3
    assert passed == sorted(passed)
    assert blocked["LP-09"].start <= passed[0] <= passed[-1] <= blocked["LP-09"].end
    (otherwise_cm,) = re.findall(r"([\d.]+) cm if nothing were out of order", blocked["LP-09"].note)
    assert float(otherwise_cm) < 15
    assert blocked["LP-06"].peak == pytest.approx(clean["LP-06"].peak, abs=0.5)


def test_the_truth_is_what_the_recording_shows(city: City, origin: datetime) -> None:
    plan = load_scenario("blocked-sewer")
    flood = _floods(truths(city, plan, origin, 1))["LP-09"]
    gauge = next(s.id for s in city.sensors_of("drainage") if (s.quantity, s.asset) == ("road_depth", "LP-09"))
    physics = SwmmDrainage(city, plan, origin, 1)
    physics.step(origin - timedelta(hours=20))
    shown_cm = {}
    time = flood.start - 10 * _MINUTE
    while time <= flood.end + 10 * _MINUTE:
        shown_cm[time] = physics.step(time)[gauge]
        time += _MINUTE
    assert max(shown_cm.values()) == pytest.approx(flood.peak, abs=2)
    wet = [moment for moment, depth_cm in shown_cm.items() if depth_cm >= 5]
    assert abs(wet[0] - flood.start) <= 2 * _MINUTE
    assert abs(wet[-1] - flood.end) <= 10 * _MINUTE


def test_tripped_pumps_stand_still_and_the_well_fills(city: City, origin: datetime) -> None:
    plan = load_scenario("pump-failure")
    sound, broken = SwmmDrainage(city, _only(plan, "design-storm", "river-rise"), origin, 1), None
    broken = SwmmDrainage(city, plan, origin, 1)
    well = next(p.start for p in city_sewers(city).pumps if p.id == "PU-21")
    for k in (60, 100):
        sound.step(origin + k * _MINUTE)
        broken.step(origin + k * _MINUTE)
    assert sound.pump_share("PU-21") > 0.5
    assert broken.pump_share("PU-21") == pytest.approx(0, abs=1e-6)
    assert broken.level_m(well) > sound.level_m(well) + 1
    assert broken.pump_share("PU-11") == pytest.approx(sound.pump_share("PU-11"), abs=0.02)


def test_a_shut_gate_lets_nothing_out_and_a_high_river_lets_nothing_in(city: City, origin: datetime) -> None:
    plan = load_scenario("drowned-outfall")
    free, bound = SwmmDrainage(city, _only(plan, "design-storm"), origin, 1), SwmmDrainage(city, plan, origin, 1)
    for k in (120, 170):
        free.step(origin + k * _MINUTE)
        bound.step(origin + k * _MINUTE)
    assert free.flow_m3s("GT-4") > 0.1
    assert free.flow_m3s("GT-2") > 0.1
    assert abs(bound.flow_m3s("GT-4")) < 0.01
    assert abs(bound.flow_m3s("GT-2")) < 0.01


def test_foreign_water_shows_in_the_sewer_below_it_and_nowhere_else(city: City, origin: datetime) -> None:
    plan = load_scenario("foreign-water")
    quiet = SwmmDrainage(city, _only(plan, "sensor-fault", "sewer-infiltration"), origin, 1)
    fed = SwmmDrainage(city, _only(plan, "foreign-inflow", "sewer-infiltration"), origin, 1)
    below = next(k.target for k in city.flow_links("drainage") if k.source == "M-043")
    elsewhere = next(k.target for k in city.flow_links("drainage") if k.source == "M-008")
    extra_m3s = {}
    for k in (1490, 1800):
        quiet.step(origin + k * _MINUTE)
        fed.step(origin + k * _MINUTE)
        extra_m3s[k] = fed.flow_m3s(below) - quiet.flow_m3s(below)
        assert fed.flow_m3s(elsewhere) == pytest.approx(quiet.flow_m3s(elsewhere), abs=1e-3)
    assert extra_m3s[1490] == pytest.approx(0, abs=1e-3)
    assert extra_m3s[1800] == pytest.approx(0.060, abs=0.004)


def test_blockages_grow_in_steps_and_rivers_evenly(origin: datetime) -> None:
    events = SewerEvents(load_scenario("blocked-sewer"), origin)
    shares = [events.silted(origin + k * _MINUTE).get("DP-083", 0.0) for k in (59, 60, 120, 180, 659, 660)]
    assert shares[0] == shares[-1] == 0
    assert 0 < shares[1] < shares[2] < shares[3] == shares[4] == 0.9
    assert len(events.changes()) == 10
    river = SewerEvents(load_scenario("drowned-outfall"), origin)
    assert [river.rise_m("OF-2", origin + k * _MINUTE) for k in (0, 45, 90, 200, 420)] == [0, 2, 4, 4, 0]
    assert river.rise_m("OF-1", origin + 200 * _MINUTE) == 0


def test_new_instruments_show_pumps_gates_river_and_covers(origin: datetime) -> None:
    city = plan_city(1)[0]
    plan = load_scenario("pump-failure")
    cover = load_scenario("displaced-cover").injections[-1].model_copy(update={"start_min": 90, "end_min": 200})
    plan = plan.model_copy(update={"injections": (*plan.injections, cover)})
    physics = SwmmDrainage(city, plan, origin, 1)
    before, during = physics.step(origin), physics.step(origin + 100 * _MINUTE)
    by_asset = {(s.quantity, s.asset): s.id for s in city.sensors_of("drainage")}
    assert (before[by_asset["pump_state", "PU-21"]], during[by_asset["pump_state", "PU-21"]]) == (1, 0)
    assert during[by_asset["pump_current", "PU-21"]] < 2
    assert during[by_asset["gate_position", "GT-2"]] > 98
    rise_m = during[by_asset["river_level", "OF-2"]] - before[by_asset["river_level", "OF-2"]]
    assert rise_m == pytest.approx(3.5, abs=0.1)
    assert before[by_asset["cover_tilt", "M-043"]] < 5
    assert during[by_asset["cover_tilt", "M-043"]] == pytest.approx(30, abs=2)
    flow = next(ident for (quantity, _), ident in by_asset.items() if quantity == "sewer_flow")
    assert during[flow] > 3 * before[flow] > 0


def test_no_minute_is_lost_at_the_end_of_a_stretch(city: City, origin: datetime) -> None:
    """SWMM rounds the length of a run down; from some instants on 80 minutes were 79."""
    model = city_sewers(city)
    for begin_min, end_min in ((0, 60), (70, 150), (75, 76), (61, 120), (0, 1080)):
        start, end = origin + begin_min * _MINUTE, origin + end_min * _MINUTE
        forcing = Forcing(start, end, dict.fromkeys(("D1", "D2", "D3", "D4"), ((start, 0.0),)))
        series, _ = run_swmm(partial(swmm_input, model, forcing), 60)
        assert len(series.seconds) == end_min - begin_min


def test_what_swmm_refuses_is_told_in_its_own_words(city: City) -> None:
    model: SewerModel = city_sewers(city)
    broken = SewerModel(
        **{
            **{name: getattr(model, name) for name in SewerModel.__dataclass_fields__},
            "surfaces": (*model.surfaces, Surface("nowhere", "D1", 1.0)),
        }
    )
    with pytest.raises(SewerError, match="nowhere"):
        run_swmm(partial(swmm_input, broken, None), 60)
    assert run_swmm(partial(swmm_input, model, None), 60)[1]


def test_a_recording_of_drainage_that_swmm_computed_carries_its_network(
    tmp_path: Path, city_folder: Path, origin: datetime
) -> None:
    write_recording(tmp_path, city_folder, "blocked-sewer", origin, 10 * _MINUTE, lifelines=("drainage",))
    text = (tmp_path / "network.inp").read_text("utf-8")
    assert text == (city_folder / "sewers.inp").read_text("utf-8")
    assert format_of(text) == NetworkFormat.SWMM
    assert 'network = "network.inp"' in (tmp_path / "recording.toml").read_text("utf-8")
