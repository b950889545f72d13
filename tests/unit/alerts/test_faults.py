"""Sensors that lie."""

import numpy as np

from services.core.lifeline import Lifeline
from services.core.reading import Quality
from services.core.sensor import Sensor
from tests.unit.alerts.stream import at, judged, reading, sensor, series, told

PRESSURE = sensor("p1", quantity="gas_pressure")


def _lively(count: int, seed: int = 3) -> list[float]:
    rng = np.random.default_rng(seed)
    return [200 + float(rng.normal(0, 1)) for _ in range(count)]


def test_a_value_that_stands_still_is_noticed_after_an_hour() -> None:
    found = judged([PRESSURE], series("p1", [*_lively(200), *[201.5] * 90, *_lively(5)]))
    assert told(found, "sensor-stuck") == [("raised", 1, 260), ("cleared", 0, 290)]
    assert found[0].started_at == at(200)
    assert "for 60 min" in found[0].explanation.en


def test_a_coarse_sensor_may_repeat_itself() -> None:
    coarse = [float(round(value)) for value in _lively(3000)]
    assert judged([PRESSURE], series("p1", coarse)) == []


def test_dry_roads_no_rain_and_idle_pumps_are_no_fault() -> None:
    for quantity in ("road_depth", "rain_intensity", "pump_current", "manhole_level"):
        calm: Sensor = sensor("d1", Lifeline.DRAINAGE, quantity)
        wet = [0.0] * 500 + [float(minute % 9) for minute in range(300)] + [0.0] * 2000
        found = judged([calm], series("d1", wet))
        assert [each.kind for each in found if each.kind.startswith("sensor-")] == []


def test_one_implausible_value_is_a_slip_and_two_are_a_fault() -> None:
    slip = series("p1", [*_lively(20), -9999.0, *_lively(20)])
    assert judged([PRESSURE], slip) == []
    lying = [
        reading("p1", minute, -9999.0 if minute in {20, 22} else 200 + minute % 3, _quality(minute))
        for minute in range(60)
    ]
    assert told(judged([PRESSURE], lying), "sensor-out-of-range") == [("raised", 1, 22), ("cleared", 0, 37)]


def _quality(minute: int) -> Quality:
    return Quality.BAD if minute in {20, 22} else Quality.GOOD


def test_values_marked_bad_by_the_device_are_a_fault_too() -> None:
    marked = [reading("p1", minute, 200.0 + minute % 2, Quality.BAD) for minute in range(5)]
    assert told(judged([PRESSURE], marked), "sensor-out-of-range") == [("raised", 1, 1)]


def test_isolated_jumps_are_noticed() -> None:
    jumping = [
        value + (300 if position > 60 and position % 5 == 0 else 0) for position, value in enumerate(_lively(90))
    ]
    [finding] = judged([PRESSURE], series("p1", jumping))
    assert finding.kind == "sensor-spiky"


def test_what_a_truck_scale_says_is_not_spiky() -> None:
    scale = sensor("w1", Lifeline.BRIDGE, "vehicle_weight")
    passing = [3.0 + (40.0 if position % 4 == 0 else 0) for position in range(200)]
    assert judged([scale], series("w1", passing)) == []
