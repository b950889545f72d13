"""The search: a leak is found, placed, followed and cleared; a drifting sensor is no leak; memory survives."""

import json
from collections.abc import Iterable

import pytest

from services.alerts.detectors.contract import Claim
from services.alerts.hydraulics.epanet_model import EpanetModel
from services.alerts.hydraulics.leak_search import LEAK, SENSOR_OFF, LeakSearch
from services.core.finding import FindingState
from services.core.severity import Severity
from tests.unit.alerts.hydraulics.small_network import CHANNELS, MONDAY_S, distance_m, network_text, rows

DAY_S = 86400.0
LEARNT_S = MONDAY_S + 4 * DAY_S
LEAKING = "south2_2"
Told = list[tuple[float, Claim]]


def search() -> LeakSearch:
    return LeakSearch(network_text(), CHANNELS, LEARNT_S)


def follow(detector: LeakSearch, given: Iterable[tuple[float, list[float]]]) -> Told:
    told = []
    for time_s, row in given:
        detector.score(time_s, row)
        told += [(time_s, claim) for claim in detector.claims()]
    return told


@pytest.fixture(scope="module")
def leaking() -> list[tuple[float, list[float]]]:
    return rows(8, {LEAKING: (15.0, 5.0, 6.5)})


@pytest.fixture(scope="module")
def told(leaking: list[tuple[float, list[float]]]) -> Told:
    return follow(search(), leaking)


def test_a_leak_is_raised_within_hours_near_its_place_with_its_flow(told: Told) -> None:
    time_s, claim = told[0]
    assert (claim.outcome, claim.state) == (LEAK, FindingState.RAISED)
    assert 5 * DAY_S < time_s - MONDAY_S < 5.5 * DAY_S
    assert distance_m(EpanetModel(network_text()), claim.suspects[0].asset, LEAKING) <= 400
    assert sum(suspect.probability for suspect in claim.suspects) <= 1.0
    assert claim.seen is not None
    assert claim.seen["leak_m3h"] == pytest.approx(15, abs=4)
    assert claim.severity is Severity.MODERATE


def test_a_repair_clears_the_leak_within_half_a_day(told: Told) -> None:
    time_s, claim = told[-1]
    assert (claim.key, claim.state, claim.severity) == (told[0][1].key, FindingState.CLEARED, Severity.NORMAL)
    assert 6.5 * DAY_S < time_s - MONDAY_S < 7 * DAY_S


def test_there_is_one_leak_and_not_two(told: Told) -> None:
    assert [claim.state for _, claim in told].count(FindingState.RAISED) == 1


def test_nothing_is_claimed_where_nothing_leaks() -> None:
    assert follow(search(), rows(8, {}, seed=5)) == []


def test_a_sensor_that_shifts_is_told_as_such_and_not_as_a_leak() -> None:
    told = follow(search(), rows(7, {}, seed=3, off_kpa={"P.n2_3": (-4.0, 5.0)}))
    assert [(claim.outcome, claim.columns) for _, claim in told] == [(SENSOR_OFF, ("P.n2_3",))]


def test_memory_goes_through_json_amid_a_leak(leaking: list[tuple[float, list[float]]], told: Told) -> None:
    first, detector, again = search(), search(), []
    cut = int(5.6 * 48) + 1
    again += follow(first, leaking[:cut])
    detector.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
    again += follow(detector, leaking[cut:])
    assert again == told


def test_gaps_and_silent_sensors_are_survived() -> None:
    given = rows(6, {})
    holes = [
        (time_s, [float("nan") if (step // 7 + column) % 5 == 0 else value for column, value in enumerate(row)])
        for step, (time_s, row) in enumerate(given)
        if not 40 < step % 96 < 60
    ]
    detector = search()
    assert follow(detector, holes) == []
    json.dumps(detector.state(), allow_nan=False)
