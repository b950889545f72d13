"""The model keeps every drop of water, knows normal depth and backwater, and treats suppositions apart."""

import numpy as np
import pytest

from services.alerts.sewers.flow_routing import FlowRouting, Supposition
from services.alerts.sewers.runoff import Runoff
from services.alerts.sewers.swmm_reader import read_swmm
from services.alerts.sewers.twin import Twin
from simulators.physics.swmm_text import swmm_input
from tests.unit.alerts.sewers.small_sewers import sewers
from tests.unit.alerts.sewers.small_storm import GAUGES, model, rows

NETWORK = read_swmm(sewers())
SEWERED = {f"M{k}" for k in range(1, 9)}


def inflow(**at_node: float) -> np.ndarray:
    entering = np.zeros(len(NETWORK.nodes))
    for k, name in enumerate(NETWORK.nodes):
        entering[k] = at_node.get(name, 0.0)
    return entering


def test_steady_flow_stands_at_its_normal_depth_and_passes_every_sewer() -> None:
    routing = FlowRouting(NETWORK)
    routing.advance(4 * 3600, inflow(M1=0.08), 240)
    assert routing.flow_m3s[: len(NETWORK.conduits), 0] == pytest.approx([0.08] * 7 + [0.0, 0.08], abs=1e-4)
    # Manning for 0.08 m3/s in 0.5 m at 0.003: 0.215 m, by hand.
    assert routing.depth_m()[routing.node["M2"], 0] == pytest.approx(0.215, abs=0.01)


def test_a_blockage_backs_up_the_water_above_it_and_not_below() -> None:
    routing = FlowRouting(NETWORK, [Supposition(), Supposition(silted={"C5": 0.85})])
    routing.advance(6 * 3600, inflow(M1=0.06), 360)
    depth = routing.depth_m()
    above, below = routing.node["M5"], routing.node["M7"]
    assert depth[above, 1] > depth[above, 0] + 0.3
    assert depth[below, 1] == pytest.approx(depth[below, 0], abs=0.02)


def test_water_is_neither_made_nor_lost() -> None:
    routing = FlowRouting(NETWORK)
    left_m3 = 0.0
    for minute in range(240):
        entering = 0.15 if minute < 40 else 0.0
        routing.advance(60, inflow(M1=entering, B1=entering, M6=entering), 1)
        left_m3 += 60 * float(routing.flow_m3s[-1, 0])
    assert left_m3 == pytest.approx(3 * 0.15 * 40 * 60, rel=0.03)


def test_a_pump_that_stands_still_fills_its_well() -> None:
    network = read_swmm(sewers(pumped=True))
    routing = FlowRouting(network, [Supposition(), Supposition(stopped=frozenset({"PU1"}))])
    entering = np.zeros(len(network.nodes))
    entering[routing.node["M1"]] = 0.05
    routing.advance(2 * 3600, entering, 120)
    well = routing.depth_m()[routing.node["M8"]]
    assert well[0] < 0.5
    assert well[1] > well[0] + 1.0


def test_a_high_river_backs_up_into_the_sewers() -> None:
    routing = FlowRouting(NETWORK, [Supposition(), Supposition(raised_m={"O1": 2.5})])
    routing.advance(2 * 3600, inflow(M1=0.05), 120)
    head = routing.head_m[routing.node["M7"]]
    assert head[0] < 18.2
    assert head[1] >= 19.4


def test_columns_do_not_touch_each_other() -> None:
    alone = FlowRouting(NETWORK, [Supposition()])
    beside = FlowRouting(NETWORK, [Supposition(), Supposition(silted={"C3": 0.9})])
    for routing in (alone, beside):
        routing.advance(3600, inflow(M1=0.1), 60)
    # The other column may cost a few more iterations, no more.
    assert beside.head_m[:, 0] == pytest.approx(alone.head_m[:, 0], abs=5e-3)


def test_sealed_ground_lets_most_of_the_rain_run_off() -> None:
    runoff = Runoff(NETWORK)
    volume_m3 = 0.0
    for minute in range(240):
        run = runoff.advance(60, {"G": 30.0 if minute < 60 else 0.0})
        volume_m3 += 60 * float(run.sum())
    fallen_m3 = 30 / 1000 * 9 * 0.8 * 10_000
    assert 0.5 < volume_m3 / fallen_m3 < 0.65


def test_the_model_follows_swmm_through_a_shower_to_centimetres() -> None:
    network = read_swmm(swmm_input(model()))
    twin = Twin(network)
    sewage = np.array([0.002 * 0.8 if name in SEWERED else 0.0 for name in network.nodes])
    away: list[float] = []
    for time_s, values in rows(12, model(), 6):
        twin.take(twin.act(time_s, 300, {"G": values["rain"]}, sewage, {}))
        depth = twin.routing.depth_m()[:, 0]
        away += [abs(depth[twin.routing.node[node]] - values[f"level-{node}"]) for node in GAUGES]
    assert np.mean(away) < 0.01
    assert np.quantile(away, 0.98) < 0.08


def test_soil_takes_in_less_the_longer_it_rains_and_recovers_within_days() -> None:
    def green_share(dry_h: int) -> float:
        """Of a hard hour of rain, what runs off after so many dry hours."""
        runoff = Runoff(NETWORK)
        for _ in range(4):
            runoff.advance(3600, {"G": 40.0})
        for _ in range(dry_h):
            runoff.advance(3600, {})
        return float(sum(runoff.advance(300, {"G": 60.0}).sum() for _ in range(12)) / 12)

    soon, later, rested = green_share(1), green_share(24), green_share(24 * 7)
    assert soon > later > rested
    # Horton by hand for a rested soil: 6 mm and 54 / 4 (1 - e^-4) mm soak in within an hour, 0.31 of 60.
    assert rested < soon - 0.05 * soon


def test_puddles_dry_as_the_file_says() -> None:
    assert NETWORK.evaporates_mm_h == 0
    told = read_swmm(sewers() + "[EVAPORATION]\nCONSTANT 4.8\nDRY_ONLY NO\n")
    assert told.evaporates_mm_h == pytest.approx(0.2)
