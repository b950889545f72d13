"""Readings are held against their sensor and the clock."""

from datetime import UTC, datetime, timedelta

import pytest

from services.core import wire
from services.core.reading import Quality
from services.core.rejection import RejectionReason
from services.core.store.readings import SensorRow
from services.ingest.decode import Decoded, Message
from services.ingest.validate import Checked, ClockLimits, validate

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SENSORS = {"p1": SensorRow(7, "north", "kPa", 0.0, 1000.0)}
LIMITS = ClockLimits(ahead=timedelta(minutes=5), behind=timedelta(days=10))


def check(sensor: str = "p1", time: datetime = NOW, value: float = 500.0, **more: object) -> Checked:
    reading = wire.WireReading.model_validate({"time": time.isoformat(), "value": value, **more})
    message = Message(wire.sensor_readings_topic("test", sensor), b"", NOW)
    return validate(Decoded([(sensor, reading)]), message, SENSORS, LIMITS)


def test_a_good_reading_goes_under_its_sensors_key_and_zone() -> None:
    assert check(unit="kPa").rows == [(7, "north", NOW, 500.0, Quality.GOOD, None, NOW)]


@pytest.mark.parametrize("value", [-0.1, 1000.1])
def test_an_implausible_value_is_kept_and_marked_bad(value: float) -> None:
    (row,) = check(value=value, quality=1).rows
    assert (row.quality, row.reason) == (Quality.BAD, "out-of-range")


@pytest.mark.parametrize("value", [0.0, 1000.0])
def test_the_ends_of_the_plausible_range_are_plausible(value: float) -> None:
    assert check(value=value).rows[0].quality is Quality.GOOD


def test_the_devices_own_doubt_is_respected() -> None:
    (row,) = check(quality=1).rows
    assert (row.quality, row.reason) == (Quality.SUSPECT, "device")


@pytest.mark.parametrize("late", [timedelta(minutes=5), -timedelta(days=10)])
def test_a_time_at_the_limits_is_taken(late: timedelta) -> None:
    assert check(time=NOW + late).rejections == []


@pytest.mark.parametrize("late", [timedelta(minutes=5, seconds=1), -timedelta(days=10, seconds=1)])
def test_a_time_beyond_the_limits_is_refused(late: timedelta) -> None:
    (rejection,) = check(time=NOW + late).rejections
    assert rejection.reason is RejectionReason.BAD_TIME
    assert rejection.detail.startswith("time: ")


def test_an_unknown_sensor_is_refused() -> None:
    (rejection,) = check(sensor="p2").rejections
    assert rejection.reason is RejectionReason.UNKNOWN_SENSOR
    assert rejection.sensor == "p2"


def test_another_unit_is_refused_and_names_both() -> None:
    (rejection,) = check(unit="MPa").rejections
    assert rejection.reason is RejectionReason.WRONG_UNIT
    assert rejection.detail == "unit: MPa is not the declared kPa"
