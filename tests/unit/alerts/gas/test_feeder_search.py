"""Gas that is missing between two meters: a hole, a meter that errs, customers that switch, and a wave."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from services.alerts.detectors.contract import Claim
from services.alerts.gas.feeder import feeders_of
from services.alerts.gas.feeder_search import FeederSearch
from services.alerts.gas.pressure_wave import WAVE_M_S, WaveWatch, misfit
from services.core.asset import Asset, Link, LinkKind
from services.core.finding import FindingState
from services.core.lifeline import Lifeline
from services.core.text import Text
from tests.contract.detector_examples.metered_feeder import FEEDER, GAUGES, STEP_S, row

DAY_ROWS = round(86_400 / STEP_S)
FLOW_M3H = 15_000.0
GAUGES_M = np.array([0.0, 4000.0, 8000.0])

RAMP_ROWS = 20


def _told(
    outflow: float, leak: Callable[[int], float], rows: int, meters: tuple[float, float] = (1.0, 1.0)
) -> list[Claim]:
    """What is claimed after a sound day, when ``outflow`` is drawn from then on and ``leak`` m3/h leave in the middle.

    What comes in makes up for what the line packs. ``meters`` are factors of what the two then show.
    """
    search = FeederSearch(GAUGES, [FEEDER.as_json()])
    rng = np.random.default_rng(3)
    still = np.zeros(5)
    claims: list[Claim] = []
    packed_m3 = FEEDER.packed_m3(GAUGES_M, np.array(row(FLOW_M3H, FLOW_M3H, still)[:3]))
    for number in range(DAY_ROWS + rows):
        late = number - DAY_ROWS
        share = min(max(late / RAMP_ROWS, 0.0), 1.0)
        drawn = FLOW_M3H + share * (outflow - FLOW_M3H)
        lost = leak(late) if late >= 0 else 0.0
        before, packed_m3 = packed_m3, FEEDER.packed_m3(GAUGES_M, np.array(row(drawn + lost, drawn, still)[:3]))
        values = list(row(drawn + lost, drawn, rng.standard_normal(5)))
        values[3] += (packed_m3 - before) * 3600 / STEP_S
        if late >= 0:
            values[3:] = [value * factor for value, factor in zip(values[3:], meters, strict=True)]
        search.score((number + 1) * STEP_S, values)
        claims += search.claims()
    return claims


def test_a_hole_is_told_within_minutes_with_its_place_and_ends_when_it_is_shut() -> None:
    claims = _told(FLOW_M3H, lambda late: 1500.0 if late < 120 else 0.0, 400)
    first = claims[0]
    assert first.outcome == "gas-feeder-leak"
    assert first.state is FindingState.RAISED
    assert first.seen is not None
    assert first.seen["missing_percent"] > 5
    low_m, high_m = claims[1].seen["between_m"] if len(claims) > 2 else first.seen["between_m"]  # type: ignore[index]
    assert low_m < 4000 < high_m, "the hole is in the middle"
    assert claims[-1].state is FindingState.CLEARED
    assert len({claim.key for claim in claims}) == 1, "one hole was told more than once"


def test_an_outlet_meter_that_loses_a_hundredth_is_a_meter_and_no_leak() -> None:
    outcomes = {claim.outcome for claim in _told(FLOW_M3H, lambda _: 0.0, 240, meters=(1.0, 0.99))}
    assert outcomes == {"gas-feeder-meter-off"}


def test_more_gas_out_than_in_is_never_a_leak() -> None:
    outcomes = {claim.outcome for claim in _told(FLOW_M3H, lambda _: 0.0, 240, meters=(1.0, 1.08))}
    assert outcomes == {"gas-feeder-meter-off"}


def test_customers_that_switch_say_nothing() -> None:
    assert _told(FLOW_M3H * 0.8, lambda _: 0.0, 240) == []


def test_a_wave_is_placed_by_when_it_meets_the_gauges() -> None:
    watch = WaveWatch(3, 8000.0)
    rng = np.random.default_rng(5)
    began_s, at_m = 1000.0, 5200.0
    found = None
    for second in range(1100):
        arrived = second >= began_s + np.abs(GAUGES_M - at_m) / WAVE_M_S
        found = watch.take(float(second), 1000 - 3.0 * arrived + 0.1 * rng.standard_normal(3)) or found
    assert found is not None, "the wave was not seen"
    positions = np.arange(50.0, 8000.0, 100.0)
    assert positions[int(np.argmin(misfit(found, GAUGES_M, positions)))] == pytest.approx(at_m, abs=900)


def _asset(ident: str, kind: str, longitude: float) -> Asset:
    geometry = {"type": "Point", "coordinates": [longitude, 31.8]}
    if kind == "pipe":
        geometry = {"type": "LineString", "coordinates": [[longitude, 31.8], [longitude + 0.01, 31.8]]}
    return Asset(ident, Lifeline.GAS, kind, "z", Text(ident, ident), geometry)


def _flow(*chain: str) -> list[Link]:
    return [Link(one, other, LinkKind.FLOW, 0.0) for one, other in pairwise(chain)]


def test_a_feeder_reaches_from_meter_to_meter_unless_something_branches_off() -> None:
    assets = {
        each.id: each
        for each in (
            _asset("A", "station", 117.2),
            _asset("P1", "pipe", 117.2),
            _asset("V", "valve", 117.21),
            _asset("P2", "pipe", 117.21),
            _asset("B", "station", 117.22),
            _asset("P3", "pipe", 117.21),
        )
    }
    links = _flow("A", "P1", "V", "P2", "B")
    (feeder,) = feeders_of(assets, links, ["A", "B"])
    assert [stretch.asset for stretch in feeder.stretches] == ["P1", "P2"]
    assert feeder.length_m == pytest.approx(2 * 946, rel=0.01)
    assert feeders_of(assets, [*links, *_flow("V", "P3")], ["A", "B"]) == []
