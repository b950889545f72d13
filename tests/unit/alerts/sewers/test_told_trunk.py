"""Where the rain explains the water, the full sewer that holds it back is named."""

import json

import numpy as np
import pytest

from services.alerts.detectors.contract import Claim
from services.alerts.sewers.channels import Channel, gauged
from services.alerts.sewers.expectation import Expectation
from services.alerts.sewers.floods_ahead import street_levels_m
from services.alerts.sewers.flow_routing import FlowRouting
from services.alerts.sewers.swmm_reader import read_swmm
from services.alerts.sewers.told_trunk import ToldTrunk, trunk_of
from services.core.finding import FindingState
from tests.unit.alerts.sewers.small_sewers import sewers

_NETWORK = read_swmm(sewers())
_CHANNELS = [Channel(f"level-{node}", "manhole_level", node, "m") for node in ("M2", "M5")]
_GAUGES = gauged(_NETWORK, _CHANNELS)
_STREET_M = 3.0


def _filled(**depth_m: float) -> FlowRouting:
    routing = FlowRouting(_NETWORK)
    for node, depth in depth_m.items():
        routing.head_m[routing.node[node], 0] = _NETWORK.nodes[node].invert_m + depth
    return routing


def _told() -> ToldTrunk:
    floors = np.array([gauge.floor for gauge in _GAUGES])
    return ToldTrunk("trunk", _NETWORK, _GAUGES, Expectation(floors), street_levels_m(_NETWORK))


def _rows(told: ToldTrunk, routing: FlowRouting, levels_m: tuple[float, float], count: int) -> list[Claim]:
    claims: list[Claim] = []
    for k in range(count):
        claims += told.tell(300.0 * k, np.array(levels_m), routing, explained=False)
    return claims


_BACKED_UP = {"M5": 3.0, "M6": 2.5, "M7": 2.0, "M8": 0.3}


def test_the_last_full_sewer_below_is_the_one_that_holds_back() -> None:
    assert trunk_of(_NETWORK, _filled(**_BACKED_UP), "M5") == "C6"


@pytest.mark.parametrize(
    "depth_m",
    [{}, {"M5": 3.0}, {"M5": 3.0, "M6": 2.5}],
    ids=["everything drains", "a full shaft above a free sewer", "the own sewer alone is full"],
)
def test_without_a_full_sewer_beyond_the_own_none_is_named(depth_m: dict[str, float]) -> None:
    assert trunk_of(_NETWORK, _filled(**depth_m), "M5") is None


def test_it_is_told_once_with_the_gauge_that_shows_it() -> None:
    (claim,) = _rows(_told(), _filled(**_BACKED_UP), (0.1, _STREET_M), 10)
    assert claim.state is FindingState.RAISED
    assert claim.columns == ("level-M5",)
    assert [suspect.asset for suspect in claim.suspects] == ["C6"]
    assert claim.seen == {"held_back_at": ["M5"]}


def test_it_is_over_when_the_water_has_fallen_for_half_an_hour() -> None:
    told = _told()
    _rows(told, _filled(**_BACKED_UP), (0.1, _STREET_M), 3)
    assert _rows(told, _filled(), (0.1, 0.4), 5) == []
    assert [claim.state for claim in _rows(told, _filled(), (0.1, 0.4), 1)] == [FindingState.CLEARED]


def test_a_gauge_that_the_model_does_not_explain_says_nothing_of_trunks() -> None:
    told = _told()
    told._expected.off[:] = 3.0
    assert _rows(told, _filled(**_BACKED_UP), (0.1, _STREET_M), 5) == []


def test_once_a_trouble_accounts_for_the_water_the_trunk_is_not_blamed() -> None:
    told, routing = _told(), _filled(**_BACKED_UP)
    _rows(told, routing, (0.1, _STREET_M), 3)
    (claim,) = told.tell(1200.0, np.array([0.1, _STREET_M]), routing, explained=True)
    assert claim.state is FindingState.CLEARED


def test_memory_goes_through_json() -> None:
    first, second = _told(), _told()
    _rows(first, _filled(**_BACKED_UP), (0.1, _STREET_M), 3)
    second.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
    assert second.state() == first.state()
    assert _rows(second, _filled(), (0.1, 0.4), 6) == _rows(first, _filled(), (0.1, 0.4), 6)
