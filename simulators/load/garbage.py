"""Entries that cannot become readings, each with the reason for which the contract refuses it."""

import math
from enum import StrEnum
from typing import Any

import msgspec

from simulators.load.form import Form

BROKEN_PAYLOAD = b'{"time": 1777601580000, "value": '


class Garbage(StrEnum):
    """What is wrong with an entry; ``BROKEN`` is a whole message of its own."""

    NOT_A_NUMBER = "not-a-number"
    TEXT_VALUE = "text-value"
    UNREADABLE_TIME = "unreadable-time"
    FUTURE_TIME = "future-time"
    UNKNOWN_SENSOR = "unknown-sensor"
    WRONG_UNIT = "wrong-unit"
    UNKNOWN_FIELD = "unknown-field"
    FOREIGN_SENSOR = "foreign-sensor"
    BROKEN = "broken"


REASONS = {
    Garbage.NOT_A_NUMBER: "not-finite",
    Garbage.TEXT_VALUE: "bad-field",
    Garbage.UNREADABLE_TIME: "bad-time",
    Garbage.FUTURE_TIME: "bad-time",
    Garbage.UNKNOWN_SENSOR: "unknown-sensor",
    Garbage.WRONG_UNIT: "wrong-unit",
    Garbage.UNKNOWN_FIELD: "bad-field",
    Garbage.FOREIGN_SENSOR: "not-yours",
    Garbage.BROKEN: "bad-json",
}
"""The reason the contract states for each (``docs/wire``)."""

_WRONG: dict[Garbage, dict[str, Any]] = {
    Garbage.TEXT_VALUE: {"value": "n/a"},
    Garbage.UNREADABLE_TIME: {"time": "yesterday"},
    Garbage.FUTURE_TIME: {"time": 4_102_444_800_000},  # the year 2100
    Garbage.WRONG_UNIT: {"unit": "degC"},
    Garbage.UNKNOWN_FIELD: {"colour": "blue"},
}


def kinds_for(form: Form, gateways: int) -> tuple[Garbage, ...]:
    """What can be wrong in a form of payload.

    Columns cannot have a field too many in one entry, a message that cannot be read carries no number, and only a
    gateway can speak for another's sensor.
    """
    excluded = {
        Garbage.UNKNOWN_FIELD: form.is_columns,
        Garbage.FOREIGN_SENSOR: form.is_single or gateways == 1,
        Garbage.BROKEN: form.numbered,
    }
    return tuple(kind for kind in Garbage if not excluded.get(kind, False))


def spoilt(kind: Garbage, entry: dict[str, Any], form: Form) -> dict[str, Any]:
    """The entry with what is wrong; the sensor is the caller's business."""
    if kind is Garbage.NOT_A_NUMBER:
        return {**entry, "value": msgspec.Raw(b"NaN") if form.format == "json" else math.nan}
    return {**entry, **_WRONG.get(kind, {})}
