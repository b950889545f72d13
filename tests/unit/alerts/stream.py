"""Small sensors and readings for the tests of the detection room."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.alerts.lifelines import discover
from services.alerts.zone_engine import ZoneEngine
from services.core.finding import Finding
from services.core.lifeline import Lifeline
from services.core.reading import Quality, Reading
from services.core.sensor import Sensor

START = datetime(2026, 1, 5, tzinfo=UTC)
LATENESS = timedelta(minutes=2)


def sensor(
    identifier: str,
    lifeline: Lifeline = Lifeline.GAS,
    quantity: str = "methane",
    *,
    interval: timedelta = timedelta(minutes=1),
    gateway: str | None = None,
) -> Sensor:
    declared = discover()[lifeline].quantity(quantity)
    assert declared is not None
    return Sensor(
        id=identifier,
        key=1,
        lifeline=lifeline,
        quantity=quantity,
        unit=declared.unit,
        asset=f"asset-of-{identifier}",
        zone="Z1",
        longitude=117.2,
        latitude=31.8,
        interval=interval,
        gateway=gateway,
        plausible=declared.plausible,
        thresholds=declared.thresholds,
    )


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def reading(identifier: str, minutes: float, value: float, quality: Quality = Quality.GOOD) -> Reading:
    return Reading(identifier, at(minutes), value, quality, received_at=at(minutes))


def series(identifier: str, values: Iterable[float], *, start: float = 0, step: float = 1) -> list[Reading]:
    return [reading(identifier, start + position * step, value) for position, value in enumerate(values)]


def engine(sensors: Sequence[Sensor], *, lateness: timedelta = LATENESS) -> ZoneEngine:
    return ZoneEngine("Z1", discover()[sensors[0].lifeline], sensors, allowed_lateness=lateness)


def judged(sensors: Sequence[Sensor], readings: Sequence[Reading]) -> list[Finding]:
    """The findings of an engine that is given everything at once, in event-time order."""
    whole = engine(sensors)
    in_order = sorted(readings, key=lambda each: (each.time, each.sensor))
    return whole.observe(in_order) + whole.release()


def told(findings: Iterable[Finding], kind: str) -> list[tuple[str, int, float]]:
    """State, severity and minute of the findings of one kind."""
    return [
        (str(each.state), int(each.severity), (each.time - START).total_seconds() / 60)
        for each in findings
        if each.kind == kind
    ]


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda each: (each.time, each.id))


def restarted(old: ZoneEngine, kept: dict[str, Mapping[str, Any]], sensors: Sequence[Sensor]) -> ZoneEngine:
    """A new engine from what the old one gave to keep, carried through JSON as the database would."""
    kept.update(json.loads(json.dumps(old.changed_state(), allow_nan=False)))
    new = engine(sensors)
    new.restore(kept)
    return new


def with_limits(plain: Sensor, *limits: Any) -> Sensor:
    return replace(plain, thresholds=tuple(limits))
