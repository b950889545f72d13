"""Decoded readings are held against the register and the clock: rows, or rejections that say why not. Pure.

It is done in two steps. What needs the sensor's entry in the register is done message by message (``resolve``), what
is arithmetic for a whole batch at once (``judge``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.core.reading import Quality, QualityReason
from services.core.rejection import Rejection, RejectionReason
from services.core.store.readings import ReadingColumns, SensorRow, epoch_us, moment
from services.core.units import conversion
from services.core.vibration_window import VibrationWindow
from services.core.wire import NAME
from services.ingest.message import Decoded, Message
from services.ingest.sensor_table import SensorTable
from services.ingest.windows import window_of

_NONE = -1
"""No sensor has this key."""


@dataclass(frozen=True, slots=True)
class ClockLimits:
    """How far a reading's time may lie from the moment it was received.

    Further ``ahead`` or ``behind`` it is refused. It is marked when it is ahead by more than ``trusted_ahead``, or
    ``late`` by more than that.
    """

    ahead: timedelta
    behind: timedelta
    trusted_ahead: timedelta = timedelta(seconds=5)
    late: timedelta = timedelta(hours=1)


@dataclass(slots=True)
class Resolved:
    """One message: the readings of registered sensors as columns, and what was refused.

    ``unknown`` says that a sensor is not in the register; it may have been registered a moment ago.
    """

    message: Message
    decoded: Decoded
    names: list[str]
    keys: list[int]
    times_us: list[int]
    values: list[float]
    qualities: list[int]
    rejections: list[Rejection]
    unknown: bool = False
    window: VibrationWindow | None = None


def resolve(decoded: Decoded, message: Message, sensors: SensorTable) -> Resolved:
    """Find each reading's sensor, and bring its value into the sensor's unit."""
    if decoded.window is not None:
        return _resolve_window(decoded, message, sensors)
    known = sensors.keys if decoded.gateway is None else sensors.keys_of_gateway.get(decoded.gateway, {})
    keys = [known.get(name, _NONE) for name in decoded.sensors]
    if decoded.units is not None or sensors.converts or _NONE in keys:
        return _resolve_each(decoded, message, [sensors.rows.get(name) for name in decoded.sensors])
    qualities = [0] * len(keys) if decoded.qualities is None else [quality or 0 for quality in decoded.qualities]
    return Resolved(
        message, decoded, decoded.sensors, keys, decoded.times_us, decoded.values, qualities, decoded.rejections
    )


def _resolve_window(decoded: Decoded, message: Message, sensors: SensorTable) -> Resolved:
    """Find the sensors of all channels; a window is taken as a whole or not at all."""
    resolved = Resolved(message, decoded, [], [], [], [], [], list(decoded.rejections))
    window, gateway = decoded.window, decoded.gateway
    if window is None or gateway is None:
        return resolved
    rows = [sensors.rows.get(channel.sensor) for channel in window.channels]
    for channel, row in zip(window.channels, rows, strict=True):
        converted = _converted(1.0, window.unit, row)
        refusal = _refusal(channel.sensor, row, window.unit, gateway, converted)
        if refusal is not None:
            resolved.unknown = row is None
            resolved.rejections.append(message.reject(*refusal, sensor=channel.sensor[:128], sender=gateway))
            return resolved
    known = [row for row in rows if row is not None]
    if len({row.zone for row in known}) > 1:
        detail = "sensor: the channels stand in several zones"
        resolved.rejections.append(message.reject(RejectionReason.BAD_FIELD, detail, sender=gateway))
        return resolved
    resolved.window = window_of(window, gateway, known, message.received_at)
    return resolved


def _resolve_each(decoded: Decoded, message: Message, rows: Sequence[SensorRow | None]) -> Resolved:
    resolved = Resolved(message, decoded, [], [], [], [], [], list(decoded.rejections))
    units = decoded.units or [None] * len(rows)
    qualities = decoded.qualities or [None] * len(rows)
    columns = zip(decoded.sensors, rows, decoded.times_us, decoded.values, units, qualities, strict=True)
    for name, row, time_us, value, unit, quality in columns:
        converted = _converted(value, unit, row)
        refusal = _refusal(name, row, unit, decoded.gateway, converted)
        if refusal is not None:
            entry = _entry(name, time_us, value, unit, quality, with_sensor=decoded.gateway is not None)
            resolved.unknown = resolved.unknown or row is None
            resolved.rejections.append(message.reject(*refusal, entry=entry, sensor=name[:128], sender=decoded.sender))
        elif row is not None and converted is not None:
            resolved.names.append(name)
            resolved.keys.append(row.key)
            resolved.times_us.append(time_us)
            resolved.values.append(converted)
            resolved.qualities.append(quality or 0)
    return resolved


def _converted(value: float, unit: str | None, row: SensorRow | None) -> float | None:
    """The value in the declared unit; ``None`` where the unit is of another kind."""
    if row is None:
        return None
    sent = unit or row.device_unit
    if sent is None or sent == row.unit:
        return value
    found = conversion(sent, row.unit)
    return None if found is None else found.apply(value)


def _refusal(
    name: str, row: SensorRow | None, unit: str | None, gateway: str | None, converted: float | None
) -> tuple[RejectionReason, str] | None:
    if row is None:
        if gateway is not None and NAME.match(name) is None:
            return RejectionReason.BAD_FIELD, "sensor: must be letters, digits, _ . and -, 64 at the most"
        return RejectionReason.UNKNOWN_SENSOR, f"sensor: {name[:128]} is not registered"
    if gateway is not None and row.gateway != gateway:
        owner = "no gateway" if row.gateway is None else row.gateway
        return RejectionReason.NOT_YOURS, f"sensor: {name} belongs to {owner}, not to {gateway}"
    if converted is None:
        return RejectionReason.WRONG_UNIT, f"unit: {unit or row.device_unit} cannot be converted to {row.unit}"
    return None


def _entry(name: str, time_us: int, value: float, unit: str | None, quality: int | None, *, with_sensor: bool) -> bytes:
    """The reading as the wire contract writes it, so that it can be taken in again."""
    optional = {"sensor": name if with_sensor else None, "unit": unit, "quality": quality}
    given = {field: content for field, content in optional.items() if content is not None}
    return msgspec.json.encode({**given, "time": moment(time_us), "value": value})


@dataclass(frozen=True, slots=True)
class Judged:
    """A batch that is fit for the tables, and what the clock refused of it."""

    readings: ReadingColumns
    rejections: list[Rejection]
    windows: Sequence[VibrationWindow] = ()


def judge(parts: Sequence[Resolved], sensors: SensorTable, limits: ClockLimits) -> Judged:
    """Hold a batch against the plausible ranges and the clock.

    A value outside the plausible range is kept and marked bad, because it tells of a broken device.
    """
    lengths = np.array([len(part.keys) for part in parts], np.int64)
    received_us = np.repeat(np.array([epoch_us(part.message.received_at) for part in parts], np.int64), lengths)
    keys = np.array(list(chain.from_iterable(part.keys for part in parts)), np.int32)
    times_us = np.array(list(chain.from_iterable(part.times_us for part in parts)), np.int64)
    values = np.array(list(chain.from_iterable(part.values for part in parts)), np.float64)
    qualities = np.array(list(chain.from_iterable(part.qualities for part in parts)), np.int16)

    ahead_us = times_us - received_us
    taken = (ahead_us <= _us(limits.ahead)) & (ahead_us >= -_us(limits.behind))
    reasons = np.where(qualities > 0, QualityReason.DEVICE.code, 0).astype(np.int16)
    reasons[(ahead_us < -_us(limits.late)) & (reasons == 0)] = QualityReason.LATE.code
    _mark(ahead_us > _us(limits.trusted_ahead), Quality.SUSPECT, QualityReason.CLOCK_AHEAD, qualities, reasons)
    implausible = (values < sensors.plausible_low[keys]) | (values > sensors.plausible_high[keys])
    _mark(implausible, Quality.BAD, QualityReason.OUT_OF_RANGE, qualities, reasons)

    readings = ReadingColumns(
        keys, sensors.zones[keys], sensors.zone_names, times_us, values, qualities, reasons, received_us
    )
    windows, refused = _judge_windows(parts, limits)
    if taken.all():
        return Judged(readings, refused, windows)
    refused += [_refuse_time(parts, lengths, int(row)) for row in np.flatnonzero(~taken)]
    return Judged(readings.take(np.flatnonzero(taken)), refused, windows)


def _judge_windows(parts: Sequence[Resolved], limits: ClockLimits) -> tuple[list[VibrationWindow], list[Rejection]]:
    """Hold the end of each window against the clock, as it was received when its last sample had been taken."""
    taken, refused = [], []
    for part in parts:
        window = part.window
        if window is None:
            continue
        ahead = window.ended_at - part.message.received_at
        if -limits.behind <= ahead <= limits.ahead:
            taken.append(window)
        else:
            side = "ahead of" if ahead > timedelta(0) else "behind"
            detail = f"start: the window ends {abs(ahead)} {side} the service's clock"
            refused.append(part.message.reject(RejectionReason.BAD_TIME, detail, sender=window.gateway))
    return taken, refused


def _mark(
    where: NDArray[np.bool_],
    quality: Quality,
    reason: QualityReason,
    qualities: NDArray[np.int16],
    reasons: NDArray[np.int16],
) -> None:
    """Lower the quality there, unless it is lower already."""
    worse = where & (qualities < quality)
    qualities[worse] = quality
    reasons[worse] = reason.code


def _refuse_time(parts: Sequence[Resolved], lengths: NDArray[np.int64], row: int) -> Rejection:
    ends = np.cumsum(lengths)
    index = int(np.searchsorted(ends, row, side="right"))
    part, position = parts[index], row - int(ends[index] - lengths[index])
    time, received_at = moment(part.times_us[position]), part.message.received_at
    side = "ahead of" if time > received_at else "behind"
    detail = f"time: {time.isoformat()} is {abs(time - received_at)} {side} the service's clock"
    gateway = part.decoded.gateway is not None
    name = part.names[position]
    entry = _entry(name, part.times_us[position], part.values[position], None, None, with_sensor=gateway)
    return part.message.reject(RejectionReason.BAD_TIME, detail, entry=entry, sensor=name, sender=part.decoded.sender)


def _us(duration: timedelta) -> int:
    return duration // timedelta.resolution
