"""A detector that fails stops nobody else, rests, begins afresh, and is given up only after many failures."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from math import isnan, nan
from typing import Any

import pytest

from services.alerts.detectors.contract import Claim, Detector, RowDetector, Score, SearchDetector, State, Suspect
from services.alerts.failures import FORGIVEN_AFTER_S, MOST_FAILURES, PAUSE_S, Rest
from services.alerts.lifelines import discover
from services.alerts.lifelines.contract import LifelineRules, Rule, SearchRule, SensorRule, ZoneRule, same_for_all
from services.alerts.zone_engine import ZoneEngine
from services.core.finding import Finding, FindingState
from services.core.lifeline import Lifeline
from services.core.severity import Severity
from services.core.text import Text
from services.core.threshold import Side, Threshold
from tests.unit.alerts.stream import LATENESS, at, reading, sensor, series

GAS = discover()[Lifeline.GAS]
SENSORS = [sensor("m1"), sensor("m2")]
HIGH = Threshold(Severity.MAJOR, Side.ABOVE, 50, 40)
POISON = 66.0


class Fragile(Detector):
    """The value; fails at one of them."""

    name, version = "fragile", "1"

    def __init__(self) -> None:
        self.seen = 0

    def configuration(self) -> dict[str, Any]:
        return {}

    def score(self, time_s: float, value: float) -> Score:  # noqa: ARG002
        if value == POISON:
            raise ZeroDivisionError(f"cannot score {value}")
        self.seen += 1
        return Score(value)

    def state(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def restore(self, state: State) -> None:
        self.seen = state["seen"]


class FragileRow(RowDetector):
    """The first column; fails at one value of it."""

    name, version, columns = "fragile-row", "1", ("m1", "m2")

    def configuration(self) -> dict[str, Any]:
        return {}

    def score(self, time_s: float, row: Sequence[float]) -> Score:  # noqa: ARG002
        if row[0] == POISON:
            raise ZeroDivisionError
        return Score(nan if isnan(row[0]) else row[0], column="m1")

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: State) -> None:
        pass


class FragileSearch(SearchDetector):
    """Claims a trouble at the first row above 50 and fails at one value."""

    name, version, columns = "fragile-search", "1", ("m1", "m2")

    def __init__(self) -> None:
        self.claim: Claim | None = None
        self.following = False

    def configuration(self) -> dict[str, Any]:
        return {}

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        if row[0] == POISON:
            raise ZeroDivisionError
        self.claim = None
        if row[0] > 50 and not self.following:
            self.following = True
            suspects = (Suspect("pipe-1", 0.5),)
            self.claim = Claim("found", "1", FindingState.RAISED, Severity.MINOR, 1.0, time_s, ("m1",), suspects)
        return Score(row[0])

    def claims(self) -> Sequence[Claim]:
        return () if self.claim is None else (self.claim,)

    def state(self) -> dict[str, Any]:
        return {"following": self.following}

    def restore(self, state: State) -> None:
        self.following = state["following"]


def _outcome(kind: type[Any], name: str, **fields: Any) -> Any:
    sentence = Text("{asset} {value}", "{asset}{value}")
    return kind(name=name, kind=GAS.kinds[0], raised=sentence, cleared=sentence, **fields)


def rules(detector: Callable[[Any], Detector] = lambda _: Fragile()) -> LifelineRules:
    return replace(
        GAS,
        sensor_rules=(
            _outcome(SensorRule, "fragile", quantities=("methane",), detector=detector, grades=same_for_all(HIGH)),
            *GAS.sensor_rules,
        ),
        zone_rules=(
            _outcome(ZoneRule, "fragile-row", quantities=("methane",), detector=lambda _: FragileRow(), grades=(HIGH,)),
        ),
        searches=(
            SearchRule(
                name="fragile-search",
                outcomes=(_outcome(Rule, "found"),),
                quantities=("methane",),
                detector=lambda _: FragileSearch(),
            ),
        ),
    )


def engine(given: LifelineRules | None = None) -> ZoneEngine:
    return ZoneEngine("Z1", given or rules(), SENSORS, allowed_lateness=LATENESS)


def of(findings: list[Finding], rule: str) -> list[tuple[str, str, float]]:
    return [
        (each.sensors[0], str(each.state), (each.time - at(0)).total_seconds() / 60)
        for each in findings
        if each.rule == rule
    ]


def test_everybody_else_goes_on_and_the_detector_begins_afresh_after_its_rest() -> None:
    watched = engine()
    values = [1.0, POISON, 60.0, *[1.0] * 70, 60.0]
    found = watched.observe(series("m1", values) + series("m2", [1.0, 60.0, *[1.0] * 72])) + watched.release()
    assert of(found, "fragile") == [("m2", "raised", 1), ("m2", "cleared", 2), ("m1", "raised", 73)]
    assert ("m1", "raised", 1) in of(found, "gas-methane-level"), "the value itself is still judged"
    assert watched.failures.by_rule["fragile"] == 1


def test_a_trouble_that_was_told_is_neither_forgotten_nor_ended_by_a_failure() -> None:
    watched = engine()
    found = watched.observe(series("m1", [60.0, POISON, *[1.0] * 70])) + watched.release()
    assert of(found, "fragile") == [("m1", "raised", 0), ("m1", "cleared", 61)]


def test_a_failing_row_detector_rests_too() -> None:
    watched = engine()
    readings = [reading("m1", 5.0 * step, {3: POISON, 4: 60.0, 20: 60.0}.get(step, 1.0)) for step in range(24)]
    found = watched.observe(readings) + watched.release()
    assert [state for _, state, _ in of(found, "fragile-row")] == ["raised", "cleared"]
    assert of(found, "fragile-row")[0][2] == 100


def test_what_a_failing_search_followed_is_ended_with_words_that_say_why() -> None:
    watched = engine()
    readings = [reading("m1", 5.0 * step, {1: 60.0, 3: POISON, 20: 60.0}.get(step, 1.0)) for step in range(24)]
    found = [each for each in watched.observe(readings) + watched.release() if each.rule == "found"]
    assert [(str(each.state), each.asset) for each in found] == [
        ("raised", "pipe-1"),
        ("cleared", "pipe-1"),
        ("raised", "pipe-1"),
    ]
    assert "begun afresh" in found[1].explanation.en
    assert found[0].target == found[1].target


def test_a_rest_survives_a_restart_and_so_does_what_is_followed() -> None:
    watched = engine()
    watched.observe(series("m1", [60.0, POISON, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]))
    state = watched.changed_state()
    again = engine()
    again.restore(state)
    found = again.observe(series("m1", [70.0] * 80, start=8)) + again.release()
    assert of(found, "fragile") == [], "the episode of minute 0 still lasts"
    assert again.failures.by_rule["fragile"] == 0
    assert again.changed_state()["m1"]["watch"]["rules"]["fragile"]["rest"][0] == 1


def test_a_state_of_another_version_or_configuration_is_dropped_and_the_episode_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = engine()
    watched.observe(series("m1", [60.0, 60.0, 60.0, 60.0]))
    state = watched.changed_state()
    assert state["m1"]["watch"]["rules"]["fragile"]["detector"]["seen"] == 1, "three are held"
    monkeypatch.setattr(Fragile, "version", "2")
    again = engine()
    again.restore(state)
    found = again.observe(series("m1", [1.0] * 6, start=4)) + again.release()
    assert of(found, "fragile") == [("m1", "cleared", 4)]
    assert again.changed_state()["m1"]["watch"]["rules"]["fragile"]["detector"]["seen"] == 9

    monkeypatch.setattr(Fragile, "reads_state_of", lambda _, version: version == "1")
    adopting = engine()
    adopting.restore(state)
    adopting.observe(series("m1", [1.0] * 6, start=4))
    adopting.release()
    assert adopting.changed_state()["m1"]["watch"]["rules"]["fragile"]["detector"]["seen"] == 10


def test_a_rule_that_cannot_make_its_detector_is_left_out() -> None:
    def broken(_: Any) -> Detector:
        raise OSError("no model")

    watched = engine(rules(broken))
    found = watched.observe(series("m1", [30.0] * 5)) + watched.release()
    assert of(found, "gas-methane-level")
    assert watched.failures.by_rule["fragile"] == len(SENSORS)


def test_rests_grow_until_a_detector_is_given_up_and_are_forgotten_after_a_good_week() -> None:
    rest, time_s, ends = Rest(), 0.0, []
    for _ in range(MOST_FAILURES - 1):
        rest.begin(time_s)
        ends.append(rest.until_s - time_s)
        time_s = rest.until_s
    assert ends == [PAUSE_S * 2**number for number in range(MOST_FAILURES - 1)]
    kept = Rest()
    kept.restore(rest.state())
    assert (kept.failures, kept.until_s) == (rest.failures, rest.until_s)
    kept.begin(time_s + FORGIVEN_AFTER_S + 1)
    assert kept.failures == 1
    rest.begin(time_s)
    assert rest.until_s == float("inf")
    kept.restore(rest.state())
    assert kept.until_s == float("inf")


def test_findings_do_not_depend_on_where_a_failing_stream_is_cut() -> None:
    values = [1.0, POISON, 60.0, *[1.0] * 70, 60.0, POISON, *[1.0] * 130, 60.0]
    whole = engine()
    expected = whole.observe(series("m1", values)) + whole.release()
    current = engine()
    kept: dict[str, Any] = {}
    found: list[Finding] = []
    for each in series("m1", values):
        found += current.observe([each])
        kept |= current.changed_state()
        current = engine()
        current.restore(kept)
    assert found + current.release() == expected
    assert timedelta(seconds=PAUSE_S) < at(len(values)) - at(0)
