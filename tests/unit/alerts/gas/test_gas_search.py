"""Leak, sewage or the device: what is told, when, and with which words."""

from services.alerts.gas.trouble import DRIFT, LEAK, LEVEL, SEWER_GAS
from services.core.finding import FindingState
from services.core.severity import Severity
from tests.unit.alerts.gas.spaces import outcomes, restless, smooth, told


def test_a_quiet_street_is_quiet() -> None:
    assert told({}) == []


def test_restless_methane_beside_a_main_is_a_leak_long_before_twenty_percent() -> None:
    claims = told({"tel": restless(8.0)})
    assert outcomes(claims)[0] == LEAK
    hours, claim = claims[0]
    assert hours < 5
    assert claim.value is not None
    assert claim.value < 20
    assert claim.severity is Severity.MODERATE
    assert claim.suspects[0].asset == "P1"
    assert claim.columns[0] == "tel-ch4"
    assert claim.seen is not None
    assert sum(claim.seen["causes"].values()) > 0.999
    assert claim.fields is not None
    assert "restless" in claim.fields["reasons"].en  # type: ignore[union-attr]  # the reasons are a text in two languages
    assert "波动" in claim.fields["reasons"].zh  # type: ignore[union-attr]  # as above


def test_smooth_methane_in_a_sewer_is_sewer_gas_and_no_leak() -> None:
    found = outcomes(told({"sewer": smooth(9.0)}))
    assert LEAK not in found
    assert SEWER_GAS in found


def test_sewer_gas_of_thirty_percent_is_said_at_its_level_with_its_cause() -> None:
    claims = told({"sewer": smooth(33.0)})
    assert LEAK not in outcomes(claims)
    level = next(claim for _, claim in claims if claim.outcome == LEVEL)
    assert level.severity is Severity.MAJOR, "20 %LEL is grave whatever it comes from"
    assert level.seen is not None
    assert level.seen["causes"]["sewage"] > level.seen["causes"]["leak"]
    assert level.suspects == (), "the level is told of the space, not of a main"


def test_a_device_that_goes_straight_up_alone_is_a_faulty_device() -> None:
    assert outcomes(told({"tel": lambda hours: 0.25 * hours}, hours=40)) == [DRIFT]


def test_a_device_that_follows_the_damp_is_a_faulty_device() -> None:
    def damp(hours: float) -> float:
        return max(0.0, min(hours, 24 - hours)) * 1.6

    assert LEAK not in outcomes(told({"tel": lambda hours: 0.35 * damp(hours)}, hours=24, humidity=damp))


def test_ethane_makes_a_leak_of_what_looks_like_sewage() -> None:
    without = outcomes(told({"sewer": smooth(9.0)}, ethane=lambda _: 0.0))
    beside = outcomes(told({"sewer": smooth(9.0)}, ethane=lambda hours: 11.0 * smooth(9.0)(hours)))
    assert LEAK not in without
    assert LEAK in beside, "sewage holds no ethane"


def test_a_second_space_joins_the_same_leak() -> None:
    claims = told({"tel": restless(20.0), "sewer": restless(9.0, begins_h=3.0, seed=8)})
    assert outcomes(claims).count(LEAK) == 1
    widest = max((claim for _, claim in claims if claim.outcome == LEAK), key=lambda claim: len(claim.columns))
    assert set(widest.columns) == {"tel-ch4", "sewer-ch4"}


def test_a_leak_that_is_over_is_ended_with_the_same_key() -> None:
    leak = restless(12.0)
    claims = told({"tel": lambda hours: leak(hours) if hours < 12 else 0.0}, hours=30)
    found = [claim for _, claim in claims if claim.outcome == LEAK]
    assert [found[0].state, found[-1].state] == [FindingState.RAISED, FindingState.CLEARED]
    assert found[0].key == found[-1].key
    assert found[-1].severity is Severity.NORMAL


def test_a_leak_becomes_graver_with_its_level_and_says_so_at_once() -> None:
    claims = told({"tel": restless(60.0, rise_h=3.0)})
    grave = [claim.severity for _, claim in claims if claim.outcome == LEAK]
    assert Severity.MAJOR in grave
    assert Severity.CRITICAL in grave


def test_permits_do_not_silence_a_leak() -> None:
    permit = [0.0, 1e9, 117.2003, 31.8, 30.0]
    assert outcomes(told({"tel": restless(8.0)}, permits=[permit]))[0] == LEAK
