"""The search names what is out of order in sewers that SWMM computed, and goes on from its memory."""

import json
from collections.abc import Iterable
from datetime import timedelta
from math import nan

import pytest

from services.alerts.detectors.contract import Claim
from services.alerts.sewers.sewer_search import SewerSearch
from services.core.finding import FindingState
from simulators.physics.sewer_model import SewerModel
from simulators.physics.swmm_text import swmm_input
from tests.unit.alerts.sewers.small_storm import CHANNELS, START, Row, model, rows

CAUSES = {cause: cause for cause in ("blockage", "pump", "gate", "outfall", "inflow", "infiltration", "sensor")}
SOUND_H, BROKEN_H = 16, 6


def search(text: str | None = None) -> SewerSearch:
    until_s = (START + timedelta(hours=SOUND_H)).timestamp()
    return SewerSearch(text or swmm_input(model()), CHANNELS, CAUSES, until_s)


def follow(detector: SewerSearch, told: Iterable[Row]) -> list[Claim]:
    claims: list[Claim] = []
    for time_s, values in told:
        detector.score(time_s, [values[column] for column in detector.columns])
        claims += detector.claims()
    return claims


def broken(network: SewerModel, foreign: dict[str, float] | None = None) -> list[Row]:
    return list(rows(SOUND_H, network, BROKEN_H, foreign))


@pytest.fixture(scope="module")
def blocked() -> list[Row]:
    return broken(model().silted({"C5": 0.85}))


@pytest.fixture(scope="module")
def claimed(blocked: list[Row]) -> tuple[SewerSearch, list[Claim]]:
    """What a search told of the blocked sewer, and the search as it stands then."""
    detector = search()
    return detector, follow(detector, blocked)


def test_sound_sewers_in_a_shower_are_silent() -> None:
    assert follow(search(), broken(model())) == []


def test_a_blocked_sewer_is_named_among_the_first_three(claimed: tuple[SewerSearch, list[Claim]]) -> None:
    claims = claimed[1]
    assert {claim.outcome for claim in claims} == {"blockage"}
    assert "C5" in [suspect.asset for suspect in claims[-1].suspects[:3]]
    assert sum(suspect.probability for suspect in claims[0].suspects) <= 1
    assert claims[0].columns[0] == "level-M5"


def test_the_evidence_traces_up_and_down_with_minutes(claimed: tuple[SewerSearch, list[Claim]]) -> None:
    first = claimed[1][0]
    assert first.seen is not None
    below = [asset for asset, _ in first.seen["downstream_min"]]
    assert "O1" in below
    assert {"upstream_min", "floods_next_min"} <= set(first.seen)
    json.dumps(first.seen, allow_nan=False)


def test_a_pump_that_stands_still_is_named() -> None:
    claims = follow(search(), broken(model().tripped(frozenset({"PU1"}))))
    assert {claim.outcome for claim in claims} == {"pump"}
    assert claims[0].suspects[0].asset == "PU1"


def test_a_pump_is_named_by_its_own_current_where_no_level_is_off() -> None:
    channels = [channel for channel in CHANNELS if channel[0] in {"rain", "level-B1", "current"}]
    until_s = (START + timedelta(hours=SOUND_H)).timestamp()
    detector = SewerSearch(swmm_input(model()), channels, CAUSES, until_s)
    claims = follow(detector, broken(model().tripped(frozenset({"PU1"}))))
    assert [claim.outcome for claim in claims if claim.state is FindingState.RAISED] == ["pump"]
    assert claims[0].suspects[0].asset == "PU1"


def test_streets_that_flood_next_are_told_while_it_pours() -> None:
    detector = SewerSearch(swmm_input(model()), CHANNELS, {**CAUSES, "flooding": "flooding"}, START.timestamp())
    pours = [(t, {**v, "rain": 8 * v["rain"]}) for t, v in broken(model())[: (SOUND_H // 2 + 3) * 12]]
    told = [claim for claim in follow(detector, pours) if claim.outcome == "flooding"]
    assert [claim.state for claim in told] == [FindingState.RAISED, FindingState.CLEARED]
    assert told[0].columns == ("rain",)
    assert told[0].suspects[0].asset in detector.nodes
    assert detector.ahead is None


def test_foreign_water_in_dry_weather_is_named() -> None:
    told = [row for row in broken(model(), {"M3": 0.06}) if row[0] < (START + timedelta(hours=SOUND_H + 3)).timestamp()]
    claims = follow(search(), told)
    assert {claim.outcome for claim in claims} == {"inflow"}
    assert (claims[0].seen or {})["rose_min"] <= 20


def test_water_that_seeps_in_over_hours_is_named_infiltration() -> None:
    seeping = rows(SOUND_H, model(), 12, {"M3": 0.06}, grows_h=5)
    told = [row for row in seeping if row[0] < (START + timedelta(hours=SOUND_H + 6)).timestamp()]
    claims = follow(search(), told)
    assert {claim.outcome for claim in claims} == {"infiltration"}
    assert (claims[0].seen or {})["rose_min"] >= 40


def test_a_gauge_that_alone_is_off_is_named_itself() -> None:
    sound = broken(model())
    off = [(t, {**v, "level-B1": v["level-B1"] + 0.5 * (k >= SOUND_H * 12)}) for k, (t, v) in enumerate(sound)]
    claims = follow(search(), off)
    assert {claim.outcome for claim in claims} == {"sensor"}
    assert claims[0].suspects[0].asset == "level-B1"


def test_memory_goes_through_json_at_any_moment(blocked: list[Row], claimed: tuple[SewerSearch, list[Claim]]) -> None:
    whole, expected = claimed
    first, second = search(), search()
    cut = SOUND_H * 12 + 30
    claims = follow(first, blocked[:cut])
    second.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
    claims += follow(second, blocked[cut:])
    assert json.dumps(claims) == json.dumps(expected)
    assert json.dumps(second.state(), allow_nan=False) == json.dumps(whole.state(), allow_nan=False)


def test_a_trouble_that_is_over_is_ended(claimed: tuple[SewerSearch, list[Claim]]) -> None:
    detector = search()
    detector.restore(claimed[0].state())
    sound_again = [(time_s + BROKEN_H * 3600, values) for time_s, values in broken(model())[SOUND_H * 12 :]]
    assert follow(detector, sound_again)[-1].state is FindingState.CLEARED


def test_silent_sensors_stop_nothing(blocked: list[Row]) -> None:
    dumb = [(t, {**v, "rain": nan, "level-M2": nan, "current": nan}) for t, v in blocked[: SOUND_H * 12]]
    assert follow(search(), [*dumb, *blocked[SOUND_H * 12 : SOUND_H * 12 + 2]]) == []


def test_configuration_builds_an_equal_search() -> None:
    first = search()
    again = SewerSearch(**json.loads(json.dumps(first.configuration())))
    assert again.configuration() == first.configuration()
