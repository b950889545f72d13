"""Who has not been heard, in event time."""

from datetime import timedelta

from services.core.finding import FindingState
from services.core.lifeline import Lifeline
from tests.unit.alerts.stream import at, engine, judged, reading, sensor, series, told

ALONE = sensor("m1")
PAIR = [sensor("a", gateway="g1"), sensor("b", gateway="g1"), sensor("c")]


def test_a_sensor_without_gateway_is_silent_after_fifteen_minutes() -> None:
    watched = engine([ALONE])
    watched.observe(series("m1", [0.1] * 5))
    watched.release()
    assert watched.advance(at(20)) == []
    [silent] = watched.advance(at(22))
    assert (silent.kind, silent.state, silent.asset) == ("sensor-silent", FindingState.RAISED, ALONE.asset)
    assert (silent.started_at, silent.time) == (at(4), at(19))
    assert "15 min" in silent.explanation.en
    assert watched.advance(at(60)) == []


def test_slow_sensors_may_be_silent_for_three_intervals() -> None:
    slow = engine([sensor("m1", interval=timedelta(minutes=30))])
    slow.observe([reading("m1", 0, 0.1)])
    slow.release()
    assert slow.advance(at(91)) == []
    assert told(slow.advance(at(95)), "sensor-silent") == [("raised", 1, 90)]


def test_a_sensor_never_heard_is_noticed_too() -> None:
    found = judged([ALONE, sensor("m2")], series("m1", [0.1] * 30))
    assert told(found, "sensor-silent") == [("raised", 1, 15)]
    assert found[0].sensors == ("m2",)


def test_a_silent_gateway_is_one_finding() -> None:
    lively = series("c", [0.1] * 60)
    found = judged(PAIR, series("a", [0.1] * 10) + series("b", [0.1] * 11) + lively)
    assert [each.kind for each in found] == ["gateway-silent"]
    assert told(found, "gateway-silent") == [("raised", 2, 25)]
    assert found[0].asset == "g1"
    assert found[0].sensors == ("a", "b")
    assert found[0].started_at == at(10)


def test_one_silent_sensor_of_a_living_gateway_is_a_sensors_fault() -> None:
    found = judged(PAIR, series("a", [0.1] * 10) + series("b", [0.1] * 60) + series("c", [0.1] * 60))
    assert told(found, "sensor-silent") == [("raised", 1, 25)]
    assert told(found, "gateway-silent") == []


def test_a_gateway_that_comes_back_gives_its_sensors_a_new_start() -> None:
    back = series("a", [0.1] * 30, start=50) + series("b", [0.1] * 25, start=55)
    found = judged(PAIR, series("a", [0.1] * 10) + series("b", [0.1] * 10) + series("c", [0.1] * 80) + back)
    assert told(found, "gateway-silent") == [("raised", 2, 24), ("cleared", 0, 50)]
    assert told(found, "sensor-silent") == []


def test_late_data_of_a_silent_gateway_clear_it_once_and_are_judged() -> None:
    watched = engine(PAIR)
    found = watched.observe(series("c", [0.1] * 10) + series("a", [0.1] * 10) + series("b", [0.1] * 10))
    found += watched.observe(series("c", [0.1] * 23, start=10)) + watched.advance(at(32))
    assert told(found, "gateway-silent") == [("raised", 2, 24)]
    kept = series("a", [0.1] * 12 + [30.0] * 10, start=10) + series("b", [0.1] * 22, start=10)
    late = watched.observe(kept) + watched.advance(at(33))
    assert told(late, "gateway-silent") == [("cleared", 0, 30)]
    assert told([each for each in late if each.rule == "gas-methane-level"], "methane-high") == [("raised", 3, 22)]
    assert told(late, "sensor-silent") == []
    assert watched.counts.late == 0
    rest = watched.observe([*series("c", [0.1] * 5, start=33), *series("a", [0.1] * 5, start=33)])
    assert [each.kind for each in rest + watched.advance(at(38))] == []


def test_episodes_of_a_silent_gateway_stay_as_they_are() -> None:
    found = judged(PAIR, series("a", [30.0] * 10) + series("b", [0.1] * 10) + series("c", [0.1] * 200))
    assert told(found, "methane-high") == [("raised", 3, 0)]


def test_event_driven_quantities_are_never_silent() -> None:
    scale = sensor("w", Lifeline.BRIDGE, "vehicle_weight")
    strain = sensor("s", Lifeline.BRIDGE, "strain")
    found = judged([scale, strain], [reading("w", 0, 12.0), *series("s", [1.0, 2.0] * 100)])
    assert found == []
