"""A message becomes readings, and rejections for what cannot become one. Pure; bad bytes never raise."""

import math
from collections.abc import Sequence
from datetime import datetime

from msgspec import UNSET, MsgspecError

from services.core import wire
from services.core.rejection import RejectionReason
from services.core.store.gateway_sequences import BatchNumber
from services.ingest import sensorthings, windows
from services.ingest.entries import decode_entries, too_many
from services.ingest.message import Decoded, Message
from services.ingest.payload import Codec, PayloadError, unpack

_NOT_AS_PUBLISHED = (MsgspecError, ValueError, OverflowError, RecursionError)
"""How the decoders say that a payload is not one of those in the contract; then the slow way finds out why."""
_EARLIEST_US = wire.EARLIEST_MS * 1000
_LATEST_US = wire.LATEST_MS * 1000


def decode(message: Message) -> Decoded:
    """Read a message by the wire contract: each entry becomes either a reading or a rejection."""
    if len(message.payload) > wire.MAX_PAYLOAD_BYTES:
        detail = f"payload: {len(message.payload)} bytes are more than {wire.MAX_PAYLOAD_BYTES}"
        return _refused(message, wire.parse_readings_topic(message.topic), RejectionReason.OVERSIZED, detail)
    topic = wire.parse_readings_topic(message.topic)
    if topic is not None:
        return _decode_readings(message, topic)
    gateway = wire.parse_windows_topic(message.topic)
    if gateway is not None:
        return windows.decode_window(message, gateway)
    if sensorthings.is_observation(message.topic):
        return sensorthings.decode_observation(message)
    return _refused(message, None, RejectionReason.BAD_TOPIC, "topic: does not follow the readings grammar")


def _refused(message: Message, topic: wire.ReadingsTopic | None, reason: RejectionReason, detail: str) -> Decoded:
    sensor = topic.sensor if topic else None
    sender = (topic.gateway or topic.sensor) if topic else None
    return Decoded(rejections=[message.reject(reason, detail, sensor=sensor, sender=sender)])


def _decode_readings(message: Message, topic: wire.ReadingsTopic) -> Decoded:
    try:
        content, codec = unpack(message.payload, message.content_type)
    except PayloadError as error:
        return _refused(message, topic, error.reason, str(error))
    try:
        decoded = _strictly(codec, content, topic)
        if len(decoded.sensors) > wire.MAX_ENTRIES:
            return _refused(message, topic, RejectionReason.OVERSIZED, too_many(len(decoded.sensors)))
        _check_numbers(decoded)
    except _NOT_AS_PUBLISHED:
        try:
            decoded = decode_entries(message, topic, codec.anything(content))
        except PayloadError as error:
            return _refused(message, topic, error.reason, str(error))
    decoded.gateway = topic.gateway
    decoded.sender = topic.gateway or topic.sensor
    return decoded


def _check_numbers(decoded: Decoded) -> None:
    """Look for what the decoders let through; a sum finds one odd value at the price of a few nanoseconds each."""
    if decoded.values and not math.isfinite(sum(decoded.values)):
        raise ValueError("a value is not finite")
    if decoded.times_us and not _EARLIEST_US <= min(decoded.times_us) <= max(decoded.times_us) <= _LATEST_US:
        raise ValueError("a time is absurd")


def _strictly(codec: Codec, content: bytes, topic: wire.ReadingsTopic) -> Decoded:
    if topic.sensor is not None:
        return _of_sensor(codec, content, topic.sensor)
    if codec.is_array(content):
        return _of_entries(codec.gateway_readings.decode(content))
    shape = codec.shape.decode(content)
    if shape.readings is UNSET:
        return _of_gateway(codec, content, shape)
    numbered = codec.numbered_shape.decode(content)
    inner = bytes(numbered.readings)
    if codec.is_array(inner):
        decoded = _of_entries(codec.gateway_readings.decode(inner))
    else:
        decoded = _of_columns(codec.gateway_columns.decode(inner), None)
    decoded.batch_number = BatchNumber(topic.city, str(topic.gateway), numbered.buffer, numbered.seq)
    return decoded


def _of_sensor(codec: Codec, content: bytes, sensor: str) -> Decoded:
    if codec.is_array(content):
        readings = codec.readings.decode(content)
        return _columns([sensor] * len(readings), readings)
    try:
        reading = codec.reading.decode(content)
    except MsgspecError:
        return _of_columns(codec.columns.decode(content), sensor)
    unit, quality = reading.unit, reading.quality
    return Decoded(
        [sensor],
        [wire.epoch_us(reading.time)],
        [reading.value],
        None if unit is None else [unit],
        None if quality is None else [quality],
    )


def _of_gateway(codec: Codec, content: bytes, shape: wire.Shape) -> Decoded:
    if shape.time is not UNSET and codec.is_array(bytes(shape.time)):
        return _of_columns(codec.gateway_columns.decode(content), None)
    return _of_entries([codec.gateway_reading.decode(content)])


def _of_entries(readings: Sequence[wire.WireGatewayReading]) -> Decoded:
    return _columns([reading.sensor for reading in readings], readings)


def _columns(sensors: list[str], readings: Sequence[wire.WireReading]) -> Decoded:
    units = [reading.unit for reading in readings]
    qualities = [reading.quality for reading in readings]
    return Decoded(
        sensors,
        _times_us([reading.time for reading in readings]),
        [reading.value for reading in readings],
        units if any(unit is not None for unit in units) else None,
        qualities if any(quality is not None for quality in qualities) else None,
    )


def _of_columns(columns: wire.WireColumns, sensor: str | None) -> Decoded:
    length = len(columns.time)
    sensors = columns.sensor if isinstance(columns, wire.WireGatewayColumns) else [str(sensor)] * length
    lengths = {len(column) for column in (columns.value, sensors, columns.unit, columns.quality) if column is not None}
    if lengths != {length}:
        raise ValueError("the columns are not of one length")
    return Decoded(sensors, _times_us(columns.time), columns.value, columns.unit, columns.quality)


def _times_us(times: Sequence[datetime | float]) -> list[int]:
    return [time * 1000 if type(time) is int else wire.epoch_us(time) for time in times]
