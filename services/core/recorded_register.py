"""A recording as part of a city's register: its zones, assets, links and sensors. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from services.core.city_folder import CityFolder, ModelledZones, RecordedSensor, SensorRow
from services.core.lifeline import Lifeline
from services.core.recorded_city import RecordedCity, carried_by, place_of, zone_of
from services.core.recording import Recording, RecordingError
from services.core.text import Text
from services.core.units import conversion

Units = Mapping[tuple[Lifeline, str], str]
"""The unit in which the catalogue holds each quantity of a lifeline."""


def register_of(recording: Recording, city: RecordedCity, units: Units) -> CityFolder:
    """What the register needs to know of a recording.

    Sensors are registered in the catalogue's units; one that reports in another unit keeps it as its device's.

    Raises:
        RecordingError: a sensor measures what the catalogue does not know, or in a unit that does not convert to its.
    """
    assets = {asset.id: asset for asset in city.assets}
    return CityFolder(
        id=recording.name,
        name=Text(recording.name, recording.name),
        organisations=[],
        people=[],
        zones=city.zones,
        assets=city.assets,
        links=city.links,
        sensors=[
            _sensor(sensor, place_of(sensor, assets), _unit(sensor, units)) for sensor in recording.sensors.values()
        ],
        thresholds={},
        background=[],
        model=_model(recording, city),
        works=city.works,
    )


def _model(recording: Recording, city: RecordedCity) -> ModelledZones | None:
    """The hydraulic model under the name of the zone that it covers."""
    if city.network is None:
        return None
    lifeline = carried_by(recording, city.network)
    zone = zone_of(recording, lifeline)
    return ModelledZones(lifeline, replace(city.network, name=zone), (zone,))


def _unit(sensor: RecordedSensor, units: Units) -> str:
    place = f"sensors.csv, sensor {sensor.sensor}"
    unit = units.get((sensor.lifeline, sensor.quantity))
    if unit is None:
        raise RecordingError(f"{place}: {sensor.lifeline} knows no quantity {sensor.quantity!r}")
    if conversion(sensor.unit, unit) is None:
        raise RecordingError(f"{place}: {sensor.quantity} is in {unit}, which {sensor.unit!r} does not convert to")
    return unit


def _sensor(sensor: RecordedSensor, place: tuple[float, float], unit: str) -> SensorRow:
    given = sensor.model_dump(exclude={"lon", "lat", "unit", "device_unit"})
    device_unit = sensor.device_unit or (None if unit == sensor.unit else sensor.unit)
    return SensorRow(**given, lon=place[0], lat=place[1], unit=unit, device_unit=device_unit)
