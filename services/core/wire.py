"""The published MQTT contract: topics and payloads, version 1.

Everything that publishes to or reads from the broker, the simulators included, goes through this file. The JSON
Schema of the payloads is exported to ``docs/wire/`` and checked by a test.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

VERSION = "v1"
ROOT = f"lifeline/{VERSION}"
MAX_PAYLOAD_BYTES = 262_144
"""A larger payload is rejected as oversized; a gateway splits its batch instead."""
MAX_UNPACKED_BYTES = 4 * 1024 * 1024
"""What a compressed payload may hold."""

MAX_ENTRIES = 10_000
"""More readings than these in one message are rejected as oversized."""

READINGS_FILTERS = (f"{ROOT}/+/sensors/+/readings", f"{ROOT}/+/gateways/+/readings")
"""Topic filters under which readings arrive."""
WINDOWS_FILTER = f"{ROOT}/+/gateways/+/windows"
"""Topic filter under which windows of raw vibration arrive."""
MAX_WINDOW_SAMPLES = 200_000
"""More samples than these in one window, all channels together, are rejected as oversized."""
MIN_WINDOW_SAMPLES = 256
"""A channel with fewer samples says nothing about frequencies."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}"
_READINGS_TOPIC = re.compile(rf"^{ROOT}/({_NAME})/(sensors|gateways)/({_NAME})/readings$")
_WINDOWS_TOPIC = re.compile(rf"^{ROOT}/({_NAME})/gateways/({_NAME})/windows$")
_NAME_PATTERN = f"^{_NAME}$"
NAME = re.compile(_NAME_PATTERN)
"""What cities, sensors, gateways and devices may be called."""

EARLIEST_MS = 946_684_800_000
"""2000-01-01: an epoch number below it is seconds or an unset clock, not milliseconds."""
LATEST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""
MAX_BATCH_NUMBER = 2**53
"""Beyond it JSON numbers lose their last digit in many a language."""


def sensor_readings_topic(city: str, sensor: str) -> str:
    """Where one sensor publishes its readings."""
    return f"{ROOT}/{city}/sensors/{sensor}/readings"


def gateway_readings_topic(city: str, gateway: str) -> str:
    """Where a gateway publishes batches of its sensors' readings."""
    return f"{ROOT}/{city}/gateways/{gateway}/readings"


def gateway_acknowledgement_topic(city: str, gateway: str) -> str:
    """Where the service tells a gateway which of its numbered batches are committed, retained."""
    return f"{ROOT}/{city}/gateways/{gateway}/ack"


def gateway_windows_topic(city: str, gateway: str) -> str:
    """Where a gateway publishes windows of raw vibration of its sensors."""
    return f"{ROOT}/{city}/gateways/{gateway}/windows"


def device_status_topic(city: str, device: str) -> str:
    """Birth message and last will of a device, retained."""
    return f"{ROOT}/{city}/devices/{device}/status"


def device_command_topic(city: str, device: str) -> str:
    """Where the service asks a device, or the gateway that speaks for it, to do something."""
    return f"{ROOT}/{city}/devices/{device}/command"


def device_answer_topic(city: str, device: str) -> str:
    """Where a device says what became of a command."""
    return f"{device_command_topic(city, device)}/ack"


def warning_topic(city: str, lifeline: str, zone: str) -> str:
    """Where the service publishes a zone's warning for sirens, signs and other systems, retained."""
    return f"{ROOT}/{city}/warnings/{lifeline}/{zone}"


def warning_answer_topic(city: str, lifeline: str, zone: str) -> str:
    """Where a siren or a sign says that it has done what a warning asks."""
    return f"{warning_topic(city, lifeline, zone)}/ack"


@dataclass(frozen=True, slots=True)
class ReadingsTopic:
    """A parsed readings topic: exactly one of ``sensor`` and ``gateway`` is set."""

    city: str
    sensor: str | None
    gateway: str | None


@lru_cache(maxsize=262_144)
def parse_readings_topic(topic: str) -> ReadingsTopic | None:
    """Take a readings topic apart; ``None`` when it does not follow the grammar."""
    match = _READINGS_TOPIC.match(topic)
    if match is None:
        return None
    city, kind, name = match.groups()
    return ReadingsTopic(city, name if kind == "sensors" else None, name if kind == "gateways" else None)


def parse_windows_topic(topic: str) -> str | None:
    """The gateway that publishes a window under this topic; ``None`` when it does not follow the grammar."""
    match = _WINDOWS_TOPIC.match(topic)
    return None if match is None else match.group(2)


WireTime = (
    Annotated[datetime, Meta(tz=True, description="event time: RFC 3339 with zone")]
    | Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_MS, description="event time: epoch milliseconds")]
    | Annotated[float, Meta(ge=float(EARLIEST_MS), le=float(LATEST_MS))]
)
_Value = Annotated[float, Meta(description="a finite number in the unit given or the sensor's own")]
_Unit = Annotated[str, Meta(max_length=32, description="converted to the sensor's unit, or refused")]
_Quality = Annotated[int, Meta(ge=0, le=2, description="0 good, 1 suspect, 2 bad")]
# The pattern is published but not checked while decoding: every name is looked up in the register anyway.
_Name = Annotated[str, Meta(description="the sensor's identifier", extra_json_schema={"pattern": _NAME_PATTERN})]


def epoch_us(time: datetime | float) -> int:
    """Microseconds since 1970 of a time as it stands on the wire."""
    if isinstance(time, int):
        return time * 1000
    if isinstance(time, datetime):
        return round(time.timestamp() * 1_000_000)
    return round(time * 1000)


class WireReading(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """A reading on a sensor's own topic."""

    time: WireTime
    value: _Value
    unit: _Unit | None = None
    quality: _Quality | None = None


class WireGatewayReading(WireReading, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """A reading inside a gateway's batch, which names its sensor."""

    sensor: _Name


class WireColumns(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """Readings of one sensor as columns of the same length."""

    time: list[WireTime]
    value: list[_Value]
    unit: list[_Unit | None] | None = None
    quality: list[_Quality | None] | None = None


class WireGatewayColumns(WireColumns, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """Readings of many sensors as columns of the same length."""

    sensor: list[_Name]


class WireNumbered(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """A gateway's batch under the number it has in the gateway's own buffer.

    Numbers begin with 1 and have no holes. A gateway whose counter was lost names its ``buffer`` anew.
    """

    seq: Annotated[int, Meta(ge=1, le=MAX_BATCH_NUMBER)]
    readings: list[WireGatewayReading] | WireGatewayColumns
    buffer: Annotated[str, Meta(max_length=64)] = ""


class WireChannel(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The samples of one sensor in a window, evenly spaced from its start."""

    sensor: _Name
    samples: Annotated[list[float], Meta(min_length=MIN_WINDOW_SAMPLES)]


class WireWindow(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """Raw vibration of several sensors, sampled at the same moments: as many samples in each channel.

    A sample is ``samples[n] * scale`` in the ``unit`` given, else in the one the sensor is registered with, at
    ``start`` + n / ``rate_hz``. ``event`` says why the gateway kept the window; without it the clock was the reason.
    """

    start: WireTime
    rate_hz: Annotated[float, Meta(gt=0, le=10_000)]
    channels: Annotated[list[WireChannel], Meta(min_length=1, max_length=64)]
    scale: Annotated[float, Meta(gt=0)] = 1.0
    unit: _Unit | None = None
    event: Annotated[str, Meta(max_length=64)] | None = None


class WireAcknowledgement(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What is committed of a gateway's numbered batches: all up to ``stored``, and nothing of the ``gaps`` behind it.

    ``gaps`` are pairs of first and last missing number, the earliest hundred of them.
    """

    stored: int
    gaps: list[tuple[int, int]]
    buffer: str = ""


class WireCommand(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a device is asked: to report one of its sensors every ``interval_s`` seconds from now on.

    A device may be asked the same more than once, under the same ``id``, until it has answered.
    """

    id: Annotated[str, Meta(max_length=64)]
    sensor: _Name
    interval_s: Annotated[float, Meta(gt=0)]


class WireAnswer(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """What became of a command: carried out, or not and why."""

    id: Annotated[str, Meta(max_length=64)]
    done: bool
    reason: Annotated[str, Meta(max_length=500)] | None = None


class WireText(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The same words in English and Chinese."""

    en: str
    zh: str


class WireWarning(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A warning that is in force."""

    id: Annotated[str, Meta(max_length=64)]
    asset: str
    severity: Annotated[int, Meta(ge=1, le=4, description="4 is the worst")]
    headline: WireText
    instruction: WireText
    published_at: Annotated[datetime, Meta(tz=True)]


class WireZoneState(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What is in force in a zone, retained: the worst first, nothing where all is well.

    ``id`` names the message in a device's answer and stays the same when it is published again; ``exercise`` says that
    nothing of it is meant in earnest.
    """

    id: Annotated[str, Meta(max_length=64)]
    time: Annotated[datetime, Meta(tz=True)]
    lifeline: str
    zone: str
    severity: Annotated[int, Meta(ge=0, le=4, description="the worst in force; 0: none is")]
    exercise: bool
    warnings: list[WireWarning]


class WireZoneAnswer(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """What a siren or a sign did about the message ``id``, or why it did not."""

    id: Annotated[str, Meta(max_length=64)]
    device: _Name
    done: bool
    reason: Annotated[str, Meta(max_length=500)] | None = None


class Shape(Struct, frozen=True, gc=False):
    """What tells the payloads that are one object apart, without reading them to the end."""

    time: Raw | UnsetType = UNSET
    readings: Raw | UnsetType = UNSET


class NumberedShape(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """A numbered batch whose readings are not read yet."""

    seq: Annotated[int, Meta(ge=1, le=MAX_BATCH_NUMBER)]
    readings: Raw
    buffer: Annotated[str, Meta(max_length=64)] = ""


def payload_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each kind of payload, by the name of the published file."""
    kinds = {
        "sensor-readings": (WireReading, list[WireReading], WireColumns),
        "gateway-readings": (list[WireGatewayReading], WireGatewayColumns, WireNumbered, WireGatewayReading),
        "gateway-window": (WireWindow,),
        "gateway-acknowledgement": (WireAcknowledgement,),
        "device-command": (WireCommand,),
        "device-answer": (WireAnswer,),
        "zone-state": (WireZoneState,),
        "zone-answer": (WireZoneAnswer,),
    }
    return {f"{name}.schema.json": _schema(types) for name, types in kinds.items()}


def _schema(types: Sequence[Any]) -> dict[str, Any]:
    choices, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    return {"anyOf": list(choices), "$defs": definitions}


def encode_reading(reading: WireReading) -> bytes:
    """The JSON bytes of one reading on its sensor's topic."""
    return msgspec.json.encode(reading)


def encode_batch(readings: Sequence[WireReading]) -> bytes:
    """The JSON bytes of an array of readings, on a sensor's or a gateway's topic."""
    return msgspec.json.encode(readings)


def encode_columns(columns: WireColumns) -> bytes:
    """The JSON bytes of readings as columns."""
    return msgspec.json.encode(columns)


def encode_numbered(batch: WireNumbered) -> bytes:
    """The JSON bytes of a gateway's numbered batch."""
    return msgspec.json.encode(batch)


def encode_window(window: WireWindow) -> bytes:
    """The MessagePack bytes of a window; JSON would be twice as long."""
    return msgspec.msgpack.encode(window)


def encode_acknowledgement(acknowledgement: WireAcknowledgement) -> bytes:
    """The JSON bytes that tell a gateway what is committed."""
    return msgspec.json.encode(acknowledgement)


def decode_acknowledgement(payload: bytes) -> WireAcknowledgement:
    """Read what a gateway is told.

    Raises:
        msgspec.DecodeError: it is something else.
    """
    return msgspec.json.decode(payload, type=WireAcknowledgement)


def encode_command(command: WireCommand) -> bytes:
    """The JSON bytes of a command to a device."""
    return msgspec.json.encode(command)


def decode_command(payload: bytes) -> WireCommand:
    """Read what a device is asked.

    Raises:
        msgspec.DecodeError: it is something else.
    """
    return msgspec.json.decode(payload, type=WireCommand)


def encode_answer(answer: WireAnswer) -> bytes:
    """The JSON bytes of a device's answer."""
    return msgspec.json.encode(answer)


def decode_answer(payload: bytes) -> WireAnswer:
    """Read what became of a command.

    Raises:
        msgspec.DecodeError: it is something else.
    """
    return msgspec.json.decode(payload, type=WireAnswer)


def encode_zone_state(state: WireZoneState) -> bytes:
    """The JSON bytes of what is in force in a zone."""
    return msgspec.json.encode(state)


def decode_zone_state(payload: bytes) -> WireZoneState:
    """Read what is in force in a zone.

    Raises:
        msgspec.DecodeError: it is something else.
    """
    return msgspec.json.decode(payload, type=WireZoneState)


def encode_zone_answer(answer: WireZoneAnswer) -> bytes:
    """The JSON bytes of a siren's or a sign's answer."""
    return msgspec.json.encode(answer)


def decode_zone_answer(payload: bytes) -> WireZoneAnswer:
    """Read what a siren or a sign did.

    Raises:
        msgspec.DecodeError: it is something else.
    """
    return msgspec.json.decode(payload, type=WireZoneAnswer)
