"""The published MQTT contract: topics and payloads, version 1.

Everything that publishes to or reads from the broker, the simulators included, goes through this file. The JSON
Schema of the payloads is exported to ``docs/wire/`` and checked by a test.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    field_validator,
)

VERSION = "v1"
ROOT = f"lifeline/{VERSION}"
MAX_PAYLOAD_BYTES = 262_144
"""A larger payload is rejected as oversized; a gateway splits its batch instead."""

READINGS_FILTERS = (f"{ROOT}/+/sensors/+/readings", f"{ROOT}/+/gateways/+/readings")
"""Topic filters under which readings arrive."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}"
_READINGS_TOPIC = re.compile(rf"^{ROOT}/({_NAME})/(sensors|gateways)/({_NAME})/readings$")
_NAME_PATTERN = f"^{_NAME}$"

_EARLIEST_MS = 946_684_800_000
"""2000-01-01: an epoch number below it is seconds or an unset clock, not milliseconds."""


def sensor_readings_topic(city: str, sensor: str) -> str:
    """Where one sensor publishes its readings."""
    return f"{ROOT}/{city}/sensors/{sensor}/readings"


def gateway_readings_topic(city: str, gateway: str) -> str:
    """Where a gateway publishes batches of its sensors' readings."""
    return f"{ROOT}/{city}/gateways/{gateway}/readings"


def device_status_topic(city: str, device: str) -> str:
    """Birth message and last will of a device, retained."""
    return f"{ROOT}/{city}/devices/{device}/status"


def warning_topic(city: str, lifeline: str, zone: str) -> str:
    """Where the service publishes a zone's warning for sirens, signs and other systems, retained."""
    return f"{ROOT}/{city}/warnings/{lifeline}/{zone}"


@dataclass(frozen=True, slots=True)
class ReadingsTopic:
    """A parsed readings topic: exactly one of ``sensor`` and ``gateway`` is set."""

    city: str
    sensor: str | None
    gateway: str | None


def parse_readings_topic(topic: str) -> ReadingsTopic | None:
    """Take a readings topic apart; ``None`` when it does not follow the grammar."""
    match = _READINGS_TOPIC.match(topic)
    if match is None:
        return None
    city, kind, name = match.groups()
    return ReadingsTopic(city, name if kind == "sensors" else None, name if kind == "gateways" else None)


def _parse_time(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float | str | datetime):
        raise ValueError("time must be RFC 3339 with a zone, or epoch milliseconds")  # noqa: TRY004
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("time is not RFC 3339") from None
    else:
        if value < _EARLIEST_MS:
            raise ValueError("time as a number must be epoch milliseconds after 2000-01-01")
        try:
            moment = datetime.fromtimestamp(value / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            raise ValueError("time is out of range") from None
    if moment.tzinfo is None:
        raise ValueError("time has no zone; write Z or an offset")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("time is out of range") from None


class WireReading(BaseModel):
    """A reading on a sensor's own topic."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    time: Annotated[
        datetime,
        WithJsonSchema(
            {
                "description": "event time: RFC 3339 with zone, or epoch milliseconds",
                "anyOf": [
                    {"type": "string", "format": "date-time"},
                    {"type": "number", "minimum": _EARLIEST_MS},
                ],
            }
        ),
    ]
    value: Annotated[float, Field(description="a finite number in the unit given or the sensor's own")]
    unit: Annotated[str | None, Field(max_length=32, description="checked against the sensor's unit")] = None
    quality: Annotated[int | None, Field(ge=0, le=2, description="0 good, 1 suspect, 2 bad")] = None

    @field_validator("time", mode="before")
    @classmethod
    def _time(cls, value: object) -> datetime:
        return _parse_time(value)


class WireGatewayReading(WireReading):
    """A reading inside a gateway's batch, which names its sensor."""

    sensor: Annotated[str, Field(pattern=_NAME_PATTERN, description="the sensor's identifier")]


SENSOR_PAYLOAD: TypeAdapter[Any] = TypeAdapter(WireReading | list[WireReading])
"""What a sensor's topic carries, for the exported JSON Schema."""
GATEWAY_PAYLOAD: TypeAdapter[Any] = TypeAdapter(list[WireGatewayReading])
"""What a gateway's topic carries, for the exported JSON Schema."""


def field_error(error: ValidationError) -> tuple[str, str]:
    """The first offending field and what is wrong with it, fit for a rejection's detail."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "payload"
    return name, first["msg"].removeprefix("Value error, ")


def encode_reading(reading: WireReading) -> bytes:
    """The JSON bytes of one reading on its sensor's topic."""
    return reading.model_dump_json(exclude_none=True).encode()


def encode_batch(readings: Sequence[WireReading]) -> bytes:
    """The JSON bytes of an array of readings, on a sensor's or a gateway's topic."""
    return f"[{','.join(reading.model_dump_json(exclude_none=True) for reading in readings)}]".encode()
