"""Alerts beside the truth: what was found, how late, how far off, and what was false."""

from datetime import UTC, datetime, timedelta

from services.alerts.tracing.city_graph import CityGraph
from services.backtest.report.judgement import Judgement, judge
from services.backtest.report.result_folder import RaisedAlert
from services.backtest.report.truth import Trouble
from services.core.asset import Asset, Link, LinkKind
from services.core.lifeline import Lifeline
from services.core.text import Text

BEGIN = datetime(2026, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORDS = Text("Leak", "漏损")


def alert(hours: float, *suspects: str, is_fault: bool = False) -> RaisedAlert:
    shares = tuple((asset, 1 / len(suspects)) for asset in suspects)
    moment = BEGIN + hours * HOUR
    return RaisedAlert("water", "leak-suspected", WORDS, is_fault, 2, moment, None, ("P1",), shares, 1.0, WORDS)


def trouble(name: str, asset: str, begin: float, end: float) -> Trouble:
    return Trouble(name, "leak", asset, BEGIN + begin * HOUR, BEGIN + end * HOUR, "")


def graph() -> CityGraph:
    """Three nodes in a row, a hundred metres apart."""
    assets = [
        Asset(name, Lifeline.WATER, "junction", "Z", WORDS, {"type": "Point", "coordinates": [0, 0]}) for name in "abc"
    ]
    return CityGraph(assets, [Link("a", "b", LinkKind.FLOW, 100.0), Link("b", "c", LinkKind.FLOW, 100.0)])


def judged(*alerts: RaisedAlert, troubles: list[Trouble], scored_from: datetime | None = None) -> Judgement:
    return judge(alerts, troubles, graph(), scored_from)


def test_the_first_alert_of_a_trouble_counts() -> None:
    result = judged(alert(-1, "a"), alert(2, "b", "a"), alert(3, "a"), troubles=[trouble("t", "a", 0, 10)])
    first = result.first["t"]
    assert (first.delay, first.distance_m, first.rank) == (2 * HOUR, 100.0, 2)
    assert result.false_count == 1
    assert result.median_delay == 2 * HOUR


def test_the_truth_is_as_exact_as_the_readings() -> None:
    alerts, troubles = [alert(-1)], [trouble("t", "a", 0, 10)]
    early = judge(alerts, troubles, graph(), None, interval=HOUR)
    assert early.first["t"].delay == timedelta(0)
    assert judge(alerts, troubles, graph(), None, interval=HOUR / 2).false_count == 1


def test_of_two_running_troubles_the_nearer_one_is_meant() -> None:
    near, far = trouble("near", "a", 0, 10), trouble("far", "c", 1, 10)
    assert list(judged(alert(2, "a"), troubles=[near, far]).first) == ["near"]


def test_without_a_place_the_trouble_is_meant_that_began_last() -> None:
    old, new = trouble("old", "", 0, 10), trouble("new", "", 1, 10)
    assert list(judged(alert(2), troubles=[old, new]).first) == ["new"]


def test_a_fault_of_a_sensor_is_neither_found_nor_false() -> None:
    result = judged(alert(2, is_fault=True), troubles=[trouble("t", "a", 0, 10)])
    assert (result.first, result.false_count) == ({}, 0)


def test_what_comes_in_the_time_to_learn_from_is_not_false() -> None:
    result = judged(alert(2), alert(5), troubles=[], scored_from=BEGIN + 4 * HOUR)
    assert result.false_count == 1
