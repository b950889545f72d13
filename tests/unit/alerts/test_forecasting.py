"""Searches that say what they expect."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.alerts.detectors.contract import Claim, ForecastDetector, ForecastPoint, Score, State
from services.alerts.lifelines import discover
from services.alerts.lifelines.contract import SearchRule
from services.alerts.zone_engine import ZoneEngine
from services.core.lifeline import Lifeline
from tests.unit.alerts.stream import LATENESS, at, reading, sensor

ROADS = [sensor(name, Lifeline.DRAINAGE, "road_depth", interval=timedelta(minutes=5)) for name in ("a", "b")]


class Doubling(ForecastDetector):
    """Expects twice the depth in a quarter of an hour wherever there is any."""

    name, version = "doubling", "1"

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self._expected: list[ForecastPoint] = []

    def configuration(self) -> dict[str, Any]:
        return {"columns": list(self.columns)}

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        self._expected = [
            ForecastPoint(column, time_s + 900, 2 * value, value, 3 * value)
            for column, value in zip(self.columns, row, strict=True)
            if value > 0
        ]
        return Score(0.0)

    def claims(self) -> Sequence[Claim]:
        return ()

    def forecasts(self) -> Sequence[ForecastPoint]:
        return self._expected

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: State) -> None:
        pass


def _engine() -> ZoneEngine:
    rules = discover()[Lifeline.DRAINAGE]
    search = SearchRule(
        name="doubling",
        outcomes=(),
        quantities=("road_depth",),
        detector=lambda site: Doubling([each.id for each in site.sensors]),
    )
    return ZoneEngine("Z1", replace(rules, searches=(search,)), ROADS, allowed_lateness=LATENESS)


def test_what_is_expected_is_handed_over_once_with_its_maker_and_moment() -> None:
    judging = _engine()
    judging.observe([reading("a", 0, 0.0), reading("b", 0, 4.0)])
    judging.observe([reading("a", 5, 0.0), reading("b", 5, 7.0)])
    judging.observe([reading("a", 10, 0.0), reading("b", 10, 0.0)])
    judging.release()
    (first, second) = judging.take_forecasts()
    assert (first.sensor, first.issued_at, first.target_time) == ("b", at(0), at(15))
    assert (first.low, first.value, first.high) == (4.0, 8.0, 12.0)
    assert (second.issued_at, second.value) == (at(5), 14.0)
    assert (first.detector, first.detector_version) == ("doubling", "1")
    assert judging.take_forecasts() == []


def test_where_nothing_stirs_nothing_is_expected() -> None:
    judging = _engine()
    judging.observe([reading(name, 5 * step, 0.0) for step in range(20) for name in ("a", "b")])
    judging.release()
    assert judging.take_forecasts() == []
