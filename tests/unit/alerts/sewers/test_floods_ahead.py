"""What floods next is routed from now on under every way of the rain; a blockage and a river change it."""

import json

import numpy as np
import pytest

from services.alerts.detectors.contract import Claim
from services.alerts.sewers.floods_ahead import FloodsAhead, floods_ahead, street_levels_m
from services.alerts.sewers.flow_routing import FlowRouting, Supposition
from services.alerts.sewers.gauge_skill import GaugeSkill
from services.alerts.sewers.rain_ahead import RainAhead, RainWays
from services.alerts.sewers.runoff import Runoff
from services.alerts.sewers.swmm_reader import read_swmm
from services.alerts.sewers.told_floods import ToldFloods, floods_next
from services.core.finding import FindingState
from tests.unit.alerts.sewers.small_sewers import sewers

NETWORK = read_swmm(sewers())
NAMES = list(NETWORK.nodes)
_HOUR_ROWS = 12


def dry_sewage(_: int) -> np.ndarray:
    return np.zeros(len(NAMES))


def ways(*mm_h: float) -> RainWays:
    """One way for each intensity, even for an hour and equally likely."""
    rain = np.repeat(np.array(mm_h)[:, None, None], _HOUR_ROWS, axis=1)
    return RainWays(rain, np.full(len(mm_h), 1 / len(mm_h)))


def look(rain: RainWays, supposed: Supposition | None = None) -> FloodsAhead:
    return floods_ahead(FlowRouting(NETWORK, [supposed or Supposition()]), Runoff(NETWORK), rain, dry_sewage)


def test_no_rain_floods_nothing_and_a_cloudburst_floods_some_street() -> None:
    ahead = look(ways(0.0, 250.0))
    assert (ahead.street_m[60][:, 0] == 0).all()
    assert (ahead.street_m[60][:, 1] > 0.01).any()
    assert ahead.probability(60).max() == pytest.approx(0.5)
    assert ahead.likely_m(30).min() >= 0


def test_what_is_looked_at_stays_as_it_was() -> None:
    routing, runoff = FlowRouting(NETWORK), Runoff(NETWORK)
    head_m = routing.head_m.copy()
    floods_ahead(routing, runoff, ways(100.0), dry_sewage)
    assert (routing.head_m == head_m).all()
    assert (runoff.depth_mm == 0).all()


def test_rain_that_is_expected_is_routed_before_it_falls() -> None:
    gauges = Runoff(NETWORK).gauges
    dry, told = RainAhead(gauges), RainAhead(gauges)
    for row in range(13):
        dry.take(300.0 * row, dict.fromkeys(gauges, 0.0))
        issued = {gauge: {15: 5.0, 60: 90.0} for gauge in gauges} if row == 12 else {}  # the last row
        told.take(300.0 * row, dict.fromkeys(gauges, 0.0), issued)
    assert told.comes_mm(3600.0, 60) == pytest.approx(90.0)
    assert dry.comes_mm(3600.0, 60) == 0
    expected = told.ways(3600.0, _HOUR_ROWS)
    in_all_mm = expected.mm_h.mean(axis=(1, 2)) @ expected.weights
    assert 60 < in_all_mm < 200
    assert expected.mm_h[:, :3].mean() < expected.mm_h[:, 3:].mean()
    assert look(expected).probability(60).max() > 0.5
    assert look(dry.ways(3600.0, _HOUR_ROWS)).probability(60).max() == 0


def test_a_rain_forecast_that_is_no_longer_heard_is_forgotten() -> None:
    gauges = Runoff(NETWORK).gauges
    rain, told = dict.fromkeys(gauges, 12.0), RainAhead(gauges)
    never = RainAhead(gauges)
    for row in range(13):
        told.take(300.0 * row, rain, {gauge: {30: 60.0} for gauge in gauges} if row < 6 else {})
        never.take(300.0 * row, rain)
    one, other = told.ways(3600.0, _HOUR_ROWS), never.ways(3600.0, _HOUR_ROWS)
    assert (one.mm_h == other.mm_h).all()
    again = RainAhead(gauges)
    again.restore(json.loads(json.dumps(told.state())))
    assert (again.ways(1800.0, _HOUR_ROWS).mm_h == told.ways(1800.0, _HOUR_ROWS).mm_h).all()


def test_a_blocked_sewer_floods_the_node_above_it_sooner() -> None:
    rain = ways(60.0)
    sound, blocked = look(rain), look(rain, Supposition(silted={"C5": 0.9}))
    above = NAMES.index("M5")
    assert blocked.first_min[above, 0] < sound.first_min[above, 0]
    assert blocked.likely_m(60)[above] > sound.likely_m(60)[above] + 0.01


def test_two_suspicions_share_what_is_likely_as_they_are_believed() -> None:
    routing = FlowRouting(NETWORK, [Supposition(), Supposition(silted={"C5": 0.9})])
    above = NAMES.index("M5")

    def comes(sound: float, blocked: float) -> float:
        told = floods_ahead(routing, Runoff(NETWORK), ways(60.0), dry_sewage, {0: sound, 1: blocked})
        return float(told.comes(30)[above])

    assert comes(1.0, 0.0) == 0
    assert comes(0.0, 1.0) == pytest.approx(1.0)
    assert comes(0.7, 0.3) == pytest.approx(0.3)


def test_water_that_a_gauge_shows_stays_though_the_model_has_none() -> None:
    node = NAMES.index("M5")
    street_m = float(street_levels_m(NETWORK)[node])
    skill = GaugeSkill(np.array([0.05]))
    for row in range(24):
        skill.take(300.0 * row, np.array([street_m + 0.3]), np.array([0.2]))
    routing, runoff = FlowRouting(NETWORK), Runoff(NETWORK)
    told = floods_ahead(routing, runoff, ways(0.0), dry_sewage, gauged={node: (0, skill)})
    assert told.now_m[node] == pytest.approx(0.3, abs=0.05)
    assert told.likely_m(30)[node] == pytest.approx(0.3, abs=0.05)
    assert told.likely_m(30).sum() == pytest.approx(0.3, abs=0.05), "a gauge tells of its own node alone"


def test_copies_of_surfaces_run_off_as_one_alone_does() -> None:
    alone, beside = Runoff(NETWORK), Runoff(NETWORK).copies(2)
    one = alone.advance(1800, {"G": 40.0})
    both = beside.advance_each(1800, np.array([[40.0], [0.0]]))
    assert both[:, 0] == pytest.approx(one)
    assert (both[:, 1] == 0).all()


def test_streets_are_the_rims_of_shafts_and_wells_and_the_floors_of_hollows() -> None:
    street = dict(zip(NAMES, street_levels_m(NETWORK).tolist(), strict=True))
    assert street["M3"] == 3.0
    assert street["O1"] == float("inf")
    pumped = read_swmm(sewers(pumped=True))
    assert street_levels_m(pumped)[list(pumped.nodes).index("M8")] == 4.0


def test_rain_that_fell_tells_ways_and_silence_tells_none() -> None:
    rain = RainAhead(["G", "H"])
    for row in range(12):
        rain.take(300.0 * row, {"G": 60.0, "H": 20.0})
    told = rain.ways(3300.0, 6)
    assert told.mm_h.shape[1:] == (6, 2)
    assert told.weights.sum() == pytest.approx(1.0)
    assert told.mm_h[..., 0].max() > 10
    assert told.mm_h[..., 0] == pytest.approx(3 * told.mm_h[..., 1])
    for row in range(12, 60):
        rain.take(300.0 * row, {"G": 0.0, "H": 0.0})
    assert rain.fell_mm(300.0 * 59, 60) == 0
    again = RainAhead(["G", "H"])
    again.restore(json.loads(json.dumps(rain.state(), allow_nan=False)))
    assert again.state() == rain.state()


def follow(told: ToldFloods, *looks: FloodsAhead | None) -> list[Claim]:
    return [claim for k, ahead in enumerate(looks) for claim in told.tell(300.0 * k, ahead, ("rain",))]


def test_floods_are_told_when_two_rows_agree_once_and_ended() -> None:
    wet = look(ways(250.0))
    claims = follow(ToldFloods("flooding", NAMES, ()), wet, wet, wet, None)
    assert [claim.state for claim in claims] == [FindingState.RAISED, FindingState.CLEARED]
    assert sum(suspect.probability for suspect in claims[0].suspects) <= 1.001
    assert claims[0].key == claims[1].key
    assert claims[0].seen is not None
    first = claims[0].seen["floods_next"][0]
    assert set(first) == {"asset", "in_min", "probability", "depth_cm"}
    json.dumps(claims[0].seen, allow_nan=False)


def test_one_row_alone_and_roads_with_a_gauge_are_not_told() -> None:
    wet = look(ways(250.0))
    assert follow(ToldFloods("flooding", NAMES, ()), wet, None, wet) == []
    assert follow(ToldFloods("flooding", NAMES, NAMES), wet, wet, wet) == []


def test_what_was_told_goes_through_json() -> None:
    wet = look(ways(250.0))
    first, second = ToldFloods("flooding", NAMES, ()), ToldFloods("flooding", NAMES, ())
    raised = follow(first, wet, wet)
    second.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
    assert [claim.key for claim in follow(second, None)] == [raised[0].key]


def test_the_list_of_floods_begins_with_the_soonest() -> None:
    told = floods_next(look(ways(250.0)), NAMES)
    minutes = [after for _, after in told]
    assert minutes
    assert minutes == sorted(minutes)
