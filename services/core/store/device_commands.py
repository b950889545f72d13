"""Commands to devices as rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import AsyncConnection

from services.core.device_command import CommandState, DeviceCommand


async def ask(connection: AsyncConnection, command: DeviceCommand, *, finding: str, event_time: datetime) -> None:
    """Ask a device to report a sensor at another interval, in the transaction of the finding that is the reason.

    An open command of the sensor is overtaken. Asking the same again changes nothing.
    """
    await connection.execute(
        """
        update device_command set state = 'superseded'
        where sensor = %s and state in ('waiting', 'sent') and id <> %s
        """,
        (command.sensor, command.id),
    )
    await connection.execute(
        """
        insert into device_command (id, device, sensor, interval_s, finding, event_time)
        values (%s, %s, %s, %s, %s, %s) on conflict (id) do nothing
        """,
        (command.id, command.device, command.sensor, command.interval.total_seconds(), finding, event_time),
    )


async def due(connection: AsyncConnection, *, answer_within: timedelta, limit: int) -> Sequence[DeviceCommand]:
    """What is to be sent now, for the first time or once more, locked until the transaction ends.

    Several processes may ask: each gets others.
    """
    cursor = await connection.execute(
        """
        select id, device, sensor, interval_s, attempts from device_command
        where state = 'waiting' or (state = 'sent' and sent_at < now() - %s)
        order by asked_at limit %s for update skip locked
        """,
        (answer_within, limit),
    )
    rows = await cursor.fetchall()
    return [DeviceCommand(id_, device, sensor, timedelta(seconds=s), tries) for id_, device, sensor, s, tries in rows]


async def note_sent(connection: AsyncConnection, command: UUID) -> None:
    """The broker has taken it."""
    await connection.execute(
        "update device_command set state = 'sent', sent_at = now(), attempts = attempts + 1 where id = %s", (command,)
    )


async def give_up(connection: AsyncConnection, command: UUID) -> None:
    """The device does not answer."""
    await connection.execute("update device_command set state = 'given-up' where id = %s", (command,))


async def answer(
    connection: AsyncConnection, command: UUID, device: str, state: CommandState, reason: str | None
) -> bool:
    """Keep a device's answer; ``False`` for one that nobody asked for, or that was given before.

    An answer that comes after we gave up counts all the same.
    """
    cursor = await connection.execute(
        """
        update device_command set state = %s, answered_at = now(), answer = %s
        where id = %s and device = %s and state in ('waiting', 'sent', 'given-up')
        """,
        (state, reason, command, device),
    )
    return cursor.rowcount == 1


async def reports_every(connection: AsyncConnection, sensor: str) -> timedelta | None:
    """The interval that a sensor's device has last agreed to; ``None`` where it was never asked."""
    cursor = await connection.execute(
        "select interval_s from device_command where sensor = %s and state = 'done' order by asked_at desc limit 1",
        (sensor,),
    )
    row = await cursor.fetchone()
    return None if row is None else timedelta(seconds=row[0])
