"""What one metric of a payload says, as ingest understands it: a number, its unit, its quality. Pure."""

from enum import IntEnum

from services.core.reading import Quality
from services.ingest.sparkplug.payload_pb2 import Metric, PropertyValue


class DataType(IntEnum):
    """The types of numbers (Eclipse Sparkplug 3.0.0, chapter 6); all others carry none."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11


QUALITIES = {0: Quality.BAD, 192: Quality.GOOD, 500: Quality.SUSPECT}
"""The only codes of the property ``Quality``: bad, good, stale (chapter 6)."""

_NUMBERS = frozenset(DataType)
_SIGNED_BITS = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}
_WHOLE = {"int_value", "long_value"}
_MAX_UNIT = 32


def is_number(datatype: int) -> bool:
    """Whether metrics of this type are numbers, a switch being 0 or 1."""
    return datatype in _NUMBERS


def number(metric: Metric, datatype: int | None) -> float | None:
    """The value as a number, infinities and NaN included; ``None`` when it has none.

    Whole numbers travel unsigned, so that without the type they cannot be told.
    """
    field = metric.WhichOneof("value")
    if metric.is_null or field is None:
        return None
    value = getattr(metric, field)
    if field not in _WHOLE:
        return float(value)
    if datatype is None:
        return None
    bits = _SIGNED_BITS.get(DataType(datatype))
    if bits is not None:
        # Some write a negative Int8 in eight bits, some in all thirty-two; the lowest eight are the same.
        value &= (1 << bits) - 1
        value -= (value >> (bits - 1)) << bits
    return float(value)


def unit_and_quality(metric: Metric) -> tuple[str | None, Quality | None]:
    """What the properties ``engUnit`` and ``Quality`` say; a code that is none counts as suspect."""
    unit, quality = None, None
    if metric.HasField("properties"):
        for key, value in zip(metric.properties.keys, metric.properties.values, strict=False):
            if value.is_null:
                continue
            if key == "engUnit":
                unit = value.string_value.strip()[:_MAX_UNIT] or None
            elif key == "Quality":
                quality = _quality(value)
    return unit, quality


def _quality(value: PropertyValue) -> Quality | None:
    field = value.WhichOneof("value")
    if field not in _WHOLE:
        return None
    return QUALITIES.get(getattr(value, field), Quality.SUSPECT)
