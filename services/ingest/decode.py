"""A message becomes readings, and rejections for what cannot become one. Pure; bad bytes never raise."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from services.core import wire
from services.core.rejection import Rejection, RejectionReason
from services.core.store.rejections import MAX_PAYLOAD_BYTES as MAX_KEPT_BYTES

_MAX_NAME = 64
"""Longer claims of being a sensor are cut; the whole claim is in the kept payload."""

_SENSOR_BATCH = TypeAdapter(list[wire.WireReading])
_GATEWAY_BATCH = TypeAdapter(list[wire.WireGatewayReading])


@dataclass(frozen=True, slots=True)
class Message:
    """What the broker delivered, and when."""

    topic: str
    payload: bytes
    received_at: datetime

    def reject(
        self, reason: RejectionReason, detail: str, *, entry: bytes | None = None, sensor: str | None = None
    ) -> Rejection:
        """Set the message, or one entry of it, aside; what is kept of the bytes is cut."""
        kept = self.payload if entry is None else entry
        return Rejection(self.topic, kept[:MAX_KEPT_BYTES], reason, detail, self.received_at, sensor)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Readings with the sensor each belongs to, and what was refused of the message."""

    readings: list[tuple[str, wire.WireReading]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


def decode(message: Message) -> Decoded:
    """Read a message by the wire contract: each entry becomes either a reading or a rejection."""
    topic = wire.parse_readings_topic(message.topic)
    if topic is None:
        refused = message.reject(RejectionReason.BAD_TOPIC, "topic: does not follow the readings grammar")
    elif len(message.payload) > wire.MAX_PAYLOAD_BYTES:
        detail = f"payload: {len(message.payload)} bytes are more than {wire.MAX_PAYLOAD_BYTES}"
        refused = message.reject(RejectionReason.OVERSIZED, detail, sensor=topic.sensor)
    else:
        return _decode_payload(message, topic.sensor)
    return Decoded(rejections=[refused])


def _decode_payload(message: Message, sensor: str | None) -> Decoded:
    try:
        if sensor is None:
            return Decoded([(entry.sensor, entry) for entry in _GATEWAY_BATCH.validate_json(message.payload)])
        if message.payload.lstrip()[:1] == b"[":
            return Decoded([(sensor, entry) for entry in _SENSOR_BATCH.validate_json(message.payload)])
        return Decoded([(sensor, wire.WireReading.model_validate_json(message.payload))])
    except ValidationError:
        return _decode_entries(message, sensor)


def _decode_entries(message: Message, sensor: str | None) -> Decoded:
    """The slow way, taken when something in the payload is wrong: find out what, and keep the rest."""
    try:
        content = from_json(message.payload)
    except ValueError as error:
        return Decoded(rejections=[message.reject(RejectionReason.BAD_JSON, f"payload: {error}", sensor=sensor)])
    if not isinstance(content, list):
        if sensor is None:
            detail = "payload: must be an array of readings"
            return Decoded(rejections=[message.reject(RejectionReason.BAD_FIELD, detail)])
        content = [content]
    decoded = Decoded()
    for entry in content:
        _decode_entry(message, sensor, entry, decoded)
    return decoded


def _decode_entry(message: Message, sensor: str | None, entry: Any, decoded: Decoded) -> None:
    # As JSON again, because JSON and Python values are checked by slightly different rules.
    kept = json.dumps(entry, ensure_ascii=False).encode()
    try:
        if sensor is None:
            named = wire.WireGatewayReading.model_validate_json(kept)
            decoded.readings.append((named.sensor, named))
        else:
            decoded.readings.append((sensor, wire.WireReading.model_validate_json(kept)))
    except ValidationError as error:
        reason, detail = _explain(error)
        named_sensor = entry.get("sensor") if sensor is None and isinstance(entry, dict) else sensor
        claimed = named_sensor[:_MAX_NAME] if isinstance(named_sensor, str) else None
        decoded.rejections.append(message.reject(reason, detail, entry=kept, sensor=claimed))


def _explain(error: ValidationError) -> tuple[RejectionReason, str]:
    kind = error.errors(include_url=False, include_context=False, include_input=False)[0]["type"]
    name, problem = wire.field_error(error)
    if kind == "finite_number":
        reason = RejectionReason.NOT_FINITE
    elif name == "time" and kind == "value_error":
        reason = RejectionReason.BAD_TIME
    else:
        reason = RejectionReason.BAD_FIELD
    return reason, f"{name}: {problem}"
