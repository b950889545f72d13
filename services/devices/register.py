"""Which sensors a city has and who publishes for them, from the database or from a city folder."""

from collections.abc import Sequence
from pathlib import Path

import psycopg

from services.core.checked_rows import CityFolderError
from services.core.city_folder import read_city_folder
from services.devices.device import RegisteredSensor
from services.devices.failure import DeviceSecurityError


def from_database(database_url: str) -> list[RegisteredSensor]:
    """The sensors of the register in the database.

    Raises:
        DeviceSecurityError: the database cannot be reached or has another schema.
    """
    try:
        with psycopg.connect(database_url, connect_timeout=10) as connection:
            rows = connection.execute("select id, gateway, address from sensor order by id").fetchall()
    except psycopg.Error as error:
        raise DeviceSecurityError(f"the register cannot be read: {str(error).strip().splitlines()[0]}") from None
    return [RegisteredSensor(*row) for row in rows]


def from_folder(folder: Path) -> tuple[str, Sequence[RegisteredSensor]]:
    """The city's name in topics, and its sensors.

    Raises:
        DeviceSecurityError: the folder is no city folder, or a file of it is wrong.
    """
    try:
        city = read_city_folder(folder)
    except CityFolderError as error:
        raise DeviceSecurityError(f"{folder}: {error}") from None
    return city.id, [RegisteredSensor(sensor.sensor, sensor.gateway, sensor.address) for sensor in city.sensors]
