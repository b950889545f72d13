"""Observations that a SensorThings client publishes over MQTT. Pure; bad bytes never raise.

OGC SensorThings API Part 1: Sensing, version 1.1 (18-088): the entity Observation, and its creation over MQTT. Version
1.0 (15-078r6) has the same topics and fields.
"""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from services.core import wire
from services.core.rejection import RejectionReason
from services.core.sensor_address import datastream_sensor
from services.ingest.message import Decoded, Message

OBSERVATION_FILTERS = ("v1.1/+/Observations", "v1.0/+/Observations")
"""Topic filters under which observations arrive."""

_PREFIXES = ("v1.1/", "v1.0/")
_TOPIC = re.compile(r"v1\.[01]/Datastreams\((\d{1,19}|'(?:[^'/]|'')+')\)/Observations")
_MAX_SENDER = 128
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)", re.IGNORECASE)


class _FieldError(ValueError):
    """A field cannot be used; the message names it and says why."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class _Observation(msgspec.Struct, rename="camel"):
    """What is read of an observation; its other fields (quality, valid time, parameters, feature) are let pass."""

    result: Any = msgspec.UNSET
    phenomenon_time: Any = None
    result_time: Any = None


_OBSERVATION = msgspec.json.Decoder(_Observation)


def is_observation(topic: str) -> bool:
    """Whether the topic is one of this protocol's, well-formed or not."""
    return topic.startswith(_PREFIXES)


def decode_observation(message: Message) -> Decoded:
    """Read one observation: the result at the time of the phenomenon, at the end of it where that is an interval.

    Without a time of the phenomenon the time of the result counts, and without both the time of arrival, as the
    standard says of a server.
    """
    topic = _TOPIC.fullmatch(message.topic)
    if topic is None:
        detail = "topic: must read v1.1/Datastreams(id)/Observations"
        return Decoded(rejections=[message.reject(RejectionReason.BAD_TOPIC, detail)])
    sensor = datastream_sensor(topic[1])
    try:
        observation = _observation(message.payload)
        value, time_us = _result(observation), _time_us(observation, message.received_at)
    except _FieldError as error:
        sender = f"Datastreams({topic[1]})"[:_MAX_SENDER]
        return Decoded(rejections=[message.reject(error.reason, str(error), sensor=sensor, sender=sender)])
    return Decoded([sensor], [time_us], [value], sender=sensor)


def _observation(payload: bytes) -> _Observation:
    try:
        return _OBSERVATION.decode(payload)
    except msgspec.ValidationError as error:
        raise _FieldError(RejectionReason.BAD_FIELD, f"payload: must be one observation: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _FieldError(RejectionReason.BAD_JSON, f"payload: {error}") from None


def _result(observation: _Observation) -> float:
    result = observation.result
    if result is msgspec.UNSET:
        raise _FieldError(RejectionReason.BAD_FIELD, "result: is missing")
    if isinstance(result, bool) or not isinstance(result, int | float):
        raise _FieldError(RejectionReason.BAD_FIELD, "result: must be a number")
    try:
        return float(result)
    except OverflowError:
        raise _FieldError(RejectionReason.NOT_FINITE, "result: is too large to be a number") from None


def _time_us(observation: _Observation, received_at: datetime) -> int:
    for field, text in (("phenomenonTime", observation.phenomenon_time), ("resultTime", observation.result_time)):
        if text is not None:
            return _instant_us(field, text)
    return wire.epoch_us(received_at)


def _instant_us(field: str, text: Any) -> int:
    """Epoch microseconds of an instant, or of the end of an interval."""
    if not isinstance(text, str):
        raise _FieldError(RejectionReason.BAD_TIME, f"{field}: must be an ISO 8601 text")
    moments = text.split("/")
    if len(moments) > 2 or not all(_TIME.fullmatch(moment) for moment in moments):  # noqa: PLR2004 - start and end
        raise _FieldError(RejectionReason.BAD_TIME, f"{field}: must be an ISO 8601 instant or interval with a zone")
    try:
        start, end = (datetime.fromisoformat(moment.upper()) for moment in (moments[0], moments[-1]))
        if end < start:
            raise _FieldError(RejectionReason.BAD_TIME, f"{field}: the interval ends before it begins")
        return wire.epoch_us(end.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        if isinstance(error, _FieldError):
            raise
        raise _FieldError(RejectionReason.BAD_TIME, f"{field}: is no moment: {error}") from None
