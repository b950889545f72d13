"""The risk of an asset follows from what is known of it, and says why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.core.asset import Asset
from services.core.asset_risk import RiskColour, risk_of, worst_first
from services.core.failure_prior import BreakHistory
from services.core.lifeline import Lifeline
from services.core.text import Text
from services.core.works_permit import WorksPermit

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LINE = {"type": "LineString", "coordinates": [[117.0, 31.0], [117.001, 31.0]]}
NEW = Asset("P", Lifeline.WATER, "pipe", "Z", Text("Pipe", "管段"), LINE, properties={"material": "PE", "built": 2024})
OLD = replace(NEW, id="Q", properties={"material": "cast iron", "built": 1965})


def test_a_new_pipe_is_blue_and_an_old_one_that_broke_often_is_red() -> None:
    assert risk_of(NEW, now=NOW).colour is RiskColour.BLUE
    worst = risk_of(OLD, BreakHistory(breaks=3), now=NOW)
    assert worst.colour is RiskColour.RED
    assert "3 confirmed breaks before" in [reason.en for reason in worst.reasons]
    assert "材质：cast iron" in [reason.zh for reason in worst.reasons]


def test_gas_weighs_more_than_water_and_high_pressure_more_than_medium() -> None:
    water = risk_of(NEW, now=NOW).score
    gas = replace(NEW, lifeline=Lifeline.GAS)
    high = replace(gas, properties={**gas.properties, "pressure_kpa": 2500})
    assert water < risk_of(gas, now=NOW).score < risk_of(high, now=NOW).score


def test_works_beside_it_count_while_their_permit_holds() -> None:
    permit = WorksPermit("W", NOW, NOW + timedelta(days=1), 117.0005, 31.0001, 5.0, "tunnel", "X")
    before, during = (risk_of(NEW, permits=[permit], now=at) for at in (NOW - timedelta(hours=1), NOW))
    assert during.score == 2 * before.score
    assert during.reasons[0].en == "works beside it: tunnel"


def test_facts_that_a_register_writes_oddly_do_no_harm() -> None:
    odd = replace(NEW, properties={"material": None, "built": "1980?", "pressure_kpa": "high", "diameter_mm": True})
    assert risk_of(odd, now=NOW).colour is RiskColour.BLUE


def test_the_worst_come_first_and_equals_by_name() -> None:
    ranked = worst_first([risk_of(NEW, now=NOW), risk_of(OLD, now=NOW), risk_of(replace(NEW, id="A"), now=NOW)])
    assert [risk.asset.id for risk in ranked] == ["Q", "A", "P"]
