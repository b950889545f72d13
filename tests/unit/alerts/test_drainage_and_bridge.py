"""Water on roads, trucks on bridges."""

from services.core.design_limits import design_limits
from services.core.lifeline import Lifeline
from services.core.severity import Severity
from tests.unit.alerts.stream import at, engine, judged, reading, sensor, series, told, with_limits

POST = sensor("r1", Lifeline.DRAINAGE, "road_depth")
SCALE = sensor("w1", Lifeline.BRIDGE, "vehicle_weight")


def test_waterlogging_has_three_grades() -> None:
    depths = [0.0, 5.0, 15.0, 20.0, 27.5, 30.0, 41.0]
    found = [each for each in judged([POST], series("r1", depths)) if each.rule == "drainage-road-depth"]
    assert told(found, "waterlogging") == [("raised", 2, 2), ("changed", 3, 4), ("changed", 4, 6)]
    assert {each.started_at for each in found} == {at(2)}


def test_water_that_skips_two_grades_raises_the_highest_at_once() -> None:
    [finding] = judged([POST], series("r1", [0.0, 0.0, 44.0]))
    assert (finding.severity, finding.time) == (Severity.CRITICAL, at(2))
    assert [each["raise_at"] for each in finding.evidence["reached"]] == [15, 27, 40]


def test_fast_rising_water_is_noticed_before_the_first_grade() -> None:
    found = judged([POST], series("r1", [0, 0, 1, 3, 5, 7, 9, 11, 13]))
    [rising] = [each for each in found if each.rule == "drainage-rising-fast"]
    assert rising.value is not None
    assert rising.value < 15


def test_an_overweight_truck_is_told_at_once_and_leaves() -> None:
    found = judged([SCALE], series("w1", [12.0, 82.0, 9.0]))
    assert told(found, "overload") == [("raised", 3, 1), ("cleared", 0, 2)]
    assert "82 t" in found[0].explanation.en


def test_a_bridges_own_design_value_decides() -> None:
    plain = sensor("s1", Lifeline.BRIDGE, "strain")
    assert judged([plain], series("s1", [900.0, 901.0])) == []
    declared = with_limits(plain, *design_limits(180))
    found = judged([declared], series("s1", [100.0, 150.0, 185.0]))
    assert told(found, "structure-limit") == [("raised", 2, 1), ("changed", 3, 2)]


def test_sensors_of_another_zone_are_counted_and_left_alone() -> None:
    watched = engine([POST])
    assert watched.observe([reading("elsewhere", 0, 99.0)]) == []
    assert watched.counts.unknown == 1
