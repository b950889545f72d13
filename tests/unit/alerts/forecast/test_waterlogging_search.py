"""Warnings of water that is not there yet."""

import json
from collections.abc import Iterable
from math import exp, nan

from services.alerts.detectors.contract import Claim, ForecastPoint
from services.alerts.forecast.waterlogging_search import WaterloggingSearch
from services.core.finding import FindingState
from services.core.severity import Severity

_POINTS = [("road-a", 117.0, 31.0), ("road-b", 117.2, 31.2)]
_GAUGE = [("rain", 117.1, 31.1)]
_RAISED, _CHANGED, _CLEARED = FindingState.RAISED, FindingState.CHANGED, FindingState.CLEARED


def _search() -> WaterloggingSearch:
    return WaterloggingSearch("expected", _POINTS, _GAUGE)


def _wave(minute: int, peak_cm: float) -> float:
    """Rises over forty minutes and drains in two hours."""
    if minute < 30:
        return 0.0
    if minute < 70:
        return peak_cm * (minute - 30) / 40
    return peak_cm * exp(-(minute - 70) / 60)


def _run(
    search: WaterloggingSearch, minutes: Iterable[int], peak_cm: float
) -> tuple[list[tuple[int, Claim]], list[ForecastPoint]]:
    claims, expected = [], []
    for minute in minutes:
        rain = 60.0 if 20 <= minute < 70 else 0.0
        row = {"road-a": _wave(minute, peak_cm), "road-b": 0.0, "rain": rain}
        search.score(60.0 * minute, [row[column] for column in search.columns])
        claims += [(minute, claim) for claim in search.claims()]
        expected += list(search.forecasts())
    return claims, expected


def test_a_grade_is_warned_of_before_the_water_comes_to_it() -> None:
    claims, _ = _run(_search(), range(200), 50.0)
    reached = {grade: next(m for m in range(200) if _wave(m, 50.0) >= grade) for grade in (15, 27, 40)}
    first = {
        float(str((claim.fields or {})["grade"])): minute
        for minute, claim in claims
        if claim.state in {_RAISED, _CHANGED}
    }
    for grade, minute in reached.items():
        assert min(told for named, told in first.items() if named >= grade) < minute, f"{grade} cm came unannounced"
    assert {claim.columns for _, claim in claims} == {("road-a",)}, "a dry road was warned of"


def test_what_has_come_is_no_longer_expected_and_the_falling_limb_warns_of_nothing() -> None:
    claims, _ = _run(_search(), range(400), 50.0)
    assert claims[-1][1].state is _CLEARED
    raised = [minute for minute, claim in claims if claim.state is _RAISED]
    assert max(raised) < 70, "water that falls was warned of"
    open_claims = {claim.key for _, claim in claims if claim.state is not _CLEARED}
    assert open_claims == {claim.key for _, claim in claims if claim.state is _CLEARED}


def test_a_shallow_puddle_warns_of_nothing() -> None:
    claims, expected = _run(_search(), range(200), 4.0)
    assert claims == []
    assert expected, "water that stands is not forecast"


def test_a_dry_day_expects_nothing() -> None:
    search = _search()
    for minute in range(600):
        search.score(60.0 * minute, [0.0] * 3)
        assert not search.claims()
        assert not search.forecasts()


def test_severity_is_that_of_the_grade_that_is_ahead() -> None:
    claims, _ = _run(_search(), range(200), 60.0)
    by_grade = {
        str((claim.fields or {})["grade"]): claim.severity for _, claim in claims if claim.state is not _CLEARED
    }
    wanted = {"15": Severity.MODERATE, "27": Severity.MAJOR, "40": Severity.CRITICAL}
    assert by_grade.items() <= wanted.items()


def test_forecasts_are_in_the_unit_of_the_sensor_and_enclose_their_value() -> None:
    in_millimetres = WaterloggingSearch("expected", _POINTS, _GAUGE, cm={"road-a": 0.1})
    in_centimetres = _search()
    for minute in range(60):
        depth = _wave(minute, 50.0)
        in_centimetres.score(60.0 * minute, [nan, depth, 0.0])
        in_millimetres.score(60.0 * minute, [nan, 10 * depth, 0.0])
        for one, other in zip(in_centimetres.forecasts(), in_millimetres.forecasts(), strict=True):
            assert abs(other.value - 10 * one.value) < 1e-6
            assert one.low <= one.value <= one.high


def test_a_restart_in_between_changes_nothing() -> None:
    whole, _ = _run(_search(), range(200), 50.0)
    first = _search()
    begin, _ = _run(first, range(55), 50.0)
    second = WaterloggingSearch(**json.loads(json.dumps(first.configuration())))
    second.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
    rest, _ = _run(second, range(55, 200), 50.0)
    assert begin + rest == whole
