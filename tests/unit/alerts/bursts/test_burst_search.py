"""The search for bursts: a leak is placed, a drifting gauge is none, and memory survives at any moment."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from services.alerts.bursts.burst_claims import BURST, DRAW, PRESSURE_OFF, SOURCE, VALVE
from services.alerts.bursts.burst_search import BurstSearch
from services.alerts.detectors.contract import Claim
from services.core.finding import FindingState
from services.core.severity import Severity
from services.core.text import Text
from simulators.city import City
from simulators.demo_city.plan import plan_city
from simulators.physics.epanet_network import epanet_input
from simulators.physics.water import WaterPhysics
from simulators.scenario import HydrantUse, Injection, PipeLeak, PumpSchedule, Scenario, SensorFault, ValveShut

ORIGIN = datetime(2026, 7, 14, 6, tzinfo=UTC)
STEP = timedelta(minutes=5)
LEARNT_ROWS = 340
LEAK = PipeLeak(id="leak", kind="pipe-leak", asset="WP-207", hole_mm=44, position=0.4, start_min=60, end_min=150)
LEAKING_ROW = 12
Row = tuple[float, list[float]]
Told = list[tuple[float, Claim]]

pytestmark = pytest.mark.timeout(240)


@cache
def city() -> City:
    return plan_city(1)[0]


def search() -> BurstSearch:
    sensors = sorted(city().sensors_of("water"), key=lambda sensor: sensor.id)
    return BurstSearch(epanet_input(city()), [(each.id, each.quantity, each.asset, each.unit) for each in sensors])


def rows(injections: Sequence[Injection], first: int, last: int) -> list[Row]:
    scenario = Scenario(id="x", name_en="x", name_zh="x", length_min=600, injections=tuple(injections))
    water, columns = WaterPhysics(city(), scenario, ORIGIN, 1), search().columns
    found = []
    for number in range(first, last):
        time = ORIGIN + number * STEP
        values = water.step(time)
        found.append((time.timestamp(), [values[column] for column in columns]))
    return found


def follow(detector: BurstSearch, given: Iterable[Row]) -> Told:
    told = []
    for time_s, row in given:
        detector.score(time_s, row)
        told += [(time_s, claim) for claim in detector.claims()]
    return told


@pytest.fixture(scope="module")
def learnt() -> str:
    detector = search()
    assert follow(detector, rows((), -LEARNT_ROWS, 0)) == []
    return json.dumps(detector.state(), allow_nan=False)


@pytest.fixture(scope="module")
def leaking() -> list[Row]:
    return rows((LEAK,), 0, 48)


def taught(state: str) -> BurstSearch:
    detector = search()
    detector.restore(json.loads(state))
    return detector


@pytest.fixture(scope="module")
def told(learnt: str, leaking: list[Row]) -> Told:
    return follow(taught(learnt), leaking)


def test_a_burst_is_told_with_its_third_row_and_its_flow(told: Told) -> None:
    time_s, claim = told[0]
    assert (claim.outcome, claim.state) == (BURST, FindingState.RAISED)
    assert time_s == (ORIGIN + (LEAKING_ROW + 2) * STEP).timestamp()
    assert claim.since_s == (ORIGIN + LEAKING_ROW * STEP).timestamp()
    assert claim.seen is not None
    assert claim.seen["leak_m3h"] == pytest.approx(88, rel=0.2)


def test_the_suspicion_is_shared_and_holds_the_pipe(told: Told) -> None:
    suspects = told[0][1].suspects
    assert LEAK.asset in [suspect.asset for suspect in suspects[:3]]
    shares = [suspect.probability for suspect in suspects]
    assert shares == sorted(shares, reverse=True)
    assert 0.95 < sum(shares) <= 1.0
    assert all(name.startswith("W3-") for name in told[0][1].columns)


def test_it_gets_graver_by_lasting_and_ends_with_the_repair(told: Told) -> None:
    grades = [claim.severity for _, claim in told if claim.state is not FindingState.CLEARED]
    assert grades == sorted(grades)
    assert grades[-1] > grades[0]
    time_s, last = told[-1]
    assert (last.state, last.key) == (FindingState.CLEARED, told[0][1].key)
    assert time_s <= (ORIGIN + timedelta(minutes=LEAK.end_min + 60)).timestamp()


def test_memory_goes_through_json_at_any_moment(learnt: str, leaking: list[Row], told: Told) -> None:
    detector, again = taught(learnt), []
    for number, row in enumerate(leaking):
        if number in {0, 5, LEAKING_ROW + 1, LEAKING_ROW + 2, LEAKING_ROW + 9, 40}:
            detector = taught(json.dumps(detector.state(), allow_nan=False))
        again += follow(detector, [row])
    assert again == told


def test_a_gauge_that_shows_too_little_is_no_burst_and_is_not_believed(learnt: str) -> None:
    detector = taught(learnt)
    column = detector.columns.index("W3-P-004")
    off = [(time_s, [value - 40.0 * (place == column) for place, value in enumerate(row)]) for time_s, row in quiet()]
    assert [(claim.outcome, claim.columns) for _, claim in follow(detector, off)] == [(PRESSURE_OFF, ("W3-P-004",))]


def outcomes(told: Told) -> list[tuple[str, FindingState]]:
    return [(claim.outcome, claim.state) for _, claim in told if claim.state is not FindingState.CHANGED]


BEGINS_AND_ENDS = (FindingState.RAISED, FindingState.CLEARED)


def test_what_a_hydrant_gives_is_told_as_a_draw(learnt: str) -> None:
    use = HydrantUse(id="fire", kind="hydrant-use", asset="H-240", flow_m3h=54, start_min=60, end_min=180)
    told = follow(taught(learnt), rows((use,), 0, 60))
    assert outcomes(told) == [(DRAW, state) for state in BEGINS_AND_ENDS]
    assert told[0][0] <= (ORIGIN + timedelta(minutes=75)).timestamp()
    assert {claim.severity for _, claim in told} <= {Severity.MODERATE, Severity.NORMAL}


def test_a_draw_that_goes_on_for_hours_becomes_a_burst(learnt: str) -> None:
    leak = LEAK.model_copy(update={"hole_mm": 30.0, "end_min": 360.0})
    told = follow(taught(learnt), rows((leak,), 0, 66))
    assert outcomes(told)[:3] == [
        (DRAW, FindingState.RAISED),
        (DRAW, FindingState.CLEARED),
        (BURST, FindingState.RAISED),
    ]
    burst = next(claim for _, claim in told if claim.outcome == BURST)
    handed = next(claim for _, claim in told if claim.outcome == DRAW and claim.state is FindingState.CLEARED)
    assert handed.fields is not None
    assert "longer than water is drawn" in handed.fields["ending"].en  # type: ignore[union-attr]
    assert burst.since_s == told[0][1].since_s


def test_a_valve_that_is_shut_is_told_as_such_with_its_place_until_it_is_open(learnt: str) -> None:
    shut = ValveShut(id="works", kind="valve-shut", asset="WV-418", start_min=60, end_min=180)
    told = follow(taught(learnt), rows((shut,), 0, 60))
    assert outcomes(told) == [(VALVE, state) for state in BEGINS_AND_ENDS]
    assert "WV-418" in [suspect.asset for suspect in told[0][1].suspects]
    assert told[-1][0] <= (ORIGIN + timedelta(minutes=210)).timestamp()


def test_a_burst_is_found_while_a_valve_is_shut(learnt: str) -> None:
    shut = ValveShut(id="works", kind="valve-shut", asset="WV-418", start_min=30, end_min=590)
    told = follow(taught(learnt), rows((shut, LEAK), 0, 28))
    assert outcomes(told) == [(VALVE, FindingState.RAISED), (BURST, FindingState.RAISED)]
    assert LEAK.asset in [suspect.asset for suspect in told[-1][1].suspects]


def test_pumps_that_are_run_otherwise_are_no_burst(learnt: str) -> None:
    higher = PumpSchedule(
        id="p", kind="pump-schedule", asset="WR-2", head_change_m=5, ramp_min=20, start_min=60, end_min=240
    )
    told = follow(taught(learnt), rows((higher,), 0, 66))
    assert outcomes(told) == [(SOURCE, state) for state in BEGINS_AND_ENDS]
    assert told[0][1].suspects[0].asset == "WR-2"
    assert told[0][1].fields is not None
    assert told[0][1].fields["direction"] == Text("above", "高于")


def test_a_part_without_water_is_no_burst(learnt: str) -> None:
    detector = taught(learnt)
    dry = {column for column, name in enumerate(detector.columns) if name.startswith("W3-P-")}
    empty = [(time_s, [0.0 if place in dry else value for place, value in enumerate(row)]) for time_s, row in quiet()]
    assert follow(detector, empty) == []


def test_a_gauge_that_spikes_is_no_burst(learnt: str) -> None:
    spikes = SensorFault(
        id="s", kind="sensor-fault", sensor="W3-P-004", fault="spikes", size=150, start_min=30, end_min=400
    )
    assert {claim.outcome for _, claim in follow(taught(learnt), rows((spikes,), 0, 72))} <= {PRESSURE_OFF}


def test_silent_instruments_leave_a_burst_in_sight(learnt: str, leaking: list[Row]) -> None:
    detector = taught(learnt)
    silent = {column for column, name in enumerate(detector.columns) if name.startswith("W4-") or name == "W3-P-001"}
    gaps = [
        (time_s, [float("nan") if place in silent else value for place, value in enumerate(row)])
        for time_s, row in leaking
    ]
    told = follow(detector, gaps)
    assert LEAK.asset in [suspect.asset for suspect in told[0][1].suspects]


@cache
def quiet() -> list[Row]:
    return rows((), 0, 24)


def test_a_model_that_epanet_refuses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Error"):
        BurstSearch("[JUNCTIONS]\nA 1\n[PIPES]\nx A nowhere 1 1 1\n[END]\n", [("s", "pressure", "A", "kPa")])
