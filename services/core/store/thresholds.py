"""Thresholds as JSON columns of quantities and sensors."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from services.core.severity import Severity
from services.core.threshold import Side, Threshold

EFFECTIVE = "coalesce(sensor.hand_thresholds, sensor.thresholds, quantity.thresholds)"
"""The limits that count: those set by hand, else those of the city folder, else the defaults of the quantity."""


def to_json(thresholds: Iterable[Threshold]) -> list[dict[str, Any]]:
    """The JSON form: seconds for delays, names for sides, numbers for severities."""
    return [
        {
            "severity": int(threshold.severity),
            "side": threshold.side.value,
            "raise_at": threshold.raise_at,
            "clear_at": threshold.clear_at,
            "on_delay_s": threshold.on_delay.total_seconds(),
            "off_delay_s": threshold.off_delay.total_seconds(),
            "source": threshold.source,
        }
        for threshold in thresholds
    ]


def from_json(rows: Iterable[Mapping[str, Any]]) -> tuple[Threshold, ...]:
    """The inverse of ``to_json``.

    Raises:
        ValueError: a threshold clears on its trouble side.
        KeyError: a field is missing.
    """
    return tuple(
        Threshold(
            severity=Severity(row["severity"]),
            side=Side(row["side"]),
            raise_at=float(row["raise_at"]),
            clear_at=float(row["clear_at"]),
            on_delay=timedelta(seconds=float(row["on_delay_s"])),
            off_delay=timedelta(seconds=float(row["off_delay_s"])),
            source=str(row["source"]),
        )
        for row in rows
    )
