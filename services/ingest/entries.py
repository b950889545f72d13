"""The slow way through a payload in which something is wrong: find out what, and keep the rest. Pure."""

import json
import math
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from services.core import wire
from services.core.rejection import Rejection, RejectionReason
from services.core.store.gateway_sequences import BatchNumber
from services.ingest.message import Decoded, Message

_MAX_NAME = 64
"""Longer claims of being a sensor are cut; the whole claim is in the kept payload."""
_MISSING_OR_UNKNOWN = re.compile(r"Object (?:missing required|contains unknown) field `(?P<name>[^`]*)`")
_PLACE = re.compile(r" - at `\$\.(?P<name>[^`.\[]*)")
_COLUMNS = ("sensor", "time", "value", "unit", "quality")


def decode_entries(message: Message, topic: wire.ReadingsTopic, content: Any) -> Decoded:
    """Check a payload entry by entry; ``content`` is the payload as plain Python values."""
    units: list[str | None] = []
    qualities: list[int | None] = []
    decoded = Decoded(units=units, qualities=qualities)
    if isinstance(content, dict) and "readings" in content:
        content = _numbered(message, topic, content, decoded)
    count = _length(content)
    if count > wire.MAX_ENTRIES:
        decoded.rejections.append(_refuse(message, topic, too_many(count), RejectionReason.OVERSIZED))
        return decoded
    if isinstance(content, dict) and isinstance(content.get("time"), list):
        try:
            content = list(_rows(content))
        except ValueError as error:
            decoded.rejections.append(_refuse(message, topic, str(error)))
            content = []
    for entry in content if isinstance(content, list) else [content]:
        reading = _decode_entry(message, topic, entry, decoded)
        if reading is not None:
            decoded.sensors.append(topic.sensor or reading.sensor)
            decoded.times_us.append(wire.epoch_us(reading.time))
            decoded.values.append(reading.value)
            units.append(reading.unit)
            qualities.append(reading.quality)
    decoded.units = units if any(unit is not None for unit in units) else None
    decoded.qualities = qualities if any(quality is not None for quality in qualities) else None
    return decoded


def too_many(count: int) -> str:
    """Says that a message holds more entries than it may."""
    return f"payload: {count} readings are more than {wire.MAX_ENTRIES}"


def _length(content: Any) -> int:
    """How many entries the content stands for."""
    if isinstance(content, dict):
        return max((len(column) for column in content.values() if isinstance(column, list)), default=1)
    return len(content) if isinstance(content, list) else 1


def _refuse(
    message: Message,
    topic: wire.ReadingsTopic,
    detail: str,
    reason: RejectionReason = RejectionReason.BAD_FIELD,
) -> Rejection:
    sender = topic.gateway or topic.sensor
    return message.reject(reason, detail, sensor=topic.sensor, sender=sender)


def _numbered(message: Message, topic: wire.ReadingsTopic, content: dict[Any, Any], decoded: Decoded) -> Any:
    """What a numbered batch holds; its number is noted where it is one, and refused where it is not."""
    number, buffer = content.get("seq"), content.get("buffer", "")
    strangers = [str(name) for name in content if name not in {"seq", "buffer", "readings"}]
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= wire.MAX_BATCH_NUMBER:
        decoded.rejections.append(_refuse(message, topic, "seq: must be a whole number from 1 on"))
    elif not isinstance(buffer, str) or len(buffer) > _MAX_NAME:
        decoded.rejections.append(_refuse(message, topic, f"buffer: must be a name of at most {_MAX_NAME} characters"))
    elif topic.gateway is None:
        decoded.rejections.append(_refuse(message, topic, "seq: only a gateway numbers its batches"))
    else:
        decoded.batch_number = BatchNumber(topic.city, topic.gateway, buffer, number)
    if strangers:
        decoded.rejections.append(_refuse(message, topic, f"{strangers[0][:_MAX_NAME]}: is not a known field"))
    return content["readings"]


def _rows(columns: dict[Any, Any]) -> Iterator[dict[str, Any]]:
    """The entries that columns stand for.

    Raises:
        ValueError: a column is missing its place, is no list, or is of another length than the times.
    """
    length = len(columns["time"])
    for name, column in columns.items():
        if name not in _COLUMNS:
            raise ValueError(f"{str(name)[:_MAX_NAME]}: is not a known field")
        if column is not None and (not isinstance(column, list) or len(column) != length):
            raise ValueError(f"{name}: must be a list as long as that of the times, {length}")
    present = {name: column for name, column in columns.items() if column is not None}
    for values in zip(*present.values(), strict=True):
        row = dict(zip(present, values, strict=True))
        yield {name: value for name, value in row.items() if value is not None or name not in {"unit", "quality"}}


def _decode_entry(message: Message, topic: wire.ReadingsTopic, entry: Any, decoded: Decoded) -> Any:
    """The entry as a reading, or ``None`` when it was refused."""
    kind = wire.WireReading if topic.gateway is None else wire.WireGatewayReading
    try:
        reading = msgspec.convert(entry, kind, strict=True)
        refusal = _odd_number(reading)
    except (msgspec.ValidationError, OverflowError, ValueError, RecursionError) as error:
        refusal = _explain(entry, str(error))
    if refusal is None:
        return reading
    claimed = entry.get("sensor") if topic.gateway is not None and isinstance(entry, dict) else topic.sensor
    sensor = claimed[:_MAX_NAME] if isinstance(claimed, str) else None
    sender = topic.gateway or topic.sensor
    decoded.rejections.append(message.reject(*refusal, entry=_readable(entry), sensor=sensor, sender=sender))
    return None


def _odd_number(reading: wire.WireReading) -> tuple[RejectionReason, str] | None:
    if not math.isfinite(reading.value):
        return RejectionReason.NOT_FINITE, "value: is not a finite number"
    if not wire.EARLIEST_MS * 1000 <= wire.epoch_us(reading.time) <= wire.LATEST_MS * 1000:
        return RejectionReason.BAD_TIME, "time: lies before the year 2000 or after 9999"
    return None


def _explain(entry: Any, problem: str) -> tuple[RejectionReason, str]:
    """The reason and the field of what the decoder says of an entry."""
    if not isinstance(entry, dict):
        return RejectionReason.BAD_FIELD, f"payload: {problem}"
    named = _MISSING_OR_UNKNOWN.search(problem) or _PLACE.search(problem)
    name = named["name"] if named else "payload"
    value = entry.get("value")
    if name == "value" and isinstance(value, int) and not isinstance(value, bool):
        return RejectionReason.NOT_FINITE, f"value: {problem}"
    if name == "time" and entry.get("time") is not None:
        return RejectionReason.BAD_TIME, f"time: {problem}"
    return RejectionReason.BAD_FIELD, f"{name[:_MAX_NAME]}: {problem}"


def _readable(entry: Any) -> bytes:
    """The entry as JSON, so that a person can read it and it can be taken in again."""
    try:
        return json.dumps(entry, ensure_ascii=False, default=_iso).encode(errors="replace")
    except (TypeError, ValueError, RecursionError):
        return repr(entry).encode(errors="replace")


def _iso(value: Any) -> str:
    """A time that MessagePack has a type of its own for."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError
