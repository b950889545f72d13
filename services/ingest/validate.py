"""Decoded readings become rows, or rejections when the register or the clock speaks against them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.core import wire
from services.core.reading import Quality
from services.core.rejection import Rejection, RejectionReason
from services.core.store.readings import ReadingRow, SensorRow
from services.ingest.decode import Decoded, Message

OUT_OF_RANGE = "out-of-range"
"""Reason of a bad value outside the sensor's plausible range."""
SAID_BY_DEVICE = "device"
"""Reason of a value that the device itself called suspect or bad."""


@dataclass(frozen=True, slots=True)
class ClockLimits:
    """How far a reading's time may lie ahead of the moment it was received, and how far behind."""

    ahead: timedelta
    behind: timedelta


@dataclass(frozen=True, slots=True)
class Checked:
    """What is to be stored of one message."""

    message: Message
    rows: list[ReadingRow]
    rejections: list[Rejection]


def validate(decoded: Decoded, message: Message, sensors: Mapping[str, SensorRow], limits: ClockLimits) -> Checked:
    """Check each reading against its sensor and the clock.

    A value outside the plausible range is kept and marked bad, because it tells of a broken device.
    """
    rows: list[ReadingRow] = []
    rejections = list(decoded.rejections)
    received_at = message.received_at
    earliest, newest = received_at - limits.behind, received_at + limits.ahead
    for name, reading in decoded.readings:
        sensor = sensors.get(name)
        if sensor is None:
            refusal = (RejectionReason.UNKNOWN_SENSOR, f"sensor: {name} is not registered")
        elif reading.unit is not None and reading.unit != sensor.unit:
            refusal = (RejectionReason.WRONG_UNIT, f"unit: {reading.unit} is not the declared {sensor.unit}")
        elif not earliest <= reading.time <= newest:
            refusal = (RejectionReason.BAD_TIME, _explain_time(reading.time, received_at))
        else:
            rows.append(_row(reading, sensor, received_at))
            continue
        rejections.append(message.reject(*refusal, entry=wire.encode_reading(reading), sensor=name))
    return Checked(message, rows, rejections)


def _row(reading: wire.WireReading, sensor: SensorRow, received_at: datetime) -> ReadingRow:
    quality, reason = Quality.GOOD, None
    if not sensor.plausible_low <= reading.value <= sensor.plausible_high:
        quality, reason = Quality.BAD, OUT_OF_RANGE
    elif reading.quality:
        quality, reason = Quality(reading.quality), SAID_BY_DEVICE
    return ReadingRow(sensor.key, sensor.zone, reading.time, reading.value, quality, reason, received_at)


def _explain_time(time: datetime, received_at: datetime) -> str:
    side = "ahead of" if time > received_at else "behind"
    return f"time: {time.isoformat()} is {abs(time - received_at)} {side} the service's clock"
