"""The sensors of a recording as the engine wants them, with the limits of their quantity in their own unit. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from math import inf

from services.alerts.lifelines.contract import LifelineRules
from services.core.asset import Asset
from services.core.city_folder import RecordedSensor
from services.core.lifeline import Lifeline
from services.core.quantity import Quantity
from services.core.recorded_city import place_of, zone_of
from services.core.recording import Recording
from services.core.sensor import Sensor
from services.core.threshold import Threshold
from services.core.units import Conversion, conversion

ANYTHING = (-inf, inf)
"""The plausible range of a quantity that its lifeline does not declare: nothing is known about it."""


def recorded_sensors(
    recording: Recording, rules: Mapping[Lifeline, LifelineRules], assets: Mapping[str, Asset]
) -> list[Sensor]:
    """The sensors in the order of the recording; ``key`` is the position in it.

    A sensor keeps the unit that the recording declares, and its values are judged in it. Limits and plausible ranges
    are those of the lifeline's quantity, brought into that unit; a sensor has none where its lifeline does not declare
    the quantity or where the units have nothing in common.
    """
    return [
        _sensor(position, row, zone_of(recording, row.lifeline), place_of(row, assets), _quantity(rules, row))
        for position, row in enumerate(recording.sensors.values())
    ]


def _quantity(rules: Mapping[Lifeline, LifelineRules], row: RecordedSensor) -> Quantity | None:
    return rules[row.lifeline].quantity(row.quantity) if row.lifeline in rules else None


def _sensor(key: int, row: RecordedSensor, zone: str, place: tuple[float, float], quantity: Quantity | None) -> Sensor:
    plausible = ANYTHING
    thresholds: tuple[Threshold, ...] = ()
    into = None if quantity is None else conversion(quantity.unit, row.unit) or _inverse(row.unit, quantity.unit)
    if quantity is not None and into is not None:
        plausible = _range(quantity.plausible, into)
        thresholds = tuple(_limit(threshold, into) for threshold in quantity.thresholds)
    return Sensor(
        id=row.sensor,
        key=key,
        lifeline=row.lifeline,
        quantity=row.quantity,
        unit=row.unit,
        asset=row.asset,
        zone=zone,
        longitude=place[0],
        latitude=place[1],
        interval=timedelta(seconds=row.interval_s),
        gateway=row.gateway,
        plausible=plausible,
        thresholds=thresholds,
    )


def _inverse(unit: str, declared: str) -> Conversion | None:
    """For units that convert one way only: a pressure in metres of water."""
    back = conversion(unit, declared)
    return None if back is None else Conversion(1 / back.scale, -back.offset / back.scale)


def _range(plausible: tuple[float, float], into: Conversion) -> tuple[float, float]:
    low, high = (into.apply(end) for end in plausible)
    return low, high


def _limit(threshold: Threshold, into: Conversion) -> Threshold:
    return replace(threshold, raise_at=into.apply(threshold.raise_at), clear_at=into.apply(threshold.clear_at))
