"""Readings are held against their sensor and the clock."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from services.core import wire
from services.core.reading import Quality, QualityReason
from services.core.rejection import Rejection, RejectionReason
from services.core.store.readings import ReadingColumns, SensorRow, epoch_us
from services.ingest.check import ClockLimits, judge, resolve
from services.ingest.message import Decoded, Message
from services.ingest.sensor_table import SensorTable

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SENSORS = SensorTable.of(
    {
        "p1": SensorRow(7, "north", "kPa", 0.0, 1000.0, gateway="g1"),
        "p2": SensorRow(9, "south", "kPa", 0.0, 1000.0, device_unit="bar", address="sparkplug:a/b/c"),
        "m1": SensorRow(3, "north", "%LEL", 0.0, 100.0),
    }
)
LIMITS = ClockLimits(timedelta(minutes=5), timedelta(days=10), timedelta(seconds=5), timedelta(hours=1))


def check(
    sensor: str = "p1",
    time: datetime = NOW,
    value: float = 500.0,
    *,
    unit: str | None = None,
    quality: int | None = None,
    gateway: str | None = None,
) -> tuple[ReadingColumns, list[Rejection]]:
    units: list[str | None] | None = None if unit is None else [unit]
    qualities: list[int | None] | None = None if quality is None else [quality]
    message = Message(wire.sensor_readings_topic("test", "p1"), b"", NOW)
    decoded = Decoded([sensor], [epoch_us(time)], [value], units, qualities, gateway=gateway)
    resolved = resolve(decoded, message, SENSORS)
    judged = judge([resolved], SENSORS, LIMITS)
    return judged.readings, [*resolved.rejections, *judged.rejections]


def mark(readings: ReadingColumns) -> tuple[Quality, QualityReason | None]:
    return Quality(int(readings.qualities[0])), QualityReason.of_code(int(readings.reasons[0]))


def test_a_good_reading_goes_under_its_sensors_key_and_zone() -> None:
    readings, rejections = check(unit="kPa")
    assert rejections == []
    assert readings.sensor_keys.tolist() == [7]
    assert readings.zone_names[readings.zones[0]] == "north"
    assert readings.times_us.tolist() == readings.received_us.tolist() == [epoch_us(NOW)]
    assert readings.values.tolist() == [500.0]
    assert mark(readings) == (Quality.GOOD, None)


@pytest.mark.parametrize("value", [-0.1, 1000.1])
def test_an_implausible_value_is_kept_and_marked_bad(value: float) -> None:
    readings, _ = check(value=value, quality=1)
    assert mark(readings) == (Quality.BAD, QualityReason.OUT_OF_RANGE)


@pytest.mark.parametrize("value", [0.0, 1000.0])
def test_the_ends_of_the_plausible_range_are_plausible(value: float) -> None:
    assert mark(check(value=value)[0])[0] is Quality.GOOD


def test_the_devices_own_doubt_is_respected() -> None:
    assert mark(check(quality=1)[0]) == (Quality.SUSPECT, QualityReason.DEVICE)


@pytest.mark.parametrize("late", [timedelta(minutes=5), -timedelta(days=10)])
def test_a_time_at_the_limits_is_taken(late: timedelta) -> None:
    assert check(time=NOW + late)[1] == []


@pytest.mark.parametrize("late", [timedelta(minutes=5, seconds=1), -timedelta(days=10, seconds=1)])
def test_a_time_beyond_the_limits_is_refused_with_what_was_sent(late: timedelta) -> None:
    readings, (rejection,) = check(time=NOW + late)
    assert len(readings) == 0
    assert rejection.reason is RejectionReason.BAD_TIME
    assert rejection.detail.startswith("time: ")
    assert json.loads(rejection.payload)["value"] == 500.0


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (timedelta(seconds=5), (Quality.GOOD, None)),
        (timedelta(seconds=6), (Quality.SUSPECT, QualityReason.CLOCK_AHEAD)),
        (-timedelta(hours=1), (Quality.GOOD, None)),
        (-timedelta(hours=1, seconds=1), (Quality.GOOD, QualityReason.LATE)),
    ],
)
def test_a_time_that_is_odd_within_the_limits_is_marked(
    late: timedelta, expected: tuple[Quality, QualityReason | None]
) -> None:
    assert mark(check(time=NOW + late)[0]) == expected


def test_an_unknown_sensor_is_refused() -> None:
    _, (rejection,) = check(sensor="p3")
    assert rejection.reason is RejectionReason.UNKNOWN_SENSOR
    assert rejection.sensor == "p3"


def test_a_sensor_of_another_gateway_is_refused_and_both_are_named() -> None:
    _, (rejection,) = check(gateway="g2")
    assert rejection.reason is RejectionReason.NOT_YOURS
    assert rejection.detail == "sensor: p1 belongs to g1, not to g2"
    assert check(gateway="g1")[1] == []


def test_a_sensor_that_reports_by_itself_belongs_to_no_gateway() -> None:
    _, (rejection,) = check(sensor="m1", gateway="g1")
    assert rejection.reason is RejectionReason.NOT_YOURS


def test_a_unit_of_another_kind_is_refused_and_names_both() -> None:
    _, (rejection,) = check(unit="m3/h")
    assert rejection.reason is RejectionReason.WRONG_UNIT
    assert rejection.detail == "unit: m3/h cannot be converted to kPa"


@pytest.mark.parametrize(
    ("sensor", "value", "unit", "expected"),
    [
        ("p1", 0.5, "MPa", 500.0),
        ("p1", 5.0, "bar", 500.0),
        ("p2", 5.0, None, 500.0),
        ("p2", 500.0, "kPa", 500.0),
        ("sparkplug:a/b/c", 5.0, None, 500.0),
        ("m1", 20.0, "%LEL", 20.0),
    ],
)
def test_a_value_is_brought_into_the_declared_unit(
    sensor: str, value: float, unit: str | None, expected: float
) -> None:
    readings, rejections = check(sensor=sensor, value=value, unit=unit)
    assert rejections == []
    assert readings.values[0] == pytest.approx(expected)


def test_a_batch_of_many_messages_keeps_each_reading_with_its_own_message() -> None:
    parts = []
    for number in range(3):
        times = [epoch_us(NOW + timedelta(seconds=number)), epoch_us(NOW - timedelta(days=20))]
        decoded = Decoded(["p1", "m1"], times, [float(number), 1.0])
        message = Message(f"topic-{number}", b"", NOW + timedelta(seconds=number))
        parts.append(resolve(decoded, message, SENSORS))
    judged = judge(parts, SENSORS, LIMITS)
    assert judged.readings.values.tolist() == [0.0, 1.0, 2.0]
    assert np.array_equal(judged.readings.times_us, judged.readings.received_us)
    assert [(rejection.topic, rejection.sensor) for rejection in judged.rejections] == [
        (f"topic-{number}", "m1") for number in range(3)
    ]
