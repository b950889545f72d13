"""How often a device shall report, as what it measured asks for."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid5

from psycopg import AsyncConnection

from services.core.device_command import DeviceCommand
from services.core.finding import Finding, FindingState
from services.core.sensor import Sensor
from services.core.store import device_commands

_NAMESPACE = UUID("3d1c1f0e-8a41-4c53-9f0b-5b7f2f7a9d60")


async def ask_for(
    connection: AsyncConnection, finding: Finding, report_every: timedelta, sensors: Mapping[str, Sensor]
) -> None:
    """Ask the finding's device to report every ``report_every``, or as registered once it has cleared.

    The device is the gateway where the sensor has one: it speaks for its sensors. The command's identifier follows from
    the finding's, so that judging again asks nothing new.
    """
    sensor = sensors.get(finding.sensors[0])
    if sensor is None:
        return
    interval = sensor.interval if finding.state is FindingState.CLEARED else report_every
    command = DeviceCommand(uuid5(_NAMESPACE, finding.id), sensor.gateway or sensor.id, sensor.id, interval)
    await device_commands.ask(connection, command, finding=finding.id, event_time=finding.time)
