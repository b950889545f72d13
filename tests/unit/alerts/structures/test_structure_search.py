"""Behind its weather a bridge shows what has changed; healthy seasons and cold fronts show nothing."""

import json
from functools import cache

import numpy as np
import pytest

from services.alerts.detectors.contract import Claim
from services.alerts.structures.causes import BEARING, CABLE, CAUSES, COLLISION, SCOURED, SENSOR, SETTLEMENT, STIFFNESS
from services.alerts.structures.channels import ALL
from services.alerts.structures.structure_search import StructureSearch
from services.core.finding import FindingState
from services.core.severity import Severity
from simulators.bridge_benchmark.case import HEALTHY, Case, readings_of
from simulators.bridge_benchmark.drawn_bridge import DrawnBridge
from simulators.bridge_benchmark.recording import Extent, bridge_of

_SEED = 1
_EXTENT = Extent(days=206, learnt_days=185)
_LEARNT_S = _EXTENT.learnt_days * 86400.0
_ONSET_S = float(_EXTENT.hours[_EXTENT.onset]) * 3600
_DAY_S = 86400.0
_GIRDER, _STAYED = 1, 2


@cache
def bridge(number: int) -> DrawnBridge:
    return bridge_of(_SEED, number, _EXTENT)[0]


def search_of(number: int) -> StructureSearch:
    channels = [(g.id, g.quantity, g.asset, g.unit) for g in bridge(number).gauges if g.quantity in ALL]
    return StructureSearch(channels, {cause: cause for cause in CAUSES}, _LEARNT_S)


def rows_of(number: int, case: Case) -> list[list[float]]:
    readings = readings_of(bridge(number), case, _EXTENT.onset, _EXTENT.hours)
    columns = [readings[g.id] for g in bridge(number).gauges if g.quantity in ALL]
    return [[float(value) for value in row] for row in np.array(columns).T]


@cache
def taught(number: int) -> str:
    """The memory of a search after the healthy half year, as JSON."""
    search = search_of(number)
    for hour, row in zip(_EXTENT.hours, rows_of(number, HEALTHY), strict=True):
        if hour * 3600 > _LEARNT_S:
            break
        search.score(float(hour) * 3600, row)
        assert not search.claims(), "something was told while nobody may speak yet"
    return json.dumps(search.state(), allow_nan=False)


def told(number: int, case: Case) -> list[tuple[float, Claim]]:
    """Every claim behind the learning, with days since the onset."""
    search = search_of(number)
    search.restore(json.loads(taught(number)))
    claims: list[tuple[float, Claim]] = []
    for hour, row in zip(_EXTENT.hours, rows_of(number, case), strict=True):
        if hour * 3600 > _LEARNT_S:
            search.score(float(hour) * 3600, row)
            claims += [((float(hour) * 3600 - _ONSET_S) / _DAY_S, claim) for claim in search.claims()]
    return claims


def raised(number: int, case: Case) -> list[tuple[float, Claim]]:
    return [(day, claim) for day, claim in told(number, case) if claim.state is FindingState.RAISED]


@pytest.mark.parametrize("number", [_GIRDER, _STAYED])
def test_healthy_weeks_are_silent(number: int) -> None:
    assert told(number, HEALTHY) == []


@pytest.mark.parametrize(
    ("number", "case", "cause"),
    [
        (_GIRDER, Case("x", "settlement", 2, 10.0, "mm"), SETTLEMENT),
        (_STAYED, Case("x", "settlement", 1, 10.0, "mm"), SETTLEMENT),
        (_GIRDER, Case("x", "stiffness-loss", 1, 5.0, "%"), STIFFNESS),
        (_GIRDER, Case("x", "scour", 1, 40.0, "%"), SCOURED),
        (_GIRDER, Case("x", "bearing-stuck", 3), BEARING),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_slow_damage_is_named_within_a_week(number: int, case: Case, cause: str) -> None:
    found = [(day, claim.outcome) for day, claim in raised(number, case)]
    assert any(0 < day <= 7 and outcome == cause for day, outcome in found), f"told was {found}"


def test_a_lost_cable_is_told_within_two_hours_and_proposes_to_close_the_bridge() -> None:
    lost = 5
    day, claim = raised(_STAYED, Case("x", "cable-loss", lost, 100.0))[0]
    assert 0 <= day * 24 <= 2
    assert claim.outcome == CABLE
    assert claim.severity is Severity.CRITICAL
    assert claim.suspects[0].asset == f"C{lost + 1:02d}"
    assert claim.seen is not None
    assert claim.seen["proposes_closure"] is True


def test_a_blow_is_told_with_the_reading_that_shows_it() -> None:
    day, claim = raised(_GIRDER, Case("x", "collision", 1, 6.0))[0]
    assert day == 0
    assert claim.outcome == COLLISION
    assert claim.columns == ("peak-E2",)


@pytest.mark.parametrize("fault", ["drift", "offset", "stuck", "noise"])
def test_a_sensor_that_lies_is_told_apart_from_the_bridge(fault: str) -> None:
    found = raised(_GIRDER, Case("x", f"sensor-{fault}", sensor="deflection-S2"))
    assert [claim.outcome for _, claim in found] == [SENSOR], [claim.outcome for _, claim in found]
    assert found[0][1].columns == ("deflection-S2",)
    assert found[0][0] <= 7


def test_what_has_settled_is_told_in_millimetres_beside_what_the_weather_explains() -> None:
    _, claim = raised(_GIRDER, Case("x", "settlement", 1, 20.0, "mm"))[-1]
    assert claim.value is not None
    assert claim.expected is not None
    assert 2 < abs(claim.value - claim.expected) < 20


def test_a_bridge_without_a_thermometer_is_not_watched() -> None:
    channels = [("f", "natural_frequency", "deck", "Hz"), ("g", "deflection", "S1", "mm")]
    assert not StructureSearch(channels, {cause: cause for cause in CAUSES}).watches
